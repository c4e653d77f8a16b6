package channel

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Inert makes a text that strangers wrote parts of safe to hand over: controls,
// bidirectional and zero-width characters become visible escapes, in one line,
// and no program makes a link of an address in it.
func Inert(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Variation_Selector, r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return strings.ReplaceAll(b.String(), "://", "[:]//")
}
