package signature

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Pages of ordinary sites, as browsers saved them: nearly nothing may match.
func TestHARIsQuiet(t *testing.T) {
	dir := corpus(t, "har-mitmproxy")
	s := load(t)
	type field struct{ Name, Value string }
	var har struct {
		Log struct {
			Entries []struct {
				Request struct {
					URL     string
					Headers []field
				}
				Response struct {
					Status  int
					Headers []field
					Content struct{ MimeType, Text, Encoding string }
				}
			}
		}
	}
	exchanges, values, alarms := 0, 0, map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".har") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		har.Log.Entries = nil
		if json.Unmarshal(b, &har) != nil {
			return nil // some of the files are odd on purpose
		}
		for _, e := range har.Log.Entries {
			exchanges++
			u, err := url.Parse(e.Request.URL)
			if err != nil {
				continue
			}
			request := func(part RequestPart, v string) {
				values++
				s.MatchRequest(part, []byte(v), func(r *Rule) { alarms[r.ID]++; t.Logf("%s matches %.160q", r.ID, v) })
			}
			request(PartPath, u.Path)
			for name, vs := range u.Query() {
				request(PartName, name)
				for _, v := range vs {
					request(PartQuery, v)
				}
			}
			for _, h := range e.Request.Headers {
				request(PartHeader, h.Value)
			}
			body := []byte(e.Response.Content.Text)
			if e.Response.Content.Encoding == "base64" {
				body, _ = base64.StdEncoding.DecodeString(e.Response.Content.Text)
			}
			s.MatchResponse(&Response{Status: e.Response.Status, Path: []byte(u.Path), ContentType: []byte(e.Response.Content.MimeType), Body: body,
				Header: func(lower string) []byte {
					for _, h := range e.Response.Headers {
						if strings.EqualFold(h.Name, lower) {
							return []byte(h.Value)
						}
					}
					return nil
				}}, func(r *Rule, where string, excerpt []byte) {
				alarms[r.ID]++
				t.Logf("%s matches %s: %.160q", r.ID, u.Host+u.Path, excerpt)
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, k := range alarms {
		n += k
	}
	t.Logf("%d exchanges, %d request values, %d matches", exchanges, values, n)
	if exchanges > 0 && n > (exchanges+values)/200 {
		t.Errorf("%d matches in %d exchanges with %d values: %v", n, exchanges, values, alarms)
	}
}
