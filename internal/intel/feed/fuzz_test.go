package feed

import (
	"testing"

	"xiezhi/internal/intel/indicator"
)

// fuzz holds a decoder to its word: no panic, and rows that a set can take and
// that are in the one form of their type.
func fuzz(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(format, data, Options{Name: "fuzz", Now: now, Hash: hash})
		if err != nil {
			return
		}
		for i := range r.Rows {
			x := &r.Rows[i]
			if v, err := indicator.Canonical(x.Type, x.Value, nil); err != nil || v != x.Value {
				t.Fatalf("%s %q: %q, %v", x.Type, x.Value, v, err)
			}
			if len(x.Note) > indicator.MaxNote || x.Confidence == 0 || x.Confidence > 100 {
				t.Fatalf("%+v", x)
			}
		}
		if _, err := (*indicator.Set)(nil).With(indicator.Source{Name: "x", Reliability: 1}, r.Rows, now); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzPlain(f *testing.F) {
	fuzz(f, Plain, "8.8.8.8 # x\n1.0.0.0/8\nAS1\nhttps://x/y?z\n::ffff:1.2.3.4\n")
}
func FuzzCSV(f *testing.F) {
	fuzz(f, CSV, "type,value,tags,confidence,first,last,until,tlp,note\naddress,8.8.8.8,proxy,80,2026-01-01,2026-01-02T00:00:00Z,1790000000,green,'=x\n")
}
func FuzzJSONL(f *testing.F) {
	fuzz(f, JSONL, `{"type":"phone","value":"13800138000","first":"2026-01-01T00:00:00Z"}`, `[{"value":"8.8.8.8"}]`)
}
func FuzzMISP(f *testing.F) {
	fuzz(f, MISP, `{"response":[{"Event":{"Tag":[{"name":"tlp:red"}],"Attribute":[{"type":"ip-src","value":"8.8.8.8","timestamp":"1","Tag":[{"name":"xiezhi:type=\"tool\""}]}]}}]}`, `{"response":{"Attribute":[]}}`)
}
func FuzzSTIX(f *testing.F) {
	fuzz(f, STIX, `{"objects":[{"type":"indicator","id":"i","pattern":"[ipv4-addr:value = '8.8.8.8']","valid_from":"2026-01-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z"},{"type":"sighting","sighting_of_ref":"i","count":3}]}`)
}
func FuzzCrowdSec(f *testing.F) {
	fuzz(f, CrowdSec, `{"new":[{"scope":"Ip","value":"8.8.8.8","duration":"4h"}],"deleted":[{"scope":"Range","value":"8.8.8.8/32"}]}`, `[]`)
}
