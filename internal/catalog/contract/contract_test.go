package contract

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/taxonomy"
)

// traffic makes an API out of ways, each told by its fields.
type traffic struct {
	api   catalog.API
	table *form.Table
}

func newTraffic() *traffic {
	return &traffic{catalog.API{Method: "GET", Template: "/orders", Exchanges: 1000}, form.NewTable(0)}
}

// see adds count exchanges of a way that began at first and ended at last.
// fields are "path" or "path:bits".
func (t *traffic) see(status uint16, count uint64, first, last int64, fields map[string]form.Bits) {
	w := catalog.Way{Status: status, Kind: observe.BodyJSON, Count: count, First: first, Last: last, Exchange: fmt.Sprint("x", first)}
	for i := range t.api.Ways {
		x := &t.api.Ways[i]
		before := x.Count // evenly over its time
		if x.Last >= first {
			before = x.Count * uint64(first-x.First) / uint64(x.Last-x.First+1)
		}
		if x.Status == status {
			w.At += before
		}
		if (x.Status == 0) == (status == 0) {
			w.Before += before
		}
	}
	if len(fields) > 0 {
		w.Form = uint64(len(t.api.Ways) + 1)
		t.table.Offer(w.Form, func() *form.Form {
			f := &form.Form{}
			for p, b := range fields {
				f.Fields = append(f.Fields, form.Field{Path: p, Bits: b})
			}
			f.Sort()
			return f
		}, nil)
	}
	t.api.Ways = append(t.api.Ways, w)
}

func (t *traffic) contract() *Contract { return Of([]*catalog.API{&t.api}, t.table)[0] }

type fields = map[string]form.Bits

func TestFields(t *testing.T) {
	x := newTraffic()
	x.api.Sensitive = []catalog.Sensitive{{Path: "data.mail", Type: taxonomy.SensEmail, Response: true, Exchanges: 60}}
	x.see(200, 40, 1, 9, fields{"code": form.Int, "data.id": form.UUID, "data.at": form.DateTime, "data.mail": form.Text, "data.items[].n": form.Int, "data.by.{}": form.Float})
	x.see(200, 20, 2, 8, fields{"code": form.Int, "data.id": form.UUID, "data.at": form.Date, "data.mail": form.Text, "data.note": form.Text | form.Null, "data.items[].n": form.Float})
	x.see(200, 5, 3, 8, fields{"code": form.Int, "data": form.Null})
	c := x.contract()
	if len(c.Responses) != 1 || c.Responses[0].Count != 65 || c.Responses[0].Media != "application/json" {
		t.Fatalf("responses: %+v", c.Responses)
	}
	got := map[string]string{}
	for _, f := range c.Responses[0].Fields {
		got[f.Path] = fmt.Sprint(strings.Join(f.Types, "|"), " ", f.Format, " ", f.Required, " ", strings.Join(f.Sensitive, ","))
	}
	want := map[string]string{
		"code": "integer  true ", "data": "null  false ", "data.id": "string uuid true ", "data.at": "string  true ", "data.mail": "string email true email",
		"data.note": "null|string  false ", "data.items[].n": "number  false ", "data.by.{}": "number  false ",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("fields\n got %v\nwant %v", got, want)
	}
}

func TestParameters(t *testing.T) {
	x := newTraffic()
	x.api.Path = []catalog.PathParameter{{Name: "order_id", Class: observe.ClassInt, Pure: true}, {Name: "cn_mobile", Sensitive: taxonomy.SensCNMobile}}
	x.see(0, 30, 1, 9, fields{"page": form.IntText | form.InQuery, "q": form.Text | form.InQuery})
	x.see(0, 300, 1, 9, fields{"page": form.IntText | form.InQuery, "all": form.BoolText | form.InQuery})
	x.see(0, 1, 1, 9, fields{"page": form.IntText | form.InQuery, "admin": form.Text | form.InQuery})
	hunt := fields{}
	for i := range 70 {
		hunt[fmt.Sprint("p", i)] = form.IntText | form.InQuery
	}
	x.see(0, 50, 1, 9, hunt) // a search for hidden parameters
	var got []string
	for _, p := range x.contract().Parameters {
		got = append(got, fmt.Sprint(p.In, " ", p.Name, " ", p.Type, " ", p.Format, " ", p.Required))
	}
	want := []string{"path order_id integer  true", "path cn_mobile string phone true", "query all boolean  false", "query page integer  true", "query q string  false"}
	if !slices.Equal(got, want) {
		t.Errorf("parameters\n got %q\nwant %q", got, want)
	}
}

