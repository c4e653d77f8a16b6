package observe

import (
	"strings"
	"testing"

	"xiezhi/rules"
)

// A row of people's names must not be taken for the names of columns.
func TestColumnNames(t *testing.T) {
	n := newConfig(t).Names
	for _, s := range []string{"订单号", "手机号", "姓名", "创建时间", "order_no", "Phone", "userId", "amount", "员工编号", "email"} {
		if !n.column([]byte(s)) {
			t.Errorf("%q is no column", s)
		}
	}
	for _, s := range []string{"David", "Vincent Price", "张三丰", "欧阳金明", "浙江省杭州市西湖区文三路90号", "Doris Day", "Mark", "王明"} {
		if n.column([]byte(s)) {
			t.Errorf("%q is a column", s)
		}
	}
}

func TestPhrases(t *testing.T) {
	p, f, err := loadPhrases(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Rules {
		if len(r.Match) < 3 || len(r.Refuse) < 2 {
			t.Errorf("%s: too few cases", r.Says)
		}
		want := messageClasses[r.Says]
		for _, s := range r.Match {
			if got := p.says(normalMessage(nil, []byte(s))); got&want == 0 {
				t.Errorf("%q does not say %s (says %b)", s, r.Says, got)
			}
		}
		for _, s := range r.Refuse {
			if got := p.says(normalMessage(nil, []byte(s))); got&want != 0 {
				t.Errorf("%q must not say %s", s, r.Says)
			}
		}
	}
}

func TestNames(t *testing.T) {
	n, cases, err := loadNames(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	is := map[string]func(string) bool{
		"session_cookie":       func(s string) bool { return n.cookie(s) == cookieSession },
		"credential_parameter": func(s string) bool { return n.describe(s, s, "", 1, false).traits&traitCredential != 0 },
		"account":              func(s string) bool { return n.describe(s, s, "", 1, false).traits&traitAccount != 0 },
		"owner":                func(s string) bool { return n.describe(s, s, "", 1, false).traits&traitOwner != 0 },
		"identifier":           func(s string) bool { return n.describe(s, s, "", 1, false).traits&traitIdentifier != 0 },
		"code":                 func(s string) bool { return n.describe(s, s, "", 1, false).code != 0 },
		"role":                 func(s string) bool { return n.describe(s, s, "", 1, false).traits&traitRole != 0 },
		"signature":            func(s string) bool { return n.signTraits([]byte(strings.ToLower(s))) == traitSignature },
		"signature_key":        func(s string) bool { return n.signTraits([]byte(strings.ToLower(s))) == traitSignKey },
		"message":              func(s string) bool { return n.describe(s, s, "", 1, false).message != 0 },
	}
	seen := 0
	for kind, test := range is {
		if len(cases[kind]) == 0 || len(cases["no_"+kind]) == 0 {
			t.Errorf("%s: no cases", kind)
		}
		for _, s := range cases[kind] {
			if seen++; !test(s) {
				t.Errorf("%q is a %s", s, kind)
			}
		}
		for _, s := range cases["no_"+kind] {
			if seen++; test(s) {
				t.Errorf("%q is no %s", s, kind)
			}
		}
	}
	total := 0
	for _, c := range cases {
		total += len(c)
	}
	if seen != total {
		t.Errorf("%d of %d cases have a test", seen, total)
	}
}

func TestDescribe(t *testing.T) {
	n, err := LoadNames(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, parent string
		depth       int
		want        func(f field) bool
	}{
		{"id", "user", 2, func(f field) bool { return f.account == AccountID && f.traits&traitOwner != 0 }},
		{"name", "owner", 2, func(f field) bool { return f.account == AccountName && f.traits&traitOwner != 0 }},
		{"name", "product", 2, func(f field) bool { return f.account == 0 && f.traits&traitOwner == 0 }},
		{"code", "data", 2, func(f field) bool { return f.code == 0 }},
		{"code", "error", 2, func(f field) bool { return f.code != 0 }},
		{"newPassword", "", 1, func(f field) bool { return f.use == PasswordNew && f.traits&traitPassword != 0 }},
		{"confirm_password", "", 1, func(f field) bool { return f.use == PasswordConfirm }},
		{"password", "", 1, func(f field) bool { return f.use == PasswordCurrent }},
		{"$ne", "username", 2, func(f field) bool { return f.traits&traitOdd != 0 }},
		{"user_name", "", 1, func(f field) bool { return f.traits&traitOdd == 0 }},
	} {
		if f := n.describe(c.key, c.key, c.parent, c.depth, false); !c.want(f) {
			t.Errorf("%s under %q: %+v", c.key, c.parent, f)
		}
	}
}

func TestClassify(t *testing.T) {
	for in, want := range map[string]ValueClass{
		"": ClassEmpty, "users": ClassWord, "user-profile": ClassWord, "用户": ClassWord, "42": ClassInt, "13800138000": ClassInt,
		"deadbeef01": ClassHex, "0123456789abcdef0123456789abcdef": ClassHex, "550e8400-e29b-41d4-a716-446655440000": ClassUUID,
		"2024-01-02": ClassDate, "2024-01-02T10:11:12Z": ClassDate, "2024-01-02 10:11:12": ClassDate, "v1": ClassVer, "v2.1": ClassVer, "v1beta1": ClassVer,
		"sku-0012": ClassMixed, "carol105": ClassMixed, "name1": ClassMixed, "bob@example.com": ClassEmail,
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123_-x": ClassToken, "index.html": ClassFile, "报告.xlsx": ClassFile, ".env": ClassFile,
		"hello world": ClassPhrase, "你好，世界": ClassPhrase, "3.14": ClassFloat, "-5": ClassFloat, "a/b?c": ClassOther, "京A12345": ClassMixed,
		"bookTitle77": ClassMixed, "12345678901234567890123": ClassToken, "getUserInfo": ClassWord, "1.2.3.4": ClassMixed,
		"aGVsbG8gd29ybGQgMTIzNDU2Nzg5": ClassToken,
	} {
		if got := classify([]byte(in)); got != want {
			t.Errorf("%q: class %d, want %d", in, got, want)
		}
	}
}

func TestAgents(t *testing.T) {
	a, cases, err := loadAgents(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	family := func(ua string) (string, bool) {
		name, known, tool := a.family(lower(nil, []byte(ua)))
		if known == "" {
			known = string(name)
		}
		return known, tool
	}
	for want, list := range cases {
		for _, ua := range list {
			if got, _ := family(ua); got != want {
				t.Errorf("%q is of family %q, want %q", ua, got, want)
			}
		}
	}
	for _, c := range []struct {
		ua, family string
		tool       bool
	}{
		{"somescanner/1.2 (https://example.org)", "somescanner", true},
		{"Mozilla/5.0 (compatible; ExampleBot/1.0; +http://example.org/bot)", "mozilla", true},
		{"Mozilla/5.0", "mozilla", false},
		{"My Tool v2.0", "my", true},
		{"okhttp/4.12.0", "okhttp", false},
		{"() { :; }; echo", "other", true},
		{cases["chrome"][0], "chrome", false},
		{cases["python-requests"][0], "python-requests", true},
	} {
		if f, tool := family(c.ua); f != c.family || tool != c.tool {
			t.Errorf("%q: %q tool=%v, want %q tool=%v", c.ua, f, tool, c.family, c.tool)
		}
	}
}

func TestInternalNames(t *testing.T) {
	n, _, err := loadNames(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	list, cases, err := loadInternals(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range list {
		match, pass := cases[i][0], cases[i][1]
		if len(match) < 3 || len(pass) < 3 {
			t.Errorf("%s: too few cases", r.kind)
		}
		for _, s := range match {
			if k := n.describe(s, s, "", 1, false).internal; k != uint8(i+1) {
				t.Errorf("%q is a name of %s", s, r.kind)
			}
		}
		for _, s := range pass {
			if n.describe(s, s, "", 1, false).internal != 0 {
				t.Errorf("%q is no name of %s", s, r.kind)
			}
		}
	}
}
