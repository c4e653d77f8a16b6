package observe

import (
	"maps"
	"slices"
	"strings"

	"xiezhi/internal/sensitive"
)

// Hints are names that the owner of an application knows and no lexicon does:
// what carries its sessions and its accounts, and where its proxies put the
// client's address.
type Hints struct {
	SessionCookies []string
	SessionHeaders []string
	SessionFields  []string // parameters of queries, forms and bodies; in an answer, what issues a session
	AccountHeaders []string // set by a gateway that knows who asks
	AccountFields  []string // of requests
	AccountClaims  []string // of JSON Web Tokens
	AddressHeaders []string
}

// With gives the lexicon with these names added. They go before what the
// lexicon says of the same name.
func (n *Names) With(h Hints) *Names {
	c := *n
	c.ownCookies = map[string]bool{}
	for _, s := range h.SessionCookies {
		c.ownCookies[normalName(s)] = true
	}
	c.credentialHeaders = slices.Clone(n.credentialHeaders)
	for _, s := range h.SessionHeaders {
		c.credentialHeaders = append(c.credentialHeaders, strings.ToLower(s))
	}
	c.credentialParam = n.credentialParam.with(h.SessionFields)
	c.issued = n.issued.with(h.SessionFields)
	c.account[AccountName-1] = n.account[AccountName-1].with(h.AccountFields)
	for _, s := range h.AccountHeaders {
		c.accountHeaders = append(c.accountHeaders, strings.ToLower(s))
	}
	for _, s := range h.AddressHeaders {
		c.addressHeaders = append(c.addressHeaders, strings.ToLower(s))
	}
	if len(h.AccountClaims) > 0 {
		c.claimRank = make(map[string]uint8, len(n.claimRank)+len(h.AccountClaims))
		for name, rank := range n.claimRank {
			c.claimRank[name] = uint8(min(int(rank)+1, 254))
		}
		for _, s := range h.AccountClaims {
			c.claimRank[normalName(s)] = 1
		}
	}
	return &c
}

// with gives a matcher that knows further names, taken as they are.
func (m *matcher) with(names []string) matcher {
	c := *m
	c.exact = maps.Clone(m.exact)
	for _, s := range names {
		if w := normalName(s); w != "" {
			c.exact[w] = true
		}
	}
	return c
}

// accountHeader reads a header in which a gateway says who asks: what stands
// behind the gateway takes it for a proof, so it is a credential.
func (o *Observer) accountHeader(name, v []byte) {
	v = trimSpace(v)
	if len(v) == 0 || len(v) > MaxText {
		return
	}
	token := o.tokenOf(o.recognise(sensitive.HintAccountName, v), v)
	o.credential(Credential{Kind: CredOther, In: InHeader, Name: o.word(name), Account: token}, v, &o.out.credentials)
}
