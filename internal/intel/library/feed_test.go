package library

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/taxii"
)

func TestFeedIsReadByScheduleAndKept(t *testing.T) {
	r := newRoom(t)
	var asked, changed atomic.Int32
	body := atomic.Pointer[string]{}
	first := "45.9.1.7\n45.9.2.0/24\n"
	body.Store(&first)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		tag := fmt.Sprintf(`"%d"`, len(*body.Load()))
		if q.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		changed.Add(1)
		w.Header().Set("ETag", tag)
		_, _ = io.WriteString(w, *body.Load())
	}))
	defer s.Close()
	half := 0.9
	f := Feed{Name: "drop", URL: s.URL + "/drop.txt?key=secret", Every: time.Hour, Licence: "test", Reliability: &half, Confidence: 90, Tags: []string{"proxy"}}
	l := r.with(f)
	if h := l.Feeds()[0]; !h.Stale || h.Rows != 0 || strings.Contains(h.Host, "secret") {
		t.Errorf("before the first round: %+v", h)
	}
	if err := l.Fetch(t.Context(), "drop"); err != nil {
		t.Fatal(err)
	}
	if got := score(l, "45.9.1.7"); got != 81 {
		t.Errorf("an address on the list scores %d", got)
	}
	if h := l.Feeds()[0]; h.Stale || h.Rows != 2 || h.Err != "" || h.Digest == "" || !h.Fetched.Equal(r.now()) || !h.Next.Equal(r.now().Add(time.Hour)) {
		t.Errorf("%+v", h)
	}
	// An unchanged list is not sent again, and what it says holds on.
	r.pass(20 * time.Hour)
	if err := l.Fetch(t.Context(), "drop"); err != nil || changed.Load() != 1 || asked.Load() != 2 {
		t.Fatal(err, changed.Load(), asked.Load())
	}
	if got := score(l, "45.9.1.7"); got != 81 {
		t.Errorf("a list that still says so scores %d", got)
	}
	if x := l.Set().Of("drop")[0]; x.First != start.UnixNano() || x.Last != r.now().UnixNano() {
		t.Errorf("%+v", x)
	}
	// After a restart nobody has to be asked.
	l = r.with(f)
	if got := score(l, "45.9.1.7"); got != 81 || l.Feeds()[0].Rows != 2 || asked.Load() != 2 {
		t.Errorf("after a restart it scores %d, %+v", got, l.Feeds()[0])
	}
	// Ageing goes on without the list: half a day leaves half.
	r.pass(12 * time.Hour)
	if got := score(l, "45.9.1.7"); got < 38 || got > 42 {
		t.Errorf("after half its life it scores %d", got)
	}
	second := "45.9.2.0/24\n"
	body.Store(&second)
	if err := l.Fetch(t.Context(), "drop"); err != nil || score(l, "45.9.1.7") != 0 || score(l, "45.9.2.1") != 81 {
		t.Error(err, score(l, "45.9.1.7"), score(l, "45.9.2.1"))
	}
	if x := l.Set().Of("drop")[0]; x.First != start.UnixNano() {
		t.Errorf("it is on the list since %v", time.Unix(0, x.First))
	}
	// Another address of the feed means another list.
	f.URL = s.URL + "/other.txt"
	if l = r.with(f); l.Feeds()[0].Rows != 0 {
		t.Error("what another list said was kept")
	}
}