func TestChanges(t *testing.T) {
	a, b := fields{"id": form.Int, "old": form.Text}, fields{"id": form.Text, "old": form.Text, "new": form.Bool}
	for _, c := range []struct {
		name string
		see  func(x *traffic)
		want []string
	}{
		{"a release adds a field and changes a type", func(x *traffic) { x.see(200, 100, 1, 50, a); x.see(200, 40, 51, 90, b) },
			[]string{"field_added 200 new x51", "type_changed 200 id x51"}},
		{"a field goes", func(x *traffic) { x.see(200, 100, 1, 50, a); x.see(200, 40, 51, 90, fields{"id": form.Int}) }, []string{"field_gone 200 old x51"}},
		{"an optional field is none", func(x *traffic) { x.see(200, 100, 1, 90, a); x.see(200, 40, 2, 89, b) }, nil},
		{"a rare field is none", func(x *traffic) { x.see(200, 400, 1, 90, a); x.see(200, 40, 400, 900, a); x.see(200, 1, 51, 51, b) }, nil},
		{"too little before", func(x *traffic) { x.see(200, 10, 1, 50, a); x.see(200, 40, 51, 90, b) }, nil},
		{"too little after", func(x *traffic) { x.see(200, 100, 1, 50, a); x.see(200, 2, 51, 90, b) }, nil},
		{"a parameter comes", func(x *traffic) {
			x.see(0, 100, 1, 50, fields{"page": form.IntText | form.InQuery})
			x.see(0, 50, 51, 90, fields{"page": form.IntText | form.InQuery, "size": form.IntText | form.InQuery})
		}, []string{"parameter_added query size x51"}},
		{"a status comes", func(x *traffic) { x.see(200, 100, 1, 50, a); x.see(503, 10, 51, 60, fields{"error": form.Text}) }, []string{"status_added 503 503 x51"}},
		{"null is no type", func(x *traffic) {
			x.see(200, 100, 1, 50, fields{"id": form.Int})
			x.see(200, 40, 51, 90, fields{"id": form.Null})
		}, nil},
		{"the credential is needed no more", func(x *traffic) {
			x.api.Shifts, x.api.LastShown = []catalog.Shift{{At: 60, Exchange: "x60"}}, 50
		}, []string{"auth_changed   x60"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTraffic()
			c.see(x)
			var got []string
			for _, h := range x.contract().Changes {
				got = append(got, strings.Join([]string{h.Kind, h.Where, h.Name, h.Exchange}, " "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("changes %q, want %q", got, c.want)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	old, now, other := newTraffic(), newTraffic(), newTraffic()
	old.api.Template, old.api.First = "/api/v1/orders", 10
	now.api.Template, now.api.First = "/api/v2/orders", 100
	other.api.Template, other.api.First = "/api/v2/refunds", 100
	now.see(200, 1, 100, 100, nil)
	c := Of([]*catalog.API{&old.api, &now.api, &other.api}, old.table)
	if len(c[0].Changes) != 1 || c[0].Changes[0].Kind != VersionAdded || c[0].Changes[0].Name != "/api/v2/orders" || c[0].Changes[0].Exchange != "x100" {
		t.Errorf("the old version: %+v", c[0].Changes)
	}
	if len(c[1].Changes)+len(c[2].Changes) > 0 {
		t.Error("others changed too")
	}
}

// head adds count requests with the fields in their header.
func (t *traffic) head(count uint64, first int64, client string, several bool, f fields) {
	h := catalog.Head{Way: catalog.Way{Count: count, First: first, Last: first, Exchange: fmt.Sprint("x", first)}, Client: netip.MustParseAddr(client), Several: several}
	for i := range t.api.Heads {
		h.At += t.api.Heads[i].Count
	}
	h.Before = h.At
	if len(f) > 0 {
		h.Form = 1 << 20 << len(t.api.Heads)
		t.table.Offer(h.Form, func() *form.Form {
			x := &form.Form{}
			for p, b := range f {
				x.Fields = append(x.Fields, form.Field{Path: p, Bits: b | form.InHeader})
			}
			x.Sort()
			return x
		}, nil)
	}
	t.api.Heads = append(t.api.Heads, h)
}

func TestHeaderAndMatrixParameters(t *testing.T) {
	x := newTraffic()
	x.see(0, 100, 1, 9, fields{"color": form.Word | form.InPath, "jsessionid": form.Text | form.InPath, "q": form.Text | form.InQuery})
	x.head(60, 1, "192.0.2.1", true, fields{"x-tenant": form.Word})
	x.head(34, 2, "192.0.2.2", true, fields{"x-tenant": form.Word, "app_version": form.IntText})
	x.head(4, 3, "192.0.2.9", false, fields{"x-tenant": form.Word, "x-mine": form.Word})
	x.head(1, 4, "192.0.2.3", false, fields{"x-tenant": form.Word, "x-rare": form.Word})
	x.head(1, 5, "192.0.2.4", false, fields{"x-tenant": form.Word, "x-rare": form.Word})
	c := x.contract()
	var got []string
	for _, p := range c.Parameters {
		got = append(got, fmt.Sprint(p.In, " ", p.Name, " ", p.Type, " ", p.Required, " ", p.Count))
	}
	want := []string{"matrix color string true 100", "query q string true 100", "header app_version integer false 34", "header X-Tenant string true 100"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if len(c.Changes) != 1 || c.Changes[0].Kind != ParameterAdded || c.Changes[0].Where != "header" || c.Changes[0].Name != "app_version" {
		t.Errorf("changes %+v", c.Changes)
	}
}
