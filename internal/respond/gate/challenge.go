package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"xiezhi/internal/source/proxy"
)

// A challenge is "v1.END.DIFFICULTY.MAC" in base64; who finds a nonce for which
// SHA-256(challenge + ":" + nonce) begins with DIFFICULTY zero bits shows both,
// as a cookie or a header, until the end.
const (
	ProofCookie = "xiezhi_proof"
	ProofHeader = "X-Xiezhi-Proof"

	proofLife  = 10 * time.Minute
	difficulty = 16 // about 65 000 hashes: a blink for one visitor, a cost for a million
	maxNonce   = 32
)

func (g *Gate) mac(end int64, ip netip.Addr, bits byte) []byte {
	m := hmac.New(sha256.New, g.key)
	var b [9]byte
	binary.BigEndian.PutUint64(b[:8], uint64(end))
	b[8] = bits
	m.Write(b[:])
	a := ip.As16()
	m.Write(a[:])
	return m.Sum(nil)[:16]
}

func (g *Gate) token(ip netip.Addr, now time.Time) string {
	end := now.Add(proofLife).Unix()
	b := binary.BigEndian.AppendUint64(nil, uint64(end))
	b = append(b, difficulty)
	return base64.RawURLEncoding.EncodeToString(append(b, g.mac(end, ip, difficulty)...))
}

// proved reports whether a request shows the proof of work of its address.
func (g *Gate) proved(r *http.Request, ip netip.Addr, now time.Time) bool {
	shown := r.Header.Get(ProofHeader)
	if shown == "" {
		if c, err := r.Cookie(ProofCookie); err == nil {
			shown = c.Value
		}
	}
	token, nonce, ok := strings.Cut(shown, ".")
	if !ok || len(nonce) == 0 || len(nonce) > maxNonce || !ip.IsValid() {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 8+1+16 {
		return false
	}
	end := int64(binary.BigEndian.Uint64(b))
	if now.Unix() > end || end > now.Add(proofLife).Unix()+1 || b[8] != difficulty || !hmac.Equal(b[9:], g.mac(end, ip, b[8])) {
		return false
	}
	return Solves(token, nonce)
}

// Solves reports whether a nonce is the proof of work for a challenge.
func Solves(token, nonce string) bool {
	sum := sha256.Sum256([]byte(token + ":" + nonce))
	return bits.LeadingZeros64(binary.BigEndian.Uint64(sum[:])) >= difficulty
}

// challenge answers with what is to be proved: a page that does it by itself to
// who takes pages, JSON to others.
func (g *Gate) challenge(r *http.Request, ip netip.Addr, id string, now time.Time) proxy.Verdict {
	token := g.token(ip, now)
	h := http.Header{"Cache-Control": {"no-store"}, "Retry-After": {"1"}}
	if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'sha256-"+pageScriptSum+"'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		return proxy.Verdict{Status: http.StatusForbidden, Header: h, Body: []byte(pageHead + token + pageMiddle + pageScript + pageEnd)}
	}
	h.Set("Content-Type", "application/json")
	body, err := json.Marshal(map[string]any{"error": "proof_of_work", "reference": id, "challenge": token, "difficulty": difficulty,
		"how": "find a nonce for which SHA-256(challenge + ':' + nonce) begins with that many zero bits; send challenge + '.' + nonce as " + ProofHeader})
	if err != nil {
		return refusal(http.StatusForbidden, id, h)
	}
	return proxy.Verdict{Status: http.StatusForbidden, Header: h, Body: append(body, '\n')}
}

const (
	pageHead   = `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>正在检查 · Checking</title></head><body><p>正在检查您的浏览器，请稍候。</p><p>Checking your browser, one moment.</p><noscript><p>请启用 JavaScript。Please switch JavaScript on.</p></noscript><data id="c" value="`
	pageMiddle = `"></data><script>`
	pageEnd    = `</script></body></html>`

	pageScript = `(async()=>{const c=document.getElementById("c").value,e=new TextEncoder();for(let n=0;;n++){const d=new Uint8Array(await crypto.subtle.digest("SHA-256",e.encode(c+":"+n)));if(d[0]===0&&d[1]===0){document.cookie="` +
		ProofCookie + `="+c+"."+n+";path=/;max-age=600;samesite=lax";location.reload();return}}})()`
)

// pageScriptSum lets this script run and no other.
var pageScriptSum = func() string {
	sum := sha256.Sum256([]byte(pageScript))
	return base64.StdEncoding.EncodeToString(sum[:])
}()
