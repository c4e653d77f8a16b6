package form

// Of tells what a text of a document is.
func Of(v []byte) Bits {
	n := len(v)
	if n == 0 {
		return Empty
	}
	switch c := v[0]; {
	case c-'0' < 10:
		return ofDigits(v)
	case n == 36 && uuid(v):
		return UUID
	case c == 'h' && n > 8 && (string(v[:7]) == "http://" || string(v[:8]) == "https://"):
		return URI
	}
	if n > MaxWord {
		return Text
	}
	for _, c := range v {
		if (c|0x20)-'a' > 25 && c != '_' && c != '-' {
			return Text
		}
	}
	return Word
}

// OfText tells what a text is in a place that has texts only.
func OfText(v []byte) Bits {
	b := Of(v)
	switch b {
	case Word:
		if s := string(v); s == "true" || s == "false" { // no allocation: compared only
			return BoolText
		}
	case Text:
		return number(v)
	}
	return b
}

// ofDigits is Of for what begins with a digit.
func ofDigits(v []byte) Bits {
	n := len(v)
	switch {
	case n >= 10 && n <= 40 && v[4] == '-' && v[7] == '-' && all(v[:4]) && all(v[5:7]) && all(v[8:10]):
		if n == 10 {
			return Date
		}
		return stamp(v)
	case n >= 8 && n <= 30 && all(v[:4]) && (v[4] == '/' || v[4] == '.') && v[5]-'0' < 10:
		if dated(v) {
			return Stamp
		}
	case n == 36 && uuid(v):
		return UUID
	case n >= 7 && n <= 15 && ipv4(v):
		return IPv4
	}
	return Text
}

// stamp is for what begins with a date: RFC 3339 or another way to write the
// time of day behind it.
func stamp(v []byte) Bits {
	if len(v) < 16 || v[10] != 'T' && v[10] != 't' && v[10] != ' ' || v[13] != ':' {
		return Text
	}
	for _, c := range v[11:] {
		if c-'0' > 9 && c != ':' && c != '.' && c != '+' && c != '-' && c != 'Z' && c != 'z' && c != ' ' {
			return Text
		}
	}
	if len(v) < 20 || v[10] == ' ' || v[16] != ':' {
		return Stamp
	}
	rest := v[19:]
	if rest[0] == '.' {
		i := 1
		for i < len(rest) && rest[i]-'0' < 10 {
			i++
		}
		if i == 1 || i == len(rest) {
			return Stamp
		}
		rest = rest[i:]
	}
	if len(rest) == 1 && rest[0]|0x20 == 'z' || len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' {
		return DateTime
	}
	return Stamp
}

func dated(v []byte) bool {
	seps := 0
	for _, c := range v[4:] {
		switch {
		case c-'0' < 10, c == ' ', c == ':':
		case c == v[4]:
			seps++
		default:
			return false
		}
	}
	return seps == 2
}

func all(v []byte) bool {
	for _, c := range v {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

func uuid(v []byte) bool {
	for i, c := range v {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if c-'0' > 9 && (c|0x20)-'a' > 5 {
			return false
		}
	}
	return true
}

func ipv4(v []byte) bool {
	dots, run, part := 0, 0, 0
	for _, c := range v {
		switch {
		case c-'0' < 10:
			if run++; run > 3 {
				return false
			}
			if part = part*10 + int(c-'0'); part > 255 {
				return false
			}
		case c == '.' && run > 0:
			dots, run, part = dots+1, 0, 0
		default:
			return false
		}
	}
	return dots == 3 && run > 0
}

// number tells digits and decimal fractions from other texts. Digits behind a
// zero are a name, not a number.
func number(v []byte) Bits {
	d := v
	if d[0] == '-' && len(d) > 1 {
		d = d[1:]
	}
	whole := 0
	for whole < len(d) && d[whole]-'0' < 10 {
		whole++
	}
	switch {
	case whole == 0, whole > 1 && d[0] == '0':
		return Text
	case whole == len(d):
		switch {
		case whole > 18:
			return Text
		case whole > 9:
			return LongText
		}
		return IntText
	case d[whole] == '.' && whole+1 < len(d) && all(d[whole+1:]):
		return FloatText
	}
	return Text
}
