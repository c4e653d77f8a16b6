package defect

import (
	"strings"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func TestExhibit(t *testing.T) {
	o := &observe.Observation{ID: "x1", Method: "POST", Status: 200, RespBytes: 512, Records: 15, Code: "0", CodeField: "code", Message: "ok",
		Segments:    []observe.Segment{{Text: "carol", Class: observe.ClassWord}},
		Credentials: []observe.Credential{{Kind: observe.CredBearer, Name: "authorization", Shape: "ey****9A"}},
		Params:      []observe.Param{{Name: "phone", In: observe.InJSON, Token: 5, Shape: "13*******00", Sensitive: taxonomy.SensCNMobile}, {Name: "admin", In: observe.InJSON}},
		Exposures:   []observe.Exposure{{Path: "rows[].phone", Response: true, Type: taxonomy.SensCNMobile, Shape: "13*******01", Distinct: 15}, {Path: "phone", Type: taxonomy.SensCNMobile, Shape: "13*******00"}},
		Issued:      []observe.Credential{{Kind: observe.CredCookie, Name: "SID", Shape: "9a****f1"}},
		Markers:     []observe.Marker{{Rule: "sql/mysql", What: strings.Repeat("错", 200)}}}
	x := exhibit(&Event{Event: &catalog.Event{Observation: o}})
	if got, want := strings.Join(x.Request, "\n"), "authorization: bearer ey****9A\njson phone = 13*******00 (cn_mobile)\njson admin ="; got != want {
		t.Errorf("request\n%s\nwant\n%s", got, want)
	}
	want := "200, 512 B ×15\ncode = 0\n“ok”\n+ SID: cookie 9a****f1\nrows[].phone = 13*******01 (cn_mobile) ×15\n! sql/mysql: " + strings.Repeat("错", 49) + "…"
	if got := strings.Join(x.Response, "\n"); got != want {
		t.Errorf("answer\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(strings.Join(x.Request, ""), "carol") {
		t.Error("a word of the path is shown, though it may be a name")
	}
	o.Params = make([]observe.Param, 40)
	if x = exhibit(&Event{Event: &catalog.Event{Observation: o}}); len(x.Request) != maxExhibitLines+1 || x.Request[maxExhibitLines] != "…" {
		t.Errorf("%d lines of a long request, the last %q", len(x.Request), x.Request[len(x.Request)-1])
	}
}
