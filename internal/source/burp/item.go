package burp

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"xiezhi/internal/exchange"
)

// item is what an item's elements say. Its slices point into the item or into
// room.
type item struct {
	time, host, ip, port, protocol []byte
	request, response              []byte
	badBase64                      bool
	room                           []byte
}

// read takes the elements of an item apart. They are flat: name, attributes,
// text or CDATA, end tag. It is false when that is not what raw is.
func (it *item) read(raw []byte) bool {
	if cap(it.room) > roomKept {
		it.room = nil
	}
	*it = item{room: it.room[:0]}
	// Texts that have to be decoded are shorter than what they come from, so
	// room never moves while slices point into it.
	if cap(it.room) < len(raw) {
		it.room = make([]byte, 0, len(raw))
	}
	for {
		raw = bytes.TrimLeft(raw, " \t\r\n")
		if len(raw) == 0 {
			return true
		}
		if raw[0] != '<' {
			return false
		}
		if bytes.HasPrefix(raw, []byte("<!--")) {
			i := bytes.Index(raw, []byte("-->"))
			if i < 0 {
				return false
			}
			raw = raw[i+3:]
			continue
		}
		end := tagEnd(raw)
		if end < 0 {
			return false
		}
		tag := raw[1:end]
		raw = raw[end+1:]
		empty := len(tag) > 0 && tag[len(tag)-1] == '/'
		tag = bytes.TrimSuffix(tag, []byte("/"))
		name, attributes := tag, []byte(nil)
		if i := bytes.IndexAny(tag, " \t\r\n"); i >= 0 {
			name, attributes = tag[:i], tag[i:]
		}
		if !isName(name) {
			return false
		}
		var text []byte
		if !empty {
			var ok bool
			if text, raw, ok = content(raw, name); !ok {
				return false
			}
		}
		switch string(name) {
		case "time":
			it.time = text
		case "host":
			it.host, it.ip = text, attribute(attributes, "ip")
		case "port":
			it.port = bytes.TrimSpace(text)
		case "protocol":
			it.protocol = bytes.ToLower(bytes.TrimSpace(text))
		case "request":
			it.request = it.message(text, attributes)
		case "response":
			it.response = it.message(text, attributes)
		}
	}
}

// tagEnd finds the end of a tag; quotes may hold an angle bracket.
func tagEnd(b []byte) int {
	quote := byte(0)
	for i, c := range b[:min(len(b), 4096)] {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

func isName(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 && (c|0x20)-'a' > 25 && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return len(b) > 0
}

func attribute(b []byte, name string) []byte {
	for {
		b = bytes.TrimLeft(b, " \t\r\n")
		i := bytes.IndexByte(b, '=')
		if i < 0 || i+1 >= len(b) || b[i+1] != '"' && b[i+1] != '\'' {
			return nil
		}
		key := bytes.TrimSpace(b[:i])
		j := bytes.IndexByte(b[i+2:], b[i+1])
		if j < 0 {
			return nil
		}
		value := b[i+2 : i+2+j]
		if string(key) == name {
			return value
		}
		b = b[i+2+j+1:]
	}
}

// content reads up to the end tag. A single CDATA section, or text without
// references, comes back where it stands.
func content(b, name []byte) (text, rest []byte, ok bool) {
	var joined []byte
	pieces := 0
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			return nil, nil, false
		}
		if plain := b[:i]; len(plain) > 0 && (pieces == 0 || len(bytes.TrimSpace(plain)) > 0) {
			piece := plain
			if bytes.IndexByte(plain, '&') >= 0 {
				piece = unescape(plain)
			}
			// White space around a CDATA section is layout.
			if !(len(bytes.TrimSpace(plain)) == 0 && bytes.HasPrefix(b[i:], cdataStart)) {
				joined = join(&pieces, joined, piece)
			}
		}
		b = b[i:]
		switch {
		case bytes.HasPrefix(b, cdataStart):
			j := bytes.Index(b, cdataEnd)
			if j < 0 {
				return nil, nil, false
			}
			joined = join(&pieces, joined, b[len(cdataStart):j])
			b = b[j+len(cdataEnd):]
		case len(b) > 2 && b[1] == '/':
			j := bytes.IndexByte(b, '>')
			if j < 0 || !bytes.Equal(bytes.TrimSpace(b[2:j]), name) {
				return nil, nil, false
			}
			return joined, b[j+1:], true
		default:
			return nil, nil, false
		}
	}
}

// join adds a piece of text to what came before.
func join(pieces *int, before, piece []byte) []byte {
	if *pieces++; *pieces == 1 {
		return piece
	}
	return append(append(make([]byte, 0, len(before)+len(piece)), before...), piece...)
}

