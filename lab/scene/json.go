package scene

import (
	"strconv"
	"unicode/utf8"
)

// JSON is an encoded value. Objects are built in the order of their fields, so
// that the same answer always has the same bytes.
type JSON []byte

// Obj builds an object of names and values in turn.
func Obj(pairs ...any) JSON {
	out := JSON{'{'}
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			out = append(out, ',')
		}
		out = AppendString(out, pairs[i].(string))
		out = append(out, ':')
		out = appendValue(out, pairs[i+1])
	}
	return append(out, '}')
}

// With adds fields to the end of an object.
func (j JSON) With(pairs ...any) JSON {
	if len(pairs) == 0 {
		return j
	}
	more := Obj(pairs...)
	if len(j) == 2 {
		return more
	}
	out := append(JSON{}, j[:len(j)-1]...)
	return append(append(out, ','), more[1:]...)
}

// List builds an array.
func List[T any](items []T, each func(T) JSON) JSON {
	out := JSON{'['}
	for i, it := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, each(it)...)
	}
	return append(out, ']')
}

func appendValue(out JSON, v any) JSON {
	switch v := v.(type) {
	case nil:
		return append(out, "null"...)
	case JSON:
		if len(v) == 0 {
			return append(out, "null"...)
		}
		return append(out, v...)
	case string:
		return AppendString(out, v)
	case int:
		return strconv.AppendInt(out, int64(v), 10)
	case int64:
		return strconv.AppendInt(out, v, 10)
	case float64:
		return strconv.AppendFloat(out, v, 'f', -1, 64)
	case bool:
		return strconv.AppendBool(out, v)
	case []string:
		return append(out, List(v, func(s string) JSON { return AppendString(nil, s) })...)
	}
	panic("scene: no JSON form for this type of value")
}

// AppendString appends a JSON string. Texts of the lab hold no control
// characters but line ends and tabs.
func AppendString(out JSON, s string) JSON {
	out = append(out, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\t':
			out = append(out, '\\', 't')
		case c >= utf8.RuneSelf:
			_, n := utf8.DecodeRuneInString(s[i:])
			out = append(out, s[i:i+n]...)
			i += n
			continue
		default:
			out = append(out, c)
		}
		i++
	}
	return append(out, '"')
}
