package taxii

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/outbound"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC).UnixNano()

const one, two = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

func row(i int) indicator.Indicator {
	return indicator.Indicator{Type: indicator.Address, Value: fmt.Sprintf("45.9.%d.%d", i>>8, i&255), Tags: indicator.Gang | indicator.Proxy, TLP: indicator.Green, Confidence: 90, Sightings: 3, First: start - int64(time.Hour), Last: start, Note: "credential_stuffing"}
}

func serve(t *testing.T, list *[]Shared) *httptest.Server {
	t.Helper()
	version := uint64(0)
	shared := func() ([]Shared, uint64) { version++; return *list, version }
	s := httptest.NewServer(NewServer(Config{Who: "Acme", Collections: []Collection{{ID: one, Title: "one", Shared: shared}, {ID: two, Title: "two", Shared: shared}},
		Admit: func(r *http.Request) *Reader {
			_, token, _ := r.BasicAuth()
			if token == "" {
				token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			}
			if token != "good" {
				return nil
			}
			return &Reader{May: func(c string) bool { return c == one }}
		}}))
	t.Cleanup(s.Close)
	return s
}

func ask(t *testing.T, s *httptest.Server, method, path string, head ...string) (*http.Response, map[string]any) {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer good")
	r.Header.Set("Accept", MediaType)
	for i := 0; i < len(head); i += 2 {
		r.Header.Del(head[i])
		if head[i+1] != "" {
			r.Header.Set(head[i], head[i+1])
		}
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var x map[string]any
	if err := json.NewDecoder(res.Body).Decode(&x); err != nil && method != http.MethodHead {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if ct := res.Header.Get("Content-Type"); ct != MediaType {
		t.Errorf("%s %s comes as %s", method, path, ct)
	}
	return res, x
}

func TestServerSpeaksTAXII(t *testing.T) {
	var l Ledger
	list := l.Update([]indicator.Indicator{row(1), row(2)}, start)
	s := serve(t, &list)
	objects := "/taxii2/api/collections/" + one + "/objects/"
	id := "indicator--" // of the first
	_, x := ask(t, s, "GET", objects+"?match[type]=indicator")
	id = x["objects"].([]any)[0].(map[string]any)["id"].(string)
	for _, tc := range []struct {
		method, path string
		code         int
		head         []string
	}{
		{"GET", "/taxii2/", 200, nil}, {"GET", "/taxii2/api/", 200, nil}, {"GET", "/taxii2/api/collections/", 200, nil}, {"GET", "/taxii2/api/collections/" + one + "/", 200, nil},
		{"GET", "/taxii2/api/collections/" + one + "/manifest/", 200, nil}, {"GET", objects, 200, nil}, {"HEAD", objects, 200, nil}, {"GET", objects + id + "/", 200, nil}, {"GET", objects + id + "/versions/", 200, nil},
		{"GET", "/taxii2/", 200, []string{"Accept", "*/*"}}, {"GET", "/taxii2/", 200, []string{"Accept", ""}}, {"GET", "/taxii2/", 200, []string{"Accept", "text/html, application/taxii+json"}},
		{"GET", "/taxii2/", 200, []string{"Accept", `application/taxii+json; version="2.1"`}},
		{"GET", "/taxii2/", 406, []string{"Accept", "application/vnd.oasis.taxii+json; version=2.0"}}, {"GET", "/taxii2/", 406, []string{"Accept", "application/taxii+json;version=2.0"}}, {"GET", objects, 406, []string{"Accept", "application/json"}},
		{"GET", "/taxii2/", 401, []string{"Authorization", ""}}, {"GET", objects, 401, []string{"Authorization", "Bearer bad"}}, {"GET", "/taxii2/nothing/", 401, []string{"Authorization", ""}},
		{"GET", "/taxii2/nothing/", 404, nil}, {"GET", "/taxii2/api/collections/" + two + "/", 404, nil}, {"GET", "/taxii2/api/collections/" + two + "/objects/", 404, nil}, {"GET", "/taxii2/api/status/x/", 404, nil},
		{"GET", objects + "indicator--00000000-0000-4000-8000-000000000000/", 404, nil}, {"GET", objects, 416, []string{"Range", "items 0-10"}},
		{"GET", objects + "?limit=0", 400, nil}, {"GET", objects + "?limit=x", 400, nil}, {"GET", objects + "?added_after=yesterday", 400, nil}, {"GET", objects + "?added_after=9999-01-01T00:00:00Z", 400, nil}, {"GET", objects + "?next=!", 400, nil},
		{"POST", objects, 403, nil}, {"DELETE", objects + id + "/", 403, nil}, {"PUT", objects, 405, nil},
	} {
		res, x := ask(t, s, tc.method, tc.path, tc.head...)
		if res.StatusCode != tc.code {
			t.Errorf("%s %s %v gives %d, want %d: %v", tc.method, tc.path, tc.head, res.StatusCode, tc.code, x)
		}
		if tc.code >= 400 && (x["title"] == "" || x["http_status"] != fmt.Sprint(tc.code)) {
			t.Errorf("%s %s: %v", tc.method, tc.path, x)
		}
		if tc.code == 401 && res.Header.Get("WWW-Authenticate") == "" {
			t.Error("nobody says how to sign in")
		}
	}
	_, x = ask(t, s, "GET", "/taxii2/")
	if roots := x["api_roots"].([]any); len(roots) != 1 || roots[0] != s.URL+"/taxii2/api/" {
		t.Error(x)
	}
	_, x = ask(t, s, "GET", "/taxii2/api/collections/")
	if c := x["collections"].([]any); len(c) != 1 || c[0].(map[string]any)["id"] != one || c[0].(map[string]any)["can_write"] != false {
		t.Error("a collection that may not be read is shown", x)
	}
	if _, x = ask(t, s, "GET", objects+"?added_after=2030-01-01T00:00:00Z"); len(x) != 0 {
		t.Errorf("an envelope without objects holds %v", x)
	}
}

// TestPages: whatever the size of pages, every object comes once, in the order
// of addition, and what is added later comes behind.
func TestPages(t *testing.T) {
	var l Ledger
	var rows []indicator.Indicator
	var list []Shared
	for i := range 40 {
		rows = append(rows, row(i))
		if i%7 == 0 || i == 39 {
			list = l.Update(rows, start+int64(i))
		}
	}
	s := serve(t, &list)
	objects := "/taxii2/api/collections/" + one + "/objects/"
	for _, limit := range []int{1, 2, 7, 80, 81, 1000, 5000} {
		seen := map[string]bool{}
		next, last, pages := "", "", 0
		for {
			res, x := ask(t, s, "GET", fmt.Sprintf("%s?limit=%d&next=%s", objects, limit, url.QueryEscape(next)))
			if x["objects"] == nil {
				t.Fatalf("limit %d: page %d: %v", limit, pages, x)
			}
			pages++
			for _, o := range x["objects"].([]any) {
				id := o.(map[string]any)["id"].(string)
				if seen[id] {
					t.Fatalf("limit %d: %s comes twice", limit, id)
				}
				seen[id] = true
			}
			if first := res.Header.Get("X-TAXII-Date-Added-First"); first < last {
				t.Errorf("limit %d: a page begins at %s after one that ended at %s", limit, first, last)
			}
			last = res.Header.Get("X-TAXII-Date-Added-Last")
			if x["more"] != true {
				break
			}
			next = x["next"].(string)
		}
		if len(seen) != 81 { // an identity, and an indicator and a sighting each
			t.Errorf("limit %d: %d objects on %d pages", limit, len(seen), pages)
		}
		if _, x := ask(t, s, "GET", objects+"?added_after="+last); len(x) != 0 {
			t.Errorf("limit %d: behind the last comes %v", limit, x)
		}
	}
	at := list[len(list)-1].Added
	list = l.Update(rows[1:], start-int64(time.Hour)) // a clock that was set back
	if n := len(list); n != 40 || !list[n-1].Revoked || list[n-1].Added <= at {
		t.Fatalf("%+v", list[n-1])
	}
	_, x := ask(t, s, "GET", objects+"?added_after="+stamped(at))
	if o := x["objects"].([]any); len(o) != 1 || o[0].(map[string]any)["revoked"] != true {
		t.Errorf("what was taken back: %v", x)
	}
	if list = l.Update(rows[1:], start); len(list) != 40 || list[39].Added == 0 {
		t.Error(len(list))
	}
}

// TestObjectsAreValid holds what is served against the rules of STIX, and by
// the OASIS validator where it is installed (pip install stix2-validator).
func TestObjectsAreValid(t *testing.T) {
	rows := []indicator.Indicator{row(1),
		{Type: indicator.Network, Value: "45.9.1.0/24", Confidence: 70, Tags: indicator.Rotating, Sightings: 1, First: start, Last: start},
		{Type: indicator.Address, Value: "2606:4700::1111", Confidence: 70, Sightings: 1, First: start, Last: start},
		{Type: indicator.System, Value: "AS64500", Confidence: 50, Sightings: 1, First: start, Last: start}, {Type: indicator.Fingerprint, Value: "headers:00000000000a11ce", Confidence: 90, Sightings: 1, First: start, Last: start},
		{Type: indicator.Tool, Value: "name:it's", Confidence: 90, Sightings: 1, First: start, Last: start}, {Type: indicator.Structure, Value: "00000000000a11ce", Confidence: 90, Sightings: 1, First: start, Last: start},
		{Type: indicator.Phone, Value: "hmac:0011223344556677", TLP: indicator.Clear, Confidence: 90, Sightings: 1, First: start, Last: start}, {Type: indicator.Segment, Value: "1705550", Confidence: 90, Sightings: 1, First: start, Last: start},
		{Type: indicator.Domain, Value: "mailinator.com", Confidence: 90, Sightings: 1, First: start, Last: start}, {Type: indicator.Account, Value: "hmac:0011223344556688", TLP: indicator.Red, Confidence: 90, Sightings: 1, First: start, Last: start},
		{Type: indicator.BIN, Value: "411111", Confidence: 90, Sightings: 1, First: start, Last: start}, {Type: indicator.URL, Value: "https://example.com/a", Confidence: 90, Sightings: 1, First: start, Last: start}}
	var l Ledger
	l.Update(append(slices.Clone(rows), row(9)), start)
	list := l.Update(rows, start+int64(time.Second)) // one is taken back
	s := serve(t, &list)
	_, x := ask(t, s, "GET", "/taxii2/api/collections/"+one+"/objects/?limit=1000")
	bundle, err := json.Marshal(map[string]any{"type": "bundle", "id": "bundle--" + one, "objects": x["objects"]})
	if err != nil {
		t.Fatal(err)
	}
	if err := feed.CheckSTIX(bundle); err != nil {
		t.Error(err)
	}
	if n := len(x["objects"].([]any)); n != 2*len(rows)+2 {
		t.Errorf("%d objects", n)
	}
	byOASIS(t, x["objects"].([]any))
	validator, err := exec.LookPath("stix2_validator")
	if err != nil {
		t.Skip("stix2_validator is not installed (pip install stix2-validator)")
	}
	name := filepath.Join(t.TempDir(), "bundle.json")
	if err := os.WriteFile(name, bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(validator, "--version", "2.1", name).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// byOASIS holds objects against the JSON Schemas that OASIS publishes for them.
func byOASIS(t *testing.T, objects []any) {
	t.Helper()
	const base = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"
	c := jsonschema.NewCompiler()
	err := fs.WalkDir(os.DirFS("testdata/oasis"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(filepath.Join("testdata/oasis", path))
		if err != nil {
			return err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return err
		}
		return c.AddResource(base+path, doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]int{}
	for _, o := range objects {
		kind := o.(map[string]any)["type"].(string)
		file := map[string]string{"indicator": "sdos/indicator.json", "identity": "sdos/identity.json", "sighting": "sros/sighting.json"}[kind]
		s, err := c.Compile(base + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(o); err != nil {
			t.Errorf("%v\n%v", err, o)
		}
		held[kind]++
	}
	if held["indicator"] < 10 || held["sighting"] < 10 || held["identity"] != 1 {
		t.Errorf("too few were held against it: %v", held)
	}
	bad := map[string]any{"type": "indicator", "spec_version": "2.1", "id": "indicator--x", "pattern": "[]"}
	if s, _ := c.Compile(base + "sdos/indicator.json"); s.Validate(bad) == nil {
		t.Error("the schema takes anything")
	}
}

// FuzzRequests: nothing that a client asks for makes the server fail.
func FuzzRequests(f *testing.F) {
	for _, s := range []string{"limit=3&added_after=2026-03-01T08:00:00Z", "next=MTc3MjM1MjAwMDAwMDAwMDAwMCBpbmRpY2F0b3ItLQ", "match[type]=indicator,sighting&match[version]=last", "limit=-1", "next=%00"} {
		f.Add(s, MediaType)
	}
	var l Ledger
	list := l.Update([]indicator.Indicator{row(1), row(2), row(3)}, start)
	s := NewServer(Config{Who: "Acme", Collections: []Collection{{ID: one, Shared: func() ([]Shared, uint64) { return list, 1 }}},
		Admit: func(*http.Request) *Reader { return &Reader{May: func(string) bool { return true }} }})
	f.Fuzz(func(t *testing.T, query, accept string) {
		r := httptest.NewRequest("GET", "/taxii2/api/collections/"+one+"/objects/", nil)
		r.URL.RawQuery = query
		r.Header["Accept"] = []string{accept}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 && w.Code != 406 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q gives %d: %s", query, w.Code, w.Body)
		}
	})
}

func TestClientIsNotLedAstray(t *testing.T) {
	g, err := outbound.New(outbound.Config{Allow: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	round := 0
	answer := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		round++
		w.Header().Set("Content-Type", MediaType)
		w.Header().Set("X-TAXII-Date-Added-Last", "2026-03-01T00:00:00.000000Z")
		if r.Header.Get("Accept") != MediaType || r.URL.Path != "/c/objects/" {
			t.Errorf("%s asks for %s", r.URL, r.Header.Get("Accept"))
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(answer, "ROUND", fmt.Sprint(round)))
	}))
	defer s.Close()
	for want, a := range map[string]string{"do not end": `{"more":true,"next":"ROUND","objects":[]}`, "no envelope": `{"objects":{}}`, "": `{"objects":[{"type":"indicator"}]}`} {
		round, answer = 0, a
		p, err := Get(t.Context(), g, s.URL+"/c/", nil, "")
		if want == "" && (err != nil || len(p.Objects) != 1 || p.Last == "") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s gives %+v, %v", a, p, err)
		}
		if round > maxPages {
			t.Errorf("%d rounds", round)
		}
	}
	if _, err := Get(t.Context(), g, "http://10.0.0.1/c/", nil, ""); err == nil {
		t.Error("an inner server was asked")
	}
}
