package engine_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/judge"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/sarif"
	"xiezhi/internal/report/xlsx"
	"xiezhi/internal/source"
	"xiezhi/rules"
)

const canaries = 1000

// canary makes the i-th unique value of a kind. Values are valid by their
// checksums, so that a recogniser must know them.
var canary = map[string]func(i int, r *mrand.Rand) string{
	"cn_mobile": func(i int, r *mrand.Rand) string { return fmt.Sprintf("139%08d", 10000000+i*7919%90000000) },
	"cn_resident_id": func(i int, r *mrand.Rand) string {
		d := fmt.Sprintf("110105%04d%02d%02d%03d", 1960+i%40, 1+i%12, 1+i%28, i%1000)
		w := []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
		s := 0
		for j := range 17 {
			s += int(d[j]-'0') * w[j]
		}
		return d + string("10X98765432"[s%11])
	},
	"bank_card": func(i int, r *mrand.Rand) string {
		d := fmt.Sprintf("622202%09d", 100000000+i*104729%900000000)
		s := 0
		for j := len(d) - 1; j >= 0; j-- {
			v := int(d[j] - '0')
			if (len(d)-j)%2 == 1 {
				if v *= 2; v > 9 {
					v -= 9
				}
			}
			s += v
		}
		return d + fmt.Sprint((10-s%10)%10)
	},
	"email": func(i int, r *mrand.Rand) string {
		return fmt.Sprintf("canary.person%04dx@mail-%d.example.org", i, i%97)
	},
	"cn_uscc": func(i int, r *mrand.Rand) string {
		const set = "0123456789ABCDEFGHJKLMNPQRTUWXY"
		d := fmt.Sprintf("91110105MA%07d", 1000000+i*7) // authority, type, region, body
		w := []int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
		s := 0
		for j := range 17 {
			s += strings.IndexByte(set, d[j]) * w[j]
		}
		return d + string(set[(31-s%31)%31])
	},
	"plate": func(i int, r *mrand.Rand) string { return fmt.Sprintf("京A%05d", 10000+i*73%90000) },
	"name":  func(i int, r *mrand.Rand) string { return "欧阳" + string(rune(0x4e00+i)) + string(rune(0x5e00+i)) },
	"address": func(i int, r *mrand.Rand) string {
		return fmt.Sprintf("杭州市西湖区金丝雀路%d号%d室", 20000+i, 30000+i)
	},
	"password": func(i int, r *mrand.Rand) string { return fmt.Sprintf("Kanarie#%06d!q%c", i*37, 'a'+i%26) },
	"code":     func(i int, r *mrand.Rand) string { return fmt.Sprintf("%08d", 20310777+i*70901%79000000) },
	"session":  func(i int, r *mrand.Rand) string { return fmt.Sprintf("sess%028x", r.Uint64()) },
	"api_key":  func(i int, r *mrand.Rand) string { return fmt.Sprintf("LTAI%020X", r.Uint64()) },
	"jwt": func(i int, r *mrand.Rand) string {
		e := base64.RawURLEncoding.EncodeToString
		return e([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + e(fmt.Appendf(nil, `{"sub":"canaryuser%d","exp":1900000000}`, i)) + "." + e(fmt.Appendf(nil, "%032x", r.Uint64()))
	},
}

// unzipped gives the parts of a workbook one after the other.
func unzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&out, r); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// TestCanary feeds unique personal values, passwords and credentials through
// every place of requests and responses, in business answers, errors, stack
// traces and attacks, and looks for them in everything that analyze writes.
func TestCanary(t *testing.T) {
	values, input := canaryFile(t)
	in, err := source.Expand([]string{input}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var attributed, apis bytes.Buffer
	spill := t.TempDir()
	var spilled []string
	cfg := engine.AnalyzeConfig{Version: "test", Tools: tools(t), Inputs: in, Workers: 2, Random: rand.Reader,
		Attributed: &attributed, APIs: &apis, Memory: 64 << 10,
		Temp: func() (judge.SpillFile, error) {
			f, err := os.CreateTemp(spill, "spill-*")
			if err == nil {
				spilled = append(spilled, f.Name())
			}
			return f, err
		}}
	res, err := engine.Analyze(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if res.Report.Input.Analysed == 0 || len(res.Report.Defects) == 0 {
		t.Fatalf("the canary traffic shows nothing: %d exchanges, %d defects", res.Report.Input.Analysed, len(res.Report.Defects))
	}
	kinds := map[string]bool{}
	for _, d := range res.Report.Defects {
		kinds[d.Kind] = true
	}
	for _, k := range []string{"masked_plain_twin", "code_in_response", "secret_in_response"} {
		if !kinds[k] {
			t.Errorf("the canary traffic shows no %s: its texts were not tested", k)
		}
	}
	if len(spilled) == 0 {
		t.Fatal("nothing was spilled: temporary files were not tested")
	}

	outputs := map[string][]byte{"--attributed": attributed.Bytes(), "--apis": apis.Bytes(), "--json": marshal(t, res.Report)}
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"zh", "en"} {
		var b bytes.Buffer
		if err := report.Terminal(&b, res.Report, report.TerminalConfig{Lang: lang, Messages: msgs, All: true}); err != nil {
			t.Fatal(err)
		}
		outputs["summary in "+lang] = b.Bytes()
		if lang == "en" { // the documents hold the same values in either language, and the search is long
			continue
		}
		var apiDocs bytes.Buffer
		docs, err := res.Report.OpenAPI("", lang, msgs)
		if err != nil || len(docs) == 0 {
			t.Fatalf("%d descriptions, %v", len(docs), err)
		}
		for _, d := range docs {
			apiDocs.WriteString(d.Name)
			apiDocs.Write(d.Data)
		}
		for i := range res.Report.APIs {
			if err := report.APIDetail(&apiDocs, &res.Report.APIs[i], lang, msgs); err != nil {
				t.Fatal(err)
			}
		}
		outputs["OpenAPI and api show"] = apiDocs.Bytes()
		var page, findings, book bytes.Buffer
		err = errors.Join(html.Write(&page, res.Report, html.Config{Lang: lang, Messages: msgs}),
			sarif.Write(&findings, res.Report, sarif.Config{Lang: lang, Messages: msgs}),
			xlsx.Write(&book, res.Report, xlsx.Config{Lang: lang, Messages: msgs}))
		if err != nil {
			t.Fatal(err)
		}
		outputs["--html in "+lang], outputs["--sarif in "+lang], outputs["--xlsx in "+lang] = page.Bytes(), findings.Bytes(), unzipped(t, book.Bytes())
	}
	for _, name := range spilled {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		outputs["temporary file "+filepath.Base(name)] = b
	}
	searchCanaries(t, values, outputs)
}

// canaryFile gives the values and a file of the traffic that carries them.
func canaryFile(t *testing.T) (values map[string][]string, input string) {
	t.Helper()
	r := mrand.New(mrand.NewPCG(7, 7))
	values = map[string][]string{}
	for _, kind := range []string{"cn_mobile", "cn_resident_id", "bank_card", "email", "cn_uscc", "plate", "name", "address", "password", "session", "api_key", "jwt", "code"} {
		for i := range canaries {
			values[kind] = append(values[kind], canary[kind](i, r))
		}
	}
	input = filepath.Join(t.TempDir(), "canary.harl")
	if err := os.WriteFile(input, canaryTraffic(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return values, input
}

// searchCanaries looks for the values in what was written.
func searchCanaries(t *testing.T, values map[string][]string, outputs map[string][]byte) {
	t.Helper()
	planted := "mail=" + values["email"][7] + "," + strings.ToUpper(values["name"][3]) + "x" + values["code"][5] + " "
	if n := len(leaksOf(t, values, map[string][]byte{"plant": []byte(planted)})); n != 2 { // the code stands in no word of its own
		t.Fatalf("of three values planted, one of them within a word, %d were found", n)
	}
	kinds := map[string]int{}
	for _, l := range leaksOf(t, values, outputs) {
		if kinds[l.kind]++; kinds[l.kind] <= 3 {
			t.Errorf("%s %q is in %s", l.kind, l.text, l.where)
		}
	}
	for kind, n := range kinds {
		if n > 3 {
			t.Errorf("%s: %d leaks in all", kind, n)
		}
	}
}

type leak struct{ kind, text, where string }

// leaksOf looks for the values in every form that they may take.
func leaksOf(t *testing.T, values map[string][]string, outputs map[string][]byte) (out []leak) {
	t.Helper()
	// Outputs are large and values many, so that the outputs are gone through
	// once: what begins like a form of a value is compared with it.
	begins := map[[8]byte][]leak{}
	for kind, list := range values {
		for _, v := range list {
			forms := []string{v, gb18030(v), url.QueryEscape(gb18030(v)), url.QueryEscape(v), strings.ToLower(v), strings.ToUpper(v), base64.StdEncoding.EncodeToString([]byte(v))}
			if q, err := json.Marshal(v); err == nil {
				forms = append(forms, strings.Trim(string(q), `"`))
			}
			slices.Sort(forms)
			for _, f := range slices.Compact(forms) {
				if len(f) < 8 {
					t.Fatalf("%s %q is too short to be searched for", kind, f)
				}
				begins[[8]byte([]byte(f))] = append(begins[[8]byte([]byte(f))], leak{kind: kind, text: f})
			}
		}
	}
	for where, b := range outputs {
		found := map[string]bool{}
		for i := 0; i+8 <= len(b); i++ {
			for _, f := range begins[[8]byte(b[i:i+8])] {
				if !found[f.text] && bytes.HasPrefix(b[i:], []byte(f.text)) && holds(b[max(0, i-1):min(len(b), i+len(f.text)+1)], f.text, f.kind == "code") {
					found[f.text] = true
					f.where = where
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// holds reports whether b holds the value; a bare number counts only as a word,
// since ids are full of digits.
func holds(b []byte, v string, word bool) bool {
	if !word {
		return bytes.Contains(b, []byte(v))
	}
	part := func(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(v))
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(v)
		if (from == 0 || !part(b[from-1])) && (to == len(b) || !part(b[to])) {
			return true
		}
		at = from + 1
	}
}

// canaryTraffic is a small site that carries every value in many places.
func canaryTraffic(v map[string][]string) []byte {
	var out bytes.Buffer
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	n := 0
	send := func(client int, method, target string, headers [][2]string, body, ctype string, status int, respHeaders [][2]string, resp string) {
		n++
		at = at.Add(120 * time.Millisecond)
		type nv struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		}
		hs := []nv{{"Host", "shop.example.com"}, {"User-Agent", "Mozilla/5.0 Chrome/131.0"}, {"Accept", "application/json"}}
		for _, h := range headers {
			hs = append(hs, nv{h[0], h[1]})
		}
		rs := []nv{}
		typed := false
		for _, h := range respHeaders {
			rs = append(rs, nv{h[0], h[1]})
			typed = typed || h[0] == "Content-Type"
		}
		if !typed {
			rs = append(rs, nv{"Content-Type", "application/json"})
		}
		req := map[string]any{"method": method, "url": "http://shop.example.com" + target, "httpVersion": "HTTP/1.1", "headers": hs,
			"queryString": []any{}, "cookies": []any{}, "headersSize": -1, "bodySize": len(body)}
		if body != "" {
			req["postData"] = map[string]any{"mimeType": ctype, "text": body}
		}
		e := map[string]any{"startedDateTime": at.Format(time.RFC3339Nano), "time": 12.5, "cache": map[string]any{}, "timings": map[string]any{"send": 0, "wait": 12, "receive": 0},
			"request": req, "_client": map[string]any{"ip": fmt.Sprintf("203.0.113.%d", 1+client%200), "port": 40000 + n%20000},
			"_server": map[string]any{"ip": "192.0.2.10", "port": 80},
			"response": map[string]any{"status": status, "statusText": "", "httpVersion": "HTTP/1.1", "headers": rs, "cookies": []any{},
				"content":     map[string]any{"size": len(resp), "mimeType": "application/json", "encoding": "base64", "text": base64.StdEncoding.EncodeToString([]byte(resp))},
				"redirectURL": "", "headersSize": -1, "bodySize": len(resp)}}
		b, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		out.Write(append(b, '\n'))
	}
	for i := range canaries {
		phone, id, card, mail, plate := v["cn_mobile"][i], v["cn_resident_id"][i], v["bank_card"][i], v["email"][i], v["plate"][i]
		name, addr, pw, sess, key, jwt := v["name"][i], v["address"][i], v["password"][i], v["session"][i], v["api_key"][i], v["jwt"][i]
		person := fmt.Sprintf(`{"id":%d,"name":%q,"mobile":%q,"idCard":%q,"bankCard":%q,"email":%q,"address":%q,"plate":%q,"creditCode":%q,"password":%q,"accessKey":%q}`, i, name, phone, id, card, mail, addr, plate, v["cn_uscc"][i], pw, key)
		cookie := [][2]string{{"Cookie", "JSESSIONID=" + sess}, {"Authorization", "Bearer " + jwt}}
		send(i, "POST", "/api/register", nil, fmt.Sprintf(`{"mobile":%q,"email":%q,"password":%q,"confirmPassword":%q,"realName":%q}`, phone, mail, pw, pw, name), "application/json", 200,
			[][2]string{{"Set-Cookie", "JSESSIONID=" + sess + "; Path=/"}}, fmt.Sprintf(`{"code":0,"msg":"success","data":{"token":%q}}`, jwt))
		send(i, "POST", "/api/login", nil, "username="+url.QueryEscape(mail)+"&password="+url.QueryEscape(pw), "application/x-www-form-urlencoded", 200, nil,
			fmt.Sprintf(`{"code":1001,"msg":"账号 %s 不存在"}`, mail))
		send(i, "GET", "/api/user/"+phone, cookie, "", "", 200, nil, `{"code":0,"data":`+person+`}`)
		send(i, "GET", "/api/query?idcard="+id+"&name="+url.QueryEscape(name)+"&token="+jwt+"&plate="+url.QueryEscape(plate), nil, "", "", 200, nil, `{"code":0,"data":[`+person+`]}`)
		send(i, "GET", "/api/vehicle/"+url.PathEscape(plate)+"/card/"+card, cookie, "", "", 404, nil, fmt.Sprintf(`{"code":404,"msg":"card %s of %s (%s) not found"}`, card, name, phone))
		send(i, "GET", fmt.Sprintf("/api/parcel/%d", i), cookie, "", "", 200, nil, fmt.Sprintf(`{"code":0,"data":{"id":%d,"phoneMask":"%s****%s","mobile":%q,"idCardMask":"%s***********%s","idCard":%q,"nameMask":"%s*","realName":%q}}`,
			i, phone[:3], phone[7:], phone, id[:3], id[14:], id, name[:6], name))
		send(i, "POST", "/api/sms/send", nil, fmt.Sprintf(`{"phone":%q,"scene":"login"}`, phone), "application/json", 200, [][2]string{{"X-Debug-Code", v["code"][i]}}, fmt.Sprintf(`{"code":0,"msg":"验证码 %s 已发送","data":{"smsCode":%q}}`, v["code"][i], v["code"][i]))
		send(i, "POST", "/api/sms/login", nil, fmt.Sprintf(`{"phone":%q,"smsCode":%q}`, phone, v["code"][i]), "application/json", 200, nil, fmt.Sprintf(`{"code":1,"msg":"验证码 %s 错误"}`, v["code"][i]))
		if i%4 == 0 {
			send(i, "GET", "/api/export?email="+url.QueryEscape(mail), nil, "", "", 500, nil,
				fmt.Sprintf("java.lang.IllegalStateException: duplicate %s for %s\n\tat com.shop.User.load(User.java:42)\n\tat com.shop.Api.get(Api.java:7)\nSQL: select * from user where mobile='%s' and password='%s'", mail, id, phone, pw))
		}
		send(i, "GET", "/api/company/"+v["cn_uscc"][i]+"/profile", cookie, "", "", 200, nil, fmt.Sprintf(`{"code":0,"data":{"creditCode":%q}}`, v["cn_uscc"][i]))
		if i%5 == 0 { // every value of these in one of the other formats
			formats := canaryFormats(i, [][2]string{{"姓名", name}, {"mobile", phone}, {"idCard", id}, {"bankCard", card}, {"email", mail}, {"address", addr}, {"plate", plate}, {"password", pw}})
			f := formats[i/5%len(formats)]
			send(i, "POST", "/api/format/"+f.name, [][2]string{{"Content-Type", f.reqType}}, f.req, f.reqType, 200, [][2]string{{"Content-Type", f.respType}, {"Content-Disposition", f.disposition}}, f.resp)
		}
		if i%10 == 1 { // in calls, batches and their errors
			auth := [][2]string{cookie[1]}
			doc, _ := json.Marshal(fmt.Sprintf(`mutation Save { a: savePerson(name: %q, mobile: %q, password: %q) { id } b: savePerson(idCard: %q, address: %q, token: %q) { id } }`, name, phone, pw, id, addr, jwt))
			send(i, "POST", "/graphql", auth, `{"query":`+string(doc)+`}`, "application/json", 200, nil,
				fmt.Sprintf(`{"data":{"a":%s,"b":null},"errors":[{"message":"card %s of %s","path":["b"],"extensions":{"code":"BAD_USER_INPUT"}}]}`, person, card, mail))
			send(i, "POST", "/rpc", auth, fmt.Sprintf(`[{"jsonrpc":"2.0","method":"user.login","params":{"mobile":%q,"password":%q},"id":1},{"jsonrpc":"2.0","method":"user.find","params":[%q,%q],"id":%q}]`, phone, pw, name, id, mail), "application/json", 200, nil,
				fmt.Sprintf(`[{"jsonrpc":"2.0","result":%s,"id":%q},{"jsonrpc":"2.0","error":{"code":-32001,"message":"no account %s","data":%s},"id":1}]`, person, mail, phone, person))
			send(i, "POST", "/xmlrpc.php", auth, fmt.Sprintf(`<methodCall><methodName>wp.getUsersBlogs</methodName><params><param><value>%s</value></param><param><value>%s</value></param></params></methodCall>`, mail, pw), "text/xml", 200, [][2]string{{"Content-Type", "text/xml"}},
				fmt.Sprintf(`<methodResponse><fault><value><struct><member><name>faultString</name><value>no %s with %s</value></member></struct></value></fault></methodResponse>`, mail, phone))
			send(i, "GET", "/gateway.do?method=user.find&mobile="+phone+"&service="+url.QueryEscape(mail)+"&action="+phone, auth, "", "", 200, nil, `{"code":0,"data":`+person+`}`)
		}
		send(i, "GET", "/api/search?q="+url.QueryEscape("' union select password from users where phone="+phone+" --"), cookie, "", "", 200, nil, `{"code":0,"data":[]}`)
	}
	return out.Bytes()
}
