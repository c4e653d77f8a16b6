package accesslog

import (
	"bytes"
	"time"

	"xiezhi/internal/exchange"
)

// clock reads times in a log's spellings. Log lines come many to a second, so
// the last second read is remembered.
type clock struct {
	loc  *time.Location
	last [26]byte
	ns   int64
}

// clf reads 02/Jan/2006:15:04:05 -0700, also with a space before the hour, with a fraction after the seconds or
// without an offset as some formats have it.
func (c *clock) clf(s []byte) (int64, bool) {
	if len(s) == 26 && string(s) == string(c.last[:]) {
		return c.ns, true
	}
	if len(s) < 20 || len(s) > 36 || s[2] != '/' || s[6] != '/' || s[11] != ':' && s[11] != ' ' || s[14] != ':' || s[17] != ':' {
		return 0, false
	}
	month := month(s[3:6])
	day, ok1 := digits(s[0:2])
	year, ok2 := digits(s[7:11])
	hour, ok3 := digits(s[12:14])
	minute, ok4 := digits(s[15:17])
	second, ok5 := digits(s[18:20])
	if month == 0 || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || year < 1970 || year > 2261 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	days := exchange.DaysSinceEpoch(year, month, day)
	if day > 28 && days >= exchange.DaysSinceEpoch(year+month/12, month%12+1, 1) {
		return 0, false // 31 April
	}
	ns := (days*86400 + int64(hour*3600+minute*60+second)) * 1e9
	rest := s[20:]
	if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
		unit, i := int64(1e8), 1
		for ; i < len(rest) && rest[i]-'0' <= 9; i++ {
			ns += int64(rest[i]-'0') * unit
			unit /= 10
		}
		rest = rest[i:]
	}
	switch {
	case len(rest) == 0:
		ns = c.local(ns)
	case len(rest) == 6 && rest[0] == ' ' && (rest[1] == '+' || rest[1] == '-'):
		h, ok1 := digits(rest[2:4])
		m, ok2 := digits(rest[4:6])
		if !ok1 || !ok2 || h > 18 || m > 59 {
			return 0, false
		}
		offset := int64(h*3600+m*60) * 1e9
		if rest[1] == '-' {
			offset = -offset
		}
		ns -= offset
	default:
		return 0, false
	}
	if ns <= 0 {
		return 0, false
	}
	if len(s) == 26 && s[20] == ' ' {
		copy(c.last[:], s)
		c.ns = ns
	}
	return ns, true
}

// local reads ns, a clock's face as if it were UTC, in the configured zone.
func (c *clock) local(ns int64) int64 {
	if c.loc == time.UTC {
		return ns
	}
	t := time.Unix(0, ns).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), c.loc).UnixNano()
}

// any reads a time in any spelling known: ISO 8601, a log's, or the epoch's
// seconds, milliseconds, microseconds or nanoseconds by their magnitude.
func (c *clock) any(s []byte) (int64, bool) {
	if len(s) >= 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	if ns, zoned, ok := exchange.ParseLocalTime(s); ok {
		if !zoned {
			ns = c.local(ns)
		}
		return ns, ns > 0
	}
	if len(s) > 2 && s[2] == '/' {
		return c.clf(s)
	}
	// 2006/01/02 15:04:05, nginx's error log and Caddy's wall clock
	if len(s) >= 19 && len(s) < 32 && s[4] == '/' && s[7] == '/' {
		var b [32]byte
		copy(b[:], s)
		b[4], b[7] = '-', '-'
		if ns, zoned, ok := exchange.ParseLocalTime(b[:len(s)]); ok {
			if !zoned {
				ns = c.local(ns)
			}
			return ns, ns > 0
		}
	}
	return epoch(s)
}

func epoch(s []byte) (int64, bool) {
	whole, fraction, _ := bytes.Cut(s, []byte("."))
	if len(whole) == 0 || len(whole) > 19 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range whole {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	unit := uint64(1)
	switch {
	case n < 1e8: // before 1973: a counter, not a time
		return 0, false
	case n < 9e9:
		unit = 1e9
	case n < 9e12:
		unit = 1e6
	case n < 9e15:
		unit = 1e3
	case n > 9e18:
		return 0, false
	}
	ns := n * unit
	for _, c := range fraction {
		if c-'0' > 9 {
			return 0, false
		}
		unit /= 10
		ns += uint64(c-'0') * unit
	}
	return int64(ns), true
}

// duration reads a number of units as ns: 0.004, 12, 2.7e-06, or with a unit
// of its own, 12ms. -1 when it is none.
func duration(s []byte, unit int64) int64 {
	if i := bytes.IndexByte(s, ','); i >= 0 { // one per upstream tried
		s = s[:i]
	}
	n := len(s)
	for n > 0 && s[n-1]-'0' > 9 && s[n-1] != '.' {
		n--
	}
	switch string(s[n:]) {
	case "":
	case "s":
		unit = 1e9
	case "ms":
		unit = 1e6
	case "us", "µs":
		unit = 1e3
	case "ns":
		unit = 1
	default:
		return -1
	}
	if s = s[:n]; n == 0 || n > 32 {
		return -1
	}
	// Digits up to 18 make a mantissa; the rest moves the point.
	m, exponent, point, some := int64(0), 0, false, false
	for i, c := range s {
		switch {
		case c-'0' <= 9:
			some = true
			if m < 1e17 {
				m = m*10 + int64(c-'0')
				if point {
					exponent--
				}
			} else if !point {
				exponent++
			}
		case c == '.' && !point:
			point = true
		case (c == 'e' || c == 'E') && some && i+1 < len(s):
			e := s[i+1:]
			negative := e[0] == '-'
			if e[0] == '-' || e[0] == '+' {
				e = e[1:]
			}
			v, ok := digits(e)
			if !ok || len(e) == 0 || len(e) > 3 {
				return -1
			}
			if negative {
				v = -v
			}
			return scale(m, exponent+v, unit)
		default:
			return -1
		}
	}
	if !some {
		return -1
	}
	return scale(m, exponent, unit)
}

// maxElapsed is the longest exchange believed, 11 days.
const maxElapsed = int64(1e15)

// scale gives m · 10^exponent units in ns.
func scale(m int64, exponent int, unit int64) int64 {
	for ; unit > 1; unit /= 10 {
		exponent++
	}
	for ; exponent > 0 && m > 0; exponent-- {
		if m > maxElapsed {
			return -1
		}
		m *= 10
	}
	for ; exponent < 0 && m > 0; exponent++ {
		m /= 10
	}
	if m > maxElapsed {
		return -1
	}
	return m
}

func digits(s []byte) (int, bool) {
	v := 0
	for _, c := range s {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

func month(s []byte) int {
	switch string(s) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}
