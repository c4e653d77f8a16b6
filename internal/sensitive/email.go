package sensitive

import "xiezhi/internal/taxonomy"

const (
	maxLocal    = 64  // RFC 5321
	maxDomain   = 253 // RFC 1035
	maxUserinfo = 256 // of a URL, longer ones are not looked at
)

type emailSpan struct {
	start, end int
	ok, masked bool
}

// emailAround reads the address around the @ at i.
func emailAround(b []byte, i int) (e emailSpan) {
	s := i
	for s > 0 && i-s < maxLocal && (plainClass[b[s-1]]&(cToken|cMail) != 0 || b[s-1] == '*') {
		s--
		e.masked = e.masked || b[s] == '*'
	}
	if s > 0 && b[s-1] == '\\' && (b[s] == 'n' || b[s] == 't' || b[s] == 'r') {
		s++
	}
	for s < i && (b[s] == '.' || b[s] == '%' || b[s] == '+' || b[s] == '-') {
		s++
	}
	if s == i || b[i-1] == '.' {
		return e
	}
	for k := s + 1; k < i; k++ {
		if b[k] == '.' && b[k-1] == '.' {
			return e
		}
	}
	e.start = s
	e.end, e.ok = domain(b, i+1)
	return e
}

// domain reads a host name with at least two labels and a plausible top label
// from p on.
func domain(b []byte, p int) (end int, ok bool) {
	from, label, labels := p, p, 0
	last := p // begin of the last complete label
	end = p
	for p <= len(b) && p-from <= maxDomain {
		if p < len(b) && plainClass[b[p]]&(cDigit|cLetter|cDash) != 0 {
			p++
			continue
		}
		if p == label || b[label] == '-' || b[p-1] == '-' || p-label > 63 {
			break
		}
		labels++
		last, end = label, p
		if p == len(b) || b[p] != '.' {
			break
		}
		p++
		label = p
	}
	if p < len(b) && b[p] == '_' || labels < 2 {
		return end, false
	}
	return end, topLabel(b[last:end])
}

// topLabel tells a top-level domain from a file extension: logo@2x.png.
func topLabel(b []byte) bool {
	if len(b) < 2 || len(b) > 24 {
		return false
	}
	if len(b) > 4 && b[0]|0x20 == 'x' && b[1]|0x20 == 'n' && b[2] == '-' {
		return true
	}
	for _, c := range b {
		if plainClass[c]&cLetter == 0 {
			return false
		}
	}
	switch string(b) {
	case "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "js", "mjs", "ts", "jsx", "tsx", "vue", "json", "html",
		"htm", "xml", "map", "woff", "ttf", "mp", "tgz", "gz", "txt", "pdf", "yaml", "yml", "md", "scss", "less":
		return len(b) == 2 && string(b) == "md" // .md is a country, README@v1.md is not worth losing it
	}
	return true
}

// at judges an @: the password of a URL, or an e-mail address.
func (s *scanner) at(i int) int {
	b := s.b
	if from, ok := userinfo(b, i); ok {
		s.add(taxonomy.SensPassword, from, i, 90)
		return i + 1
	}
	e := emailAround(b, i)
	if !e.ok || e.start >= 3 && b[e.start-1] == '/' && b[e.start-2] == '/' && b[e.start-3] == ':' {
		return i + 1 // ssh://git@host has a user, not an address
	}
	confidence := uint8(95)
	if e.masked {
		confidence = 85
	}
	s.put(Hit{Type: taxonomy.SensEmail, Start: e.start, End: e.end, Confidence: confidence, Masked: e.masked})
	return e.end
}

// userinfo finds the password in scheme://user:password@host, given the @.
func userinfo(b []byte, i int) (start int, ok bool) {
	colon := -1
	for p := i - 1; p >= 2 && i-p <= maxUserinfo; p-- {
		switch c := b[p]; {
		case c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`' || c == '@' || c == '?' || c == '#' || c >= 0x80:
			return 0, false
		case c == ':':
			if p+2 < len(b) && b[p+1] == '/' && b[p+2] == '/' {
				if colon < 0 || !isToken(b[p-1]) || colon+1 >= i || p+3 > colon {
					return 0, false
				}
				if i+1 >= len(b) || !isToken(b[i+1]) && b[i+1] != '[' || placeholder(b[colon+1:i]) {
					return 0, false
				}
				return colon + 1, true
			}
			colon = p // the leftmost one after the scheme ends the user
		case c == '/':
			if p < 2 || b[p-1] != '/' && b[p-1] != ':' {
				return 0, false
			}
		}
	}
	return 0, false
}