// TestHostileFeeds: what cannot be read changes nothing but the feed's health,
// and what can be is held against the guards, row by row.
func TestHostileFeeds(t *testing.T) {
	bomb := func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		zero := bytes.Repeat([]byte("0"), 1<<20)
		for range 80 {
			_, _ = z.Write(zero)
		}
		_ = z.Close()
		return b.Bytes()
	}()
	serve := map[string]http.HandlerFunc{
		"/good": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "45.9.1.7\n") },
		"/bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		},
		"/inner": func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		},
		"/loop": func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/loop", http.StatusFound) },
		"/file": func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "file:///etc/passwd", http.StatusFound)
		},
		"/500": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(503)
		},
		"/json": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{\"objects\": [\n{\"a\": }]}") },
		"/deep": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("[", 100_000)) },
		"/csv":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "value\n\"45.9.1.7\n") },
		"/bundle": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"objects":[{"type":"indicator","id":7},{"type":"indicator","pattern":["x"]},{"type":"indicator","pattern":"[ipv4-addr:value = '45.9.1.7']","pattern_type":"stix","confidence":900,"valid_from":"2026-03-01T00:00:00Z"},
{"type":"indicator","pattern":"[ipv4-addr:value = '45.9.1.7']","valid_from":"9999-03-01T00:00:00Z"},{"type":"indicator","pattern":"[ipv4-addr:value = '45.9.1.8']","valid_from":"2026-03-02T00:00:00Z"},
{"type":"indicator","pattern":"[ipv4-addr:value = '45.9.1.9']","valid_from":"2019-03-01T00:00:00Z"},{"type":"indicator","pattern":"[ipv4-addr:value = '45.9.1.10']","valid_from":"2026-03-01T00:00:00Z"}]}`)
		},
		"/wide": func(w http.ResponseWriter, _ *http.Request) {
			var b strings.Builder
			for range 400_000 {
				b.WriteString("0.0.0.0/0\n")
			}
			for i := range 200_000 {
				fmt.Fprintf(&b, "10.%d.%d.0/24\n192.168.%d.%d\n", i>>8&255, i&255, i>>8&255, i&255)
			}
			b.WriteString("127.0.0.1\n::1\n::/0\n100.64.3.3\n45.9.1.11\n")
			_, _ = io.WriteString(w, b.String())
		},
		"/most": func(w http.ResponseWriter, _ *http.Request) {
			for i := 11; i < 100; i++ {
				fmt.Fprintf(w, "%d.0.0.0/8\n", i)
			}
		},
		"/sum": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%064d  good\n", 0) },
		"/taxii/objects/": func(w http.ResponseWriter, _ *http.Request) { // pages that never end
			w.Header().Set("Content-Type", taxii.MediaType)
			_, _ = io.WriteString(w, `{"more":true,"next":"x","objects":[]}`)
		},
		"/html/objects/": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<h1>sign in`)
		},
	}
	mux := http.NewServeMux()
	for p, h := range serve {
		mux.HandleFunc(p, h)
	}
	s := httptest.NewServer(mux)
	defer s.Close()
	for _, tc := range []struct {
		path, format, want string
	}{
		{"/bomb", "plain", "too large"}, {"/inner", "plain", "inner address"}, {"/loop", "plain", "not followed"}, {"/file", "plain", "no http or https"}, {"/500", "plain", "status 503"},
		{"/json", "stix", "f:2: it is no JSON"}, {"/deep", "jsonl", "nested"}, {"/csv", "csv", "f:"}, {"/missing", "plain", "status 404"}, {"/taxii", "taxii", "do not end"}, {"/html", "taxii", "no envelope"},
	} {
		t.Run(tc.path, func(t *testing.T) {
			r := newRoom(t)
			f := Feed{Name: "f", URL: s.URL + "/good", Format: "plain", Licence: "test"}
			l := r.with(f)
			if err := l.Fetch(t.Context(), "f"); err != nil {
				t.Fatal(err)
			}
			l.feeds[0].cfg.URL, l.feeds[0].cfg.Format = s.URL+tc.path, tc.format
			r.pass(time.Hour)
			err := l.Fetch(t.Context(), "f")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			h := l.Feeds()[0]
			if h.Rows != 1 || len(l.Set().Of("f")) != 1 || h.Failed != 1 || h.Err == "" || !h.Fetched.Equal(start) {
				t.Errorf("%+v", h)
			}
			if wait := h.Next.Sub(r.now()); tc.path == "/500" && wait != 2*time.Hour || tc.path != "/500" && wait != time.Minute {
				t.Errorf("it is tried again in %s", wait)
			}
		})
	}
	r := newRoom(t)
	list := []Feed{{Name: "bundle", URL: s.URL + "/bundle", Format: "stix", Licence: "test"}, {Name: "wide", URL: s.URL + "/wide", Licence: "test"}, {Name: "most", URL: s.URL + "/most", Licence: "test"},
		{Name: "sum", URL: s.URL + "/good", SumURL: s.URL + "/sum", Licence: "test"}}
	l := r.with(list...)
	for _, f := range list[:3] {
		if err := l.Fetch(t.Context(), f.Name); err != nil {
			t.Error(err)
		}
	}
	if err := l.Fetch(t.Context(), "sum"); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Error(err)
	}
	health := map[string]Health{}
	for _, h := range l.Feeds() {
		health[h.Name] = h
	}
	if h := health["bundle"]; h.Rows != 1 || h.Refused[indicator.Future] != 1 || h.Refused[indicator.Expired] != 1 || h.Refused[indicator.Malformed] < 3 {
		t.Errorf("%+v", h)
	}
	if h := health["wide"]; h.Rows != 1 || h.Refused[indicator.TooWide] != 400_001 || h.Refused[indicator.Reserved] < 400_000 {
		t.Errorf("%d rows, %v", h.Rows, h.Refused)
	}
	if h := health["most"]; h.Rows != 4 || h.Refused[indicator.TooMuch] != 85 {
		t.Errorf("%d rows, %v", h.Rows, h.Refused)
	}
	if a := l.Set().Address(netip.MustParseAddr("11.1.1.1"), 0, l.Now()); a.Blockable() {
		t.Errorf("one voice about a wide network blocks: %+v", a)
	}
}

