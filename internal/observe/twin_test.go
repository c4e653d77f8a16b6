package observe

import (
	"fmt"
	"strings"
	"testing"
)

// twinsOf gives "masked path = plain path × records" of an answer.
func twinsOf(t *testing.T, body string) string {
	t.Helper()
	o := observe(t, call{target: "/x", respBody: body})
	var l []string
	for i := range o.Exposures {
		if x := &o.Exposures[i]; x.Twins > 0 {
			if !x.Masked || !x.Response {
				t.Errorf("%s is no masked value of the response and has a twin", x.Path)
			}
			l = append(l, fmt.Sprintf("%s=%s×%d", x.Path, x.Twin, x.Twins))
		}
	}
	return strings.Join(l, " ")
}

func TestTwins(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"phone", `{"phoneMask":"138****8000","mobile":"13800138000"}`, "phoneMask=mobile×1"},
		{"phone, plain first and as a number", `{"mobile":13800138000,"mobileShow":"138****8000"}`, "mobileShow=mobile×1"},
		{"phone with a country code", `{"mobile":"+86 138-0013-8000","phoneMask":"138****8000"}`, "phoneMask=mobile×1"},
		{"x for a star", `{"mobile":"13800138000","phoneMask":"138xxxx8000"}`, "phoneMask=mobile×1"},
		{"three records", `{"list":[{"m":"138****8000","mobile":"13800138000"},{"m":"139****8001","mobile":"13900138001"},{"m":"137****1234","mobile":"13700131234"}]}`, "list[].m=list[].mobile×3"},
		{"only where they agree", `{"list":[{"m":"138****8000","mobile":"13800138000"},{"m":"139****8001","mobile":"13700131234"}]}`, "list[].m=list[].mobile×1"},
		{"resident ID", `{"idCard":"110105199512081230","idCardMask":"110***********1230"}`, ""},
		{"valid resident ID", `{"idCard":"11010519491231002X","idCardMask":"110***********002X"}`, "idCardMask=idCard×1"},
		{"bank card with a fixed number of stars", `{"bankCard":"6222021001116245702","bankCardMask":"6222****5702"}`, "bankCardMask=bankCard×1"},
		{"e-mail", `{"email":"alice.w@shop.example","emailMask":"a***@shop.example"}`, "emailMask=email×1"},
		{"name", `{"realName":"张伟","nameMask":"张*"}`, "nameMask=realName×1"},
		{"name in one object", `{"u":{"realName":"张伟","nameMask":"张*"}}`, "u.nameMask=u.realName×1"},
		{"another name", `{"u":{"realName":"李伟","nameMask":"张*"}}`, ""},
		{"the name of another object", `{"u":{"nameMask":"张*"},"legal":{"realName":"张伟"}}`, ""},
		{"another phone", `{"mobile":"13800138000","phoneMask":"139****8000"}`, ""},
		{"another record", `{"list":[{"phoneMask":"138****8000"},{"mobile":"13800138000"}]}`, ""},
		{"nothing shown", `{"mobile":"13800138000","phoneMask":"***********"}`, ""},
		{"too little shown", `{"mobile":"13800138000","phoneMask":"138********"}`, ""},
		{"masked only", `{"phoneMask":"138****8000","nameMask":"张*"}`, ""},
		{"plain only", `{"mobile":"13800138000"}`, ""},
		{"broken off", `{"mobile":"13800138000","phoneMask":"138****8000","x`, "phoneMask=mobile×1"},
	} {
		if got := twinsOf(t, c.body); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTwinsInOtherFormats(t *testing.T) {
	xml := `<?xml version="1.0"?><Envelope><Body><QueryResponse><user><mobile>13800138000</mobile><phoneMask>138****8000</phoneMask></user><user><mobile>13900138001</mobile><phoneMask>139****8001</phoneMask></user></QueryResponse></Body></Envelope>`
	pack := "\x82\xa6mobile\xab13800138000\xa9phoneMask\xab138****8000"
	for ctype, body := range map[string]string{"text/xml": xml, "application/msgpack": pack} {
		o := observe(t, call{target: "/x", respHead: []string{"Content-Type", ctype}, respBody: body})
		twins := uint32(0)
		for _, x := range o.Exposures {
			twins += x.Twins
		}
		if want := map[string]uint32{"text/xml": 2, "application/msgpack": 1}[ctype]; twins != want {
			t.Errorf("%s: %d twins, want %d: %+v", ctype, twins, want, o.Exposures)
		}
	}
}

func TestTwinsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"phones":[`)
	for i := range 500 {
		fmt.Fprintf(&b, `"1380013%04d","138****%04d",`, i, i)
	}
	b.WriteString(`"13900001234"]}`)
	o := observe(t, call{target: "/x", respBody: b.String()})
	if o.Overflow == 0 {
		t.Error("values beyond the cap are not counted")
	}
}

func TestTwinsLeaveNothing(t *testing.T) {
	o := newObserver(t)
	var b Batch
	o.Observe(call{target: "/x", respBody: `{"mobile":"13800138000","phoneMask":"138****8000"}`}.exchange(), &b)
	for _, c := range o.twins.text[:cap(o.twins.text)] {
		if c != 0 {
			t.Fatal("plaintext stays in the working space")
		}
	}
}

func TestCodes(t *testing.T) {
	submitted := func(body string) uint64 {
		p := observe(t, call{target: "/login/sms", body: body}).Params
		return p[len(p)-1].Token
	}
	code := submitted(`{"phone":"13800138000","code":"482913"}`)
	for _, body := range []string{`{"phone":"13800138000","code":482913}`, `{"phone":"13800138000","smsCode":"482913"}`, `{"phone":"13800138000","verifyCode":482913}`} {
		if submitted(body) != code {
			t.Errorf("%s: another token", body)
		}
	}
	const ask = `{"phone":"13800138000","scene":"login"}`
	for _, c := range []struct {
		name string
		call call
		want string // place of the code; "" when it is not there
	}{
		{"json text", call{body: ask, respBody: `{"code":0,"data":{"smsCode":"482913"}}`}, "data.smsCode"},
		{"json number", call{body: ask, respBody: `{"code":0,"data":482913}`}, "data"},
		{"in a sentence", call{body: ask, respBody: `{"code":0,"msg":"您的验证码为482913，5分钟内有效"}`}, "msg"},
		{"plain text", call{body: ask, respHead: []string{"Content-Type", "text/plain"}, respBody: `ok 482913`}, "body"},
		{"header", call{body: ask, respHead: []string{"X-Sms-Code", "482913"}, respBody: `{"code":0}`}, "header:x-sms-code"},
		{"cookie", call{body: ask, respHead: []string{"Set-Cookie", "smsCode=482913; Path=/"}, respBody: `{"code":0}`}, "header:set-cookie smsCode"},
		{"asked in the query", call{target: "/sms/send?phone=13800138000", respBody: `{"d":"482913"}`}, "d"},
		{"asked in the path", call{target: "/sms/13800138000", respBody: `{"d":"482913"}`}, "d"},
		{"no account named", call{body: `{"scene":"login"}`, respBody: `{"data":"482913"}`}, ""},
		{"a login with a password", call{body: `{"phone":"13800138000","password":"x"}`, respBody: `{"data":"482913"}`}, ""},
		{"part of an id", call{body: ask, respBody: `{"data":"A-482913"}`}, ""},
		{"a part of a date", call{body: ask, respBody: `{"data":"2026-03-02 10:00:00","t":"12482913771"}`}, ""},
		{"refused", call{body: ask, status: 400, respBody: `{"data":"482913"}`}, ""},
	} {
		if c.call.target == "" {
			c.call.target = "/sms/send"
		}
		o := observe(t, c.call)
		got := ""
		for _, x := range o.Codes {
			if x.Token == code {
				got = x.Where
			}
		}
		if got != c.want {
			t.Errorf("%s: the code is in %q, want %q (%d codes)", c.name, got, c.want, len(o.Codes))
		}
	}
	many := "["
	for i := range 60 {
		many += fmt.Sprintf(`"%d",`, 1000+i)
	}
	if o := observe(t, call{target: "/sms/send", body: ask, respBody: many + "1]"}); len(o.Codes) != MaxCodes || o.Overflow == 0 {
		t.Errorf("%d codes, overflow %d", len(o.Codes), o.Overflow)
	}
}

func TestInternals(t *testing.T) {
	for body, want := range map[string]string{
		`{"users":[{"name":"a","isAdmin":false,"role":"user"},{"name":"b","isAdmin":true,"role":"admin"}]}`:                                                                "users[].isAdmin privilege 2 users[].role privilege 2",
		`{"del_flag":0,"deletedAt":null,"is_deleted":""}`:                                                                                                                  "del_flag deletion 1",
		`{"innerIp":"10.1.2.3","serverIp":"203.0.113.9","ip":"10.1.2.3","db_url":"jdbc:mysql://192.168.0.7:3306/x"}`:                                                       "innerIp address 1 db_url address 1",
		`{"sql":"SELECT id, name FROM users WHERE id=7","query":"from where"}`:                                                                                             "sql sql 1",
		`{"debug":"false","debugInfo":{"a":"x1"},"stack":"Go, React","stackTrace":"java.lang.Error\n\tat com.x.A.b(A.java:9)","traceback":["File \"/app/a.py\", line 3"]}`: "debugInfo.a debug 1 stackTrace debug 1 traceback[] debug 1",
		`{"remark":"nice","internalRemark":"难缠的客户","costPrice":12.5,"cost":"free","riskScore":71,"create_by":"u7"}`:                                                        "internalRemark remark 1 costPrice cost 1 riskScore score 1 create_by audit 1",
		`{"id":1,"title":"x","price":3,"admin":"bob","root":null}`:                                                                                                         "",
		`{"admin":true}`: "admin privilege 1",
	} {
		var l []string
		o := observe(t, call{target: "/x", respBody: body})
		for _, x := range o.Internals {
			l = append(l, fmt.Sprintf("%s %s %d", x.Path, x.Kind, x.Count))
		}
		if got := strings.Join(l, " "); got != want {
			t.Errorf("%s:\n got %q\nwant %q", body, got, want)
		}
	}
	for v, want := range map[string]bool{"10.0.0.1": true, "http://172.16.4.5:80/": true, "172.32.0.1": false, "192.168.1.1,8.8.8.8": true, "110.1.2.3": false, "10.0.0": false,
		"10.0.0.1.5": false, "1.10.0.0.1": false, "10.0.0.300": false, "v10.2.3.4": true, "": false, "10.": false} {
		if holdsPrivateAddress([]byte(v)) != want {
			t.Errorf("%q holds a private address: %v", v, !want)
		}
	}
}
