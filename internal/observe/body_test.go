package observe

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"xiezhi/internal/taxonomy"
)

func gbk(s string) string {
	b, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

// sheet makes a spreadsheet as office programs write them.
func sheet(t testing.TB, rows [][]string) string {
	t.Helper()
	var shared, body strings.Builder
	n, columns := 0, 0
	for r, row := range rows {
		columns = max(columns, len(row))
		fmt.Fprintf(&body, `<row r="%d">`, r+1)
		for c, v := range row {
			fmt.Fprintf(&shared, `<si><t>%s</t></si>`, v)
			fmt.Fprintf(&body, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+c, r+1, n)
			n++
		}
		body.WriteString("</row>")
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range [][2]string{
		{"[Content_Types].xml", "<Types/>"}, {"xl/workbook.xml", "<workbook/>"},
		{"xl/worksheets/sheet1.xml", fmt.Sprintf(`<?xml version="1.0"?><worksheet><dimension ref="A1:%c%d"/><sheetData>%s</sheetData></worksheet>`, 'A'+columns-1, len(rows), body.String())},
		{"xl/sharedStrings.xml", "<sst>" + shared.String() + "</sst>"},
	} {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// expose lists exposures for reading.
func expose(o *Observation) string {
	var list []string
	for _, e := range o.Exposures {
		side := "<"
		if e.Response {
			side = ">"
		}
		list = append(list, fmt.Sprintf("%s%s %s %d", side, e.Path, e.Type, e.Count))
	}
	return strings.Join(list, "; ")
}

func typed(ct string) []string { return []string{"Content-Type", ct} }

func TestBodiesOfResponses(t *testing.T) {
	people := [][]string{{"姓名", "手机号", "订单号"}, {"张三丰", "13800138001", "20240102000001"}, {"李四光", "13800138002", "20240102000002"}, {"王小明", "13800138003", "20240102000003"}}
	var csv strings.Builder
	for _, r := range people {
		csv.WriteString(strings.Join(r, ",") + "\r\n")
	}
	utf16, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(`{"name":"张三丰","phone":"13800138000"}`)
	big5, _ := traditionalchinese.Big5.NewEncoder().String(`{"name":"王小明","msg":"帳號或密碼錯誤"}`)
	html := func(s string) string {
		return "<!DOCTYPE html><html><title>系统</title><body>" + s + "</body></html>"
	}
	for name, c := range map[string]struct {
		ct, body string
		kind     BodyKind
		expose   string
		records  uint32
		code     string
		says     MessageClass
		more     func(o *Observation) bool
	}{
		"xml": {ct: "application/xml", body: `<?xml version="1.0"?><response><code>0</code><msg>操作成功</msg><users><user id="7"><name>张三丰</name><phone>13800138000</phone></user><user id="8"><name>李四光</name><phone>13800138001</phone></user></users></response>`,
			kind: BodyXML, expose: ">response.users.user[].name person_name 2; >response.users.user[].phone cn_mobile 2", records: 2, code: "0", says: SaysSuccess},
		"xml with one record":        {ct: "text/xml", body: `<r><users><user><phone>13800138000</phone></user></users></r>`, kind: BodyXML, expose: ">r.users.user[].phone cn_mobile 1", records: 1},
		"xml attributes":             {ct: "text/xml", body: `<list><u phone="13800138000"/><u phone="13800138001"/></list>`, kind: BodyXML, expose: ">list.u[].@phone cn_mobile 2", records: 2},
		"xml text beside attributes": {ct: "text/xml", body: `<r><realName lang="zh">张三丰</realName></r>`, kind: BodyXML, expose: ">r.realName.#text person_name 1"},
		"xml sniffed":                {ct: "text/plain", body: `<u><phone>13800138000</phone></u>`, kind: BodyXML, expose: ">u.phone cn_mobile 1"},
		"xml in gbk":                 {ct: "text/xml", body: gbk(`<?xml version="1.0" encoding="GBK"?><u><realName>张三丰</realName></u>`), kind: BodyXML, expose: ">u.realName person_name 1"},
		"soap": {ct: "text/xml; charset=utf-8", body: `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><ns2:queryUserResponse xmlns:ns2="http://x"><return><code>0</code><idCard>11010519491231002X</idCard></return></ns2:queryUserResponse></soap:Body></soap:Envelope>`,
			kind: BodyXML, expose: ">queryUserResponse.return.idCard cn_resident_id 1", code: "0", more: func(o *Observation) bool { return o.Operation == "queryUserResponse" }},
		"soap fault": {ct: "text/xml", body: `<S:Envelope xmlns:S="x"><S:Body><S:Fault><faultcode>S:Server</faultcode><faultstring>用户不存在</faultstring></S:Fault></S:Body></S:Envelope>`,
			kind: BodyXML, code: "Server", says: SaysNotRegistered, more: func(o *Observation) bool { return o.CodeSays < 0 && o.CodeField == "Fault.faultcode" }},
		"soap 1.2 fault": {ct: "application/soap+xml", body: `<env:Envelope xmlns:env="x"><env:Body><env:Fault><env:Code><env:Value>env:Sender</env:Value></env:Code><env:Reason><env:Text xml:lang="en">Invalid credentials</env:Text></env:Reason></env:Fault></env:Body></env:Envelope>`,
			kind: BodyXML, code: "Sender", says: SaysBadPair, more: func(o *Observation) bool { return o.CodeSays < 0 }},
		"json in soap": {ct: "text/xml", body: `<Envelope><Body><getResponse><getResult>{"code":0,"data":[{"phone":"13800138000"},{"phone":"13800138001"}]}</getResult></getResponse></Body></Envelope>`,
			kind: BodyXML, expose: ">getResponse.getResult.data[].phone cn_mobile 2", records: 2, code: "0"},
		"xml in cdata": {ct: "text/xml", body: `<Envelope><Body><getResponse><out><![CDATA[<?xml version="1.0"?><u><phone>13800138000</phone></u>]]></out></getResponse></Body></Envelope>`,
			kind: BodyXML, expose: ">getResponse.out.u.phone cn_mobile 1"},
		"entities are not expanded": {ct: "text/xml", body: `<!DOCTYPE a [<!ENTITY p "13800138000"><!ENTITY q "&p;&p;">]><a><phone>&q;</phone><note>&#x5F20;&lt;</note></a>`, kind: BodyXML},

		"msgpack": {ct: "application/msgpack", body: "\x82\xa4code\x00\xa4data\x92\x82\xa4name\xa9张三丰\xa5phone\xab13800138000\x82\xa4name\xa9李四光\xa5phone\xcf\x00\x00\x00\x03\x36\x8e\x29\xd1",
			kind: BodyMessagePack, expose: ">data[].name person_name 2; >data[].phone cn_mobile 2", records: 2, code: "0"},

		"unicode escapes": {ct: "application/json", body: `{"msg":"\u5bc6\u7801\u9519\u8bef","data":{"name":"\u5f20\u4e09\u4e30","address":"\u6d59\u6c5f\u7701\u676d\u5dde\u5e02\u897f\u6e56\u533a\u6587\u4e09\u8def90\u53f7"}}`,
			kind: BodyJSON, expose: ">data.name person_name 1; >data.address address 1", says: SaysWrongSecret},
		"gbk json":       {ct: "application/json;charset=GBK", body: gbk(`{"msg":"密码错误","name":"张三丰"}`), kind: BodyJSON, expose: ">name person_name 1", says: SaysWrongSecret},
		"gbk undeclared": {ct: "application/json", body: gbk(`{"msg":"用户不存在","name":"张三丰"}`), kind: BodyJSON, expose: ">name person_name 1", says: SaysNotRegistered},
		"big5":           {ct: "application/json; charset=big5", body: big5, kind: BodyJSON, expose: ">name person_name 1", says: SaysBadPair},
		"utf-16":         {ct: "application/json", body: utf16, kind: BodyJSON, expose: ">name person_name 1; >phone cn_mobile 1"},

		"ndjson":               {ct: "application/x-ndjson", body: "{\"phone\":\"13800138000\"}\n{\"phone\":\"13800138001\"}\n", kind: BodyJSON, expose: ">phone cn_mobile 2", records: 2},
		"broken line":          {ct: "application/x-ndjson", body: "{\"phone\":\"13800138000\"}\n{\"pho\n{\"phone\":\"13800138001\"}\n{\"phone\":\"13800138002\"}\n", kind: BodyJSON, expose: ">phone cn_mobile 3", records: 3, more: func(o *Observation) bool { return o.Overflow > 0 }},
		"json sequence":        {ct: "application/json-seq", body: "\x1e{\"phone\":\"13800138000\"}\n\x1e{\"phone\":\"13800138001\"}\n", kind: BodyJSON, expose: ">phone cn_mobile 2", records: 2},
		"jsonp":                {ct: "text/javascript", body: `cb_17({"phone":"13800138000"});`, kind: BodyJSON, expose: ">phone cn_mobile 1"},
		"jsonp as text":        {ct: "text/plain", body: `/**/jQuery17({"phone":"13800138000"})`, kind: BodyJSON, expose: ">phone cn_mobile 1"},
		"mark":                 {ct: "application/json", body: "\xEF\xBB\xBF{\"phone\":\"13800138000\"}", kind: BodyJSON, expose: ">phone cn_mobile 1"},
		"prefix":               {ct: "text/plain", body: ")]}',\n{\"phone\":\"13800138000\"}", kind: BodyJSON, expose: ">phone cn_mobile 1"},
		"json as html":         {ct: "text/html; charset=utf-8", body: `{"code":1,"msg":"密码错误","phone":"13800138000"}`, kind: BodyJSON, expose: ">phone cn_mobile 1", code: "1", says: SaysWrongSecret},
		"json cut off by text": {ct: "application/json", body: `{"id":1} trailing words and 13800138000`, kind: BodyJSON, expose: ">body cn_mobile 1"},
		"event stream":         {ct: "text/event-stream", body: "event: a\ndata: {\"phone\":\"13800138000\"}\n\ndata: [DONE]\n\ndata: {\"phone\":\"13800138001\"}\n\n", kind: BodyJSON, expose: ">phone cn_mobile 2", records: 2},

		"csv": {ct: "text/csv", body: csv.String(), kind: BodyFile, expose: ">csv[].姓名 person_name 3; >csv[].手机号 cn_mobile 3", records: 3,
			more: func(o *Observation) bool { return o.Download.Kind == FileTable && o.Download.Rows == 3 }},
		"csv in gbk":               {ct: "text/csv", body: gbk(csv.String()), kind: BodyFile, expose: ">csv[].姓名 person_name 3; >csv[].手机号 cn_mobile 3", records: 3},
		"tsv as excel":             {ct: "application/vnd.ms-excel", body: strings.ReplaceAll(csv.String(), ",", "\t"), kind: BodyFile, expose: ">csv[].姓名 person_name 3; >csv[].手机号 cn_mobile 3", records: 3},
		"html as excel":            {ct: "application/vnd.ms-excel", body: `<html><table><tr><th>手机号</th><th>备注</th></tr><tr><td>13800138000</td><td>x</td></tr></table></html>`, kind: BodyFile, expose: ">table[].手机号 cn_mobile 1", records: 1},
		"quoted csv":               {ct: "text/csv", body: "name,phone\n\"张三丰\",\"=\"\"13800138000\"\"\"\n\"李四\n光\",'13800138001\n", kind: BodyFile, expose: ">csv[].name person_name 1; >csv[].phone cn_mobile 2", records: 2},
		"csv without names":        {ct: "text/csv", body: "1,13800138000\n2,13800138001\n", kind: BodyFile, expose: ">csv[].column_b cn_mobile 2", records: 2},
		"order numbers":            {ct: "text/csv", body: "订单号,金额\n20240102000001,12.50\n20240102000002,13.00\n", kind: BodyFile, records: 2},
		"spreadsheet":              {ct: "application/octet-stream", body: sheet(t, people), kind: BodyFile, expose: ">sheet[].姓名 person_name 3; >sheet[].手机号 cn_mobile 3", records: 3, more: func(o *Observation) bool { return o.Download.Kind == FileSheet && o.Download.Rows == 3 }},
		"spreadsheet with a title": {ct: "application/octet-stream", body: sheet(t, append([][]string{{"二〇二四年用户登记表"}}, people...)), kind: BodyFile, expose: ">sheet[].姓名 person_name 3; >sheet[].手机号 cn_mobile 3", records: 3},
		"sql dump": {ct: "text/plain", body: "-- MySQL dump 10.13\nCREATE TABLE users (id int);\nINSERT INTO users VALUES (1,'13800138000'),(2,'13800138001');\n", kind: BodyText, expose: ">body cn_mobile 2",
			more: func(o *Observation) bool { return o.Download.Kind == FileSQL && o.Download.Rows == 2 }},
		"pdf":    {ct: "application/octet-stream", body: "%PDF-1.7\n\x00\x01 13800138000", kind: BodyFile, more: func(o *Observation) bool { return o.Download.Kind == FilePDF }},
		"sqlite": {ct: "", body: "SQLite format 3\x00\x10\x00", kind: BodyFile, more: func(o *Observation) bool { return o.Download.Kind == FileDatabase }},
		"rar":    {ct: "application/octet-stream", body: "Rar!\x1a\x07\x01\x00abc", kind: BodyFile, more: func(o *Observation) bool { return o.Download.Kind == FileArchive }},

		"html table": {ct: "text/html", body: html(`<table class="x"><thead><tr><th>姓 名</th><th>身份证号</th><th>金额</th></tr></thead><tbody><tr><td><b>张三丰</b></td><td>11010519491231002X</td><td>100</td></tr><tr><td>李四光</td><td>110101199003077<wbr>803</td><td>200</td></tr></tbody></table>`),
			kind: BodyHTML, expose: ">table[].姓 名 person_name 2; >table[].身份证号 cn_resident_id 2", records: 2},
		"html table without th": {ct: "text/html", body: html(`<table><tr><td>姓名</td><td>手机号</td></tr><tr><td>张三丰</td><td>13800138000</td></tr><tr><td>李四光</td><td>13800138001</td></tr></table>`),
			kind: BodyHTML, expose: ">table[].姓名 person_name 2; >table[].手机号 cn_mobile 2", records: 2},
		"html details":        {ct: "text/html", body: html(`<table><tr><td>姓名：</td><td>张三丰</td></tr><tr><td>手机号：</td><td>&#49;3800138000</td></tr></table>`), kind: BodyHTML, expose: ">table.姓名 person_name 1; >table.手机号 cn_mobile 1"},
		"html form":           {ct: "text/html", body: html(`<input type="text" name="realName" value="张三丰"/><input type=hidden name=x value=13800138000>`), kind: BodyHTML, expose: ">input.realName person_name 1; >body cn_mobile 1"},
		"html error":          {ct: "text/html", body: html(`<form><div class="form-error">用户不存在</div></form>`), kind: BodyHTML, says: SaysNotRegistered},
		"html alert":          {ct: "text/html", body: html(`<script>alert('密码错误');history.back();</script>`), kind: BodyHTML, says: SaysWrongSecret},
		"html alert, escaped": {ct: "text/html", body: html(`<script type="text/javascript">window.alert("\u5bc6\u7801\u9519\u8bef")</script>`), kind: BodyHTML, says: SaysWrongSecret},
		"html in gbk":         {ct: "text/html", body: gbk(`<html><head><meta charset="gb2312"><title>x</title></head><p class=error>密码错误</p>`), kind: BodyHTML, says: SaysWrongSecret},
		"hidden error":        {ct: "text/html", body: html(`<div class="error" style="display: none">密码错误</div><p class="error hidden">密码错误</p>`), kind: BodyHTML},
		"alert of a check":    {ct: "text/html", body: html(`<script>function check(){ if(!f.pw.value){ alert('密码错误'); } } if (x) alert('用户不存在')</script>`), kind: BodyHTML},
		"template":            {ct: "text/html", body: html(`<div class="error">密码错误 {{ msg }}</div>`), kind: BodyHTML},
		"state of a page":     {ct: "text/html", body: html(`<script type="application/json">{"user":{"phone":"13800138000"}}</script>`), kind: BodyHTML, expose: ">script.user.phone cn_mobile 1"},
		"page with numbers":   {ct: "text/html", body: html(`<p>2024010212345678 items, build 20240102.123456, price 138.00</p><script src="/a.13800.js"></script>`), kind: BodyHTML},

		"minified script": {ct: "application/javascript", body: `!function(e){var t={};e.x=[13800138000,1];e.p="13800138001"}(window);`, kind: BodyScript},
		"base64 image":    {ct: "text/css", body: `a{background:url(data:image/png;base64,` + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x89PNG13800138000", 9))) + `)}`, kind: BodyScript},
		"random octets":   {ct: "application/octet-stream", body: "\x82\xa5phone\xab13800138000\x00\x01\xa4name\xa9", kind: BodyBinary},
		"log line":        {ct: "text/plain", body: "[2024-01-02 10:11:12] started", kind: BodyText},

		"multipart answer": {ct: "multipart/mixed; boundary=b1", body: "--b1\r\nContent-Type: application/json\r\n\r\n{\"phone\":\"13800138000\"}\r\n--b1\r\nContent-Type: text/xml\r\n\r\n<u><phone>13800138001</phone></u>\r\n--b1--", kind: BodyMultipart,
			expose: ">part.phone cn_mobile 1; >part.u.phone cn_mobile 1"},
	} {
		t.Run(name, func(t *testing.T) {
			o := observe(t, call{target: "/x", respHead: typed(c.ct), respBody: c.body})
			if o.RespKind != c.kind || expose(o) != c.expose || o.Records != c.records || o.Code != c.code || o.MessageSays&c.says != c.says || c.says == 0 && o.MessageSays != 0 {
				t.Errorf("kind %d (want %d)\n exposures %s\n want      %s\n records %d, code %q, message %q says %b (want %b)", o.RespKind, c.kind, expose(o), c.expose, o.Records, o.Code, o.Message, o.MessageSays, c.says)
			}
			if c.more != nil && !c.more(o) {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestBodiesOfRequests(t *testing.T) {
	form := func(parts ...string) string {
		return "--bb\r\n" + strings.Join(parts, "\r\n--bb\r\n") + "\r\n--bb--\r\n"
	}
	params := func(o *Observation) string {
		var list []string
		for _, p := range o.Params {
			list = append(list, fmt.Sprintf("%s %s %s", p.Name, p.In, p.Sensitive))
		}
		return strings.Join(list, "; ")
	}
	for name, c := range map[string]struct {
		target, ct, body string
		params, expose   string
		more             func(o *Observation) bool
	}{
		"soap": {ct: "text/xml", body: `<soapenv:Envelope xmlns:soapenv="x"><soapenv:Header><wsse:Security xmlns:wsse="y"><wsse:UsernameToken><wsse:Username>bob</wsse:Username><wsse:Password Type="PasswordText">S3cret!pw</wsse:Password></wsse:UsernameToken></wsse:Security></soapenv:Header><soapenv:Body><web:login><arg0><mobile>13800138000</mobile></arg0></web:login></soapenv:Body></soapenv:Envelope>`,
			params: "Header.Security.UsernameToken.Username body account_name; Header.Security.UsernameToken.Password.@Type body ; Header.Security.UsernameToken.Password.#text body password; login.arg0.mobile body cn_mobile",
			expose: "<Header.Security.UsernameToken.Username account_name 1; <login.arg0.mobile cn_mobile 1",
			more: func(o *Observation) bool {
				return o.Operation == "login" && len(o.Passwords) == 1 && len(o.Accounts) == 2
			}},
		"msgpack":         {ct: "application/x-msgpack", body: "\x82\xa8username\xa3bob\xa8password\xa6S3cre!", params: "username body account_name; password body password", expose: "<username account_name 1", more: func(o *Observation) bool { return len(o.Passwords) == 1 && len(o.Accounts) == 1 }},
		"gbk in query":    {target: "/x?realName=%D5%C5%C8%FD%B7%E1&q=%CA%D6%BB%FA", params: "realName query person_name; q query ", expose: "<realName person_name 1"},
		"gbk in form":     {ct: "application/x-www-form-urlencoded", body: "realName=%D5%C5%C8%FD%B7%E1", params: "realName form person_name", expose: "<realName person_name 1"},
		"percent u":       {target: "/x?realName=%u5f20%u4e09%u4e30", params: "realName query person_name", expose: "<realName person_name 1"},
		"xml as form":     {ct: "application/x-www-form-urlencoded", body: `<?xml version="1.0"?><a><mobile>13800138000</mobile></a>`, params: "a.mobile body cn_mobile", expose: "<a.mobile cn_mobile 1"},
		"multipart field": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"mobile\"\r\n\r\n13800138000"), params: "mobile form cn_mobile", expose: "<mobile cn_mobile 1"},
		"json part": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"user\"\r\nContent-Type: application/json\r\n\r\n{\"mobile\":\"13800138000\"}"),
			params: "user.mobile form cn_mobile", expose: "<user.mobile cn_mobile 1"},
		"xml part": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"user\"\r\nContent-Type: text/xml\r\n\r\n<u><mobile>13800138000</mobile></u>"),
			params: "user.u.mobile body cn_mobile", expose: "<user.u.mobile cn_mobile 1"},
		"gbk part": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"realName\"\r\n\r\n" + gbk("张三丰")), params: "realName form person_name", expose: "<realName person_name 1"},
		"no last boundary": {ct: "multipart/form-data; boundary=bb", body: "--bb\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--bb\r\nContent-Disposition: form-data; name=\"mobile\"\r\n\r\n13800138000",
			params: "a form ; mobile form cn_mobile", expose: "<mobile cn_mobile 1"},
		"boundary not declared":   {ct: "multipart/form-data", body: form("Content-Disposition: form-data; name=\"mobile\"\r\n\r\n13800138000"), params: "mobile form cn_mobile", expose: "<mobile cn_mobile 1"},
		"boundary inside a value": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"a\"\r\n\r\nx --bb y\r\n--bbb\r\nz"), params: "a form "},
		"csv file": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"file\"; filename=\"用户导入_张三丰.csv\"\r\nContent-Type: text/csv\r\n\r\n姓名,手机号\n张三丰,13800138000\n李四光,13800138001"),
			params: "file form ", expose: "<file.csv[].姓名 person_name 2; <file.csv[].手机号 cn_mobile 2",
			more: func(o *Observation) bool {
				return len(o.Uploads) == 1 && o.Uploads[0].Kind == FileTable && o.Uploads[0].Rows == 2 && o.Uploads[0].Field == "file" && o.Uploads[0].Name == "用户导入_{}.csv"
			}},
		"spreadsheet": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"f\"; filename=\"a.xlsx\"\r\n\r\n" + sheet(t, [][]string{{"name", "phone"}, {"张三丰", "13800138000"}})),
			params: "f form ", expose: "<f.sheet[].name person_name 1; <f.sheet[].phone cn_mobile 1", more: func(o *Observation) bool { return o.Uploads[0].Kind == FileSheet && o.Uploads[0].Rows == 1 }},
		"picture": {ct: "multipart/form-data; boundary=bb", body: form("Content-Disposition: form-data; name=\"pic\"; filename=\"idcard 11010519491231002X.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0 13800138000"),
			params: "pic form ", more: func(o *Observation) bool { return o.Uploads[0].Kind == FileImage && o.Uploads[0].Name == "{} {}.jpg" }},
		"nested": {ct: "multipart/mixed; boundary=bb", body: form("Content-Type: multipart/mixed; boundary=cc\r\n\r\n--cc\r\nContent-Type: application/json\r\n\r\n{\"mobile\":\"13800138000\"}\r\n--cc--", "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"+base64.StdEncoding.EncodeToString([]byte("call 13800138001"))),
			params: "part.mobile body cn_mobile", expose: "<part.mobile cn_mobile 1; <body cn_mobile 1"},
		"raw spreadsheet": {ct: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body: sheet(t, [][]string{{"name", "phone"}, {"张三丰", "13800138000"}}),
			expose: "<sheet[].name person_name 1; <sheet[].phone cn_mobile 1", more: func(o *Observation) bool { return len(o.Uploads) == 1 && o.Uploads[0].Rows == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			if c.target == "" {
				c.target = "/x"
			}
			o := observe(t, call{target: c.target, head: typed(c.ct), body: c.body})
			if params(o) != c.params || expose(o) != c.expose {
				t.Errorf("params    %s\nwant      %s\nexposures %s\nwant      %s", params(o), c.params, expose(o), c.expose)
			}
			if c.more != nil && !c.more(o) {
				t.Errorf("%+v", o)
			}
		})
	}
}

