// Package identity resolves an observation's candidates into who asks: client
// address behind trusted proxies, principal, account, session.
//
// It is part of the judge's ordered state: for each event in order the judge
// calls Resolve, has the catalogue judge the outcome, and calls Learn, which
// learns from responses that issue tokens which account a credential belongs
// to. Invariant: the same events in the same order give the same answers, and
// Resolve does not write. Limits: bounded maps, see LIMITS.md; a credential
// whose login was never seen has a principal only when it names one itself
// (JWT subject, Basic user) or its profile was read.
package identity

import "net/netip"

// Who is the asker of one observation, as far as is known at that event.
type Who struct {
	Client     netip.Addr   // the client's own address, behind trusted proxies
	Prefix     netip.Prefix // its /24 or /64
	Private    bool         // client address is private, loopback or link-local
	Credential uint64       // strongest credential shown; 0 none
	Principal  uint64       // account token the credential belongs to; 0 unknown
	Session    uint64       // session key: credential if any, else (client, agent) hash
	Subject    uint64       // account that the request is about (login target, named user); 0 none
	Registered bool         // Subject is known to exist: it registered or logged in with success before
	NewSubject bool         // Subject was never named before on this site
	Cohort     uint64       // fingerprint: hash of (JA4, header order, agent family, proto)
	Guest      bool         // the credential is a session that was given to a visitor and nobody has signed in with
	Shared     bool         // address serves several principals or many agents (NAT, proxy)

	// Role is what the accepted credential, the login or the profile of the
	// principal names as its role; nil when nothing does.
	Role *Role

	// Aliases are other names of the principal, learned from its logins and its
	// profile: an application logs people in by e-mail and then calls them 42.
	// 0 ends the list.
	Aliases [MaxAliases]uint64
}

// MaxAliases is how many further names of one principal are remembered.
const MaxAliases = 6

// Is reports whether the token names the asker, under whatever name.
func (w *Who) Is(token uint64) bool {
	if token == 0 || w.Principal == 0 {
		return false
	}
	if token == w.Principal {
		return true
	}
	for _, a := range w.Aliases {
		if a == token {
			return true
		}
		if a == 0 {
			break
		}
	}
	return false
}

// Known reports whether the asker showed a credential that somebody signed in
// with, as far as is known.
func (w *Who) Known() bool { return w.Credential != 0 && !w.Guest }
