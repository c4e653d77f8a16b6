package observe

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkBodies observes two hundred people in each format: JSON is what the
// others are held against.
func BenchmarkBodies(b *testing.B) {
	var json, xml, csv, html, pack strings.Builder
	pack.WriteString("\xdc\x00\xc8")
	rows := [][]string{{"name", "phone", "city"}}
	html.WriteString("<!doctype html><html><title>x</title><table><tr><th>name</th><th>phone</th><th>city</th></tr>")
	for i := range 200 {
		phone := fmt.Sprintf("1380013%04d", i)
		if i > 0 {
			json.WriteByte(',')
		}
		fmt.Fprintf(&json, `{"name":"王小明","phone":"%s","city":"杭州"}`, phone)
		fmt.Fprintf(&xml, `<user><name>王小明</name><phone>%s</phone><city>杭州</city></user>`, phone)
		fmt.Fprintf(&csv, "王小明,%s,杭州\n", phone)
		fmt.Fprintf(&html, "<tr><td>王小明</td><td>%s</td><td>杭州</td></tr>", phone)
		pack.WriteByte(0x83)
		for _, s := range []string{"name", "王小明", "phone", phone, "city", "杭州"} {
			pack.WriteByte(0xa0 | byte(len(s)))
			pack.WriteString(s)
		}
		rows = append(rows, []string{"王小明", phone, "杭州"})
	}
	for _, f := range [][3]string{
		{"JSON", "application/json", "[" + json.String() + "]"},
		{"JSONGBK", "application/json", gbk("[" + json.String() + "]")},
		{"XML", "text/xml", "<users>" + xml.String() + "</users>"},
		{"MessagePack", "application/msgpack", pack.String()},
		{"CSV", "text/csv", "name,phone,city\n" + csv.String()},
		{"XLSX", "application/octet-stream", sheet(b, rows)},
		{"HTML", "text/html", html.String() + "</table></html>"},
	} {
		b.Run(f[0], func(b *testing.B) {
			x := call{target: "/x", respHead: typed(f[1]), respBody: f[2]}.exchange()
			o := newObserver(b)
			var batch Batch
			b.SetBytes(int64(len(f[2])))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n++; n%64 == 0 {
					batch.Reset()
				}
				o.Observe(x, &batch)
			}
		})
	}
}
