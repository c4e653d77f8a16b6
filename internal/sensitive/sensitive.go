// Package sensitive recognises personal data, credentials and secrets.
//
// It takes text (Scan, ScanText), or one leaf value together with what its
// field name promises (Leaf, Hint), and gives typed byte ranges with a
// confidence from 0 to 100. Recognisers are written by hand: the maximal run
// of token bytes decides by length and first characters, then boundaries and
// checksums decide; there is no regular expression on the path and nothing is
// allocated. Names, addresses and passwords are known only by their key.
// Invariant: hits are in order, never overlap and lie within the text; equal
// input gives equal hits. Limits: text is UTF-8 and already decoded (no
// percent, backslash or base64 encoding is undone here); a value of random
// digits that satisfies a checksum by accident is a hit, which is why the
// confidence without a key is lower.
package sensitive

import "xiezhi/internal/taxonomy"

// Hit is one recognised value.
type Hit struct {
	Type       taxonomy.Sensitive
	Start, End int   // byte offsets into the scanned text
	Confidence uint8 // 0..100
	Masked     bool  // the text shows it masked: 138****1234
}
