package observe

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/rules"
)

func TestVerdict(t *testing.T) {
	for body, want := range map[string]string{
		`{"code":0,"data":{"registered":true}}`:                            "data.registered true registered",
		`{"code":0,"data":{"registered":false}}`:                           "data.registered false not_registered",
		`{"code":0,"msg":"ok","data":{"isRegister":1,"ts":1654000000}}`:    "data.isRegister true registered",
		`{"code":"0","data":{"registerFlag":"N"}}`:                         "data.registerFlag false not_registered",
		`{"status":200,"available":true}`:                                  "available true not_registered",
		`{"success":true,"data":{"isNewUser":"no","vip":false,"sex":1}}`:   "data.isNewUser false registered",
		`{"code":0,"data":{"a":true,"b":false,"c":1,"exists":false}}`:      "data.exists false not_registered",
		`{"code":0,"data":true}`:                                           "data true ?",
		`{"code":0,"result":0}`:                                            "result false ?",
		`{"code":0,"data":{"zt":"是"}}`:                                     "data.zt true ?",
		`true`:                                                             " true ?",
		`{"code":1,"success":true}`:                                        "",
		`{"code":0,"msg":"y"}`:                                             "",
		`{"code":0,"data":null}`:                                           "",
		`{"code":0,"data":{"a":true,"b":true,"c":false,"d":true}}`:         "", // describes something
		`{"code":0,"data":[{"phone":"a","registered":true}]}`:              "", // a list
		`{"data":{` + fields(20) + `"registered":true}}`:                   "", // no small answer
		`{"code":0,"data":{"id":1,"name":"abc"}}`:                          "",
		`{"code":0,"hint":"truest","data":{"count":7,"note":"yesterday"}}`: "",
		`<r><code>0</code><data><registered>true</registered></data></r>`:  "r.data.registered true registered",
	} {
		o := observe(t, call{target: "/x", respBody: body})
		v, got := o.Verdict, ""
		if v.Hash != 0 {
			says := map[MessageClass]string{0: "?", SaysRegistered: "registered", SaysNotRegistered: "not_registered"}[v.Says]
			got = fmt.Sprint(v.Field, " ", v.Yes, " ", says)
		}
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", body, got, want)
		}
	}
	a := observe(t, call{target: "/x", respBody: `{"code":0,"data":{"registered":true}}`})
	b := observe(t, call{target: "/x", respBody: `{"code":0,"data":{"registered":false}}`})
	c := observe(t, call{target: "/x", respBody: `{"data":{"registered":true},"code":0,"trace":"f81d4fae7dec"}`})
	if a.Verdict.Hash == b.Verdict.Hash || a.Verdict.Hash != c.Verdict.Hash {
		t.Errorf("hashes %x %x %x", a.Verdict.Hash, b.Verdict.Hash, c.Verdict.Hash)
	}
}

func fields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"f%c":"text %d",`, 'a'+i, i)
	}
	return b.String()
}

func TestVerdictNames(t *testing.T) {
	n, _, err := loadNames(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	f, err := n.loadVerdicts(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]int8{"registered": 1, "unregistered": -1} {
		if len(f.Match[what]) < 3 {
			t.Errorf("%s: too few cases", what)
		}
		for _, s := range f.Match[what] {
			if n.describe(s, s, "", 1, false).verdict != want {
				t.Errorf("%q says %s", s, what)
			}
		}
	}
	for _, s := range f.Pass {
		if n.describe(s, s, "", 1, false).verdict != 0 {
			t.Errorf("%q says nothing about accounts", s)
		}
	}
	for w := range n.yes {
		if n.no[w] || len(w) > maxVerdictValue {
			t.Errorf("value %q", w)
		}
	}
	for w := range n.no {
		if len(w) > maxVerdictValue {
			t.Errorf("value %q", w)
		}
	}
}
