package observe

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// samples are exchanges of many kinds.
func samples() []call {
	jsonHead := []string{"Content-Type", "application/json", "User-Agent", "okhttp/4.12.0", "Cookie", "SESSION=aB3dE5fG7hI9jK1lM3; _ga=GA1.2.3.4"}
	list := []call{
		{target: "/users/v1/carol105?page=2", head: []string{"Authorization", "Bearer " + jwtOf(`{"sub":"carol105","exp":1700003600}`)}, respBody: `{"code":0,"data":{"email":"carol@example.com","owner":"carol105"}}`},
		{target: "/login", head: jsonHead, body: `{"username":"bob","password":"Tr0ub4dor&3"}`, respBody: `{"status":"fail","message":"Password is not correct for bob"}`, status: 401},
		{target: "/form", head: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "mobile=13800138000&code=123456&data=%7B%22id%22%3A7%7D"},
		{target: "/up", head: []string{"Content-Type", "multipart/form-data; boundary=xyz"}, body: "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xyz--"},
		{target: "/page", respHead: []string{"Content-Type", "text/html"}, respBody: "<html><title>Login</title>13800138000</html>"},
		{target: "/soap", head: []string{"Content-Type", "text/xml"}, body: "<?xml version='1.0'?><a>13800138000</a>", respHead: []string{"Content-Type", "text/xml"}, respBody: "<fault>no</fault>"},
		{target: "/basic", head: []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:admin123"))}},
		{target: "/x?id=1%27%20OR%201%3D1--", status: 500, respBody: "Traceback (most recent call last):\n  File \"a.py\", line 1"},
		{target: "/bulk", respBody: `[{"id":1,"phone":"13800138001"},{"id":2,"phone":"13800138002"}]`, respHead: []string{"Set-Cookie", "sid=0123456789abcdef0123; Secure"}},
		{target: "/soap2?q=%D5%C5%C8%FD%u5f20", head: []string{"Content-Type", "text/xml"}, body: `<s:Envelope xmlns:s="x"><s:Body><login><u a="1">13800138000</u><u>{"x":[{"y":1}]}</u></login></s:Body></s:Envelope>`,
			respHead: []string{"Content-Type", "text/xml; charset=gbk"}, respBody: gbk(`<Fault><faultcode>a:b</faultcode><faultstring>密码错误</faultstring></Fault>`)},
		{target: "/pack", head: []string{"Content-Type", "application/msgpack"}, body: "\x81\xa5phone\xab13800138000", respHead: []string{"Content-Type", "application/x-msgpack"}, respBody: "\x92\x81\xa1a\x01\x81\xa1a\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"},
		{target: "/csv", respHead: []string{"Content-Type", "text/csv", "Content-Disposition", "attachment; filename=\"a 13800138000.csv\""}, respBody: "姓名,手机号\n张三丰,13800138000\n"},
		{target: "/html", respHead: []string{"Content-Type", "text/html"}, respBody: "<html><table><tr><th>姓名<th>手机号<tr><td>张三丰<td>13800138000</table><p class=error>用户不存在</p><script>alert('x')</script><input name=a value=13800138001>"},
		{target: "/events", respHead: []string{"Content-Type", "text/event-stream"}, respBody: "data: {\"a\":1}\n\ndata: {\"a\":2}\n"},
		{target: "/mixed", head: []string{"Content-Type", "multipart/mixed; boundary=x"}, body: "--x\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\na,b\n1,2\r\n--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n{}\r\n--y--\r\n--x--",
			respHead: []string{"Content-Type", "multipart/related; boundary=x"}, respBody: "--x\r\nContent-Type: text/xml\r\n\r\n<a><b>1</b></a>\r\n--x--"},
		{target: "/lines", respHead: []string{"Content-Type", "application/x-ndjson"}, respBody: "{\"a\":1}\n{\"a\n{\"a\":3}\n"},
		{target: "/graphql", head: jsonHead, body: `[{"query":"query Q($i:ID!){u:user(id:$i){phone}}","variables":{"i":"7"}},{"query":"mutation{a:login(username:\"bob\",password:\"x1\"){token} b:login(username:\"amy\",password:\"x2\"){token}}"}]`,
			respBody: `[{"data":{"u":{"phone":"13800138000"}}},{"data":{"a":null,"b":{"token":"0123456789abcdef"}},"errors":[{"message":"wrong password","path":["a"]}]}]`},
		{target: "/rpc", head: jsonHead, body: `[{"jsonrpc":"2.0","method":"user.get","params":["13800138000"],"id":1},{"jsonrpc":"2.0","method":"log"}]`, respBody: `[{"jsonrpc":"2.0","error":{"code":-32601,"message":"no 13800138000"},"id":1}]`},
		{target: "/xmlrpc.php", head: []string{"Content-Type", "text/xml"}, body: `<methodCall><methodName>wp.getUsersBlogs</methodName><params><param><value>admin</value></param><param><value>pw</value></param></params></methodCall>`,
			respHead: []string{"Content-Type", "text/xml"}, respBody: `<methodResponse><params><param><value><array><data><value><i4>7</i4></value></data></array></value></param></params></methodResponse>`},
		{target: "/ws?token=0123456789abcdef", status: 101, said: []string{`>{"type":"login","id":1,"username":"bob","password":"x1"}`, `<{"id":1,"type":"error","message":"wrong password"}`, `>42["chat",{"to":"13800138000"}]`, `<hello`}},
		{target: "/cut", body: `{"a":"b","c":[1,2,{"d":"`, respBody: `{"x":`},
	}
	return list
}

func TestObserveIsPure(t *testing.T) {
	calls := samples()
	for i := range 40 {
		c := calls[i%len(calls)]
		c.target = fmt.Sprintf("%s&n=%d", c.target, i)
		c.respBody = strings.Replace(c.respBody, "carol", fmt.Sprintf("carol%d", i), 1)
		calls = append(calls, c)
	}
	want := make([][]byte, len(calls))
	var b Batch
	for i, c := range calls {
		b.Reset()
		newObserver(t).Observe(c.exchange(), &b)
		want[i] = b.AppendEncoded(nil)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 3 {
		o := newObserver(t)
		if round == 2 {
			o.fields.list = make([]fieldEntry, fieldFull) // a table about to be emptied
			o.fields.index = make([]uint32, fieldSlots)
		}
		for _, i := range r.Perm(len(calls)) {
			if round == 1 {
				b.Reset()
			} else {
				b = Batch{}
			}
			o.Observe(calls[i].exchange(), &b)
			if got := b.AppendEncoded(nil); !bytes.Equal(got, want[i]) {
				t.Fatalf("round %d: %s differs from its observation alone", round, calls[i].target)
			}
		}
	}
}

// canaries gives values of each kind that a recogniser knows or that stands
// in a field which promises it.
func canaries(r *rand.Rand, n int) (values []string, calls []call) {
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = '0' + byte(r.IntN(10))
		}
		return string(b)
	}
	word := func(n int) string {
		const abc = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
		b := make([]byte, n)
		for i := range b {
			b[i] = abc[r.IntN(len(abc))]
		}
		return string(b)
	}
	id := func() string {
		s := "110101" + fmt.Sprintf("%d%02d%02d", 1950+r.IntN(50), 1+r.IntN(12), 1+r.IntN(28)) + fmt.Sprintf("%03d", r.IntN(1000))
		sum := 0
		for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
			sum += int(s[i]-'0') * w
		}
		return s + string("10X98765432"[sum%11])
	}
	card := func() string {
		s := "622202" + digits(12)
		sum := 0
		for i := range s {
			d := int(s[len(s)-1-i] - '0')
			if i%2 == 0 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
		}
		return s + string(byte('0'+(10-sum%10)%10))
	}
	kinds := []struct {
		field string
		make  func() string
		alone bool // known without its field's name: also in paths and text
	}{
		{"mobile", func() string { return "138" + digits(8) }, true},
		{"idCard", id, true},
		{"bankCard", card, true},
		{"email", func() string { return "u" + word(8) + "@mail" + word(4) + ".com" }, true},
		{"accessToken", func() string { return jwtOf(`{"sub":"` + word(10) + `"}`) }, true},
		{"realName", func() string { return "欧阳" + string(rune(0x4e00+r.IntN(2000))) + string(rune(0x4e00+r.IntN(2000))) }, false},
		{"username", func() string { return "usr" + word(9) }, false},
		{"password", func() string { return word(6) + "!" + word(5) }, false},
		{"newPassword", func() string { return word(4) + "%" + word(6) }, false},
		{"token", func() string { return word(32) }, false},
	}
	jsonHead := []string{"Content-Type", "application/json"}
	for _, k := range kinds {
		for i := range n {
			v := k.make()
			values = append(values, v)
			c := call{target: "/api/v1/x", head: jsonHead, respHead: jsonHead}
			msg := `{"code":500,"message":"value ` + v + ` is wrong","echo":"` + v + `"}`
			switch i % 7 {
			case 0:
				c.body, c.respBody = `{"`+k.field+`":"`+v+`"}`, msg
			case 1:
				c.respBody = `{"data":[{"` + k.field + `":"` + v + `"}]}`
			case 2:
				c.head = []string{"Content-Type", "application/x-www-form-urlencoded"}
				c.body = k.field + "=" + escape(v)
				c.respBody = msg
			case 3:
				c.target, c.respBody = "/api/v1/x?"+k.field+"="+escape(v), msg
				c.respHead = []string{"Content-Type", "application/json", "Location", "/u/" + v}
			case 4:
				c.head = []string{"Cookie", "session=" + v, "X-Api-Key", v, "Authorization", "Bearer " + v}
				c.respHead = []string{"Set-Cookie", "session=" + v}
			case 5:
				if k.alone {
					c.target = "/api/v1/x/" + escape(v) + "/detail"
					c.respHead = []string{"Content-Type", "text/html"}
					c.respBody = "<html><title>客户 " + v + "</title><p>" + v + "</p></html>"
				}
			case 6:
				c.head = []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("svc:"+v))}
				if k.alone {
					c.body = `{"` + v + `":{"remark":"call ` + v + ` now"}}`
				}
			}
			calls = append(calls, c)
		}
	}
	return values, calls
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func TestNoCanaryLeavesObserve(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 70
	}
	values, calls := canaries(rand.New(rand.NewPCG(3, 4)), n)
	o := newObserver(t)
	var b Batch
	leaks := 0
	for i, c := range calls {
		b.Reset()
		o.Observe(c.exchange(), &b)
		enc := b.AppendEncoded(nil)
		if bytes.Contains(enc, []byte(values[i])) || bytes.Contains(bytes.ToLower(enc), bytes.ToLower([]byte(values[i]))) {
			if leaks++; leaks < 12 {
				t.Errorf("%q leaves observe: target %s body %s response %s\n%+v", values[i], c.target, c.body, c.respBody, *b.At(0))
			}
		}
	}
	if leaks > 0 {
		t.Errorf("%d of %d values leak", leaks, len(values))
	}
	if len(o.request.text) != 0 || bytes.Contains(o.request.text[:cap(o.request.text)], []byte(values[len(values)-1])) {
		t.Error("plaintext outlives the exchange")
	}
	// the search itself works: what no recogniser knows stays readable
	b.Reset()
	o.Observe(call{target: "/api/plainword"}.exchange(), &b)
	if !bytes.Contains(b.AppendEncoded(nil), []byte("plainword")) {
		t.Error("a path word is not found in the encoding")
	}
}

