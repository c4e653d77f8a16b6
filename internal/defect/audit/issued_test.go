package audit_test

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func TestJWTLifetime(t *testing.T) {
	const now = int64(1_700_000_000)
	out := func(name string, life int64) option {
		return func(ev *catalog.Event) {
			j := &observe.JWT{Alg: "rs256", IssuedAt: now}
			if life > 0 {
				j.Expires = now + life
			}
			ev.Issued = []observe.Credential{{Kind: observe.CredBearer, In: observe.InJSON, Name: name, Token: 5, JWT: j, Shape: "ey****9A"}}
		}
	}
	run := func(n int, name string, life int64, more ...option) func(*site) {
		return func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(n, func(i int) { s.do("POST /login", append([]option{source(i), out(name, life)}, more...)...) })
		}
	}
	const days = 24 * 3600
	check(t, []scenario{
		{"a month", run(3, "token", 30*days), "jwt_lifetime:probable", []string{"30 天", "token"}},
		{"a month, many", run(12, "token", 30*days), "jwt_lifetime:confirmed", nil},
		{"for ever", run(12, "token", 0), "jwt_lifetime:confirmed", []string{"没有有效期"}},
		{"two hours", run(12, "token", 2*3600), "", nil},
		{"five days", run(12, "token", 5*days), "", nil},
		{"a refresh token", run(12, "data.refresh_token", 30*days), "", nil},
		{"twice only", run(2, "token", 30*days), "", nil},
		{"one receiver only", run(12, "token", 30*days, source(1)), "", nil},
		{"not given out", run(12, "token", 30*days, answer(401, catalog.OutcomeDenied)), "", nil},
	})
}

func TestInsecureCookie(t *testing.T) {
	const good = observe.CookieHTTPOnly | observe.CookieSecure | observe.CookieSameSite
	out := func(name string, bits uint8) option {
		return func(ev *catalog.Event) {
			ev.Issued = []observe.Credential{{Kind: observe.CredCookie, In: observe.InCookie, Name: name, Token: 5, Cookie: bits, Shape: "9a****f1"}}
		}
	}
	run := func(name string, bits uint8, more ...option) func(*site) {
		return func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(12, func(i int) { s.do("POST /login", append([]option{source(i), out(name, bits)}, more...)...) })
		}
	}
	check(t, []scenario{
		{"nothing promised", run("SESSION", 0), "insecure_cookie:confirmed", []string{"HttpOnly", "Secure", "SESSION"}},
		{"for scripts to read", run("SESSION", observe.CookieSecure), "insecure_cookie:confirmed", []string{"XSS"}},
		{"without TLS", run("SESSION", observe.CookieHTTPOnly), "insecure_cookie:confirmed", []string{"没有 Secure"}},
		{"all promised", run("SESSION", good), "", nil},
		{"SameSite left to the browser", run("SESSION", observe.CookieHTTPOnly|observe.CookieSecure), "", nil},
		{"behind a proxy that ends TLS", run("SESSION", observe.CookieHTTPOnly, plain), "", nil},
		{"against forged requests", run("XSRF-TOKEN", observe.CookieSecure), "", nil},
	})
}
