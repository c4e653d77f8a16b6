package observe

import (
	"unicode/utf8"

	"xiezhi/internal/sensitive"
)

const (
	hasDigit = 1 << iota
	hasLower
	hasUpper
	hasJoin // - or _
	hasDot
	hasSpace
	hasAt
	hasOther
	hasHexLetter // a letter of a..f, set beside lower or upper
	hasLetter    // a letter beyond f, set beside lower or upper
)

var charKinds = func() (t [256]uint16) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = hasDigit
		case c >= 'a' && c <= 'f':
			t[c] = hasLower | hasHexLetter
		case c >= 'A' && c <= 'F':
			t[c] = hasUpper | hasHexLetter
		case c >= 'g' && c <= 'z':
			t[c] = hasLower | hasLetter
		case c >= 'G' && c <= 'Z':
			t[c] = hasUpper | hasLetter
		case c == '-' || c == '_':
			t[c] = hasJoin
		case c == '.':
			t[c] = hasDot
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			t[c] = hasSpace
		case c == '@':
			t[c] = hasAt
		default:
			t[c] = hasOther
		}
	}
	return t
}()

// classify tells what a text looks like.
func classify(b []byte) ValueClass { return classifyMask(sensitive.MaskOf(b), b) }

const (
	maskLetters = sensitive.HasLower | sensitive.HasUpper | sensitive.HasHexLetter | sensitive.HasLetter
	maskJoin    = sensitive.HasUnder | sensitive.HasDash
	maskWord    = maskLetters | maskJoin
	maskMixed   = maskWord | sensitive.HasDigit | sensitive.HasDot
	maskHex     = sensitive.HasDigit | sensitive.HasHexLetter | sensitive.HasUpper | sensitive.HasLower
)

// classifyMask is classify for a text whose mask is known.
func classifyMask(m sensitive.Mask, b []byte) ValueClass {
	n := len(b)
	switch {
	case n == 0:
		return ClassEmpty
	case m == sensitive.HasDigit:
		if n > 19 {
			return ClassToken
		}
		return ClassInt
	case m&sensitive.HasBeyond != 0:
		return classifyHigh(m, b)
	case m&^maskWord == 0 && m&maskLetters != 0:
		if n > 40 || n >= 20 && changes(b) > n/4 {
			return ClassToken
		}
		return ClassWord
	case m&sensitive.HasBlank != 0:
		if date(b) {
			return ClassDate
		}
		return ClassPhrase
	case m&sensitive.HasAt != 0:
		if email(b) {
			return ClassEmail
		}
		return ClassOther
	case n == 36 && uuid(b):
		return ClassUUID
	case m&^maskHex == 0 && n >= 8:
		return ClassHex
	case m&sensitive.HasDigit != 0 && date(b) && digitsOf(b) >= 6:
		return ClassDate
	case m&sensitive.HasDigit != 0 && number(b):
		return ClassFloat
	case (b[0] == 'v' || b[0] == 'V') && version(b[1:]):
		return ClassVer
	case m&sensitive.HasDot != 0 && file(b):
		return ClassFile
	case n >= 16 && m&sensitive.HasDigit != 0 && random(b, digitsOf(b)):
		return ClassToken
	case m&^maskMixed == 0 && m&(maskLetters|sensitive.HasDigit) != 0:
		return ClassMixed
	}
	return ClassOther
}

func digitsOf(b []byte) (n int) {
	for _, c := range b {
		if c-'0' < 10 {
			n++
		}
	}
	return n
}

// classifyHigh is classify for text with bytes beyond ASCII.
func classifyHigh(m sensitive.Mask, b []byte) ValueClass {
	if m&sensitive.HasBlank != 0 {
		return ClassPhrase
	}
	if len(b) > 64 {
		return ClassPhrase
	}
	const ascii = sensitive.HasDot | sensitive.HasAt
	if m&ascii != 0 && file(b) {
		return ClassFile
	}
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			i++
			continue
		}
		// ideographs from U+4000 on need no decoding
		if c >= 0xE4 && c <= 0xE9 && i+2 < len(b) && b[i+1]&0xC0 == 0x80 && b[i+2]&0xC0 == 0x80 {
			i += 3
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
	if m&ascii != 0 {
		return ClassOther
	}
	if m&sensitive.HasDigit != 0 {
		return ClassMixed
	}
	return ClassWord
}

// changes counts the places where the kind of character changes.
func changes(b []byte) (n int) {
	last := charKinds[b[0]] & (hasDigit | hasLower | hasUpper)
	for _, c := range b[1:] {
		k := charKinds[c] & (hasDigit | hasLower | hasUpper)
		if k != last {
			n++
		}
		last = k
	}
	return n
}

