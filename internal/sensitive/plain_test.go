package sensitive

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"xiezhi/internal/taxonomy"
)

// The plain versions of what is asked of a value: character by character and
// without its mask.

func plainMasked(b []byte) bool {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > 512 {
		return false
	}
	marks, longest, run, runes, other := 0, 0, 0, 0, 0
	for i := 0; i < len(b); {
		n := markAt(b, i)
		if n == 0 {
			r, size := utf8.DecodeRune(b[i:])
			if r <= ' ' {
				other++
			}
			i += size
			run = 0
		} else {
			i += n
			marks++
			run++
			longest = max(longest, run)
		}
		runes++
	}
	switch {
	case marks == 0:
		return xMasked(b)
	case other > 3:
		return false
	case marks == runes:
		return marks >= 2
	case longest >= 2:
		return true
	}
	return runes <= 4 && markAt(b, 0)+markAt(b, len(b)-lastMark(b)) > 0 && hasHan(b) || runes == 3 && hasHan(b)
}

func plainAddress(v []byte) uint8 {
	if len(v) > 512 || bytes.Contains(v, []byte("://")) {
		return 0
	}
	if hasHan(v) {
		marks, digits := 0, 0
		for i := 0; i < len(v); {
			_, size := utf8.DecodeRune(v[i:])
			if size == 3 && hanIn(addressMarks, v[i:]) && i > 0 {
				marks++
			}
			if isDigit(v[i]) {
				digits++
			}
			i += size
		}
		switch n := utf8.RuneCount(v); {
		case marks >= 3 && n >= 7 || marks >= 2 && digits > 0 && n >= 6:
			return 90
		case marks >= 1 && digits > 0 && n >= 5 || marks >= 2 && n >= 6:
			return 75
		}
		return 0
	}
	or := classOf(v)
	if or&cDigit == 0 || or&cLetter == 0 || len(v) < 10 || bytes.IndexByte(v, '@') >= 0 {
		return 0
	}
	if bytes.Count(v, []byte(" ")) >= 2 || bytes.Count(v, []byte(", ")) >= 1 {
		return 75
	}
	return 0
}

func plainHanText(v []byte) (n int, point bool, first, last rune) {
	for i := 0; i < len(v); {
		r, size := utf8.DecodeRune(v[i:])
		switch {
		case r == '·' || r == '•' || r == '‧':
			if n == 0 || i+size == len(v) {
				return 0, false, 0, 0
			}
			point = true
		case r >= 0x3400 && r <= 0x9FFF || r >= 0x20000 && r <= 0x323AF:
			if n == 0 {
				first = r
			}
			last = r
			n++
		default:
			return 0, false, 0, 0
		}
		i += size
	}
	return n, point, first, last
}

func plainSurname(v []byte, first rune, n int) bool {
	l := words()
	if n >= 3 && n <= 4 && len(v) > 6 && l.surnames2[string(v[:6])] {
		return true
	}
	return n <= 3 && l.surnames[first] || n == 4 && l.surnames[first] && l.surnames[secondRune(v)]
}

func plainCourtesy(v []byte) bool {
	for _, t := range [...]string{"先生", "女士", "小姐", "老师", "师傅"} {
		if len(v) >= len(t)+3 && len(v) <= len(t)+6 && bytes.HasSuffix(v, []byte(t)) {
			return true
		}
	}
	return false
}

func plainHanName(v []byte) bool {
	if len(v) > 60 {
		return false
	}
	n, point, first, last := plainHanText(v)
	l := words()
	switch {
	case n < 2 || l.notNames[string(v)]:
		return false
	case point:
		return n <= 15
	case n > 4 || plainCourtesy(v):
		return false
	}
	return plainSurname(v, first, n) || !l.notNameEnds[last] && n <= 4
}

func plainStrictName(v []byte) bool {
	n, point, first, last := plainHanText(v)
	l := words()
	return n >= 2 && n <= 4 && !point && !l.notNames[string(v)] && !l.notNameEnds[last] && plainSurname(v, first, n) && !plainCourtesy(v)
}

