// Package jwt reads JSON Web Tokens and guesses their HMAC secret.
//
// Parse takes the compact form (three base64url parts, a JSON header with an
// alg) and gives the header fields, the registered times and the claims;
// Guess takes the same bytes and says whether the signature was made with a
// published or common secret. Both are pure functions of the token. Invariant:
// Parse accepts exactly what base64url and encoding/json would (nesting beyond
// maxDepth excepted), never allocates once the Token's buffers have grown, and
// keeps no plaintext beyond the caller's Token. Limits: maxToken, maxClaims,
// maxDepth; claims beyond maxClaims are counted in Token.Dropped.
package jwt

import (
	"bytes"
	"encoding/base64"
	"strconv"
)

const (
	maxToken  = 8 << 10
	maxClaims = 32
	maxDepth  = 32
)

// Claim is one scalar claim: its name and its value, unescaped, strings
// without quotes. Claims inside objects and arrays have dotted names:
// "realm_access.roles[]".
type Claim struct{ Name, Value []byte }

// Token is what a JSON Web Token says about itself. Its slices live in buffers
// that the next Parse reuses.
type Token struct {
	Alg, KeyID, Issuer []byte
	Claims             []Claim
	IssuedAt, Expires  int64 // seconds since the epoch, 0 absent
	Dropped            int   // claims beyond the cap
	None               bool  // alg none, or an empty signature

	buf   []byte // decoded header and payload
	names []byte // dotted names
}

func (t *Token) reset() {
	*t = Token{Claims: t.Claims[:0], buf: t.buf[:0], names: t.names[:0]}
}

// split gives the three parts of a compact token.
func split(b []byte) (header, payload, signature []byte, ok bool) {
	// A JSON object in base64 starts with 'e' ("{"), or with white space
	// that no issuer writes: most values fail here at the first byte.
	if len(b) < 16 || len(b) > maxToken || b[0] != 'e' {
		return nil, nil, nil, false
	}
	i := bytes.IndexByte(b, '.')
	if i < 0 {
		return nil, nil, nil, false
	}
	j := bytes.IndexByte(b[i+1:], '.')
	if j < 0 {
		return nil, nil, nil, false
	}
	header, payload, signature = b[:i], b[i+1:i+1+j], b[i+j+2:]
	for _, part := range [...][]byte{header, payload, signature} {
		for _, c := range part {
			if !urlAlphabet[c] {
				return nil, nil, nil, false
			}
		}
	}
	return header, payload, signature, true
}

// urlAlphabet holds the base64url characters. encoding/base64 alone would let
// line breaks through.
var urlAlphabet = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		t[c] = true
	}
	return t
}()

// Parse reads b into t and reports whether b is a JSON Web Token. On false, t
// holds nothing of use.
func Parse(b []byte, t *Token) bool {
	t.reset()
	header, payload, signature, ok := split(b)
	if !ok {
		return false
	}
	n := base64.RawURLEncoding.DecodedLen(len(header)) + base64.RawURLEncoding.DecodedLen(len(payload))
	if cap(t.buf) < n {
		t.buf = make([]byte, 0, max(n, 512))
	}
	buf := t.buf[:n]
	hn, err := base64.RawURLEncoding.Decode(buf, header)
	if err != nil {
		return false
	}
	pn, err := base64.RawURLEncoding.Decode(buf[hn:], payload)
	if err != nil {
		return false
	}
	w := walker{src: buf[:hn], token: t, header: true}
	if !w.document() || len(t.Alg) == 0 {
		return false
	}
	w = walker{src: buf[hn : hn+pn], token: t}
	if !w.document() {
		return false
	}
	t.None = len(signature) == 0 || bytes.EqualFold(t.Alg, []byte("none"))
	return true
}

// headerField keeps a scalar of the header.
func (t *Token) headerField(name, value []byte, text bool) {
	if !text {
		return
	}
	switch string(name) {
	case "alg":
		t.Alg = value
	case "kid":
		t.KeyID = value
	}
}

// claim keeps a scalar of the payload.
func (t *Token) claim(name, value []byte, text bool) {
	switch string(name) {
	case "iss":
		if text {
			t.Issuer = value
		}
	case "iat":
		t.IssuedAt = numericDate(value)
	case "exp":
		t.Expires = numericDate(value)
	}
	if len(t.Claims) >= maxClaims {
		t.Dropped++
		return
	}
	t.Claims = append(t.Claims, Claim{Name: name, Value: value})
}

// numericDate reads seconds since the epoch, 0 when it is none. Issuers also
// write fractions, text and, against the standard, milliseconds.
func numericDate(b []byte) int64 {
	var v int64
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		if v > 1<<53 {
			return 0
		}
		v = v*10 + int64(b[i]-'0')
	}
	if i == 0 {
		return 0
	}
	if i < len(b) && (b[i] == '.' || b[i] == 'e' || b[i] == 'E') && len(b) < 32 {
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil || !(f >= 0 && f < 1<<53) {
			return 0
		}
		v, i = int64(f), len(b)
	}
	if i != len(b) {
		return 0
	}
	if v >= 1e11 { // year 5138 in seconds, 1973 in milliseconds
		v /= 1000
	}
	if v >= 1e11 {
		return 0
	}
	return v
}
