// Package charset turns text of any encoding into UTF-8.
//
// It takes bytes and what was declared about them (a charset parameter; an XML
// declaration or HTML meta element is found in the bytes) and gives UTF-8. The
// bytes have the last word: what is UTF-8 stays as it is whatever was
// declared, and undeclared text that is no UTF-8 but reads as GB18030 with
// common Chinese characters is taken for that. Invariants: a function of
// (declared, bytes); text of ASCII or UTF-8 is neither copied nor read beyond
// a few hundred bytes after its first byte beyond ASCII; the result is at most
// three times as long as the input. Limits: of undeclared encodings only
// GB18030 and UTF-16 are recognised.
package charset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	window     = 256     // bytes validated after the first one beyond ASCII
	sample     = 4 << 10 // bytes on which an undeclared encoding is judged
	headBytes  = 1024    // where a document declares its encoding
	maxName    = 32
	maxDecoder = 64
)

// Decoder decodes text. It belongs to one goroutine; results are valid until
// its next call. The zero value is ready.
type Decoder struct {
	known map[string]*encoding.Decoder // nil: no such encoding
	buf   []byte
}

// Text gives b in UTF-8. declared is the charset parameter, or nil.
func (d *Decoder) Text(declared, b []byte) []byte {
	if len(b) < 2 {
		return b
	}
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		return b[3:]
	case b[0] == 0xFF && b[1] == 0xFE, b[0] == 0xFE && b[1] == 0xFF:
		return d.decode("utf-16", b)
	case b[0] == 0 || b[1] == 0:
		if name := wide(b); name != "" {
			return d.decode(name, b)
		}
		return b
	}
	first := firstHigh(b)
	if first < 0 {
		return b
	}
	ok, long := validWindow(b[first:])
	if ok && (long || !doubleByte(declared)) {
		return b
	}
	name := normal(declared)
	if !useful(name) {
		name = normal(inDocument(b))
	}
	switch {
	case useful(name):
		if out := d.decode(name, b); out != nil {
			return out
		}
	case ok:
		return b
	}
	if Chinese(b) {
		return d.decode("gb18030", b)
	}
	return b
}

// Value gives a short value, such as a parameter, in UTF-8.
func (d *Decoder) Value(b []byte) []byte {
	if firstHigh(b) < 0 || utf8.Valid(b) || !Chinese(b) {
		return b
	}
	return d.decode("gb18030", b)
}

// useful reports whether a declaration says more than that the text is what
// it was not found to be, or the default of a careless server.
func useful(name string) bool {
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "binary":
		return false
	}
	return true
}

func doubleByte(declared []byte) bool {
	switch normal(declared) {
	case "gbk", "gb2312", "gb18030", "big5", "big5-hkscs", "euc-kr", "euc-jp", "shift_jis":
		return true
	}
	return false
}

func normal(b []byte) string {
	if len(b) == 0 || len(b) > maxName {
		return ""
	}
	return string(bytes.ToLower(bytes.Trim(b, " \t\"'")))
}

func (d *Decoder) decode(name string, b []byte) []byte {
	dec := d.decoder(name)
	if dec == nil {
		return nil
	}
	dec.Reset()
	if n := len(b) + len(b)/2 + 64; cap(d.buf) < n {
		d.buf = make([]byte, n)
	}
	d.buf = d.buf[:cap(d.buf)]
	out := 0
	for {
		n, m, err := dec.Transform(d.buf[out:], b, true)
		out, b = out+n, b[m:]
		if !errors.Is(err, transform.ErrShortDst) {
			return d.buf[:out]
		}
		d.buf = append(d.buf, make([]byte, len(d.buf))...)
	}
}

func (d *Decoder) decoder(name string) *encoding.Decoder {
	if dec, ok := d.known[name]; ok {
		return dec
	}
	if d.known == nil || len(d.known) >= maxDecoder {
		d.known = map[string]*encoding.Decoder{}
	}
	var dec *encoding.Decoder
	switch name {
	case "gb18030", "gbk", "gb2312", "gb_2312-80", "x-gbk", "cp936", "ms936", "windows-936":
		dec = simplifiedchinese.GB18030.NewDecoder() // what the others are parts of
	case "utf-16":
		dec = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	default:
		if e, err := htmlindex.Get(name); err == nil {
			dec = e.NewDecoder()
		}
	}
	d.known[name] = dec
	return dec
}

// Release gives back a large buffer.
func (d *Decoder) Release() {
	if cap(d.buf) > 1<<20 {
		d.buf = nil
	}
}

// firstHigh is the place of the first byte beyond ASCII, -1 when there is none.
func firstHigh(b []byte) int {
	i := 0
	for ; i+16 <= len(b); i += 16 {
		if (binary.LittleEndian.Uint64(b[i:])|binary.LittleEndian.Uint64(b[i+8:]))&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= 0x80 {
			return i
		}
	}
	return -1
}

// validWindow reports whether b begins as UTF-8, and whether a character of
// three bytes or more is among it, which other encodings hardly resemble.
func validWindow(b []byte) (ok, long bool) {
	limit := min(len(b), window)
	for i := 0; i < limit; {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return false, false
		}
		long = long || n > 2
		i += n
	}
	return true, long
}

// wide tells UTF-16 without a byte-order mark: text of which every second byte
// is zero.
func wide(b []byte) string {
	n := min(len(b), 64) &^ 1
	if n < 4 {
		return ""
	}
	var zero [2]int
	for i, c := range b[:n] {
		if c == 0 {
			zero[i&1]++
		}
	}
	switch {
	case zero[0] == 0 && zero[1]*4 >= n:
		return "utf-16le"
	case zero[1] == 0 && zero[0]*4 >= n:
		return "utf-16be"
	}
	return ""
}

// inDocument finds the encoding that an XML declaration or a meta element
// names.
func inDocument(b []byte) []byte {
	head := b[:min(len(b), headBytes)]
	for _, key := range [...]string{"encoding=", "charset="} {
		i := bytes.Index(head, []byte(key))
		if i < 0 || key == "encoding=" && !bytes.HasPrefix(bytes.TrimLeft(head, " \r\n\t"), []byte("<?xml")) {
			continue
		}
		v := bytes.TrimLeft(head[i+len(key):], "\"' ")
		end := bytes.IndexAny(v, "\"'?>; /")
		if end < 0 {
			continue
		}
		return v[:end]
	}
	return nil
}

// Chinese reports whether text that is no UTF-8 reads as GB18030 with common
// Chinese characters.
func Chinese(b []byte) bool {
	limit := min(len(b), sample)
	cut := limit < len(b)
	var pairs, standard, common int
	for i := 0; i < limit; {
		c := b[i]
		if c < 0x80 {
			i++
			continue
		}
		if i+1 >= limit {
			if cut {
				break
			}
			return false
		}
		t := b[i+1]
		switch {
		case c == 0x80 || c == 0xFF:
			return false
		case t-'0' < 10 && i+3 < limit && b[i+2] >= 0x81 && b[i+3]-'0' < 10:
			pairs++
			i += 4
			continue
		case t < 0x40 || t == 0x7F || t == 0xFF:
			return false
		case t >= 0xA1 && c >= 0xB0 && c <= 0xD7, t >= 0xA1 && c >= 0xA1 && c <= 0xA3:
			common++ // the 3 755 most used characters, signs
			standard++
		case t >= 0xA1 && c >= 0xD8 && c <= 0xF7:
			standard++
		}
		pairs++
		i += 2
	}
	return pairs > 0 && standard*10 >= pairs*9 && common*2 >= pairs
}
