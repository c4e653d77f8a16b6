package engine_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
)

// traffic writes HAR lines of one site, a second between exchanges.
type traffic struct {
	out  bytes.Buffer
	at   time.Time
	n    int
	host string
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type ask struct {
	client  string
	method  string
	target  string
	headers []pair
	body    string
	status  int
	ctype   string
	answer  []pair
	resp    string
	say     []say // messages of the stream that the exchange opens
}

func newTraffic(host string) *traffic {
	return &traffic{host: host, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

func (s *traffic) send(a ask) {
	s.n++
	s.at = s.at.Add(time.Second)
	if a.client == "" {
		a.client = fmt.Sprintf("203.0.113.%d", 1+s.n%60)
	}
	if a.method == "" {
		a.method = "GET"
	}
	if a.status == 0 {
		a.status = 200
	}
	if a.ctype == "" {
		a.ctype = "application/json"
	}
	req := map[string]any{"method": a.method, "url": "https://" + s.host + a.target, "httpVersion": "HTTP/1.1", "queryString": []any{}, "cookies": []any{}, "headersSize": -1, "bodySize": len(a.body),
		"headers": append([]pair{{"Host", s.host}, {"User-Agent", "Mozilla/5.0 Chrome/131.0"}, {"Accept", "*/*"}}, a.headers...)}
	if a.body != "" {
		mime := "application/json"
		switch a.body[0] {
		case '{', '[':
		case '<':
			mime = "text/xml"
		default:
			mime = "application/x-www-form-urlencoded"
		}
		req["postData"] = map[string]any{"mimeType": mime, "text": a.body}
	}
	e := map[string]any{"startedDateTime": s.at.Format(time.RFC3339Nano), "time": 12.5, "cache": map[string]any{}, "timings": map[string]any{"send": 0, "wait": 12, "receive": 0},
		"request": req, "_client": map[string]any{"ip": a.client, "port": 40000 + s.n%20000}, "_server": map[string]any{"ip": "192.0.2.10", "port": 443},
		"response": map[string]any{"status": a.status, "statusText": "", "httpVersion": "HTTP/1.1", "headers": append([]pair{{"Content-Type", a.ctype}}, a.answer...), "cookies": []any{},
			"content": map[string]any{"size": len(a.resp), "mimeType": a.ctype, "text": base64.StdEncoding.EncodeToString([]byte(a.resp)), "encoding": "base64"}, "redirectURL": "", "headersSize": -1, "bodySize": len(a.resp)}}
	if len(a.say) > 0 {
		var list []map[string]any
		for _, m := range a.say {
			s.at = s.at.Add(time.Second)
			kind := "receive"
			if m.sent {
				kind = "send"
			}
			list = append(list, map[string]any{"type": kind, "time": float64(s.at.UnixMilli()) / 1000, "opcode": 1, "data": m.text})
		}
		e["_webSocketMessages"] = list
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	s.out.Write(append(b, '\n'))
}

// background is what the site does besides: a page and an API that are all
// right, from many people, so that it is admitted.
func (s *traffic) background() {
	for i := range 30 {
		s.send(ask{target: "/", ctype: "text/html; charset=utf-8", resp: "<!doctype html><html><head><title>Shop</title></head><body>Welcome</body></html>"})
		s.send(ask{target: fmt.Sprintf("/api/goods/%d", 1000+i), resp: fmt.Sprintf(`{"code":0,"msg":"ok","data":{"id":%d,"title":"Kettle %d","price":12.5}}`, 1000+i, i)})
	}
}

func (s *traffic) analyse(t *testing.T) report.Report {
	t.Helper()
	input := filepath.Join(t.TempDir(), "t.harl")
	if err := os.WriteFile(input, s.out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := source.Expand([]string{input}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "test", Tools: tools(t), Inputs: in, Workers: 2, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if res.Report.Input.Analysed != uint64(s.n) {
		t.Fatalf("%d of %d exchanges analysed", res.Report.Input.Analysed, s.n)
	}
	return *res.Report
}

// found gives "kind/component" of the defects with the templates they are on.
func found(r report.Report) map[string][]string {
	where := map[string]string{}
	for _, a := range r.APIs {
		where[a.ID] = a.Method + " " + a.Template
	}
	out := map[string][]string{}
	for _, d := range r.Defects {
		k := d.Kind
		if d.Component != "" {
			k += "/" + d.Component
		}
		out[k] = append(out[k], where[d.API])
	}
	for k := range out {
		slices.Sort(out[k])
	}
	return out
}

// TestExposedOverTheWire sends what servers really answer, beside what only
// looks like it, through the whole path.
func TestExposedOverTheWire(t *testing.T) {
	s := newTraffic("shop.example.com")
	s.background()
	zip := "PK\x03\x04\x14\x00\x00\x00\x08\x00"
	apache := "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of /uploads</title>\n </head>\n <body>\n<h1>Index of /uploads</h1>\n  <table>\n   <tr><th valign=\"top\"><img src=\"/icons/blank.gif\" alt=\"[ICO]\"></th><th><a href=\"?C=N;O=D\">Name</a></th></tr>\n<tr><td><a href=\"id.jpg\">id.jpg</a></td></tr></table></body></html>"
	exposed := []struct{ path, ctype, body, kind string }{
		{"/.git/HEAD", "application/octet-stream", "ref: refs/heads/master\n", "exposed_file/git"},
		{"/.env", "application/octet-stream", "APP_ENV=production\nDB_HOST=10.0.0.3\nDB_PASSWORD=correct-horse\n", "exposed_file/env"},
		{"/.svn/entries", "text/plain", "12\n", "exposed_file/svn"},
		{"/.hg/requires", "text/plain", "dotencode\nfncache\nrevlogv1\nstore\n", "exposed_file/hg"},
		{"/.DS_Store", "application/octet-stream", "\x00\x00\x00\x01Bud1\x00\x00\x10\x00", "exposed_file/ds_store"},
		{"/WEB-INF/web.xml", "application/xml", "<?xml version=\"1.0\"?>\n<web-app version=\"3.1\"><servlet-mapping/></web-app>", "exposed_file/webinf"},
		{"/phpinfo.php", "text/html; charset=UTF-8", "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"><html><head><title>PHP 8.2.1 - phpinfo()</title></head><body><h1 class=\"p\">PHP Version 8.2.1</h1></body></html>", "exposed_file/phpinfo"},
		{"/backup-20260301.zip", "application/zip", zip, "exposed_file/backup"},
		{"/id_rsa", "application/octet-stream", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END OPENSSH PRIVATE KEY-----\n", "exposed_file/private_key"},
		{"/wp-config.php.bak", "application/octet-stream", "<?php\ndefine( 'DB_NAME', 'shop' );\ndefine( 'DB_PASSWORD', 'hunter2hunter2' );\n", "exposed_file/config"},
		{"/composer.lock", "application/json", "{\n \"_readme\": [],\n \"content-hash\": \"0123456789abcdef0123456789abcdef\",\n \"packages\": []\n}", "exposed_file/manifest"},
		{"/config/database.yml", "text/yaml", "production:\n  adapter: postgresql\n  username: shop\n  password: Winter-2026-db\n", "exposed_file/config"},
		{"/application.properties", "text/plain", "spring.redis.password=s3cr3t-redis\nspring.datasource.url=jdbc:mysql://10.0.0.3/shop\ncos.secretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA\n", "exposed_file/config"},
		{"/logs/access.log", "text/plain", "203.0.113.9 - - [01/Mar/2026:08:00:00 +0800] \"GET /api/user?token=tok-7f3a9c HTTP/1.1\" 200 512 \"-\" \"curl/8\"\n", "exposed_file/log"},
		{"/uploads/", "text/html;charset=UTF-8", apache, "directory_listing"},
		{"/pub/", "text/html", "<html>\r\n<head><title>Index of /pub/</title></head>\r\n<body>\r\n<h1>Index of /pub/</h1><hr><pre><a href=\"../\">../</a>\r\n<a href=\"a.txt\">a.txt</a> 01-Mar-2026 08:00 12\r\n</pre><hr></body>\r\n</html>\r\n", "directory_listing"},
	}
	for range 2 {
		for _, x := range exposed {
			s.send(ask{target: x.path, ctype: x.ctype, resp: x.body})
		}
		s.send(ask{target: "/api/boom?x=1", status: 500, ctype: "text/html", resp: "<!doctype html>\n<html lang=en>\n  <head>\n    <title>KeyError: 'shop' // Werkzeug Debugger</title>\n    <script>var CONSOLE_MODE = false, EVALEX = true, EVALEX_TRUSTED = false, SECRET = \"gXq1\";</script>"})
		s.send(ask{method: "POST", target: "/graphql", body: `{"query":"{__schema{types{name}}}"}`, resp: `{"data":{"__schema":{"queryType":{"name":"Query"},"types":[{"name":"Query"},{"name":"User"}]}}}`})
	}
	for i := range 3 {
		origin := fmt.Sprintf("https://stranger%d.example", i)
		s.send(ask{target: "/api/me", headers: []pair{{"Origin", origin}, {"Cookie", "JSESSIONID=0123456789abcdef01234567"}}, answer: []pair{{"Access-Control-Allow-Origin", origin}, {"Access-Control-Allow-Credentials", "true"}}, resp: `{"code":0}`})
	}
	r := s.analyse(t)
	// What a file gives away, the report must not give away again.
	text := string(marshal(t, &r))
	for _, secret := range []string{"correct-horse", "hunter2hunter2", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "gXq1", "s3cr3t-redis", "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA", "Winter-2026-db", "tok-7f3a9c"} {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("the report holds %q: …%s…", secret, text[max(0, i-120):i+40])
		}
	}
	got := found(r)
	for _, x := range exposed {
		if len(got[x.kind]) == 0 {
			t.Errorf("%s is not found as %s", x.path, x.kind)
		}
	}
	for _, k := range []string{"debug_page", "graphql_introspection", "cors"} {
		if len(got[k]) == 0 {
			t.Errorf("no %s", k)
		}
	}

	// The same paths where nothing stands behind them: refused, a page for every
	// address, and a door that wants a login.
	for name, answer := range map[string]ask{
		"404":            {status: 404, ctype: "text/html", resp: "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"},
		"one page app":   {ctype: "text/html", resp: "<!doctype html><html><head><title>Shop</title></head><body><div id=\"app\"></div><script src=\"/app.js\"></script></body></html>"},
		"login page":     {ctype: "text/html", resp: "<html><head><title>Sign in</title></head><body><form action=/login><input name=user></form></body></html>"},
		"refused":        {status: 403, ctype: "text/plain", resp: "ref: refs/heads/master APP_KEY=x DB_PASSWORD=y"},
		"JSON not found": {resp: `{"code":404,"msg":"not found"}`},
	} {
		s := newTraffic("quiet.example.com")
		s.background()
		for range 3 {
			for _, x := range exposed {
				a := answer
				a.target = x.path
				s.send(a)
			}
			s.send(ask{target: "/blog/git", ctype: "text/html", resp: "<html><head><title>How .git/HEAD works</title></head><body><article><pre>ref: refs/heads/master</pre><p>Traceback and Werkzeug Debugger, Index of /</p></article></body></html>"})
			s.send(ask{target: "/download/report.zip", ctype: "application/zip", resp: zip})
			s.send(ask{target: "/api/public", headers: []pair{{"Origin", "https://anybody.example"}}, answer: []pair{{"Access-Control-Allow-Origin", "*"}}, resp: `{"code":0}`})
		}
		for k, where := range found(s.analyse(t)) {
			t.Errorf("%s: %s on %v", name, k, where)
		}
	}
}

// TestNewKindsOverTheWire lets people use a site with the defects of this
// issue, and one that does the same things right.
func TestNewKindsOverTheWire(t *testing.T) {
	run := func(bad bool) map[string][]string {
		s := newTraffic("shop.example.com")
		s.background()
		for i := range 24 {
			phone, code, token := fmt.Sprintf("1380013%04d", 8000+i), fmt.Sprint(482913+7907*i%400000), fmt.Sprintf("%x", md5.Sum(fmt.Append(nil, i)))
			auth := []pair{{"Authorization", "Bearer " + token}}
			sent, pw, mobile, extra := `{"code":0,"msg":"ok","data":{"expire":300,"smsCode":"`+code+`"}}`, fmt.Sprintf("%06d", 135790+i%3*1111), `"mobile":"`+phone+`",`, `,"costPrice":3.5,"serverIp":"10.2.3.4","isDeleted":0`
			if !bad {
				sent, pw, mobile, extra = `{"code":0,"msg":"ok","data":{"expire":300,"requestId":"84930213"}}`, fmt.Sprintf("Zq!%d-vakuum-Rost", 7000+i), "", ""
			}
			s.send(ask{method: "POST", target: "/api/sms/send", body: `{"phone":"` + phone + `","scene":"login"}`, resp: sent})
			s.send(ask{method: "POST", target: "/api/sms/login", body: `{"phone":"` + phone + `","code":"` + code + `"}`, resp: `{"code":0,"data":{"token":"` + token + `"}}`})
			s.send(ask{method: "POST", target: "/api/login", body: fmt.Sprintf(`{"username":"kunde%04d","password":"%s"}`, i, pw), resp: `{"code":0,"msg":"success","data":{"token":"` + token + `","role":"member"}}`})
			s.send(ask{target: "/api/user/me", headers: auth, resp: fmt.Sprintf(`{"code":0,"data":{"username":"kunde%04d","role":"member","isAdmin":false}}`, i)})
			s.send(ask{target: fmt.Sprintf("/api/parcels/%d", 90000+i), headers: auth, resp: `{"code":0,"data":{"id":` + fmt.Sprint(90000+i) + `,` + mobile + `"phoneMask":"` + phone[:3] + "****" + phone[7:] + `","status":"sent"}}`})
			s.send(ask{target: fmt.Sprintf("/api/stock?page=%d", i), headers: auth, resp: `{"code":0,"data":{"list":[{"sku":"k-1","price":9.9` + extra + `},{"sku":"k-2","price":8.9` + extra + `}]}}`})
		}
		admin := `{"username":"admin","password":"admin123"}`
		if !bad {
			admin = `{"username":"admin","password":"Vq7!rebstock-Lampe-91"}`
		}
		s.send(ask{client: "198.51.100.9", method: "POST", target: "/admin/login", body: admin, resp: `{"code":0,"msg":"success","data":{"token":"feedfacefeedfacefeedfacefeedface"}}`})
		return found(s.analyse(t))
	}
	got := run(true)
	for kind, where := range map[string]string{
		"code_in_response": "POST /api/sms/send", "weak_in_use": "POST /api/login", "admin_weak_or_default/generic": "POST /admin/login",
		"masked_plain_twin": "GET /api/parcels/{parcel}", "internal_fields": "GET /api/stock",
	} {
		if len(got[kind]) != 1 || !strings.HasPrefix(got[kind][0], strings.TrimSuffix(where, "{parcel}")) {
			t.Errorf("%s on %v, want %s; all: %v", kind, got[kind], where, got)
		}
	}
	good := run(false)
	for _, kind := range slices.Sorted(maps.Keys(good)) {
		switch kind {
		case "code_in_response", "weak_in_use", "masked_plain_twin", "internal_fields":
			t.Errorf("done right and still %s on %v", kind, good[kind])
		}
		if strings.HasPrefix(kind, "admin_weak_or_default") {
			t.Errorf("done right and still %s on %v", kind, good[kind])
		}
	}
}
