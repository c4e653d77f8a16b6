package exchange

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// maxTime is the latest instant that ns since the epoch can hold.
const maxTime = math.MaxInt64

// integer reads a whole number, written in any way, within bounds.
func (p *parser) integer(lo, hi int64, what string) (int64, error) {
	if null, err := p.null(); null || err != nil {
		return 0, err
	}
	at := p.i
	text, err := p.number()
	if err != nil {
		return 0, p.failAt(at, "number expected")
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(text), 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > maxSize {
			return 0, p.failAt(at, what+" is no sensible number")
		}
		n = int64(f)
	}
	if n < lo || n > hi {
		return 0, p.failAt(at, what+" out of range")
	}
	return n, nil
}

// size reads a byte count; negative and null mean unknown, a fraction is
// rounded down because some writers compute sizes.
func (p *parser) size() (int64, error) {
	if null, err := p.null(); null || err != nil {
		return -1, err
	}
	at := p.i
	text, err := p.number()
	if err != nil {
		return -1, p.failAt(at, "number expected")
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(f) > maxSize {
		return -1, p.failAt(at, "size out of range")
	}
	return int64(max(f, -1)), nil
}

// milliseconds reads a duration as ns, exactly when it is written with at most
// six decimals. A negative one means not measured.
func (p *parser) milliseconds() (int64, error) {
	at := p.i
	text, err := p.number()
	if err != nil {
		return 0, p.failAt(at, "number expected")
	}
	if text[0] == '-' {
		return 0, nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f > 1e11 { // three years
		return 0, p.failAt(at, "duration out of range")
	}
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	if bytes.IndexByte(text, 'e') >= 0 || bytes.IndexByte(text, 'E') >= 0 || len(whole) > 12 {
		return int64(math.Round(f * 1e6)), nil
	}
	ns := int64(0)
	for _, c := range whole {
		ns = ns*10 + int64(c-'0')
	}
	for i := range 6 {
		ns *= 10
		if i < len(fraction) {
			ns += int64(fraction[i] - '0')
		}
	}
	if len(fraction) > 6 && fraction[6] >= '5' {
		ns++
	}
	return ns, nil
}

// time reads an ISO 8601 time. Offsets may lack their colon; a missing offset
// is UTC.
func (p *parser) time() (int64, error) {
	at := p.i
	s, err := p.str()
	if err != nil {
		return 0, err
	}
	ns, ok := ParseTime(s)
	if !ok {
		return 0, p.failAt(at, "not an ISO 8601 time between 1970 and 2262")
	}
	return ns, nil
}

// ParseTime parses 2006-01-02T15:04:05[.fraction][Z|±hh[:]mm] without
// allocating and gives ns since the epoch. Without an offset it is UTC.
func ParseTime(s []byte) (int64, bool) {
	ns, _, ok := ParseLocalTime(s)
	return ns, ok
}

// ParseLocalTime is ParseTime, and tells whether an offset was given; if not,
// ns reads the clock as UTC.
func ParseLocalTime(s []byte) (ns int64, zoned, ok bool) {
	if len(s) < 19 || len(s) > 64 || s[4] != '-' || s[7] != '-' || s[10]|0x20 != 't' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false, false
	}
	num := func(i, n int) int {
		v := 0
		for _, c := range s[i : i+n] {
			if c-'0' > 9 {
				return -1 << 20
			}
			v = v*10 + int(c-'0')
		}
		return v
	}
	year, month, day := num(0, 4), num(5, 2), num(8, 2)
	hour, minute, second := num(11, 2), num(14, 2), num(17, 2)
	if year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0, false, false
	}
	i := 19
	fraction := int64(0)
	if i < len(s) && (s[i] == '.' || s[i] == ',') {
		i++
		n := 0
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
			if n < 9 {
				fraction = fraction*10 + int64(s[i]-'0')
				n++
			}
		}
		if n == 0 {
			return 0, false, false
		}
		for ; n < 9; n++ {
			fraction *= 10
		}
	}
	offset := 0
	switch rest := s[i:]; {
	case len(rest) == 0:
	case len(rest) == 1 && rest[0]|0x20 == 'z':
		zoned = true
	case rest[0] == '+' || rest[0] == '-':
		zoned = true
		h, m := -1, 0
		switch {
		case len(rest) == 3:
			h = num(i+1, 2)
		case len(rest) == 5:
			h, m = num(i+1, 2), num(i+3, 2)
		case len(rest) == 6 && rest[3] == ':':
			h, m = num(i+1, 2), num(i+4, 2)
		}
		if h < 0 || h > 18 || m < 0 || m > 59 {
			return 0, false, false
		}
		offset = h*3600 + m*60
		if rest[0] == '-' {
			offset = -offset
		}
	default:
		return 0, false, false
	}
	sec := DaysSinceEpoch(year, month, day)*86400 + int64(hour*3600+minute*60+second-offset)
	if sec < 0 {
		return 0, false, false
	}
	return sec*1e9 + fraction, zoned, true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// DaysSinceEpoch counts the days from 1970-01-01 to a valid Gregorian date.
