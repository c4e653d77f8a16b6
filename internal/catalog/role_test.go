package catalog

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/observe"
)

// TestRoleCases runs the cases that rules/roles.yaml carries.
func TestRoleCases(t *testing.T) {
	lex := lexicon(t)
	for _, c := range lex.roleCases {
		s := newSite(t)
		var ev *Event
		for i := range 8 {
			path := c.Path
			for strings.Contains(path, "{") {
				a, b := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
				path = path[:a] + fmt.Sprint(1000+i) + path[b+1:]
			}
			b := request(c.Method, path).json(200, "answer")
			for _, w := range c.With {
				switch w {
				case "password":
					b.Passwords = append(b.Passwords, observe.Password{Use: observe.PasswordCurrent})
				case "new_password":
					b.Passwords = append(b.Passwords, observe.Password{Use: observe.PasswordNew})
				case "account":
					b.Accounts = append(b.Accounts, observe.Account{Name: "username", In: observe.InJSON, Kind: observe.AccountName, Token: tok("a")})
				case "issued":
					b.issue("t")
				case "code":
					b.param("code", "123456")
				case "phone":
					b.param("phone", "x")
				case "search":
					b.param("keyword", "x")
				case "records":
					b.Records = 10
				case "html":
					b.RespKind = observe.BodyHTML
				case "plate":
					b.param("chepai", "x")
				case "money":
					b.param("amount", "x")
				case "card":
					b.Deals = append(b.Deals, observe.Deal{Kind: observe.DealCard, Token: tok("c")}, observe.Deal{Kind: observe.DealCVV, Token: 1})
				case "file":
					b.RespKind = observe.BodyFile
				case "upload":
					b.ReqKind = observe.BodyMultipart
				case "registered":
					if i%2 == 0 {
						b.small(400, "e").says(observe.SaysRegistered, "fail", -1)
					}
				default:
					t.Fatalf("%s: unknown feature %s", c.Path, w)
				}
			}
			ev = s.do(b)
		}
		if ev.API == nil {
			t.Errorf("%s %s: no API", c.Method, c.Path)
		} else if string(ev.API.Role) != c.Role {
			t.Errorf("%s %s %v: role %s, want %s", c.Method, c.Path, c.With, ev.API.Role, c.Role)
		}
	}
}

func TestWordCases(t *testing.T) {
	lex := lexicon(t)
	for _, w := range lex.wordCases.Literal {
		if !lex.isRoute(w) {
			t.Errorf("%q is not taken for a route word", w)
		}
	}
	for _, w := range lex.wordCases.Value {
		if lex.isRoute(w) {
			t.Errorf("%q is taken for a route word", w)
		}
	}
	for _, p := range lex.ownerCases.Match {
		if !lex.isOwner(p) {
			t.Errorf("%q is not an owner field", p)
		}
	}
	for _, p := range lex.ownerCases.Not {
		if lex.isOwner(p) {
			t.Errorf("%q is an owner field", p)
		}
	}
}
