package sensitive

import (
	"bytes"

	"xiezhi/internal/taxonomy"
)

// credential judges a token run of 13 bytes or more that is no number, and
// returns the end of what it recognised, or 0.
func (s *scanner) credential(start, end int, or uint8) int {
	b := s.b
	r := b[start:end]
	n := len(r)
	if start > 2 && b[start-1] == '.' && n >= 20 {
		if from, p := s.dotted(start, end); p > 0 {
			s.add(taxonomy.SensAccessToken, from, p, 96)
			return p
		}
	}
	for i := range vendorIndex[r[0]] {
		if k := &vendorIndex[r[0]][i]; k.match(r) {
			s.add(k.kind, start, end, 96)
			return end
		}
	}
	switch r[0] {
	case 'e':
		if r[1] == 'y' && r[2] == 'J' {
			if p := s.jwt(start, end); p > 0 {
				return p
			}
		}
	case 's':
		if string(r[:3]) == "sk-" && len(r) >= 43 && openAI(r) {
			s.add(taxonomy.SensSecretKey, start, end, 97)
			return end
		}
	case 'x':
		if slack(r) {
			s.add(taxonomy.SensAccessToken, start, end, 97)
			return end
		}
	case 'A':
		// encrypted passwords of Artifactory: AP and the version of the cipher
		if r[1] == 'P' && (isDigit(r[2]) || r[2] >= 'A' && r[2] <= 'F') && or == cDigit|cUpper|cLower && len(r) <= 128 && !monotonous(r[3:]) {
			s.add(taxonomy.SensSecretKey, start, end, 70)
			return end
		}
	case 'M', 'N', 'O':
		if p := discord(b, start, end); p > 0 {
			s.add(taxonomy.SensAccessToken, start, p, 90)
			return p
		}
	}
	if (n == 24 || n == 36 || n == 64) && start > 20 && (b[start-1] == '/' || b[start-1] == '=') && webhook(b[:start]) && !monotonous(r) {
		s.add(taxonomy.SensSecretKey, start, end, 95)
		return end
	}
	if n >= 36 && n <= 37 && string(r[32:35]) == "-us" && lowerHex(r[:32]) && allDigits(r[35:]) && !monotonous(r[:32]) { // Mailchimp
		s.add(taxonomy.SensSecretKey, start, end, 95)
		return end
	}
	if n > 11 && or&cDash == 0 && b[start] == 'b' && end < len(b) && b[end] == ':' && start > 0 && b[start-1] == '/' && string(r[:3]) == "bot" && allDigits(r[3:]) {
		return s.telegram(start+3, end) // https://api.telegram.org/bot<token>/…
	}
	return 0
}

// openAI wants the marker that stands in the middle of these keys.
func openAI(r []byte) bool {
	i := bytes.Index(r, []byte("T3BlbkFJ"))
	return i >= 3+16 && len(r)-i-8 >= 16
}

// slack wants xoxb-, numbers and a final secret, separated by dashes.
func slack(r []byte) bool {
	if len(r) < 20 || r[1] != 'o' || r[2] != 'x' || r[4] != '-' || plainClass[r[3]]&cLower == 0 {
		return false
	}
	i := bytes.LastIndexByte(r, '-')
	if i < 5 || len(r)-i-1 < 10 || monotonous(r[i+1:]) {
		return false
	}
	return classOf(r[5:i])&^(cDigit|cDash) == 0 || r[3] == 'e' || r[3] == 'd'
}

// discord reads a bot token: the account's number in base64, a time stamp of
// six characters, a code of 27 to 38.
func discord(b []byte, start, end int) int {
	if n := end - start; n < 24 || n > 26 || end >= len(b) || b[end] != '.' {
		return 0
	}
	second := end + 1
	p := second
	for p < len(b) && isToken(b[p]) {
		p++
	}
	if p-second != 6 || p >= len(b) || b[p] != '.' {
		return 0
	}
	third := p + 1
	for p = third; p < len(b) && isToken(b[p]); {
		p++
	}
	if p-third < 27 || p-third > 38 || monotonous(b[third:p]) {
		return 0
	}
	return p
}

// dotted judges a run after a short word and a dot: SendGrid SG.x.y, Google
// ya29.x, HashiCorp Vault hvs.x and hvb.x.
func (s *scanner) dotted(start, end int) (from, to int) {
	b := s.b
	for from = start - 1; from > 0 && isToken(b[from-1]) && start-from < 6; {
		from--
	}
	r := b[start:end]
	switch string(b[from : start-1]) {
	case "SG":
		if len(r) != 22 || end >= len(b) || b[end] != '.' {
			return 0, 0
		}
		p := end + 1
		for p < len(b) && isToken(b[p]) {
			p++
		}
		if p-end-1 < 40 || p-end-1 > 46 {
			return 0, 0
		}
		return from, p
	case "ya29", "hvs", "hvb":
		if len(r) < 24 || monotonous(r) {
			return 0, 0
		}
		return from, end
	}
	return 0, 0
}

// webhooks holds what stands before the secret part of a group robot's
// address: whoever has it can post.
var webhooks = []string{
	"oapi.dingtalk.com/robot/send?access_token=",
	"qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
	"open.feishu.cn/open-apis/bot/v2/hook/",
	"open.larksuite.com/open-apis/bot/v2/hook/",
}

func webhook(before []byte) bool {
	for _, w := range webhooks {
		if bytes.HasSuffix(before, []byte(w)) {
			return true
		}
	}
	const slackHook = "hooks.slack.com/services/"
	return bytes.Contains(before[max(0, len(before)-len(slackHook)-32):], []byte(slackHook))
}

// telegram judges 8 to 10 digits [start,end) before a colon and 35 bytes that
// begin with AA.
func (s *scanner) telegram(start, end int) int {
	b := s.b
	if n := end - start; n < 8 || n > 10 || end+3 > len(b) || b[end+1] != 'A' || b[end+2] != 'A' {
		return end
	}
	p := end + 1
	for p < len(b) && isToken(b[p]) {
		p++
	}
	if p-end-1 != 35 || monotonous(b[end+3:p]) {
		return end
	}
	s.add(taxonomy.SensAccessToken, start, p, 97)
	return p
}

// maxPEM is how far the end of a private key is looked for.
const maxPEM = 16 << 10

// pem judges a run that begins with -----BEGIN. Where the END line is missing,
// the key reaches to the end of the text.
func (s *scanner) pem(start, end int) int {
	b := s.b
	head := b[end:min(len(b), end+48)]
	i := bytes.Index(head, []byte("PRIVATE KEY"))
	if i < 0 {
		return end
	}
	for _, c := range head[:i] {
		if c != ' ' && plainClass[c]&(cUpper|cDigit) == 0 {
			return end
		}
	}
	body := end + i + len("PRIVATE KEY")
	stop := min(len(b), start+maxPEM)
	to := stop
	if k := bytes.Index(b[body:stop], []byte("-----END")); k >= 0 {
		to = body + k
		for to < stop && b[to] != '\n' && b[to] != '"' && b[to] != '\\' {
			to++
		}
	}
	s.add(taxonomy.SensPrivateKey, start, to, 99)
	return to
}
