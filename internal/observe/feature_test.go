package observe

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"xiezhi/internal/taxonomy"
)

func jwtOf(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + e([]byte(claims)) + "." + e([]byte("0123456789abcdef0123456789abcdef"))
}

func TestPath(t *testing.T) {
	for target, want := range map[string]string{
		"/users/v1/carol":                      "users v1 carol",
		"//a///b/":                             "a b",
		"/a/./b/../c":                          "a c",
		"/../../etc":                           "etc",
		"/%75sers/%e5%bc%a0%zz":                "users 张%zz",
		"/a;v=1/b;jsessionid=x":                "a b",
		"http://Example.com:8080/x/y?q=1#frag": "x y",
		"/a%2Fb/c":                             "a/b c",
		"*":                                    "",
		"/pay/13800138000":                     "pay <13*******00>",
	} {
		o := observe(t, call{target: target})
		var got []string
		for _, s := range o.Segments {
			if s.Text == "" {
				s.Text = "<" + s.Shape + ">"
			}
			if s.Token == 0 {
				t.Errorf("%s: %q has no token", target, s.Text)
			}
			got = append(got, s.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
	for _, c := range []struct{ target, host, want string }{
		{"/", "API.Example.COM:8443", "api.example.com"},
		{"/", "[2001:DB8::1]:80", "2001:db8::1"},
		{"http://other.example/x", "", "api.example.com"},
		{"/", "example.com.", "example.com"},
	} {
		if o := observe(t, call{target: c.target, host: c.host, head: nil}); o.Host != c.want && c.host != "" {
			t.Errorf("%s: host %q, want %q", c.host, o.Host, c.want)
		}
	}
}

func TestOneTokenDomain(t *testing.T) {
	byPath := observe(t, call{target: "/users/Carol105"}).Segments[1].Token
	byJSON := observe(t, call{target: "/x", head: []string{"Content-Type", "application/json"}, body: `{"username":"carol105 "}`}).Params[0].Token
	byJWT := observe(t, call{target: "/x", head: []string{"Authorization", "Bearer " + jwtOf(`{"sub":"carol105"}`)}}).Credentials[0].Account
	byLeaf := observe(t, call{target: "/x", respBody: `{"owner":"carol105"}`}).Leaves[0].Token
	byBasic := observe(t, call{target: "/x", head: []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("carol105:pw"))}}).Credentials[0].Account
	if byPath != byJSON || byPath != byJWT || byPath != byLeaf || byPath != byBasic {
		t.Errorf("one user, several tokens: %x %x %x %x %x", byPath, byJSON, byJWT, byLeaf, byBasic)
	}
	phone := observe(t, call{target: "/p/13800138000"}).Segments[1].Token
	for _, body := range []string{`{"mobile":"+86 138-0013-8000"}`, `{"mobile":13800138000}`, `{"x":"13800138000"}`} {
		if got := observe(t, call{target: "/x", body: body}).Params[0].Token; got != phone {
			t.Errorf("%s: another token than in the path", body)
		}
	}
	id := observe(t, call{target: "/o/10042"}).Segments[1]
	if got := observe(t, call{target: "/o?id=10042"}).Params[0]; got.Token != id.Token || got.Set != id.Set || got.Set.Position != 10042%64 || got.Set.Prefix == 0 {
		t.Errorf("integer: %+v and %+v", got, id)
	}
	near := observe(t, call{target: "/o/10043"}).Segments[1]
	if near.Set.Prefix != id.Set.Prefix || near.Set.Position != id.Set.Position+1 {
		t.Error("neighbouring integers share their prefix")
	}
}

func TestParams(t *testing.T) {
	multipart := "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nbob\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNGDATA\r\n--B--\r\n"
	for _, c := range []struct {
		name string
		call call
		want []Param
	}{
		{"query", call{target: "/x?page=2&q=hello+world&empty="}, []Param{{Name: "page", In: InQuery, Type: TypeString, Class: ClassInt, Len: 1}, {Name: "q", In: InQuery, Type: TypeString, Class: ClassPhrase, Len: 11}, {Name: "empty", In: InQuery, Type: TypeString, Class: ClassEmpty}}},
		{"form", call{target: "/x", head: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "a=1&b=%E5%BC%A0"}, []Param{{Name: "a", In: InForm, Type: TypeString, Class: ClassInt, Len: 1}, {Name: "b", In: InForm, Type: TypeString, Class: ClassWord, Len: 3}}},
		{"json", call{target: "/x", body: `{"a":{"ids":[1,2]},"ok":true,"n":null}`}, []Param{{Name: "a.ids[]", In: InJSON, Type: TypeInt, Class: ClassInt, Len: 1}, {Name: "a.ids[]", In: InJSON, Type: TypeInt, Class: ClassInt, Len: 1}, {Name: "ok", In: InJSON, Type: TypeBool, Class: ClassWord, Len: 4}, {Name: "n", In: InJSON, Type: TypeNull, Class: ClassEmpty, Len: 4}}},
		{"json sent as a form", call{target: "/x", head: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: `{"a":1}`}, []Param{{Name: "a", In: InJSON, Type: TypeInt, Class: ClassInt, Len: 1}}},
		{"json in a parameter", call{target: `/x?data={"id":7}`}, []Param{{Name: "data.id", In: InQuery, Type: TypeInt, Class: ClassInt, Len: 1}}},
		{"multipart", call{target: "/x", head: []string{"Content-Type", "multipart/form-data; boundary=B"}, body: multipart}, []Param{{Name: "username", In: InForm, Type: TypeString, Class: ClassWord, Len: 3, Sensitive: taxonomy.SensAccountName}, {Name: "file", In: InForm, Class: ClassFile, Len: 7}}},
		{"matrix", call{target: "/x;color=red"}, []Param{{Name: "color", In: InPath, Type: TypeString, Class: ClassWord, Len: 3}}},
		{"phone as key", call{target: "/x", body: `{"13800138000":{"a":1}}`}, []Param{{Name: "{}.a", In: InJSON, Type: TypeInt, Class: ClassInt, Len: 1}}},
	} {
		o := observe(t, c.call)
		got := append([]Param(nil), o.Params...)
		for i := range got {
			got[i].Token, got[i].Shape, got[i].Set = 0, "", SetFeature{}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

func TestAccountsAndPasswords(t *testing.T) {
	o := observe(t, call{target: "/login", body: `{"mobile":"13800138000","password":"13800138000a","newPassword":"N3w!","confirm_password":"N3w!"}`})
	if len(o.Accounts) != 1 || o.Accounts[0].Kind != AccountPhone || o.Accounts[0].Set.Prefix == 0 || o.Accounts[0].Token == 0 {
		t.Errorf("accounts %+v", o.Accounts)
	}
	if len(o.Passwords) != 3 || o.Passwords[0].Use != PasswordCurrent || o.Passwords[1].Use != PasswordNew || o.Passwords[2].Use != PasswordConfirm {
		t.Fatalf("passwords %+v", o.Passwords)
	}
	if o.Passwords[1].Tag != o.Passwords[2].Tag || o.Passwords[0].Tag == o.Passwords[1].Tag || o.Passwords[0].Tag == 0 {
		t.Error("tags do not compare")
	}
	if o.Passwords[0].Related&RelatedPhone == 0 {
		t.Error("the phone in the password is not seen")
	}
	for _, p := range o.Params {
		if p.Sensitive == taxonomy.SensPassword && (p.Token != 0 || p.Shape != "") {
			t.Errorf("%s keeps something of the password", p.Name)
		}
	}
	shown := observe(t, call{target: "/users", respBody: `[{"username":"a","password":"N3w!"}]`})
	found := false
	for _, e := range shown.Exposures {
		if e.Type == taxonomy.SensPassword && e.Response {
			found = len(e.Tags) == 1 && e.Tags[0] == o.Passwords[1].Tag && len(e.Subjects) == 0 && e.Shape == ""
		}
	}
	if !found {
		t.Errorf("a submitted password in a response is not recognised: %+v", shown.Exposures)
	}
	for name, want := range map[string]AccountKind{"username": AccountName, "user_id": AccountID, "email": AccountEmail, "手机号": AccountPhone} {
		v := map[AccountKind]string{AccountName: "bob", AccountID: "77", AccountEmail: "b@c.de", AccountPhone: "13912345678"}[want]
		o := observe(t, call{target: "/x", body: `{"` + name + `":"` + v + `"}`})
		if len(o.Accounts) != 1 || o.Accounts[0].Kind != want {
			t.Errorf("%s: %+v", name, o.Accounts)
		}
	}
}

// TestSecrets: where people sign in, a secret is their password; elsewhere it
// is an application's key.
func TestSecrets(t *testing.T) {
	for target, want := range map[string]int{"/api/v2/auth/login": 1, "/user/doLogin.json?from=secret": 1, "/api/yonghu/ZHUCE": 1, "/api/%E7%99%BB%E5%BD%95": 1, "/oauth/token": 0, "/cgi-bin/token?next=/login": 0, "/apps": 0} {
		o := observe(t, call{target: target, body: `{"secret":"Maple*liyuP6937","account":"18555787481"}`})
		if len(o.Passwords) != want {
			t.Errorf("%s: %d passwords, want %d", target, len(o.Passwords), want)
		}
		for _, p := range o.Params {
			if want == 1 && p.Name == "secret" && (p.Token != 0 || p.Sensitive != taxonomy.SensPassword) {
				t.Errorf("%s: keeps something of the password: %+v", target, p)
			}
		}
	}
}

// TestInitials: mm are the initials of 密码, and of months and minutes.
func TestInitials(t *testing.T) {
	for body, want := range map[string]int{`{"yhm":"li","mm":"a123456"}`: 1, `{"yyyy":"1990","mm":"05","dd":"12"}`: 0, `{"size":"5 mm"}`: 0, `{"mm":20.5}`: 0} {
		if o := observe(t, call{target: "/login", body: body}); len(o.Passwords) != want {
			t.Errorf("%s: %d passwords", body, len(o.Passwords))
		}
	}
}

func TestCredentials(t *testing.T) {
	j := jwtOf(`{"sub":0,"user_id":42,"name":"x","exp":1700003600,"iat":1700000000,"iss":"https://id.example.com/x"}`)
	for _, c := range []struct {
		name string
		call call
		kind CredentialKind
		in   Location
		cred string
	}{
		{"bearer", call{target: "/", head: []string{"Authorization", "Bearer " + j}}, CredBearer, InHeader, "authorization"},
		{"bare token", call{target: "/", head: []string{"Authorization", j}}, CredBearer, InHeader, "authorization"},
		{"basic", call{target: "/", head: []string{"authorization", "Basic YWRtaW46YWRtaW4="}}, CredBasic, InHeader, "authorization"},
		{"digest", call{target: "/", head: []string{"authorization", `Digest username="bob", realm="x", nonce="1"`}}, CredDigest, InHeader, "authorization"},
		{"aws", call{target: "/", head: []string{"authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=5d67"}}, CredSigned, InHeader, "authorization"},
		{"session cookie", call{target: "/", head: []string{"Cookie", "_ga=GA1.2.345678901.1234567890; JSESSIONID=0123456789ABCDEF"}}, CredCookie, InCookie, "JSESSIONID"},
		{"drawn cookie", call{target: "/", head: []string{"Cookie", "theme=dark; zz=aB3dE5fG7hI9jK1lM3"}}, CredCookie, InCookie, "zz"},
		{"api key", call{target: "/", head: []string{"X-API-Key", "k-123456789"}}, CredAPIKey, InHeader, "x-api-key"},
		{"a key that a house coined", call{target: "/", head: []string{"X-Kiosk-Key", "ZD-77A1C3D9E0"}}, CredAPIKey, InHeader, "x-kiosk-key"},
		{"token in the query", call{target: "/?access_token=abcdef0123456789"}, CredAPIKey, InQuery, "access_token"},
		{"matrix session", call{target: "/x;jsessionid=ABCDEF0123456789"}, CredAPIKey, InPath, "jsessionid"},
		{"signed query", call{target: "/x?appkey=k1&timestamp=1700000000&sign=0cc175b9c0f1b6a831c399e269772661"}, CredSigned, InQuery, "appkey"},
		{"signed query that names no key", call{target: "/x?page=1&timestamp=1700000000&sign=0cc175b9c0f1b6a831c399e269772661"}, CredSigned, InQuery, "sign"},
		{"signature header, key in the query", call{target: "/x?client_key=ck-88fe0a13&page=2", head: []string{"X-Signature", "0cc175b9c0f1b6a831c399e269772661", "X-Timestamp", "1700000000"}}, CredSigned, InQuery, "client_key"},
		{"cloud gateway", call{target: "/x", head: []string{"X-Ca-Signature", "0cc175b9c0f1b6a831c3==", "X-Ca-Key", "203753385", "X-Ca-Timestamp", "1700000000"}}, CredAPIKey, InHeader, "x-ca-key"},
		{"key id in a header", call{target: "/x", head: []string{"Sign", "0cc175b9c0f1b6a831c3", "X-App-Id", "203753385"}}, CredSigned, InHeader, "x-app-id"},
		{"id and signature", call{target: "/", head: []string{"authorization", "OSS LTAI5tExample:frJIUN8DYpKDtOLCwo//yllqDzg="}}, CredSigned, InHeader, "authorization"},
		{"hmac of a gateway", call{target: "/", head: []string{"authorization", `hmac username="bank-7", algorithm="hmac-sha256", headers="date", signature="frJIUN8DYpKDtOLCwo="`}}, CredSigned, InHeader, "authorization"},
		{"merchant", call{target: "/", head: []string{"authorization", `WECHATPAY2-SHA256-RSA2048 mchid="1900009191",nonce_str="593BEC0C",signature="uOVRnA4qG/MNnYzdQxJanN"`}}, CredSigned, InHeader, "authorization"},
	} {
		o := observe(t, c.call)
		if len(o.Credentials) != 1 {
			t.Errorf("%s: %+v", c.name, o.Credentials)
			continue
		}
		got := o.Credentials[0]
		if got.Kind != c.kind || got.In != c.in || got.Name != c.cred || got.Token == 0 || got.Shape == "" {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	for name, c := range map[string]call{
		"analytics":        {target: "/", head: []string{"Cookie", "_ga=GA1.2.345678901.1234567890; Hm_lvt_0123456789abcdef0123456789abcdef=1700000000; csrftoken=aB3dE5fG7hI9jK1lM3"}},
		"no keys":          {target: "/", head: []string{"Idempotency-Key", "8e03978e40d5", "X-Cache-Key", "v1:/home", "X-Csrf-Token", "aB3dE5fG7hI9", "X-Push-Token", "aB3dE5fG7hI9", "Monkey", "abcdef"}},
		"sign alone":       {target: "/x?sign=0cc175b9c0f1b6a831c399e269772661"},
		"seal of an app":   {target: "/x?page=1", head: []string{"X-Signature", "0cc175b9c0f1b6a831c399e269772661", "X-Timestamp", "1700000000"}},
		"key without sign": {target: "/x?client_key=ck-88fe0a13&page=2"},
		"star sign":        {target: "/x?sign=leo"},
		"ordinary params":  {target: "/x?page=1&keyword=token"},
	} {
		if o := observe(t, c); len(o.Credentials) != 0 {
			t.Errorf("%s: %+v is no credential", name, o.Credentials)
		}
	}
	o := observe(t, call{target: "/", head: []string{"Authorization", "Bearer " + j}})
	w := o.Credentials[0].JWT
	if w == nil || w.Alg != "hs256" || w.Expires != 1700003600 || w.IssuedAt != 1700000000 || w.Issuer != "id.example.com" || w.Subject == 0 {
		t.Fatalf("jwt %+v", w)
	}
	if id := observe(t, call{target: "/users/42"}).Segments[1].Token; w.Subject != id || o.Credentials[0].Account != id {
		t.Error("user_id names the user when sub is empty")
	}
}

func TestIssued(t *testing.T) {
	j := jwtOf(`{"sub":"bob"}`)
	login := observe(t, call{target: "/login", body: `{"username":"bob"}`, respHead: []string{"Content-Type", "application/json", "Set-Cookie", "SESSION=abcdef0123456789; Path=/; HttpOnly; SameSite=Lax", "Set-Cookie", "_ga=GA1.1.11111111.22222222"},
		respBody: `{"code":0,"data":{"auth_token":"` + j + `"}}`})
	use := observe(t, call{target: "/me", head: []string{"Authorization", "Bearer " + j, "Cookie", "SESSION=abcdef0123456789"}})
	if len(login.Issued) != 2 || len(use.Credentials) != 2 {
		t.Fatalf("issued %+v, used %+v", login.Issued, use.Credentials)
	}
	if login.Issued[0].Token != use.Credentials[1].Token || login.Issued[1].Token != use.Credentials[0].Token {
		t.Error("what was issued is not what is shown")
	}
	if login.Issued[0].Cookie != CookieHTTPOnly|CookieSameSite {
		t.Errorf("cookie bits %b", login.Issued[0].Cookie)
	}
	if login.Issued[1].JWT == nil || login.Issued[1].Account != login.Accounts[0].Token {
		t.Error("the token does not name the account that logged in")
	}
	for _, body := range []string{`{"token":"***"}`, `{"token":null}`, `{"session":"Morning session opens at nine"}`} {
		if o := observe(t, call{target: "/x", respBody: body}); len(o.Issued) != 0 {
			t.Errorf("%s issues %+v", body, o.Issued)
		}
	}
}

func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		req, resp, field, code string
		says                   int8
		message                string
		class                  MessageClass
	}{
		{"", `{"code":0,"msg":"success","data":{"code":"x"}}`, "code", "0", 1, "success", SaysSuccess},
		{"", `{"code":"00000","message":"ok"}`, "code", "00000", 1, "ok", SaysSuccess},
		{"", `{"status":"fail","message":"Password is not correct for the given username."}`, "status", "fail", -1, "Password is not correct for the given username.", SaysWrongSecret | SaysFailure},
		{"", `{"code":10001,"msg":"用户名或密码错误"}`, "code", "10001", -1, "用户名或密码错误", SaysBadPair | SaysFailure},
		{`{"username":"zhangsan"}`, `{"code":404,"msg":"用户zhangsan不存在"}`, "code", "404", -1, "用户{}不存在", SaysNotRegistered | SaysNotFound},
		{`{"name":"张三丰"}`, `{"code":404,"msg":"用户张三丰不存在"}`, "code", "404", -1, "用户{}不存在", SaysNotRegistered | SaysNotFound},
		{"", `{"success":true}`, "success", "true", 1, "", 0},
		{"", `{"success":1}`, "success", "1", 1, "", 0},
		{"", `{"error":true,"message":"no"}`, "error", "true", -1, "no", 0},
		{"", `{"error":"invalid_grant","error_description":"Bad credentials"}`, "error", "invalid_grant", -1, "Bad credentials", SaysBadPair},
		{"", `{"error":{"code":401,"message":"Token expired at 2024-01-02T10:11:12Z"}}`, "error.code", "401", -1, "Token expired at {}", SaysUnauthorized},
		{"", `{"message":"User 'bob smith' not found (trace 4f2c9a1b7d3e)"}`, "", "", 0, "User '{}' not found (trace {})", SaysNotRegistered | SaysNotFound},
		{"", `{"message":"'password' is a required property"}`, "", "", 0, "'password' is a required property", SaysInvalid},
		{"", `{"msg":"验证码已发送至 138****8000"}`, "", "", 0, "验证码已发送至 {}", SaysSuccess},
		{"", `{"status":"PAID","id":7}`, "status", "PAID", 0, "", 0},
		{"", `{"code":"483921"}`, "", "", 0, "", 0},
		{"", `{"data":[{"message":"hello"},{"message":"there"}]}`, "", "", 0, "", 0},
		{"", `{"retcode":-1,"retmsg":"系统繁忙，请稍后再试"}`, "retcode", "-1", -1, "系统繁忙，请稍后再试", SaysFailure | SaysBroken},
		{"", `{"success":false,"message":"Service is busy, please try again later"}`, "success", "false", -1, "Service is busy, please try again later", SaysBroken},
		{"", `{"ok":false,"reason":"Too many attempts, retry in 30 s"}`, "ok", "false", -1, "Too many attempts, retry in {} s", SaysThrottled},
	} {
		o := observe(t, call{target: "/x", body: c.req, respHead: []string{"Content-Type", "application/json"}, respBody: c.resp})
		if o.CodeField != c.field || o.Code != c.code || o.CodeSays != c.says || o.Message != c.message || o.MessageSays != c.class {
			t.Errorf("%s:\n got %q=%q (%d) %q %013b\nwant %q=%q (%d) %q %013b", c.resp, o.CodeField, o.Code, o.CodeSays, o.Message, o.MessageSays, c.field, c.code, c.says, c.message, c.class)
		}
	}
	o := observe(t, call{target: "/x", status: 404, respHead: []string{"Content-Type", "text/html"}, respBody: "<!doctype html><html><head><title> Page not found </title></head></html>"})
	if o.Message != "Page not found" || o.MessageSays&SaysNotFound == 0 || o.RespKind != BodyHTML {
		t.Errorf("html: %q %b", o.Message, o.MessageSays)
	}
	a := observe(t, call{target: "/x", body: `{"u":"alice7"}`, respBody: `{"message":"No user alice7"}`})
	b := observe(t, call{target: "/x", body: `{"u":"bob22"}`, respBody: `{"message":"No user bob22"}`})
	if a.MessageHash == 0 || a.MessageHash != b.MessageHash {
		t.Error("one template, two hashes")
	}
}

func TestParamShape(t *testing.T) {
	h := []string{"Content-Type", "application/json"}
	shape := func(body string) uint64 { return observe(t, call{target: "/x", head: h, body: body}).ParamShape }
	want := shape(`{"username":"bob","password":"123456"}`)
	for _, same := range []string{`{"username":"alice99","password":"Tr0ub4dor&3"}`} {
		if shape(same) != want {
			t.Errorf("%s: values change the shape", same)
		}
	}
	for _, other := range []string{`{"password":"123456","username":"bob"}`, `{"username": "bob", "password": "123456"}`, `{"username":"13800138000","password":"1"}`,
		`{"username":5,"password":"123456"}`, `{"username":"bob","password":"123456","x":""}`} {
		if shape(other) == want {
			t.Errorf("%s: same shape", other)
		}
	}
	if observe(t, call{target: "/x"}).ParamShape != 0 {
		t.Error("no parameters, no shape")
	}
	if a, b := shape(`{"ids":[1,2,3]}`), shape(`{"ids":[4]}`); a != b {
		t.Error("array length changes the shape")
	}
}

func TestSignaturesReachEveryPlace(t *testing.T) {
	const attack = "1' UNION SELECT username, password FROM users-- "
	esc := "1%27%20UNION%20SELECT%20username%2C%20password%20FROM%20users--%20"
	for in, c := range map[Location]call{
		InPath:  {target: "/users/" + esc},
		InQuery: {target: "/x?id=" + esc},
		InForm:  {target: "/x", head: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "id=" + esc},
		InJSON:  {target: "/x", body: `{"id":"` + attack + `"}`},
	} {
		o := observe(t, c)
		if len(o.Signatures) == 0 || o.Signatures[0].In != in || !strings.HasPrefix(o.Signatures[0].Rule, "sqli") {
			t.Errorf("%s: %+v", in, o.Signatures)
		}
	}
	if o := observe(t, call{target: "/login", body: `{"username":"bob","password":"' OR '1'='1"}`}); len(o.Signatures) == 0 {
		t.Error("an attack in a password field is missed")
	}
	if o := observe(t, call{target: "/users/v1/bob?page=2&sort=name", body: `{"title":"Select your union representative"}`}); len(o.Signatures) != 0 {
		t.Errorf("%+v", o.Signatures)
	}
}

func TestFoldTokenIsTokenFold(t *testing.T) {
	o := newObserver(t)
	for _, s := range []string{"", " ", "Bob ", "\tBOB\n", "张三", "　张三　", " 张三", "張 A", "Ünïcode", "ＡＢＣ", "Ⅷ", "K", "ſ", "\xe4\xbd", "\xe4", "a\xff", "\u00a0x", "ДА", "Ꭰ", "𐐀", "の", "\u0085x", "x\x00"} {
		if got, want := o.foldToken([]byte(s)), o.cfg.Redactor.TokenFold([]byte(s)); got != want {
			t.Errorf("%q: tokens differ", s)
		}
	}
}

// TestSignedKey: the token is that of the key, whatever the signature.
func TestSignedKey(t *testing.T) {
	of := func(target string, head ...string) uint64 {
		o := observe(t, call{target: target, head: head})
		if len(o.Credentials) != 1 || o.Credentials[0].Kind != CredSigned {
			t.Fatalf("%s: %+v", target, o.Credentials)
		}
		return o.Credentials[0].Token
	}
	a := of("/x?client_key=ck-88fe0a13", "X-Signature", "0cc175b9c0f1b6a8", "X-Timestamp", "1700000000")
	if b := of("/x?client_key=ck-88fe0a13", "X-Signature", "92eb5ffee6ae2fec", "X-Timestamp", "1700000060"); a != b {
		t.Error("another signature makes another key")
	}
	if b := of("/x?client_key=ck-11111111", "X-Signature", "0cc175b9c0f1b6a8", "X-Timestamp", "1700000000"); a == b {
		t.Error("two keys are one")
	}
	if of("/x?t=1700000000&sign=0cc175b9c0f1b6a8") != of("/x?t=1700000060&sign=92eb5ffee6ae2fec") {
		t.Error("signatures without a key are told apart")
	}
	if of("/x", "Authorization", "OSS LTAI5tExample:frJIUN8DYpKDtOLCwo") != of("/x", "Authorization", "OSS LTAI5tExample:AAAAUN8DYpKDtOLCww") {
		t.Error("the key before a colon changes with the signature")
	}
}