func FuzzObserve(f *testing.F) {
	for _, c := range samples() {
		f.Add(c.target, strings.Join(c.head, "\n"), c.body, strings.Join(c.respHead, "\n"), c.respBody, c.status)
	}
	f.Add("/%", "Authorization\nBasic !!!\nCookie\n=;;=a; b\nForwarded\nfor=;=\"", `{"\ud800":"\u12`, "Set-Cookie\n=\nLocation\n//", "<title><h1>", 200)
	o := newObserver(f)
	var b, again, dec Batch
	f.Fuzz(func(t *testing.T, target, head, body, respHead, respBody string, status int) {
		c := call{target: target, head: strings.Split(head, "\n"), body: body, respHead: strings.Split(respHead, "\n"), respBody: respBody, status: status}
		x := c.exchange()
		before := fmt.Sprint(*x)
		b.Reset()
		o.Observe(x, &b)
		if fmt.Sprint(*x) != before {
			t.Fatal("observe writes to the exchange")
		}
		enc := b.AppendEncoded(nil)
		again.Reset()
		o.Observe(x, &again)
		if !bytes.Equal(enc, again.AppendEncoded(nil)) {
			t.Fatal("the second time differs from the first")
		}
		dec.Reset()
		if err := dec.Decode(enc); err != nil {
			t.Fatalf("own encoding does not decode: %v", err)
		}
		compare(t, b.obs, dec.obs)
		checkText(t, b.At(0))
	})
}