func DaysSinceEpoch(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	// Years start in March here, so that the leap day comes last.
	return int64(365*year+year/4-year/100+year/400+(153*(month-3)+2)/5+day-1) - 719468
}

// appendTime writes ns since the epoch as ISO 8601 in UTC.
func appendTime(dst []byte, ns int64) []byte {
	return time.Unix(0, ns).UTC().AppendFormat(dst, "2006-01-02T15:04:05.999999999Z07:00")
}

// proto reads an HTTP version in any spelling, 0 for one nobody knows.
func (p *parser) proto() (uint8, error) {
	s, err := p.str()
	return parseProto(s), err
}

func parseProto(s []byte) uint8 {
	if len(s) > 5 && EqualFold(s[:5], "http/") {
		s = s[5:]
	} else if len(s) > 1 && s[0]|0x20 == 'h' {
		s = s[1:]
	} else {
		return 0
	}
	if i := bytes.IndexAny(s, "-+ "); i > 0 { // h3-29, http/2+quic/43, h2-14
		s = s[:i]
	}
	switch string(s) {
	case "0.9":
		return 9
	case "1.0":
		return 10
	case "1.1", "1":
		return 11
	case "2", "2.0", "2c":
		return 20
	case "3", "3.0":
		return 30
	}
	return 0
}

// splitURL fills in target, host and Secure, and gives the URL's authority and
// port. A fragment is dropped: it never goes over the wire.
func (p *parser) splitURL(e *entry) (authority []byte, port uint16, err error) {
	x, u := e.x, e.url
	if i := bytes.IndexByte(u, '#'); i >= 0 {
		u = u[:i]
	}
	i := bytes.Index(u, []byte("://"))
	port = 80
	if i < 0 || bytes.IndexByte(u[:i], '/') >= 0 || bytes.IndexByte(u[:i], '?') >= 0 {
		if len(u) == 0 || u[0] != '/' && string(u) != "*" && !bytes.Equal(x.Method, []byte("CONNECT")) {
			return nil, 0, ErrNotHTTP
		}
		x.Target = u // a writer without an authority to name
		return nil, port, nil
	}
	switch scheme := u[:i]; {
	case EqualFold(scheme, "http"), EqualFold(scheme, "ws"):
	case EqualFold(scheme, "https"), EqualFold(scheme, "wss"):
		x.Secure = true
		port = 443
	default:
		return nil, 0, ErrNotHTTP
	}
	u = u[i+3:]
	authority = u
	if j := bytes.IndexAny(u, "/?"); j >= 0 {
		authority = u[:j]
	}
	target := u[len(authority):]
	if j := bytes.LastIndexByte(authority, '@'); j >= 0 {
		authority = authority[j+1:]
	}
	if j := bytes.LastIndexByte(authority, ':'); j >= 0 && bytes.IndexByte(authority[j:], ']') < 0 {
		if n, err := strconv.ParseUint(string(authority[j+1:]), 10, 16); err == nil {
			port = uint16(n)
		}
	}
	switch {
	case string(x.Method) == "CONNECT" && len(target) <= 1:
		x.Target = authority
	case len(target) == 0 && string(x.Method) == "OPTIONS":
		x.Target = p.add('*', nil)
	case len(target) == 0:
		x.Target = p.add('/', nil)
	case target[0] == '?':
		x.Target = p.add('/', target)
	default:
		x.Target = target
	}
	return authority, port, nil
}

func (p *parser) add(c byte, s []byte) []byte {
	start := len(p.text)
	p.text = append(append(p.text, c), s...)
	return p.text[start:len(p.text):len(p.text)]
}
