package decoy

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/lure"
	"xiezhi/internal/taxonomy"
)

var consent = lure.Consent{By: "security", On: "2026-11-01"}

func sensor(t testing.TB, now *time.Time, told *[]Touch) *Sensor {
	t.Helper()
	s, err := New(Config{Consent: consent, Seed: [32]byte{7}, Now: func() time.Time { return *now }, Told: func(x Touch) { *told = append(*told, x) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(s *Sensor, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "8.8.4.4:999"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestNoDecoyWithoutConsent(t *testing.T) {
	if _, err := New(Config{Now: time.Now, Told: func(Touch) {}}); err == nil {
		t.Error("a sensor without consent")
	}
}

// TestSensorsAnswer: each looks like what it stands for, says the same again, and
// every touch is told of once a minute.
func TestSensorsAnswer(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	var told []Touch
	s := sensor(t, &now, &told)
	for _, c := range []struct{ method, path, bait, want string }{
		{"POST", "/api/v0/login", "login", `"code":1001`}, {"POST", "/api/v0/sms/send", "sms", `"interval":60`}, {"GET", "/api/internal/export?all=1", "export", "id,name,mobile"}, {"GET", "/api/v0/users/17", "query", `"mobile":"10000`},
		{"GET", "/actuator/env", "actuator", "export.token"}, {"GET", "/V3/api-docs/", "docs", `"openapi"`}, {"GET", "/.env", "environment", "DB_PASSWORD="}, {"GET", "/console", "admin", "<form"}, {"GET", "/.git/config", "repository", "403"},
	} {
		told = nil
		a, b := ask(s, c.method, c.path, `{"username":"a","password":"b"}`), ask(s, c.method, c.path, `{"username":"a","password":"b"}`)
		if a.Code != 200 || !strings.Contains(a.Body.String(), c.want) || a.Body.String() != b.Body.String() {
			t.Errorf("%s: %d %s", c.path, a.Code, a.Body)
		}
		if len(told) != 1 || told[0].Bait != c.bait || told[0].Client.String() != "8.8.4.4" || strings.Contains(told[0].Path, "?") {
			t.Errorf("%s: told %+v", c.path, told)
		}
		if _, ok := taxonomy.ScenarioOf[taxonomy.AttackKind(told[0].Kind)]; !ok {
			t.Errorf("%s stands for %q", c.path, told[0].Kind)
		}
		rows := told[0].Indicators()
		set, err := (*indicator.Set)(nil).With(indicator.Source{Name: "decoys", Role: indicator.Decoy, Reliability: 0.95}, rows, now.UnixNano())
		if err != nil || set.Len() != 1 {
			t.Errorf("%s: %v, %d", c.path, err, set.Len())
		}
	}
	told = nil
	now = now.Add(2 * time.Minute)
	if ask(s, "GET", "/.env", ""); len(told) != 1 {
		t.Errorf("after two minutes told %d", len(told))
	}
	if n, hushed, _ := s.Counts(); n != 19 || hushed != 9 {
		t.Errorf("%d touches, %d hushed", n, hushed)
	}
}

func TestWhatIsNoTouch(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	var told []Touch
	s := sensor(t, &now, &told)
	for path, code := range map[string]int{"/": 404, "/index.html": 404, "/robots.txt": 200, "/favicon.ico": 404, "/api/v1/orders": 404, "/" + strings.Repeat("x", 600): 414} {
		if w := ask(s, "GET", path, ""); w.Code != code {
			t.Errorf("%.40s: %d", path, w.Code)
		}
	}
	if len(told) > 0 {
		t.Errorf("told %+v", told)
	}
}

// TestNobodyIsInTheAnswers: people are made up, with numbers that no operator
// gives out, and what a visitor sends does not come back.
func TestNobodyIsInTheAnswers(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	var told []Touch
	s := sensor(t, &now, &told)
	phone := regexp.MustCompile(`\b1[3-9][0-9]{9}\b`)
	for i := range baits {
		for _, p := range baits[i].paths {
			w := ask(s, http.MethodPost, p+"x?secret=canary-4711", `{"phone":"13800138000","password":"canary-4711"}`)
			if phone.MatchString(w.Body.String()) || strings.Contains(w.Body.String(), "canary") {
				t.Errorf("%s: %s", p, w.Body)
			}
		}
	}
	for _, x := range told {
		if strings.Contains(x.Path, "canary") {
			t.Errorf("%+v", x)
		}
	}
}

// TestDefaultPathsAreServed: what judges take for decoys by default is what the
// sensors serve, or a place that only tools go to.
func TestDefaultPathsAreServed(t *testing.T) {
	served := 0
	for _, p := range lure.DefaultPaths() {
		if baitOf(strings.TrimSuffix(p, "*")) != nil || baitOf(strings.TrimSuffix(p, "/*")) != nil {
			served++
		}
	}
	if served < 18 || !slices.Contains(lure.DefaultPaths(), "/api/internal/export") {
		t.Errorf("only %d of %d are served", served, len(lure.DefaultPaths()))
	}
}

func FuzzSensor(f *testing.F) {
	f.Add("GET", "/actuator/env", "x")
	f.Add("POST", "/api/v0/login", "{}")
	now := time.Unix(1_790_000_000, 0)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		var told []Touch
		s := sensor(t, &now, &told)
		r, err := http.NewRequestWithContext(t.Context(), method, "http://x/", strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL.Path, r.RemoteAddr = path, "8.8.4.4:1"
		s.ServeHTTP(httptest.NewRecorder(), r)
	})
}
