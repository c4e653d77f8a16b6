package observe

import (
	"testing"
	"unicode/utf8"

	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// plainClassify is classify by the kinds and the numbers of characters.
func plainClassify(b []byte) ValueClass {
	n := len(b)
	if n == 0 {
		return ClassEmpty
	}
	var kinds uint16
	digits, high := 0, 0
	for _, c := range b {
		k := charKinds[c]
		kinds |= k
		if k == hasDigit {
			digits++
		} else if c >= utf8.RuneSelf {
			high++
		}
	}
	const letters = hasLower | hasUpper | hasHexLetter | hasLetter
	switch {
	case kinds == hasDigit:
		if n > 19 {
			return ClassToken
		}
		return ClassInt
	case high > 0:
		return plainHigh(b, kinds)
	case kinds&^(letters|hasJoin) == 0 && kinds&letters != 0:
		if n > 40 || n >= 20 && changes(b) > n/4 {
			return ClassToken
		}
		return ClassWord
	case kinds&hasSpace != 0:
		if date(b) {
			return ClassDate
		}
		return ClassPhrase
	case kinds&hasAt != 0:
		if email(b) {
			return ClassEmail
		}
		return ClassOther
	case n == 36 && uuid(b):
		return ClassUUID
	case kinds&(hasLetter|hasJoin|hasDot|hasOther) == 0 && n >= 8:
		return ClassHex
	case digits >= 6 && date(b):
		return ClassDate
	case digits > 0 && number(b):
		return ClassFloat
	case (b[0] == 'v' || b[0] == 'V') && version(b[1:]):
		return ClassVer
	case kinds&hasDot != 0 && file(b):
		return ClassFile
	case n >= 16 && random(b, digits):
		return ClassToken
	case kinds&^(letters|hasDigit|hasJoin|hasDot) == 0 && kinds&(letters|hasDigit) != 0:
		return ClassMixed
	}
	return ClassOther
}

// plainHigh is plainClassify for text with bytes beyond ASCII.
func plainHigh(b []byte, kinds uint16) ValueClass {
	if kinds&hasSpace != 0 {
		return ClassPhrase
	}
	if len(b) > 64 {
		return ClassPhrase
	}
	if kinds&(hasAt|hasDot) != 0 && file(b) {
		return ClassFile
	}
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if n == 1 {
			return ClassOther
		}
		// punctuation makes a sentence of it: general, CJK and full-width forms
		if r < 0xC0 || r >= 0x2000 && r < 0x2E00 || r >= 0x3000 && r < 0x3040 || r >= 0xFF00 {
			return ClassPhrase
		}
		i += n
	}
	if len(b) > 48 {
		return ClassPhrase
	}
	const ascii = hasDot | hasAt
	if kinds&ascii != 0 {
		return ClassOther
	}
	if kinds&hasDigit != 0 {
		return ClassMixed
	}
	return ClassWord
}

// FuzzValue holds the classes and tokens of values against their plain
// versions.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"", "carol105", "北京市", "北京 市", "第1章", "2024-01-02 10:11:12", "2024/01/02", "v1.2", "report.PDF", "中文.doc", "a@b.cn", "1.5", "-5",
		"d41d8cd98f00b204e9800998ecf8427e", "743b294a-cd03-11ec-9d64-0242ac120002", "aB3dE5fG7hI9jK1lM3", " A ", "\u3000王", "İ", "\xe4\xb8", "Σς", "11010119900307747x", "+86 138-1234-5678"} {
		f.Add(uint8(len(s)), []byte(s))
	}
	o := newObserver(f)
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		if got, want := classify(b), plainClassify(b); got != want {
			t.Fatalf("class of %q is %d, not %d", b, got, want)
		}
		k := taxonomy.Sensitive(kind % uint8(taxonomy.SensitiveCount))
		if got, want := o.tokenOf(k, b), o.plainToken(k, b); got != want {
			t.Fatalf("token of %v %q", k, b)
		}
	})
}

func (o *Observer) plainToken(k taxonomy.Sensitive, b []byte) uint64 {
	r := o.cfg.Redactor
	switch {
	case k == taxonomy.NotSensitive:
		return r.TokenFold(b)
	case secret(k):
		return o.secretToken(b)
	}
	return r.TokenFold(sensitive.Canonical(nil, k, b))
}
