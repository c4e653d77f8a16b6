package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

// strange are values that programs stumble over.
var strange = []string{"", " ", "a", "\u202e\u200b", "'; DROP TABLE record; --", "<script>alert(1)</script>", "../../etc/passwd", "%00", "{{7*7}}", "${x}",
	"\u2028", "💥", strings.Repeat("长", 300), "null", "-1", "1e309", "9223372036854775808", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "\\", "\"", "/", "/**", "*"}

// made draws a value that fits a schema, or, seldom, anything.
func (s *shape) made(t *rapid.T, ids []string, label string) any {
	if rapid.IntRange(0, 14).Draw(t, label+" is strange") == 0 {
		return rapid.SampledFrom([]any{nil, true, -1, 1.5, []any{}, map[string]any{"x": 1}, rapid.SampledFrom(strange).Draw(t, label)}).Draw(t, label)
	}
	switch s.Type {
	case "object":
		out := map[string]any{}
		for _, name := range sortedKeys(s.Properties) {
			if slices.Contains(s.Required, name) && rapid.IntRange(0, 29).Draw(t, name+" is missing") > 0 || rapid.Bool().Draw(t, name+" is there") {
				out[name] = s.Properties[name].made(t, ids, label+"."+name)
			}
		}
		if rapid.IntRange(0, 29).Draw(t, "one field more") == 0 {
			out[rapid.SampledFrom(strange).Draw(t, "its name")] = 1
		}
		return out
	case "array":
		out := []any{}
		for i := range rapid.IntRange(0, 3).Draw(t, label+" elements") {
			out = append(out, s.Items.made(t, ids, fmt.Sprint(label, i)))
		}
		return out
	case "boolean":
		return rapid.Bool().Draw(t, label)
	case "integer":
		return rapid.SampledFrom([]int64{0, 1, 2, 50, 366, 500, 1 << 31, 1 << 53}).Draw(t, label)
	}
	switch {
	case len(s.Enum) > 0:
		return rapid.SampledFrom(s.Enum).Draw(t, label)
	case s.Format == "date-time":
		return rapid.SampledFrom([]string{"2026-03-01T08:00:00Z", "2022-01-01T00:00:00+08:00", "2026-12-31T23:59:59.999999999Z", "2199-01-01T00:00:00Z"}).Draw(t, label)
	case s.Format == "password":
		return rapid.SampledFrom([]string{goodPassword, "password"}).Draw(t, label)
	}
	return rapid.SampledFrom(append(append([]string{"/a/{id}", "/b/c", "shop.example", "GET", "why not", "10.0.0.0/8", "viewer", "8", "zh", "bulk_response"}, ids...), strange...)).Draw(t, label)
}

func sortedKeys(m map[string]*shape) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// TestNoRequestIsTooStrange builds requests from the document, as schemathesis
// does: nothing gives a 5xx, and every answer is as documented.
func TestNoRequestIsTooStrange(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.TestRules, c.TryRules, c.OwnRules, c.Observations, c.Hunt = compileRules, tryRules(nil), ownRules, someRows(t), noHunt
	})
	root := h.admin()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	r := h.report
	ids := []string{r.Sites[0].Name, r.APIs[0].ID, r.Defects[0].ID, r.Attacks[0].ID, r.Campaigns[0].ID, userID("root"), "session.hours", "organisation.name", "192.0.2.3", "192.0.2.0/24", "64500", observation.Token(observationtest.Row(10).Session)}
	var patterns []string
	for p := range table {
		if p != streamPattern && !strings.HasSuffix(p, "/report") { // TestEvents; and what takes long
			patterns = append(patterns, p)
		}
	}
	slices.Sort(patterns)
	codes := map[int]int{}
	rapid.Check(t, func(rt *rapid.T) {
		if a := root.ask("GET", "/api/v1/session", nil); a.code != 200 { // it signed itself out
			h.pass(longestWait + 1)
			root.cookie = ""
			for _, p := range []string{goodPassword, "password"} {
				if a := root.ask("POST", "/api/v1/session", map[string]string{"name": "root", "password": p}); a.code == 201 {
					root.signed(a)
					break
				}
			}
		}
		for range 8 {
			pattern := rapid.SampledFrom(patterns).Draw(rt, "operation")
			op := h.api.shapes.operations[pattern]
			method, path, _ := strings.Cut(pattern, " ")
			for _, name := range sortedKeys(op.path) {
				v := rapid.SampledFrom(append(append(slices.Clone(ids), strange...), op.path[name].Enum...)).Draw(rt, name)
				if e := op.path[name].Enum; len(e) > 0 && rapid.IntRange(0, 3).Draw(rt, name+" is known") > 0 {
					v = rapid.SampledFrom(e).Draw(rt, "known "+name)
				}
				if v == "" || v == "." || v == ".." || strings.Contains(v, "..") { // the router redirects these
					v = "none"
				}
				path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(v))
			}
			q := url.Values{}
			for _, name := range sortedKeys(op.query) {
				if s := op.query[name]; rapid.IntRange(0, 3).Draw(rt, name+" is given") == 0 {
					if s.Type == "array" {
						s = s.Items
					}
					q.Add(name, fmt.Sprint(s.made(rt, ids, name)))
				}
			}
			if len(q) > 0 {
				path += "?" + q.Encode()
			}
			var body any
			if op.body != nil {
				b, err := json.Marshal(op.body.made(rt, ids, "body"))
				if err != nil {
					rt.Fatal(err)
				}
				body = string(b)
			}
			a := root.ask(method, path, body)
			codes[a.code]++
			if a.code >= 500 {
				rt.Fatalf("%s %s %v gives %d: %s", method, path, body, a.code, a.body)
			}
			if a.code == 404 || a.code == 307 {
				continue // a strange path may be of no operation
			}
			c.check(t, root.request(method, path, body), a)
		}
	})
	if codes[200]+codes[201]+codes[204] < 100 || codes[400] < 50 {
		t.Errorf("answers: %v: the requests are all too strange, or none is", codes)
	}
}

// TestHostileValuesStayText asks for records whose texts were made by attackers.
func TestHostileValuesStayText(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	for i, s := range strange {
		if strings.ContainsRune(s, 0) || len(s) > 250 {
			continue
		}
		a := h.report.Attacks[0]
		a.ID, a.Site = fmt.Sprintf("%016x", i+1), s
		a.Reason.En, a.Reason.Zh, a.Actors.Fingerprints = s, s, []string{s}
		keepOne(t, h, a)
		var got struct {
			Site   string            `json:"site"`
			Reason map[string]string `json:"reason"`
		}
		answer := root.holds("GET", "/api/v1/attacks/"+a.ID, nil)
		if answer.into(t, &got); got.Site != s || got.Reason["zh"] != s {
			t.Errorf("%q comes as %q, %q", s, got.Site, got.Reason["zh"])
		}
		if strings.ContainsAny(string(answer.body), "<>\u2028") {
			t.Errorf("%q reaches a page as it is: %s", s, answer.body)
		}
		var page struct {
			Items []struct{ ID string }
		}
		root.must(200, "GET", "/api/v1/attacks?"+url.Values{"text": {s}, "limit": {"500"}}.Encode(), nil).into(t, &page)
		if !slices.ContainsFunc(page.Items, func(x struct{ ID string }) bool { return x.ID == a.ID }) && s != "" {
			t.Errorf("a search for %q does not find it", s)
		}
	}
}