// A column of a table is an exposure like a list of JSON.
func TestColumnOfManyRows(t *testing.T) {
	rows := [][]string{{"姓名", "手机号"}}
	var csv, table strings.Builder
	csv.WriteString("姓名,手机号\n")
	table.WriteString("<html><table><tr><th>姓名</th><th>手机号</th></tr>")
	for i := range 800 {
		phone := fmt.Sprintf("1380013%04d", i)
		rows = append(rows, []string{"张三丰", phone})
		fmt.Fprintf(&csv, "张三丰,%s\n", phone)
		fmt.Fprintf(&table, "<tr><td>张三丰</td><td>%s</td></tr>", phone)
	}
	for path, c := range map[string]call{
		"csv[].手机号":   {target: "/export", respHead: []string{"Content-Type", "text/csv", "Content-Disposition", "attachment; filename*=UTF-8''%E7%94%A8%E6%88%B7%E5%AF%BC%E5%87%BA_20240102.csv"}, respBody: csv.String()},
		"sheet[].手机号": {target: "/export", respHead: []string{"Content-Disposition", `attachment; filename="用户导出.xlsx"`}, respBody: sheet(t, rows)},
		"table[].手机号": {target: "/notice", respHead: typed("text/html"), respBody: table.String()},
	} {
		o := observe(t, c)
		found := false
		for _, e := range o.Exposures {
			if e.Path == path && e.Type == taxonomy.SensCNMobile {
				found = e.Count == 800 && e.Distinct == 800 && len(e.Subjects) == MaxSubjects
			}
		}
		if !found || o.Records != 800 || len(o.Exposures) != 2 {
			t.Errorf("%s: records %d, %s", path, o.Records, expose(o))
		}
		if strings.HasPrefix(path, "csv") && (o.Download.Name != "用户导出_{}.csv" || !o.Download.Attachment || o.Download.Rows != 800) {
			t.Errorf("%+v", o.Download)
		}
	}
}

// The same record gives the same tokens in every format: what one API hands
// out as XML another asks for in JSON.
func TestTokensAgreeAcrossFormats(t *testing.T) {
	var want uint64
	for _, c := range []call{
		{respHead: typed("application/json"), respBody: `{"phone":"13800138000"}`},
		{respHead: typed("text/xml"), respBody: `<u><phone>13800138000</phone></u>`},
		{respHead: typed("application/msgpack"), respBody: "\x81\xa5phone\xab13800138000"},
		{respHead: typed("text/csv"), respBody: "phone,x\n13800138000,1\n"},
		{respHead: typed("text/html"), respBody: "<html><table><tr><th>phone</th><th>x</th></tr><tr><td>138&#48;0138000</td><td>1</td></tr></table>"},
	} {
		c.target = "/x"
		o := observe(t, c)
		if len(o.Exposures) != 1 || len(o.Exposures[0].Subjects) != 1 {
			t.Fatalf("%s: %s", c.respBody, expose(o))
		}
		if got := o.Exposures[0].Subjects[0]; want == 0 {
			want = got
		} else if got != want {
			t.Errorf("%s: another token", c.respBody)
		}
	}
}