// checkText fails when a kept text is longer than MaxText or holds control
// characters.
func checkText(t *testing.T, o *Observation) {
	t.Helper()
	check := func(s string) {
		if len(s) > MaxText {
			t.Fatalf("%d bytes of text: %q", len(s), s)
		}
		for _, r := range s {
			if r < ' ' || r == 0x7f || r != 0xFFFD && hidden(r) && r > 0x7f {
				t.Fatalf("control character %U in %q", r, s)
			}
		}
	}
	for _, s := range []string{o.ID, o.Site, o.Host, o.Sensor, o.Method, o.AgentFamily, o.JA4, o.H2, o.Referer, o.Origin, o.Code, o.CodeField, o.Message, o.ServerBanner, o.Location} {
		check(s)
	}
	for i := range o.Segments {
		check(o.Segments[i].Text)
		check(o.Segments[i].Shape)
	}
	for i := range o.Params {
		check(o.Params[i].Name)
		check(o.Params[i].Shape)
	}
	for i := range o.Leaves {
		check(o.Leaves[i].Path)
	}
	for i := range o.Markers {
		check(o.Markers[i].What)
	}
	for _, list := range [][]Credential{o.Credentials, o.Issued} {
		for _, c := range list {
			check(c.Name)
			check(c.Shape)
		}
	}
}
