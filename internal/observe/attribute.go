package observe

import "bytes"

// attribute gives the value of ;name=value in a header value.
func attribute(b []byte, name string) []byte {
	v, _ := attributeOK(b, name)
	return v
}

// attributeOK finds ;name=value or ;name="value" in a header value.
func attributeOK(b []byte, name string) (value []byte, ok bool) {
	for {
		i := bytes.IndexByte(b, ';')
		if i < 0 {
			return nil, false
		}
		b = trimSpace(b[i+1:])
		eq := bytes.IndexByte(b, '=')
		if eq < 0 {
			return nil, false
		}
		var buf [32]byte
		key := trimSpace(b[:eq])
		match := len(key) <= len(buf) && string(lower(buf[:0], key)) == name
		v := trimSpace(b[eq+1:])
		if len(v) > 0 && v[0] == '"' {
			end := 1
			for end < len(v) && v[end] != '"' {
				if v[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(v))
			if match {
				return v[1:end], true
			}
			b = v[end:]
			continue
		}
		if match {
			if i := bytes.IndexByte(v, ';'); i >= 0 {
				v = v[:i]
			}
			return trimSpace(v), true
		}
		b = v
	}
}
