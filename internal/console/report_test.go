package console

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// reportAPI gives a report, or whatever else it is told to.
type reportAPI struct {
	media, body string
	status      int
	asked       *http.Request
}

func (f *reportAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked = r
	w.Header().Set("Content-Type", f.media)
	w.Header().Set("Content-Disposition", `attachment; filename="r.html"`)
	w.Header().Set("Set-Cookie", "a=b")
	w.Header().Set("Retry-After", "3")
	w.WriteHeader(f.status)
	for rest := f.body; rest != ""; {
		n := min(len(rest), 1<<20)
		_, _ = w.Write([]byte(rest[:n]))
		rest = rest[n:]
	}
}

func TestReportIsShownUnderItsOwnPolicy(t *testing.T) {
	style := "body{color:red}\n"
	sum := sha256.Sum256([]byte(style))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
	f := &reportAPI{media: "text/html; charset=utf-8", status: 200, body: "<!doctype html><style>" + style + "</style><p>x"}
	c := newConsole(t, f)
	w := get(c, "/report/view?period=2026-01&format=json&site=a%26b&lang=zh")
	h := w.Result().Header
	policy := h.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", want, "frame-ancestors 'self'", "sandbox allow-same-origin allow-modals", "form-action 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "script-src") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "unsafe-inline") {
		t.Errorf("the policy %q lets something run", policy)
	}
	if w.Code != 200 || w.Body.String() != f.body || h.Get("X-Frame-Options") != "SAMEORIGIN" || h.Get("Content-Disposition") != "" || h.Get("Set-Cookie") != "" {
		t.Errorf("%d %v %q", w.Code, h, w.Body)
	}
	if q := f.asked.URL.Query(); q.Get("format") != "html" || q.Get("period") != "2026-01" || q.Get("site") != "a&b" || f.asked.URL.Path != "/api/v1/report" {
		t.Errorf("asked %s", f.asked.URL)
	}
	if policy := get(c, "/").Header().Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src 'self';") {
		t.Errorf("the console's page may not frame it: %s", policy)
	}
}

func TestReportThatIsNoneIsNotShown(t *testing.T) {
	for _, tc := range []struct {
		name, media, body string
		status, want      int
		shown             string
	}{
		{"refused", "application/problem+json", `{"title":"No"}`, 403, 403, `{"title":"No"}`},
		{"busy", "application/problem+json", `{"title":"Busy"}`, 503, 503, `{"title":"Busy"}`},
		{"another thing", "application/json", `{}`, 200, 500, "Internal Server Error\n"},
		{"too large", "text/html", strings.Repeat("x", maxPage+1), 200, 507, "too_large"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := get(newConsole(t, &reportAPI{media: tc.media, body: tc.body, status: tc.status}), "/report/view?lang=en")
			if w.Code != tc.want || !strings.Contains(w.Body.String(), tc.shown) || w.Body.Len() > 1000 {
				t.Errorf("%d %.200q", w.Code, w.Body)
			}
			if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") && tc.want != 500 {
				t.Errorf("no policy: %v", w.Header())
			}
		})
	}
	w := post(newConsole(t, &reportAPI{}), "/report/view", nil)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST gives %d", w.Code)
	}
}
