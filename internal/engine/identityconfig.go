package engine

import (
	"fmt"
	"slices"
	"strings"

	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
)

// IdentityConfig says what proves who asks at a site, where learning does not
// find out by itself. An entry is a place and a name:
//
//	session: [cookie:SHOPSID, header:X-Shop-Auth, field:ticket]
//	account: [claim:staff_no, header:X-Authenticated-User, field:workNo]
//
// A field is a parameter of a query, a form or a JSON body; a claim is one of
// a JSON Web Token. A header with the account is one that a gateway sets.
type IdentityConfig struct {
	Session []string `yaml:"session"`
	Account []string `yaml:"account"`
}

// maxHints is how many entries one list may have.
const maxHints = 32

// check tells what is wrong with the lists.
func (c *IdentityConfig) check() error {
	if _, err := hints("session", c.Session, "cookie", "header", "field"); err != nil {
		return err
	}
	_, err := hints("account", c.Account, "claim", "header", "field")
	return err
}

// hints reads a list: names by place.
func hints(list string, entries []string, places ...string) (map[string][]string, error) {
	if len(entries) > maxHints {
		return nil, fmt.Errorf("identity.%s: %d entries, at most %d", list, len(entries), maxHints)
	}
	out := map[string][]string{}
	for _, e := range entries {
		place, name, ok := strings.Cut(e, ":")
		if !ok || !slices.Contains(places, place) {
			return nil, fmt.Errorf("identity.%s: %q is none of %s:NAME", list, e, strings.Join(places, ":NAME, "))
		}
		if err := checkName(name, place != "header" && place != "cookie"); err != nil {
			return nil, fmt.Errorf("identity.%s: %q: %w", list, e, err)
		}
		out[place] = append(out[place], name)
	}
	return out, nil
}

// checkName refuses what cannot be the name of a header, cookie or field.
func checkName(name string, field bool) error {
	if name == "" || len(name) > 64 {
		return fmt.Errorf("a name has 1 to 64 characters")
	}
	for _, r := range name {
		if r <= ' ' || r == 0x7f || !field && (r > 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)) {
			return fmt.Errorf("%q cannot stand in a name", r)
		}
	}
	return nil
}

// with gives tools that know the names which the configuration adds. Observers
// only look for candidates, so all sites share them.
func (t *Tools) with(c *FileConfig) *Tools {
	h := observe.Hints{AddressHeaders: c.AddressHeaders}
	for i := range c.Sites {
		id := &c.Sites[i].Identity
		s, _ := hints("session", id.Session, "cookie", "header", "field") // checked when it was read
		a, _ := hints("account", id.Account, "claim", "header", "field")
		h.SessionCookies = append(h.SessionCookies, s["cookie"]...)
		h.SessionHeaders = append(h.SessionHeaders, s["header"]...)
		h.SessionFields = append(h.SessionFields, s["field"]...)
		h.AccountClaims = append(h.AccountClaims, a["claim"]...)
		h.AccountHeaders = append(h.AccountHeaders, a["header"]...)
		h.AccountFields = append(h.AccountFields, a["field"]...)
	}
	out := *t
	out.observe.Names = t.observe.Names.With(h)
	return &out
}

// keys gives what proves who asks at a site: its sessions, and the header in
// which a gateway names the account.
func (c *IdentityConfig) keys() (out []identity.Key) {
	s, _ := hints("session", c.Session, "cookie", "header", "field")
	a, _ := hints("account", c.Account, "claim", "header", "field")
	for _, n := range append(a["header"], s["header"]...) {
		out = append(out, identity.Key{In: observe.InHeader, Name: strings.ToLower(n)})
	}
	for _, n := range s["cookie"] {
		out = append(out, identity.Key{In: observe.InCookie, Name: n})
	}
	for _, n := range s["field"] {
		out = append(out, identity.Key{In: observe.InQuery, Name: n}, identity.Key{In: observe.InBody, Name: n})
	}
	return out
}
