package sensitive

import (
	"bytes"
	"encoding/base64"

	"xiezhi/internal/taxonomy"
)

// maxJWTHead is how much of an encoded part is decoded to judge it.
const maxJWTHead = 2048

// jwt judges a run that begins with eyJ: a header that decodes to a JSON
// object naming its algorithm, and a payload that decodes to an object (or,
// encrypted, five parts). It returns the end, or 0.
func (s *scanner) jwt(start, end int) int {
	b := s.b
	if end >= len(b) || b[end] != '.' || !jwtHeader(b[start:end]) {
		return 0
	}
	p, parts := end, 1
	payload := false
	for parts < 5 && p < len(b) && b[p] == '.' {
		q := p + 1
		for q < len(b) && isToken(b[q]) {
			q++
		}
		if q == p+1 && !(parts == 2 && payload) && parts != 1 {
			break
		}
		if parts == 1 {
			payload = jsonObject(b[p+1 : q])
		}
		p = q
		parts++
		if payload && parts == 3 {
			break
		}
	}
	if !payload && parts != 5 {
		return 0
	}
	if b[p-1] == '.' && payload { // header.payload. is alg none; a sentence's full stop is not part
		p--
	}
	s.add(taxonomy.SensAccessToken, start, p, 98)
	return p
}

func jwtHeader(part []byte) bool {
	var buf [maxJWTHead]byte
	j, ok := decodeObject(buf[:], part)
	return ok && bytes.Contains(j, []byte(`"alg"`))
}

func jsonObject(part []byte) bool {
	var buf [maxJWTHead]byte
	_, ok := decodeObject(buf[:], part)
	return ok
}

// decodeObject decodes the base64url of a JSON object. Of a longer part only
// the beginning is looked at.
func decodeObject(dst, part []byte) ([]byte, bool) {
	limit := base64.RawURLEncoding.DecodedLen(len(part)) > len(dst)
	if limit {
		part = part[:len(dst)/3*4]
	}
	n, err := base64.RawURLEncoding.Decode(dst, part)
	if err != nil || n < 2 {
		return nil, false
	}
	j := bytes.TrimSpace(dst[:n])
	if len(j) < 2 || j[0] != '{' || !limit && j[len(j)-1] != '}' {
		return nil, false
	}
	inside := bytes.TrimLeft(j[1:], " \t\r\n")
	return j, len(inside) > 0 && (inside[0] == '"' || inside[0] == '}')
}