func TestCrowdSecAsABouncer(t *testing.T) {
	r := newRoom(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("X-Api-Key: k3y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	round := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("X-Api-Key") != "k3y" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		round++
		if q.URL.Path != "/v1/decisions/stream" || q.URL.Query().Get("startup") != fmt.Sprint(round == 1 || round == 3) {
			t.Errorf("round %d asks for %s", round, q.URL)
		}
		switch round {
		case 1, 3:
			_, _ = io.WriteString(w, `{"new":[{"duration":"3h59m59s","id":1,"origin":"cscli","scenario":"test","scope":"Ip","type":"ban","uuid":"u","value":"45.9.1.7"},{"duration":"59m59s","id":2,"scope":"Range","type":"captcha","value":"45.9.2.0/24"}],"deleted":[]}`)
		case 2:
			_, _ = io.WriteString(w, `{"new":[{"duration":"4h","id":3,"scope":"Ip","type":"ban","value":"45.9.3.7"}],"deleted":[{"duration":"0s","id":1,"scope":"Ip","type":"ban","value":"45.9.1.7"}]}`)
		}
	}))
	defer s.Close()
	f := Feed{Name: "cs", URL: s.URL, Format: "crowdsec", HeaderFile: key, Licence: "ours"}
	l := r.with(f)
	if err := l.Fetch(t.Context(), "cs"); err != nil || score(l, "45.9.1.7") == 0 || score(l, "45.9.2.9") == 0 {
		t.Fatal(err, score(l, "45.9.1.7"))
	}
	if err := l.Fetch(t.Context(), "cs"); err != nil || score(l, "45.9.1.7") != 0 || score(l, "45.9.3.7") == 0 || score(l, "45.9.2.9") == 0 {
		t.Error(err, score(l, "45.9.1.7"), score(l, "45.9.3.7"))
	}
	r.pass(2 * time.Hour) // the range has ended
	if score(l, "45.9.2.9") != 0 {
		t.Error("what ended still counts")
	}
	if l = r.with(f); l.Feeds()[0].Rows != 3-1 {
		t.Errorf("%+v", l.Feeds()[0])
	}
	if err := l.Fetch(t.Context(), "cs"); err != nil { // after a restart from the beginning
		t.Error(err)
	}
	if err := os.WriteFile(key, []byte("X-Api-Key: wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Fetch(t.Context(), "cs"); err == nil || strings.Contains(err.Error(), "wrong") || !strings.Contains(err.Error(), "403") {
		t.Error(err)
	}
}

func TestFeedsAreChecked(t *testing.T) {
	for want, f := range map[string]Feed{
		"name:": {Name: "a b", URL: "http://x", Licence: "l"}, "a url or a file": {Name: "a", Licence: "l"}, "licence:": {Name: "a", URL: "http://x"}, "format:": {Name: "a", URL: "http://x", Licence: "l", Format: "xml"},
		"role:": {Name: "a", URL: "http://x", Licence: "l", Role: "own"}, "role: decoy": {Name: "a", URL: "http://x", Licence: "l", Role: "decoy"}, "type:": {Name: "a", URL: "http://x", Licence: "l", Type: "pet"}, "tags:": {Name: "a", URL: "http://x", Licence: "l", Tags: []string{"x"}},
		"every:": {Name: "a", URL: "http://x", Licence: "l", Every: time.Second}, "taken": {Name: OwnSource, URL: "http://x", Licence: "l"},
	} {
		if err := CheckFeeds([]Feed{f}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "feeds[0]") {
			t.Errorf("%+v gives %v, want %q", f, err, want)
		}
	}
	if err := CheckFeeds([]Feed{{Name: "a", URL: "http://x", Licence: "l", Every: time.Hour}, {Name: "b", File: "x", Licence: "l"}}); err != nil {
		t.Error(err)
	}
	if len(FeedFormats()) != len(feed.Formats())+1 {
		t.Error(FeedFormats())
	}
}
