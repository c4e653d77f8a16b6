package markup

import "xiezhi/internal/observe/jsonleaf"

// XML-RPC is JSON-RPC written in elements. It is given as that, so that calls
// are read in one place.

// maxCallDepth is the nesting of values that are written; deeper ones are null.
const maxCallDepth = 32

// AppendRPC appends the document that was parsed last as a call or answer of
// JSON-RPC. It reports false when it is neither a methodCall nor a
// methodResponse.
func (x *XML) AppendRPC(dst []byte) ([]byte, bool) {
	top := x.element(&x.nodes[0])
	if top == nil {
		return dst, false
	}
	switch string(x.name(top)) {
	case "methodCall":
		name := x.child(top, "methodName")
		if name == nil {
			return dst, false
		}
		dst = append(dst, `{"method":`...)
		dst = x.appendText(dst, name)
		dst = append(dst, `,"id":0,"params":[`...)
		dst = x.appendParams(dst, x.child(top, "params"))
		return append(dst, "]}"...), true
	case "methodResponse":
		if fault := x.child(top, "fault"); fault != nil {
			dst = append(dst, `{"error":`...)
			dst = x.appendValue(dst, x.child(fault, "value"), 0)
			return append(dst, '}'), true
		}
		// An answer has one parameter; what stands beside it is not of the format.
		dst = append(dst, `{"result":`...)
		dst = x.appendValue(dst, x.child(x.child(x.child(top, "params"), "param"), "value"), 0)
		return append(dst, '}'), true
	}
	return dst, false
}

func (x *XML) child(n *node, name string) *node {
	if n == nil {
		return nil
	}
	for i := n.first; i != 0; i = x.nodes[i].next {
		if c := &x.nodes[i]; c.kind == elementNode && string(x.name(c)) == name {
			return c
		}
	}
	return nil
}

// appendParams appends the values of <params>, separated by commas.
func (x *XML) appendParams(dst []byte, params *node) []byte {
	if params == nil {
		return dst
	}
	some := false
	for i := params.first; i != 0; i = x.nodes[i].next {
		p := &x.nodes[i]
		if p.kind != elementNode {
			continue
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
		dst = x.appendValue(dst, x.child(p, "value"), 0)
	}
	return dst
}

// appendValue appends a <value>; one without a type is a text.
func (x *XML) appendValue(dst []byte, v *node, depth int) []byte {
	if v == nil || depth > maxCallDepth {
		return append(dst, "null"...)
	}
	t := x.element(v)
	if t == nil {
		return x.appendText(dst, v)
	}
	switch string(x.name(t)) {
	case "int", "i1", "i2", "i4", "i8", "double", "biginteger":
		return x.appendNumber(dst, t)
	case "boolean":
		if s := trim(x.plain(t)); len(s) > 0 && (s[0] == '1' || s[0] == 't') {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case "nil":
		return append(dst, "null"...)
	case "array":
		dst = append(dst, '[')
		if data := x.child(t, "data"); data != nil {
			for i, n := data.first, 0; i != 0; i = x.nodes[i].next {
				c := &x.nodes[i]
				if c.kind != elementNode {
					continue
				}
				if n++; n > 1 {
					dst = append(dst, ',')
				}
				dst = x.appendValue(dst, c, depth+1)
			}
		}
		return append(dst, ']')
	case "struct":
		dst = append(dst, '{')
		for i, n := t.first, 0; i != 0; i = x.nodes[i].next {
			m := &x.nodes[i]
			if m.kind != elementNode {
				continue
			}
			name := x.child(m, "name")
			if name == nil {
				continue
			}
			if n++; n > 1 {
				dst = append(dst, ',')
			}
			dst = append(x.appendText(dst, name), ':')
			dst = x.appendValue(dst, x.child(m, "value"), depth+1)
		}
		return append(dst, '}')
	}
	return x.appendText(dst, t)
}

// plain gives the text of an element.
func (x *XML) plain(n *node) []byte {
	if n.first == 0 {
		return nil
	}
	if c := &x.nodes[n.first]; c.kind == textNode && c.next == 0 {
		return x.decoded(x.b[c.from:c.to])
	}
	x.text = x.text[:0]
	for i := n.first; i != 0; i = x.nodes[i].next {
		if c := &x.nodes[i]; c.kind == textNode {
			x.text = appendText(x.text, x.b[c.from:c.to])
		}
	}
	return x.text
}

func (x *XML) appendNumber(dst []byte, n *node) []byte {
	s := trim(x.plain(n))
	if len(s) == 0 || len(s) > 40 {
		return append(dst, "null"...)
	}
	for i, c := range s {
		if c-'0' > 9 && c != '.' && c|0x20 != 'e' && c != '+' && c != '-' || i == 0 && c-'0' > 9 && c != '-' {
			return jsonleaf.AppendQuoted(dst, s)
		}
	}
	return append(dst, s...)
}

func (x *XML) appendText(dst []byte, n *node) []byte {
	return jsonleaf.AppendQuoted(dst, trim(x.plain(n)))
}
