package identity

import (
	"testing"

	"xiezhi/internal/observe"
)

func cookie(token uint64) observe.Credential {
	return observe.Credential{Kind: observe.CredCookie, In: observe.InCookie, Name: "JSESSIONID", Token: token}
}

func page(shows, issues uint64, words ...string) *observe.Observation {
	o := &observe.Observation{Method: "GET", Status: 200}
	for _, w := range words {
		o.Segments = append(o.Segments, observe.Segment{Text: w, Class: observe.ClassWord})
	}
	if shows != 0 {
		o.Credentials = []observe.Credential{cookie(shows)}
	}
	if issues != 0 {
		o.Issued = []observe.Credential{cookie(issues)}
	}
	return o
}

func visit(r *Resolver, o *observe.Observation) Who {
	w := r.Resolve(o)
	r.Learn(o, w, true)
	return w
}

func signIn(r *Resolver, session, account uint64) {
	visit(r, &observe.Observation{Method: "POST", Status: 200, Credentials: []observe.Credential{cookie(session)}, Passwords: []observe.Password{{Use: observe.PasswordCurrent}},
		Accounts: []observe.Account{{Name: "username", In: observe.InForm, Kind: observe.AccountName, Token: account}}})
}

func TestVisitorsSessionsAreNobodys(t *testing.T) {
	r := New(Config{})
	for i := uint64(1); i <= 5; i++ {
		visit(r, page(0, 100+i, "index"))
	}
	if w := visit(r, page(101, 0, "list")); w.Guest || !w.Known() {
		t.Error("a session is a visitor's before anybody was seen to sign in with one")
	}
	for i := uint64(1); i <= 3; i++ {
		signIn(r, 100+i, i)
	}
	if w := visit(r, page(104, 0, "list")); !w.Guest || w.Known() {
		t.Errorf("a visitor's session: %+v", w)
	}
	if w := visit(r, page(102, 0, "list")); w.Guest || w.Principal != 2 {
		t.Errorf("a session after signing in: %+v", w)
	}
	if w := visit(r, page(999, 0, "list")); w.Guest {
		t.Error("a session from before the recording may be anybody's")
	}
	// By QR code, SMS or another site nobody sees a password.
	visit(r, page(105, 0, "qrlogin", "check"))
	if w := visit(r, page(105, 0, "list")); w.Guest {
		t.Error("a session that may have signed in still counts as a visitor's")
	}
	visit(r, page(0, 106, "sso", "callback"))
	if w := visit(r, page(106, 0, "list")); w.Guest {
		t.Error("a session from another site's login counts as a visitor's")
	}
}