// random reports whether b looks drawn rather than named: token characters
// only, and digits and cases that change more often than words make them.
func random(b []byte, digits int) bool {
	run, longest := 0, 0
	for _, c := range b {
		switch k := charKinds[c]; {
		case k&(hasDigit|hasLower|hasUpper) != 0:
			run++
			longest = max(longest, run)
		case c == '-' || c == '_' || c == '.' || c == '+' || c == '/' || c == '=' || c == '~' || c == '%' || c == ':':
			run = 0
		default:
			return false
		}
	}
	return longest >= 12 && digits >= 2 && changes(b) >= max(5, len(b)/6)
}

func uuid(b []byte) bool {
	for i, c := range b {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if charKinds[c]&(hasDigit|hasHexLetter) == 0 {
			return false
		}
	}
	return true
}

func email(b []byte) bool {
	at, dot := -1, -1
	for i, c := range b {
		switch {
		case c == '@':
			if at >= 0 || i == 0 {
				return false
			}
			at = i
		case c == '.':
			dot = i
		case charKinds[c]&(hasOther|hasSpace) != 0 && c != '+' && c != '%' && c != '\'':
			return false
		}
	}
	return at > 0 && dot > at+1 && dot < len(b)-1
}

func number(b []byte) bool {
	if b[0] == '-' || b[0] == '+' {
		b = b[1:]
	}
	dots, digits := 0, 0
	for i, c := range b {
		switch {
		case c-'0' < 10:
			digits++
		case c == '.' && i > 0:
			dots++
		default:
			return false
		}
	}
	return digits > 0 && dots <= 1
}

func version(b []byte) bool {
	if len(b) == 0 || len(b) > 12 || b[0]-'0' > 9 {
		return false
	}
	for i, c := range b {
		if c-'0' < 10 || c == '.' {
			continue
		}
		// v1beta1, v2alpha
		rest := string(b[i:])
		return len(rest) >= 2 && (rest[0] == 'a' || rest[0] == 'b' || rest[0] == 'r')
	}
	return true
}

// date reports whether b is a date, a time stamp or a date and time written
// with separators.
func date(b []byte) bool {
	if len(b) < 8 || len(b) > 40 || b[0]-'0' > 9 {
		return false
	}
	// yyyy-mm, yyyy/mm, yyyy.mm or dd-mm-yyyy, then anything of a time stamp
	sep := byte(0)
	if len(b) >= 7 && (b[4] == '-' || b[4] == '/' || b[4] == '.') && (b[0] == '1' || b[0] == '2') {
		sep = b[4]
	} else if b[2] == '-' || b[2] == '/' || b[2] == '.' {
		sep = b[2]
	}
	if sep == 0 {
		return false
	}
	seps := 0
	for i, c := range b {
		switch {
		case c-'0' < 10:
		case c == sep:
			seps++
		case c == ' ' || c == ':' || c == '.' || c == '+' || c == '-' || c == 'T' || c == 't' || c == 'Z' || c == 'z':
			if i < 8 {
				return false
			}
		default:
			return false
		}
	}
	return seps >= 2
}

var fileEndings = map[string]bool{
	"html": true, "htm": true, "js": true, "mjs": true, "css": true, "map": true, "json": true, "xml": true, "txt": true, "csv": true,
	"png": true, "jpg": true, "jpeg": true, "gif": true, "svg": true, "ico": true, "webp": true, "bmp": true, "avif": true, "woff": true,
	"woff2": true, "ttf": true, "eot": true, "otf": true, "pdf": true, "doc": true, "docx": true, "xls": true, "xlsx": true, "ppt": true,
	"pptx": true, "zip": true, "rar": true, "gz": true, "tgz": true, "tar": true, "7z": true, "bz2": true, "jar": true, "war": true,
	"php": true, "asp": true, "aspx": true, "jsp": true, "jspx": true, "do": true, "action": true, "cgi": true, "pl": true, "py": true,
	"mp3": true, "mp4": true, "m3u8": true, "ts": true, "webm": true, "wav": true, "avi": true, "mov": true, "flv": true, "apk": true,
	"ipa": true, "exe": true, "dll": true, "sql": true, "db": true, "bak": true, "log": true, "conf": true, "cfg": true, "ini": true,
	"yml": true, "yaml": true, "env": true, "key": true, "pem": true, "crt": true, "md": true, "ics": true, "wasm": true, "swf": true,
	"ashx": true, "asmx": true, "svc": true, "shtml": true, "old": true, "swp": true, "properties": true, "wsdl": true, "xhtml": true,
}

// file reports whether b is a name with a known file extension.
func file(b []byte) bool {
	for i := len(b) - 1; i >= 0 && i >= len(b)-12; i-- {
		if b[i] != '.' {
			continue
		}
		var buf [12]byte
		return fileEndings[string(lower(buf[:0], b[i+1:]))]
	}
	return false
}

// lower appends b with ASCII letters in lower case.
func lower(dst, b []byte) []byte {
	for _, c := range b {
		if c-'A' < 26 {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
