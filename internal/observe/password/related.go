package password

import "bytes"

const (
	minPart   = 4 // shorter names are contained in anything
	minNear   = 6 // shorter ones are near to anything
	phoneTail = 6
)

// related finds what of the account the password, in lower case, shows.
func related(pw []byte, c Context) (bits uint8) {
	var buf [128]byte
	if relatedText(pw, lower(buf[:0], cut(c.Account))) {
		bits |= RelatedAccount
	}
	if local, _, ok := bytes.Cut(cut(c.Email), []byte("@")); ok {
		local, _, _ = bytes.Cut(local, []byte("+"))
		if relatedText(pw, lower(buf[:0], local)) {
			bits |= RelatedEmail
		}
	}
	if phone := digits(buf[:0], cut(c.Phone)); len(phone) >= phoneTail+1 && bytes.Contains(pw, phone[len(phone)-phoneTail:]) {
		bits |= RelatedPhone
	}
	if relatedBirthday(pw, c.Birthday) {
		bits |= RelatedBirthday
	}
	if relatedHost(pw, lower(buf[:0], cut(c.Host))) {
		bits |= RelatedHost
	}
	return bits
}

func cut(b []byte) []byte { return b[:min(len(b), 128)] }

// relatedText reports whether the password equals, contains, is contained in
// or nearly is the name.
func relatedText(pw, name []byte) bool {
	switch {
	case len(name) == 0 || len(pw) == 0:
		return false
	case bytes.Equal(pw, name):
		return true
	case len(name) >= minPart && bytes.Contains(pw, name), len(pw) >= minPart && bytes.Contains(name, pw):
		return true
	}
	if len(name) >= minPart && len(pw) <= 64 {
		var back [128]byte
		for i, c := range name {
			back[len(name)-1-i] = c
		}
		if bytes.Contains(pw, back[:len(name)]) {
			return true
		}
	}
	return len(pw) >= minNear && len(name) >= minNear && near(pw, name)
}

// near reports whether the edit distance is at most two.
func near(a, b []byte) bool {
	const limit, width = 2, 64
	if d := len(a) - len(b); d > limit || d < -limit || len(a) > width || len(b) > width {
		return false
	}
	var rows [2][width + 1]uint8
	prev, row := &rows[0], &rows[1]
	for j := range len(b) + 1 {
		prev[j] = uint8(j)
	}
	for i := range a {
		row[0] = uint8(i + 1)
		best := row[0]
		for j := range b {
			cost := uint8(1)
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j]+cost, prev[j+1]+1, row[j]+1)
			best = min(best, row[j+1])
		}
		if best > limit {
			return false
		}
		prev, row = row, prev
	}
	return prev[len(b)] <= limit
}

func digits(dst, b []byte) []byte {
	for _, c := range b {
		if c >= '0' && c <= '9' {
			dst = append(dst, c)
		}
	}
	return dst
}

// relatedBirthday reports whether the password holds the date in one of the
// ways that people write it. The date comes as year, month, day, with or
// without separators, or inside an 18-digit resident ID number.
func relatedBirthday(pw, birthday []byte) bool {
	var buf [128]byte
	d := digits(buf[:0], cut(birthday))
	if len(d) >= 17 {
		d = d[6:14]
	}
	if len(d) != 8 {
		return false
	}
	y, yy, m, day := d[:4], d[2:4], d[4:6], d[6:8]
	forms := [...][3][]byte{{y, m, day}, {yy, m, day}, {day, m, y}, {m, day, y}, {day, m, yy}, {m, day, yy}}
	var form [8]byte
	for _, f := range forms {
		t := append(append(append(form[:0], f[0]...), f[1]...), f[2]...)
		if bytes.Contains(pw, t) {
			return true
		}
	}
	return bytes.Contains(pw, y) && bytes.Contains(pw, d[4:8])
}

// commonLabels are parts of host names that are nobody's brand.
var commonLabels = [...]string{"www", "com", "net", "org", "gov", "edu", "admin", "login", "test", "dev", "stage", "staging", "prod", "portal", "gateway", "mobile", "auth", "account", "accounts",
	"passport", "service", "services", "server", "local", "localhost", "internal", "example", "cloud", "shop", "info", "open", "user", "users", "home", "host", "mail", "static", "uat"}

// relatedHost reports whether the password holds the brand in the host name:
// "dingdang2022" at www.dingdang.com.
func relatedHost(pw, host []byte) bool {
	if i := bytes.IndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	for len(host) > 0 {
		label, rest, _ := bytes.Cut(host, []byte("."))
		host = rest
		if len(host) == 0 { // the top-level domain, or a bare name
			break
		}
		if len(label) < minPart || number(label) || isCommon(label) {
			continue
		}
		if bytes.Contains(pw, label) {
			return true
		}
	}
	return false
}

func number(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func isCommon(label []byte) bool {
	for _, c := range commonLabels {
		if string(label) == c {
			return true
		}
	}
	return false
}
