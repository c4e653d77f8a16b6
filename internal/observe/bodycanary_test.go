package observe

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
)

// msgpackString writes a short string.
func msgpackString(s string) string {
	if len(s) < 32 {
		return string([]byte{0xa0 | byte(len(s))}) + s
	}
	return string([]byte{0xd9, byte(len(s))}) + s
}

// escaped writes everything as \uXXXX.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

// formats puts a value under a field name into every format and encoding that
// is read, on both sides.
func formats(t testing.TB, field, v string) map[string]call {
	xml := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(v)
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(`{"` + field + `":"` + v + `"}`)
	if err != nil {
		t.Fatal(err)
	}
	soap := `<s:Envelope xmlns:s="x"><s:Body><n:op><in><` + field + ` a="` + xml + `">` + xml + `</` + field + `></in></n:op></s:Body></s:Envelope>`
	pack := "\x82" + msgpackString(field) + msgpackString(v) + msgpackString("list") + "\x91" + "\x81" + msgpackString(field) + msgpackString(v)
	csv := "id," + field + "\n1,\"" + v + "\"\n2," + v + "\n"
	table := `<html><title>x</title><table><tr><th>id</th><th>` + field + `</th></tr><tr><td>1</td><td>` + xml + `</td></tr></table><input name="` + field + `" value="` + xml + `">`
	xlsx := sheet(t, [][]string{{"id", field}, {"one", xml}})
	form := "--b\r\nContent-Disposition: form-data; name=\"" + field + "\"\r\n\r\n" + v + "\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + v + ".csv\"\r\n\r\n" + csv +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"x\"\r\nContent-Type: text/xml\r\n\r\n" + soap + "\r\n--b\r\nContent-Disposition: form-data; name=\"" + field + "\"\r\n\r\n" + gbk(v) + "\r\n--b--"
	mixed := "--b\r\nContent-Type: application/json\r\n\r\n{\"" + field + "\":\"" + v + "\"}\r\n--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=\"" + v + "\"\r\n\r\n" + csv + "\r\n--b--"
	return map[string]call{
		"xml":         {head: typed("text/xml"), body: soap, respHead: typed("text/xml"), respBody: soap},
		"xml in gbk":  {head: typed("text/xml; charset=gbk"), body: gbk(soap), respHead: typed("text/xml"), respBody: gbk(`<?xml version="1.0" encoding="gbk"?>` + soap)},
		"soap fault":  {body: soap, head: typed("text/xml"), respHead: typed("text/xml"), status: 500, respBody: `<E:Envelope xmlns:E="x"><E:Body><E:Fault><faultcode>E:Server</faultcode><faultstring>no such ` + xml + `</faultstring></E:Fault></E:Body></E:Envelope>`},
		"msgpack":     {head: typed("application/msgpack"), body: pack, respHead: typed("application/msgpack"), respBody: pack},
		"grpc":        {head: typed("application/grpc"), body: frame(0, pb(1, v, 2, pb(7, pb(1, v)), 2, pb(7, pb(1, v)))), respHead: append(typed("application/grpc+json"), "grpc-status", "5", "grpc-message", "no "+escape(v)), respBody: frame(0, `{"`+field+`":"`+v+`"}`)},
		"escaped":     {head: typed("application/json"), body: `{"` + field + `":"` + escaped(v) + `"}`, respHead: typed("application/json"), respBody: `{"` + escaped(field) + `":"` + escaped(v) + `","msg":"no ` + escaped(v) + `"}`},
		"gbk json":    {head: typed("application/json"), body: gbk(`{"` + field + `":"` + v + `"}`), respHead: typed("application/json"), respBody: gbk(`{"` + field + `":"` + v + `","msg":"没有 ` + v + `"}`)},
		"utf-16":      {head: typed("application/json"), body: utf16, respHead: typed("text/plain"), respBody: utf16},
		"gbk query":   {target: "/x?" + field + "=" + escape(gbk(v)), respBody: `{"msg":"no ` + v + `"}`},
		"gbk form":    {head: typed("application/x-www-form-urlencoded"), body: field + "=" + escape(gbk(v)) + "&" + field + "=" + strings.ReplaceAll(escaped(v), `\`, "%"), respBody: `{"msg":"no ` + v + `"}`},
		"csv":         {respHead: []string{"Content-Type", "text/csv", "Content-Disposition", "attachment; filename=\"" + v + ".csv\""}, respBody: csv},
		"csv in gbk":  {respHead: typed("text/csv"), respBody: gbk(csv)},
		"spreadsheet": {head: typed("application/vnd.ms-excel"), body: xlsx, respHead: []string{"Content-Disposition", "attachment; filename*=UTF-8''" + escape(v) + ".xlsx"}, respBody: xlsx},
		"html":        {respHead: typed("text/html"), respBody: table},
		"multipart":   {head: typed("multipart/form-data; boundary=b"), body: form, respHead: typed("multipart/mixed; boundary=b"), respBody: mixed},
		"lines":       {respHead: typed("application/x-ndjson"), respBody: `{"` + field + `":"` + v + "\"}\n{\"broken\n{\"" + field + `":"` + v + `"}`},
		"events":      {respHead: typed("text/event-stream"), respBody: `data: {"` + field + `":"` + v + "\"}\n\n"},
		"jsonp":       {respHead: typed("text/javascript"), respBody: `cb({"` + field + `":"` + v + `"})`},
		"json in xml": {respHead: typed("text/xml"), respBody: `<r><out>{"` + field + `":"` + xml + `"}</out></r>`},
		"page script": {respHead: typed("text/html"), respBody: `<html><script type="application/json">{"` + field + `":"` + v + `"}</script><script>alert('wrong ` + v + `')</script>`},
		"base64 part": {head: typed("multipart/mixed; boundary=b"), body: "--b\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(`{"`+field+`":"`+v+`"}`)) + "\r\n--b--"},
	}
}

// The first row of a table without a header is no header: its names are
// people's.
func TestNoNameBecomesAColumn(t *testing.T) {
	const who, where = "欧阳金明", "浙江省杭州市西湖区文三路"
	rows := [][]string{{who, where}, {"司马水光", where}, {"王小明", where}}
	var csv, table strings.Builder
	table.WriteString("<html><table>")
	for _, r := range rows {
		csv.WriteString(strings.Join(r, ",") + "\n")
		table.WriteString("<tr><td>" + strings.Join(r, "</td><td>") + "</td></tr>")
	}
	for ct, body := range map[string]string{"text/csv": csv.String(), "application/octet-stream": sheet(t, rows), "text/html": table.String() + "</table>"} {
		var b Batch
		newObserver(t).Observe(call{target: "/x", respHead: typed(ct), respBody: body}.exchange(), &b)
		if enc := b.AppendEncoded(nil); bytes.Contains(enc, []byte(who)) || bytes.Contains(enc, []byte(where)) {
			t.Errorf("%s: a person is a column: %+v", ct, *b.At(0))
		}
	}
}

// Values in every format and encoding are in no observation, in no encoding of
// theirs.
func TestNoCanaryLeavesBodies(t *testing.T) {
	n := 40
	if testing.Short() {
		n = 5
	}
	r := rand.New(rand.NewPCG(5, 6))
	o := newObserver(t)
	var b Batch
	leaks := 0
	for _, k := range []struct {
		field string
		make  func() string
		seen  bool // by a recogniser, whatever the format
	}{
		{"mobile", func() string { return fmt.Sprintf("138%08d", r.IntN(1e8)) }, true},
		{"email", func() string { return fmt.Sprintf("canary%06d@mail.example.org", r.IntN(1e6)) }, true},
		{"realName", func() string {
			return "欧阳" + string([]rune("金木水火土天地山川风雨")[r.IntN(11)]) + string([]rune("明亮光华国强军平安")[r.IntN(9)])
		}, true},
		{"address", func() string {
			return fmt.Sprintf("浙江省杭州市西湖区文三路%d号%d室", 1000+r.IntN(9000), 1000+r.IntN(9000))
		}, true},
		{"password", func() string { return fmt.Sprintf("Kanar%06d!q", r.IntN(1e6)) }, false},
		{"姓名", func() string {
			return "司马" + string([]rune("金木水火土天地山川风雨")[r.IntN(11)]) + string([]rune("明亮光华国强军平安")[r.IntN(9)])
		}, true},
	} {
		for range n {
			v := k.make()
			for name, c := range formats(t, k.field, v) {
				if c.target == "" {
					c.target = "/x"
				}
				b.Reset()
				o.Observe(c.exchange(), &b)
				enc := b.AppendEncoded(nil)
				for _, form := range []string{v, gbk(v), escape(v), escape(gbk(v)), escaped(v), strings.ToLower(v)} {
					if bytes.Contains(enc, []byte(form)) {
						if leaks++; leaks < 12 {
							t.Errorf("%s: %q leaves observe: %+v", name, form, *b.At(0))
						}
					}
				}
				if k.seen && len(b.At(0).Exposures) == 0 {
					t.Errorf("%s: nobody knows %s %q: %+v", name, k.field, v, *b.At(0))
					return
				}
			}
		}
	}
	if leaks > 0 {
		t.Errorf("%d leaks", leaks)
	}
}