// unescape replaces XML's five entities and character references. Any other
// reference stays as it is written: nothing is looked up, nothing expands.
func unescape(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		i := bytes.IndexByte(s, '&')
		if i < 0 {
			return append(out, s...)
		}
		out = append(out, s[:i]...)
		s = s[i:]
		j := bytes.IndexByte(s[:min(len(s), 12)], ';')
		if j < 0 {
			out, s = append(out, '&'), s[1:]
			continue
		}
		switch ref := string(s[1:j]); ref {
		case "lt":
			out = append(out, '<')
		case "gt":
			out = append(out, '>')
		case "amp":
			out = append(out, '&')
		case "quot":
			out = append(out, '"')
		case "apos":
			out = append(out, '\'')
		default:
			r, ok := reference(ref)
			if !ok {
				out, s = append(out, '&'), s[1:]
				continue
			}
			out = utf8.AppendRune(out, r)
		}
		s = s[j+1:]
	}
	return out
}

func reference(s string) (rune, bool) {
	s, ok := strings.CutPrefix(s, "#")
	if !ok || s == "" {
		return 0, false
	}
	base := rune(10)
	if s[0] == 'x' {
		base, s = 16, s[1:]
	}
	r := rune(0)
	for _, c := range []byte(s) {
		v := rune(0)
		switch {
		case c-'0' <= 9:
			v = rune(c - '0')
		case base == 16 && (c|0x20)-'a' <= 5:
			v = rune(c|0x20) - 'a' + 10
		default:
			return 0, false
		}
		if r = r*base + v; r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, s != "" && utf8.ValidRune(r)
}

// message undoes base64 if the attribute says so.
func (it *item) message(text, attributes []byte) []byte {
	if string(attribute(attributes, "base64")) != "true" || len(bytes.TrimSpace(text)) == 0 {
		return text
	}
	start := len(it.room)
	n := base64.StdEncoding.DecodedLen(len(text))
	if cap(it.room)-start < n {
		it.room = make([]byte, 0, n) // what was decoded before keeps its own
		start = 0
	}
	m, err := base64.StdEncoding.Decode(it.room[start:start+n], bytes.TrimSpace(text))
	if err != nil {
		it.badBase64 = true
		return nil
	}
	it.room = it.room[:start+m]
	return it.room[start : start+m : start+m]
}

// when gives the item's time, or that of the response's Date.
func (it *item) when(loc *time.Location, x *exchange.Exchange) (int64, bool) {
	if ns, ok := clock(string(bytes.TrimSpace(it.time)), loc); ok {
		return ns, true
	}
	if d := x.Response.Get("date"); len(d) > 0 && len(d) < 64 {
		if t, err := http.ParseTime(string(d)); err == nil && t.Year() >= 1970 && t.Year() <= 2261 {
			return t.UnixNano(), t.UnixNano() > 0
		}
	}
	return 0, false
}

// zones are the abbreviations that Java writes, in seconds east. The
// configured zone's own meaning goes first: CST is China's in China.
var zones = map[string]int{
	"UTC": 0, "GMT": 0, "WET": 0, "WEST": 3600, "BST": 3600, "CET": 3600, "CEST": 7200, "EET": 7200, "EEST": 10800, "MSK": 10800, "IST": 19800, "SGT": 28800, "HKT": 28800, "JST": 32400, "KST": 32400,
	"AEST": 36000, "AEDT": 39600, "NZST": 43200, "NZDT": 46800, "EST": -18000, "EDT": -14400, "CST": -21600, "CDT": -18000, "MST": -25200, "MDT": -21600, "PST": -28800, "PDT": -25200, "BRT": -10800,
}

// clock reads the spelling of Java's Date, or ISO 8601.
func clock(s string, loc *time.Location) (int64, bool) {
	if len(s) > 64 {
		return 0, false
	}
	if ns, zoned, ok := exchange.ParseLocalTime([]byte(s)); ok {
		if !zoned {
			t := time.Unix(0, ns).UTC()
			ns = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc).UnixNano()
		}
		return ns, ns > 0
	}
	// Mon Jul 08 11:07:08 CEST 2021, or GMT+08:00 in the zone's place
	f := strings.Fields(s)
	if len(f) != 6 {
		return 0, false
	}
	t, err := time.ParseInLocation("Jan 2 15:04:05 2006", strings.Join([]string{f[1], f[2], f[3], f[5]}, " "), loc)
	if err != nil || t.Year() < 1970 || t.Year() > 2261 {
		return 0, false
	}
	name, _ := t.Zone()
	if name == f[4] {
		return t.UnixNano(), t.UnixNano() > 0
	}
	offset, known := zones[f[4]]
	if o, err := time.Parse("-07:00", strings.TrimPrefix(f[4], "GMT")); err == nil {
		_, offset = o.Zone()
		known = true
	}
	if known {
		_, have := t.Zone()
		t = t.Add(time.Duration(have-offset) * time.Second)
	}
	return t.UnixNano(), t.UnixNano() > 0
}
