package observe

import (
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/exchange"
)

// TestMemosChangeNothing compares an observer that has seen much with one that
// has seen nothing, over header values and path words that share slots, appear
// twice in a request or hold attack patterns.
func TestMemosChangeNothing(t *testing.T) {
	values := []string{"", " ", "Mozilla/5.0 (X11) Firefox/115.0", "curl/8.4.0", " curl/8.4.0", "sqlmap/1.7", "https://a.example/x", "https://b.example:8443/?q=<script>alert(1)</script>",
		"${jndi:ldap://x/a}", "() { :;}; echo", "no url", "https://a.example"}
	words := []string{"api", "v1", "API", "users", "a\x01b", "ﬁ", "..", "x'or'1'='1", "login", "Ünder", "v1.2", "13800138000"}
	seen := newObserver(t)
	rapid.Check(t, func(t2 *rapid.T) {
		x := exchange.Exchange{Method: []byte("GET"), Status: 200, Target: []byte("/"), Caps: exchange.CapResponse, Proto: 11}
		for range rapid.IntRange(0, 4).Draw(t2, "segments") {
			x.Target = append(append(x.Target, rapid.SampledFrom(words).Draw(t2, "word")...), '/')
		}
		for range rapid.IntRange(0, 4).Draw(t2, "headers") {
			name := rapid.SampledFrom([]string{"User-Agent", "Referer", "user-agent", "X-Other"}).Draw(t2, "name")
			x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte(name), Value: []byte(rapid.SampledFrom(values).Draw(t2, "value"))})
		}
		var a, b Batch
		seen.Observe(&x, &a)
		newObserver(t).Observe(&x, &b)
		compare(t2, b.obs, a.obs)
	})
}
