package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Inert makes an attacker-made string safe to show in a terminal or a page:
// control characters, bidirectional and zero-width characters become visible
// escapes, invalid UTF-8 becomes \xNN.
func Inert(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || hidden(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case hidden(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// hidden reports whether r does not show as itself: controls, format
// characters (bidi, zero width, tags), line separators, private use.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Co, r) ||
		unicode.Is(unicode.Variation_Selector, r)
}

// columns is the number of terminal columns that s takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			if !unicode.Is(unicode.Mn, r) {
				n++
			}
		}
	}
	return n
}

// fit cuts s to n columns, marking the cut, or pads it.
func fit(s string, n int) string {
	if c := columns(s); c <= n {
		return s + strings.Repeat(" ", n-c)
	}
	var b strings.Builder
	used := 0
	for _, r := range s {
		c := columns(string(r))
		if used+c > n-1 {
			break
		}
		b.WriteRune(r)
		used += c
	}
	b.WriteString("…")
	used++
	return b.String() + strings.Repeat(" ", n-used)
}

// fitEnds is fit for names whose end tells more than their middle: of what has
// to be cut, two thirds of the room show the end.
func fitEnds(s string, n int) string {
	if columns(s) <= n {
		return fit(s, n)
	}
	runes := []rune(s)
	from, room := len(runes), n*2/3
	for from > 0 && room-columns(string(runes[from-1])) >= 0 {
		from--
		room -= columns(string(runes[from]))
	}
	tail := string(runes[from:])
	head := strings.TrimRight(fit(s, n-columns(tail)), " ")
	return fit(head+tail, n)
}

// wrap breaks s into lines of at most n columns: at spaces where there are
// some, between wide characters otherwise. No line starts with a closing mark.
func wrap(s string, n int) []string {
	var lines []string
	line, used := "", 0
	lastBreak := -1 // byte offset in line after which a break is allowed
	for _, r := range s {
		c := columns(string(r))
		if used+c > n && line != "" && !strings.ContainsRune("，。；：！？、）】》”’,.;:!?)]}", r) {
			if lastBreak > 0 && lastBreak < len(line) {
				rest := line[lastBreak:]
				lines = append(lines, strings.TrimRight(line[:lastBreak], " "))
				line = strings.TrimLeft(rest, " ")
			} else {
				lines = append(lines, strings.TrimRight(line, " "))
				line = ""
			}
			used, lastBreak = columns(line), -1
		}
		if line == "" && r == ' ' {
			continue
		}
		line += string(r)
		used += c
		if r == ' ' || c == 2 {
			lastBreak = len(line)
		}
	}
	if line != "" {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}
