package engine_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"html"
	"net/url"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func gb18030(s string) string {
	b, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

// canaryFormat is a request and an answer in a format other than plain JSON.
type canaryFormat struct {
	name, reqType, req, respType, disposition, resp string
}

// canaryFormats puts values, by the names of their fields, into the formats
// and encodings of bodies.
func canaryFormats(i int, fields [][2]string) []canaryFormat {
	var xml, head, row, cells, inputs, escaped, form, pack strings.Builder
	pack.WriteByte(0x80 | byte(len(fields)))
	packed := func(s string) { pack.WriteByte(0xd9); pack.WriteByte(byte(len(s))); pack.WriteString(s) }
	var names, values []string
	for k, f := range fields {
		fmt.Fprintf(&xml, "<%s a=%q>%s</%s>", f[0], html.EscapeString(f[1]), html.EscapeString(f[1]), f[0])
		fmt.Fprintf(&head, "<th>%s</th>", f[0])
		fmt.Fprintf(&cells, "<td>%s</td>", html.EscapeString(f[1]))
		fmt.Fprintf(&inputs, "<input name=%q value=%q>", f[0], html.EscapeString(f[1]))
		if k > 0 {
			escaped.WriteByte(',')
			form.WriteByte('&')
		}
		fmt.Fprintf(&escaped, "%q:\"", f[0])
		for _, r := range f[1] {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		}
		escaped.WriteByte('"')
		form.WriteString(f[0] + "=" + url.QueryEscape(gb18030(f[1])))
		packed(f[0])
		packed(f[1])
		names, values = append(names, f[0]), append(values, `"`+f[1]+`"`)
		fmt.Fprintf(&row, `<c t="inlineStr"><is><t>%s</t></is></c>`, html.EscapeString(f[1]))
	}
	soap := "<s:Envelope xmlns:s='x'><s:Body><op><in>" + xml.String() + "</in></op></s:Body></s:Envelope>"
	csv := strings.Join(names, ",") + "\n" + strings.Join(values, ",") + "\n" + strings.Join(values, ",") + "\n"
	page := "<html><title>x</title><table><tr>" + head.String() + "</tr><tr>" + cells.String() + "</tr></table>" + inputs.String() + "<p class=error>" + html.EscapeString(fields[0][1]) + " 不存在</p></html>"
	var sheet bytes.Buffer
	z := zip.NewWriter(&sheet)
	for _, f := range [][2]string{{"xl/workbook.xml", "<w/>"}, {"xl/worksheets/sheet1.xml", "<sheetData><row>" + strings.NewReplacer("<th>", `<c t="inlineStr"><is><t>`, "</th>", "</t></is></c>").Replace(head.String()) + "</row><row>" + row.String() + "</row></sheetData>"}} {
		w, err := z.Create(f[0])
		if err != nil {
			panic(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	file := `attachment; filename="` + fields[0][1] + fields[1][1] + `.csv"`
	form2 := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + fields[0][1] + ".csv\"\r\n\r\n" + csv + "\r\n--b\r\nContent-Disposition: form-data; name=\"" + fields[1][0] + "\"\r\n\r\n" + fields[1][1] + "\r\n--b--"
	json := "{" + escaped.String() + "}"
	return []canaryFormat{
		{"soap", "text/xml", soap, "text/xml", "", soap},
		{"gbk", "application/x-www-form-urlencoded", form.String(), "text/xml; charset=gbk", "", gb18030(soap)},
		{"escaped", "application/json", json, "application/json", "", `{"code":1,"msg":"no ` + fields[0][1] + `","data":` + json + `}`},
		{"csv", "application/json", json, "text/csv", file, csv},
		{"gbkcsv", "text/xml", soap, "text/csv", file, gb18030(csv)},
		{"html", "application/x-www-form-urlencoded", form.String(), "text/html", "", page},
		{"gbkhtml", "application/x-www-form-urlencoded", form.String(), "text/html; charset=gb2312", "", gb18030(page)},
		{"sheet", "application/json", json, "application/octet-stream", strings.Replace(file, ".csv", ".xlsx", 1), sheet.String()},
		{"msgpack", "text/xml", soap, "application/x-msgpack", "", pack.String()},
		{"lines", "application/json", json, "application/x-ndjson", "", json + "\n" + json + "\n"},
		{"events", "application/json", json, "text/event-stream", "", "data: " + json + "\n\n"},
		{"multipart", "multipart/form-data; boundary=b", form2, "multipart/mixed; boundary=b", "", "--b\r\nContent-Type: text/csv\r\n" + "Content-Disposition: " + file + "\r\n\r\n" + csv + "\r\n--b--"},
	}
}
