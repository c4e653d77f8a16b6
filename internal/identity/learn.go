package identity

import (
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/observe/rpc"
)

// Learn takes the judged outcome of the event that Resolve answered for. It is
// called for every event, successful or not.
func (r *Resolver) Learn(o *observe.Observation, w Who, success bool) {
	r.learnClient(o, &w, success)
	if w.Subject != 0 {
		a, named := r.accounts.Get(w.Subject)
		// A password that was accepted, at login or at registration, proves the
		// account; a failed try only names it.
		proves := success && (len(o.Passwords) > 0 || len(o.Issued) > 0 && w.Credential == 0)
		if !named || proves && !a.registered {
			r.accounts.Put(w.Subject, account{registered: a.registered || proves})
		}
	}
	r.learnGuest(o, &w, success)
	if !success {
		return
	}
	switch {
	case len(o.Issued) > 0:
		r.learnAliases(o, r.learnIssued(o, &w), false)
	case len(o.Passwords) > 0 && w.Subject != 0 && inBody(o):
		// A session that existed before login stays the same cookie and now
		// belongs to whoever logged in.
		for i := range o.Credentials {
			if c := &o.Credentials[i]; c.Kind == observe.CredCookie && c.Token != 0 {
				if own, ok := r.credentials.Get(c.Token); !ok || !own.proven {
					r.credentials.Put(c.Token, owner{account: w.Subject, proven: true})
				}
			}
		}
		r.learnAliases(o, w.Subject, false)
	}
	r.learnShown(o, &w)
	r.learnRoles(o, &w)
}

// learnIssued ties what the response gives out to the account of the request:
// the one that logged in, or the one whose token is being refreshed.
func (r *Resolver) learnIssued(o *observe.Observation, w *Who) uint64 {
	acct := uint64(0)
	switch {
	case w.Subject != 0 && inBody(o) && (len(o.Passwords) > 0 || w.Credential == 0 || w.Principal == 0):
		acct = w.Subject
	case w.Principal != 0:
		acct = w.Principal
	}
	for i := range o.Issued {
		c := &o.Issued[i]
		if c.Token == 0 {
			continue
		}
		a := acct
		if a == 0 {
			a = c.Account
		}
		if a != 0 {
			r.credentials.Put(c.Token, owner{account: a, proven: acct != 0})
		}
	}
	return acct
}

// learnShown keeps the credential of a successful request in memory and learns
// its owner from what it says itself or from the profile that came back.
func (r *Resolver) learnShown(o *observe.Observation, w *Who) {
	if w.Credential == 0 {
		return
	}
	own, ok := r.credentials.Get(w.Credential)
	if ok && own.account != 0 {
		r.exists(own.account)
		if own.proven {
			for i := range o.Credentials {
				if c := &o.Credentials[i]; c.Token == w.Credential {
					r.alias(own.account, c.Account) // what a token says of itself
				}
			}
		}
		if selfProfile(o) {
			r.learnAliases(o, own.account, true)
		}
		return
	}
	if w.Principal != 0 {
		r.credentials.Put(w.Credential, owner{account: w.Principal})
		r.exists(w.Principal)
		if selfProfile(o) {
			r.learnAliases(o, w.Principal, true)
		}
		return
	}
	if a := profileAccount(o); a != 0 {
		r.credentials.Put(w.Credential, owner{account: a})
		r.exists(a)
	}
}

// exists marks an account that acted with success.
func (r *Resolver) exists(token uint64) {
	if a, _ := r.accounts.Get(token); !a.registered {
		r.accounts.Put(token, account{registered: true})
	}
}

// inBody reports whether an account is named in the request's body, as forms do.
func inBody(o *observe.Observation) bool {
	for i := range o.Accounts {
		switch o.Accounts[i].In {
		case observe.InForm, observe.InJSON, observe.InBody:
			return true
		}
	}
	return false
}

// selfProfile reports whether a response is the asker's profile: a GET that
// names nobody, on a path that speaks of the asker, answered with a single
// object.
func selfProfile(o *observe.Observation) bool {
	if o.Operation != "" && o.Protocol != rpc.None {
		return selfOperation(o)
	}
	if o.Method != "GET" || len(o.Accounts) > 0 || o.Records > 1 || len(o.Segments) == 0 || len(o.Leaves) == 0 {
		return false
	}
	self := false
	n := len(o.Segments)
	last, program := program(o.Segments[n-1].Text)
	for i := range o.Segments {
		s := &o.Segments[i]
		if s.Sensitive != 0 || s.Class != observe.ClassWord && s.Class != observe.ClassVer && (i < n-1 || !program) {
			return false // an object is named: its owner may be anybody
		}
		self = self || i < n-1 && isSelf(s.Text)
	}
	// /users/info as well as /userinfo.
	return self || isSelf(last) || n >= 2 && isSelf(o.Segments[n-2].Text+last)
}

// program gives the name of a program without what it is written in: getInfo
// of getInfo.do.
func program(s string) (name string, is bool) {
	name, ext, ok := strings.Cut(s, ".")
	if !ok || name == "" {
		return s, false
	}
	for i := range len(name) {
		if c := name[i]; c >= '0' && c <= '9' {
			return s, false // it may name somebody
		}
	}
	switch ext {
	case "do", "action", "json", "php", "jsp", "aspx", "ashx", "htm":
		return name, true
	}
	return s, false
}

// selfOperation is selfProfile for an operation: "query me", "user.info".
func selfOperation(o *observe.Observation) bool {
	if len(o.Params) > 0 || len(o.Accounts) > 0 || o.Records > 1 || len(o.Leaves) == 0 {
		return false
	}
	for _, name := range [...]string{o.Operation, o.Root} {
		if kind, rest, ok := strings.Cut(name, " "); ok {
			if kind == "mutation" {
				return false
			}
			name = rest
		}
		last := name[strings.LastIndexAny(name, "./:")+1:]
		if isSelf(last) || isSelf(strings.TrimPrefix(last, "get")) || squeeze(last) == "viewer" || isSelf(strings.ReplaceAll(name, ".", "")) {
			return true
		}
	}
	return false
}

// profileAccount gives the account that a "who am I" response names.
func profileAccount(o *observe.Observation) uint64 {
	if !selfProfile(o) {
		return 0
	}
	best, rank := uint64(0), len(accountFields)
	for i := range o.Leaves {
		l := &o.Leaves[i]
		if l.Record != 0 || l.Token == 0 {
			continue
		}
		name := l.Path[strings.LastIndexByte(l.Path, '.')+1:]
		for k, f := range accountFields {
			if k < rank && strings.EqualFold(name, f) {
				best, rank = l.Token, k
			}
		}
	}
	return best
}

// accountFields are the usual names of the field that a person logs in with,
// best first.
var accountFields = [...]string{"username", "user_name", "userName", "account", "accountName", "loginName", "login", "mobile", "phone", "email", "user_id", "userId", "uid"}

func isSelf(s string) bool {
	if len(s) > 20 {
		return false
	}
	switch squeeze(s) {
	case "me", "self", "profile", "whoami", "current", "mine", "userinfo", "getuserinfo", "myinfo", "currentuser", "getinfo", "myprofile", "accountinfo", "memberinfo",
		"gerenxinxi", "wodexinxi", "yonghuxinxi", "个人信息":
		return true
	}
	return false
}