func plainNullish(b []byte) bool {
	switch string(bytes.ToLower(b)) {
	case "", "-", "null", "nil", "none", "undefined", "true", "false", "n/a", "na", "--":
		return true
	}
	return false
}

func plainPlaceholder(b []byte) bool {
	if plainNullish(b) || templated(b) {
		return true
	}
	same := true
	for _, c := range b {
		same = same && c == b[0]
	}
	if same && !isDigit(b[0]) {
		return true
	}
	var buf [32]byte
	t, ok := folded(&buf, b)
	return ok && words().placeholders[string(t)]
}

func plainAccount(v []byte) bool {
	if len(v) < 2 || len(v) > 64 || plainPlaceholder(v) || bytes.Count(v, []byte(" ")) > 2 || bytes.Contains(v, []byte("://")) {
		return false
	}
	for _, c := range v {
		if c < ' ' || c == '{' || c == '<' || c == '"' || c == '/' {
			return false
		}
	}
	return v[len(v)-1] != '.' && v[len(v)-1] != '!' && (hasHan(v) || classOf(v)&alnum != 0)
}

// FuzzPlain holds every question against its plain version, and what a mask
// rules out against the scanners.
func FuzzPlain(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	for _, s := range []string{"王小明", "欧阳娜娜", "阿卜杜拉·买买提", "王先生", "张*", "138xxxx1234", "\u3000138xxxx1234", "•••• 1234", "＊＊", "浙江省杭州市西湖区文三路 138 号",
		"221B Baker Street, London", "changeme", "N/A", "xxxxxxxx", "${TOKEN}", "carol105", "a b c d", "\xe4\xb8", "𠮷野家", "㐂㐂", "010-12345678", "13812345678", "123456789012"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1024 {
			return
		}
		m := MaskOf(b)
		if hits := ScanText(b, nil); silent(m, len(b)) && len(hits) > 0 {
			t.Fatalf("%q is not silent: %v", b, hits)
		}
		for i := range int(taxonomy.SensitiveCount) {
			k := taxonomy.Sensitive(i)
			if c := Canonical(nil, k, b); len(b) > 0 && Settled(k, m, b) && !bytes.Equal(b, c) {
				t.Fatalf("%v %q is not settled: %q", k, b, c)
			}
		}
		for _, before := range []string{"", "京A", "(010)", "+86 "} {
			s := scanner{b: append([]byte(before), b...)}
			s.scan(len(before))
			if quiet(m, len(b)) && len(s.hits) > 0 {
				t.Fatalf("%q after %q is not quiet: %v", b, before, s.hits)
			}
		}
		v := b
		if start, end := trim(b, 0, len(b)); start < end {
			v = b[start:end]
		} else {
			return
		}
		m = MaskOf(v)
		bools := func(what string, got, want bool) {
			if got != want {
				t.Fatalf("%s of %q is %v", what, v, got)
			}
		}
		bools("Masked", Masked(b), plainMasked(b))
		bools("masking", masking(m) && Masked(v), plainMasked(v))
		bools("hanName", hanName(v, m), plainHanName(v))
		bools("strictName", strictName(v, m), plainStrictName(v))
		bools("courtesy", courtesy(v), plainCourtesy(v))
		bools("nullish", nullish(v), plainNullish(v))
		bools("placeholder", placeholder(v), plainPlaceholder(v))
		bools("plausibleAccount", plausibleAccount(v, m), plainAccount(v))
		bools("trimSpace", bytes.Equal(trimSpace(b), bytes.TrimSpace(b)), true)
		if got, want := plausibleAddress(v, m), plainAddress(v); got != want {
			t.Fatalf("plausibleAddress of %q is %d, not %d", v, got, want)
		}
		if got, want := runes(v), utf8.RuneCount(v); got != want {
			t.Fatalf("%q has %d characters, not %d", v, got, want)
		}
	})
}
