package observe

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// Types that people define are found wherever values stand, have one token
// everywhere, survive the codec and stay out of sight.
func TestCustomTypes(t *testing.T) {
	types, err := sensitive.NewCustom([]sensitive.CustomType{
		{ID: "member", Level: 2, Pattern: `VIP\d{8}`, Minimum: 1},
		{ID: "short", Level: 2, Pattern: `77\d{4}`, Minimum: 1},
		{ID: "case", Level: 3, Keys: []string{"case_ref"}},
	}, NormalName)
	if err != nil {
		t.Fatal(err)
	}
	cfg := newConfig(t)
	cfg.Custom, cfg.Names = types, cfg.Names.WithCustom(types)
	member, short, ref := taxonomy.CustomSensitive(2, 0), taxonomy.CustomSensitive(2, 1), taxonomy.CustomSensitive(3, 0)
	const value = "VIP10000007"
	subject := uint64(0)
	for name, c := range map[string]struct {
		call
		want taxonomy.Sensitive
		path string
	}{
		"JSON":           {call{method: "GET", target: "/a", status: 200, respHead: []string{"content-type", "application/json"}, respBody: `{"list":[{"note":"` + value + `"}]}`}, member, "list[].note"},
		"a short number": {call{method: "GET", target: "/a", status: 200, respHead: []string{"content-type", "application/json"}, respBody: `{"no":770123}`}, short, "no"},
		"query":          {call{method: "GET", target: "/a?q=" + value, status: 200}, member, "q"},
		"form":           {call{method: "POST", target: "/a", head: []string{"content-type", "application/x-www-form-urlencoded"}, body: "q=" + value, status: 200}, member, "q"},
		"segment":        {call{method: "GET", target: "/a/" + value, status: 200}, member, ""},
		"XML":            {call{method: "GET", target: "/a", status: 200, respHead: []string{"content-type", "application/xml"}, respBody: `<r><v>` + value + `</v></r>`}, member, "r.v"},
		"CSV":            {call{method: "GET", target: "/a", status: 200, respHead: []string{"content-type", "text/csv"}, respBody: "name,caseRef\nx,one thing\ny,other thing\nz,third thing\n"}, ref, "csv[].caseRef"},
		"by key":         {call{method: "GET", target: "/a", status: 200, respHead: []string{"content-type", "application/json"}, respBody: `{"d":{"caseRef":"one thing"}}`}, ref, "d.caseRef"},
	} {
		o, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var b, back Batch
		o.Observe(c.exchange(), &b)
		if err := back.Decode(b.AppendEncoded(nil)); err != nil {
			t.Fatal(err)
		}
		ob := back.At(0)
		var got []string
		for _, x := range ob.Exposures {
			got = append(got, fmt.Sprintf("%s at %q", x.Type, x.Path))
			if x.Type != c.want || x.Path != c.path || x.Confidence < 50 {
				continue
			}
			got = nil
			if c.want == member && len(x.Subjects) == 1 {
				if subject != 0 && x.Subjects[0] != subject {
					t.Errorf("%s: another token for one value", name)
				}
				subject = x.Subjects[0]
			}
			break
		}
		if len(ob.Exposures) == 0 || got != nil {
			t.Errorf("%s: %v, want %s at %q", name, got, c.want, c.path)
		}
		if text := fmt.Sprintf("%+v", *ob); strings.Contains(text, value) || strings.Contains(text, "one thing") {
			t.Errorf("%s: the value is in plain sight: %s", name, text)
		}
	}
}

// Fewer values than a type asks for are no evidence.
func TestCustomMinimum(t *testing.T) {
	types, err := sensitive.NewCustom([]sensitive.CustomType{{ID: "member", Level: 2, Pattern: `VIP\d{8}`}}, NormalName)
	if err != nil {
		t.Fatal(err)
	}
	cfg := newConfig(t)
	cfg.Custom, cfg.Names = types, cfg.Names.WithCustom(types)
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{2: false, 3: true} {
		body := `[` + strings.TrimSuffix(strings.Repeat(`{"note":"VIP10000007"},`, n), ",") + `]`
		var b Batch
		o.Observe(call{method: "GET", target: "/a", status: 200, respHead: []string{"content-type", "application/json"}, respBody: body}.exchange(), &b)
		if x := b.At(0).Exposures; len(x) != 1 || (x[0].Confidence >= 50) != want {
			t.Errorf("%d values: %+v", n, x)
		}
	}
}
