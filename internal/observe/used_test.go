package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xiezhi/rules"
)

func uses(o *Observation, name string) bool {
	_, ok := slices.BinarySearch(o.Used, UsedKey(name))
	return ok
}

func TestUsed(t *testing.T) {
	script := observe(t, call{target: "/a.js", respHead: []string{"Content-Type", "text/javascript"}, respBody: `(function(){var r=d.rows;cell(r.nickName);cell(r["prize_name"]);x(it.$id2);/* note */y("/api/winners/")})()`})
	for name, want := range map[string]bool{"nickname": true, "nick_name": true, "prizeName": true, "rows": true, "winners": true, "id2": true, "realName": false, "x": false, "": false} {
		if got := uses(script, name); got != want {
			t.Errorf("script uses %q: %t, want %t", name, got, want)
		}
	}
	if script.UsedCut {
		t.Error("a whole script is said to be cut")
	}
	page := observe(t, call{target: "/", respHead: []string{"Content-Type", "text/html"}, respBody: `<!DOCTYPE html><html><head><title>Phone</title></head><body><p>address of all</p><b>{{ row.realName }}</b><i :title="row.idCard" onclick="show(mobileNo)" class="plain"></i><SCRIPT>var email=1</SCRIPT><script type="application/ld+json">{"telephone":"1"}</script></body></html>`})
	for name, want := range map[string]bool{"realName": true, "idCard": true, "mobileNo": true, "email": true, "address": false, "phone": false, "plain": false, "telephone": false} {
		if got := uses(page, name); got != want {
			t.Errorf("page uses %q: %t, want %t", name, got, want)
		}
	}
	if p := observe(t, call{target: "/", respHead: []string{"Content-Type", "text/html"}, respBody: "<html><body><p>text</p></body></html>"}); len(p.Used) > 0 || p.UsedCut {
		t.Errorf("a page without scripts uses %d names", len(p.Used))
	}
	var b strings.Builder
	for i := range MaxUsed + 5 {
		fmt.Fprintf(&b, "name%d;", i)
	}
	if o := observe(t, call{target: "/a.js", respHead: []string{"Content-Type", "text/javascript"}, respBody: b.String()}); len(o.Used) != MaxUsed || !o.UsedCut {
		t.Errorf("%d names, cut %t", len(o.Used), o.UsedCut)
	}
}

func TestRights(t *testing.T) {
	o := observe(t, call{method: "PATCH", target: "/me", head: []string{"Content-Type", "application/json"}, body: `{"nickname":"a","vipLevel":"Gold","isAdmin":true,"role":null}`,
		respHead: []string{"Content-Type", "application/json"}, respBody: `{"data":{"nickname":"a","vip_level":"gold","isAdmin":false,"points":7}}`})
	var got []string
	for _, r := range o.Rights {
		got = append(got, fmt.Sprint(r.Path, " ", r.Response))
	}
	if want := "vipLevel false,isAdmin false,data.vip_level true,data.isAdmin true,data.points true"; strings.Join(got, ",") != want {
		t.Fatalf("rights %q, want %q", strings.Join(got, ","), want)
	}
	r := o.Rights
	if r[0].Key != r[2].Key || r[0].Token != r[2].Token {
		t.Error("one level in two spellings does not compare")
	}
	if r[1].Key != r[3].Key || r[1].Token == r[3].Token {
		t.Error("true and false compare as equal")
	}
	names, match, pass, err := loadRights(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range match {
		if !names.has(normalName(m)) {
			t.Errorf("%s is not known", m)
		}
	}
	for _, m := range pass {
		if names.has(normalName(m)) {
			t.Errorf("%s is known", m)
		}
	}
}

func TestLimits(t *testing.T) {
	for head, want := range map[string]uint8{"Retry-After": LimitsRetry, "X-RateLimit-Remaining": LimitsRate, "RateLimit": LimitsRate, "x-rate-limit-reset": LimitsRate, "X-Request-Id": 0} {
		if o := observe(t, call{target: "/a", status: 429, respHead: []string{head, "30"}}); o.Limits != want {
			t.Errorf("%s: %d, want %d", head, o.Limits, want)
		}
	}
}

func TestProduct(t *testing.T) {
	if o := observe(t, call{target: "/a", head: []string{"XXL-JOB-ACCESS-TOKEN", "default_token"}}); len(o.Credentials) != 1 || o.Credentials[0].Product != "XXL-JOB" {
		t.Errorf("credentials %+v", o.Credentials)
	}
}

func TestIndexFold(t *testing.T) {
	for _, c := range []struct {
		in, word string
		at       int
	}{
		{`<script type="application/JSON"`, "json", 26}, {`<script type="application/ld+json"`, "json", 29}, {"<script", "json", -1}, {"js", "json", -1}, {"", "json", -1},
		{"a</Script>", "</script", 1}, {"</scrip</SCRIPT", "</script", 7}, {"</scrip", "</script", -1},
		{"/API/Sign-In", "sign-in", 5}, {"/api/登录", "登录", 5}, {"/api/登出", "登录", -1},
	} {
		if got := indexFold([]byte(c.in), c.word); got != c.at {
			t.Errorf("%q in %q: %d, want %d", c.word, c.in, got, c.at)
		}
	}
	b := []byte("/api/v1/users/Sign-Up")
	if n := testing.AllocsPerRun(100, func() { indexFold(b, "sign-up") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
