package markup

import "bytes"

// Tokens calls visit for each tag of an XML document: its local name, its
// attributes, whether it ends an element, and, for a start, the raw text up to
// the next tag. An element without content gives a start only. visit may stop
// the walk.
func Tokens(b []byte, visit func(name, attrs []byte, end bool, text []byte) bool) {
	for i := 0; i < len(b); {
		lt := bytes.IndexByte(b[i:], '<')
		if lt < 0 {
			return
		}
		i += lt
		t, n := readTag(b[i:])
		if n == 0 {
			i++
			continue
		}
		i += n
		var text []byte
		if !t.end && !t.alone {
			if lt := bytes.IndexByte(b[i:], '<'); lt > 0 {
				text = b[i : i+lt]
			}
		}
		if !visit(local(t.name), t.attrs, t.end, text) {
			return
		}
	}
}

// Attribute gives the value of the named attribute, as it is written.
func Attribute(attrs []byte, name string) (value []byte, ok bool) { return attribute(attrs, name) }

// AppendText appends character data with its references resolved.
func AppendText(dst, b []byte) []byte { return appendText(dst, b) }
