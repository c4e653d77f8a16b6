package identity

import (
	"net/netip"
	"slices"
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

// Default caps. At a cap the keys used longest ago are forgotten.
const (
	DefaultMaxAccounts    = 1 << 20
	DefaultMaxCredentials = 1 << 20
	DefaultMaxClients     = 1 << 18
	DefaultMaxAliases     = 1 << 18 // principals with further names, and twice as many names
	DefaultMaxRoles       = 1 << 17 // principals whose role an answer told
)

// Config of one site's resolver. Zero caps mean the defaults.
type Config struct {
	// TrustedProxies are the peers whose forwarding headers are believed.
	TrustedProxies []netip.Prefix
	// AddressHeaders are the headers, in lower case, in which trusted proxies
	// put the client's address, the first that is there counts.
	AddressHeaders []string
	// Sessions are what proves who asks, as configured. Where one is shown,
	// nothing else counts.
	Sessions       []Key
	MaxAccounts    int
	MaxCredentials int
	MaxClients     int
	MaxAliases     int
}

// Key is a place of a request: where, and the name there.
type Key struct {
	In   observe.Location
	Name string
}

// holds reports whether a credential stands there. A field may be named by its
// whole path or by its last part.
func (k *Key) holds(c *observe.Credential) bool {
	in := c.In
	if in == observe.InForm || in == observe.InJSON {
		in = observe.InBody
	}
	return in == k.In && (strings.EqualFold(c.Name, k.Name) || strings.EqualFold(c.Name[strings.LastIndexByte(c.Name, '.')+1:], k.Name))
}

// Stats says what the resolver holds and what it had to forget.
type Stats struct {
	Accounts, Credentials, Clients                      int
	EvictedAccounts, EvictedCredentials, EvictedClients uint64
	EvictedAliases                                      uint64
	EvictedRoles, RefusedRoles                          uint64 // principals whose role was forgotten; roles beyond the cap
}

// Resolver holds one site's knowledge of who is who. It is not safe for
// concurrent use.
type Resolver struct {
	proxies        []netip.Prefix `snapshot:"-"`
	addressHeaders []string       `snapshot:"-"`
	sessions       []Key          `snapshot:"-"`
	accounts       *sketch.Recent[account]
	credentials    *sketch.Recent[owner]
	clients        *sketch.Recent[*client]
	aliases        *sketch.Recent[[MaxAliases]uint64] // by principal
	claims         *sketch.Recent[claim]              // by alias
	roles          *sketch.Recent[*Role]              // by principal, as answers told
	known          map[uint64]*Role                   // by Role.ID
	refused        uint64
	upgraded       int // visitors' sessions that somebody signed in with
}

// account is what is known of an account token. Its presence alone says that
// the account was named before.
type account struct{ registered bool }

// owner is the account that a credential belongs to. A credential that names
// its account itself is overruled by what a login showed, and that by nothing
// but a later login.
type owner struct {
	account uint64
	proven  bool
	guest   bool // a session given to a visitor; account is 0
}

// New makes an empty resolver.
func New(cfg Config) *Resolver {
	or := func(v, d int) int {
		if v > 0 {
			return v
		}
		return d
	}
	return &Resolver{
		proxies:        append([]netip.Prefix(nil), cfg.TrustedProxies...),
		addressHeaders: slices.Clone(cfg.AddressHeaders), sessions: slices.Clone(cfg.Sessions),
		accounts:    sketch.NewRecent[account](or(cfg.MaxAccounts, DefaultMaxAccounts)),
		credentials: sketch.NewRecent[owner](or(cfg.MaxCredentials, DefaultMaxCredentials)),
		clients:     sketch.NewRecent[*client](or(cfg.MaxClients, DefaultMaxClients)),
		aliases:     sketch.NewRecent[[MaxAliases]uint64](or(cfg.MaxAliases, DefaultMaxAliases)),
		roles:       sketch.NewRecent[*Role](min(or(cfg.MaxAccounts, DefaultMaxRoles), DefaultMaxRoles)),
		known:       map[uint64]*Role{},
		claims:      sketch.NewRecent[claim](2 * or(cfg.MaxAliases, DefaultMaxAliases)),
	}
}

// Stats gives sizes and evictions.
func (r *Resolver) Stats() Stats {
	return Stats{
		Accounts: r.accounts.Len(), Credentials: r.credentials.Len(), Clients: r.clients.Len(),
		EvictedAccounts: r.accounts.Evicted(), EvictedCredentials: r.credentials.Evicted(), EvictedClients: r.clients.Evicted(),
		EvictedAliases: r.aliases.Evicted() + r.claims.Evicted(),
		EvictedRoles:   r.roles.Evicted(), RefusedRoles: r.refused,
	}
}

// Registered reports whether the account is known to exist: it registered or
// logged in with success.
func (r *Resolver) Registered(token uint64) bool {
	a, ok := r.accounts.Peek(token)
	return ok && a.registered
}

// Resolve says who asks, from what earlier events taught.
func (r *Resolver) Resolve(o *observe.Observation) Who {
	addr := r.clientOf(o)
	w := Who{Client: addr, Prefix: network(addr), Private: private(addr)}
	if c := r.strongest(o.Credentials); c != nil {
		w.Credential = c.Token
		w.Principal = r.principal(c)
		w.Aliases = r.aliasesOf(w.Principal)
		w.Guest = w.Principal == 0 && r.isGuest(c)
		w.Role = r.roleOf(c, w.Principal)
	}
	w.Session = w.Credential
	if w.Session == 0 {
		w.Session = sketch.Join(addressHash(addr), o.Agent)
	}
	if a := subject(o.Accounts); a != nil {
		w.Subject = a.Token
		known, named := r.accounts.Peek(a.Token)
		w.Registered, w.NewSubject = known.registered, !named
	}
	w.Cohort = sketch.Join(sketch.Join(sketch.HashString(o.JA4), o.HeaderOrder), sketch.Join(sketch.HashString(o.AgentFamily), uint64(o.Proto)))
	if c, ok := r.clients.Peek(addressHash(addr)); ok {
		w.Shared = c.shared()
	}
	return w
}

// strength orders the ways to prove who asks. Several are often shown at once:
// a tracking cookie that looks like a session beside the bearer token that
// counts.
var strength = [...]uint8{
	observe.CredBearer: 7, observe.CredBasic: 6, observe.CredDigest: 5, observe.CredCookie: 4,
	observe.CredAPIKey: 3, observe.CredOther: 2, observe.CredSigned: 1,
}

func (r *Resolver) strongest(cs []observe.Credential) *observe.Credential {
	best, rank := -1, -1
	for i := range cs {
		c := &cs[i]
		if c.Token == 0 || c.Kind == observe.CredSigned && c.Name != "authorization" {
			continue // an app shows the key it is delivered with, whoever uses it
		}
		k := 0
		if int(c.Kind) < len(strength) {
			k = int(strength[c.Kind])
		}
		// One whose owner is known beats every other.
		if own, ok := r.credentials.Peek(c.Token); ok && own.account != 0 {
			k += 16
		} else if c.Account != 0 {
			k += 8
		}
		for j := range r.sessions {
			if r.sessions[j].holds(c) {
				k += 32
				break
			}
		}
		if k > rank {
			best, rank = i, k
		}
	}
	if best < 0 {
		return nil
	}
	return &cs[best]
}

func (r *Resolver) principal(c *observe.Credential) uint64 {
	if own, ok := r.credentials.Peek(c.Token); ok && own.account != 0 {
		return own.account
	}
	return c.Account
}

// subject picks the account that the request is about. A body field is what a
// form submits, so it goes before query and path; a name before a number.
func subject(as []observe.Account) *observe.Account {
	best, rank := -1, -1
	for i := range as {
		a := &as[i]
		if a.Token == 0 {
			continue
		}
		k := 0
		switch a.In {
		case observe.InForm, observe.InJSON, observe.InBody:
			k = 30
		case observe.InQuery:
			k = 20
		case observe.InPath:
			k = 10
		}
		k += int(observe.AccountID) - int(a.Kind)
		if k > rank {
			best, rank = i, k
		}
	}
	if best < 0 {
		return nil
	}
	return &as[best]
}

func hashBytes(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return sketch.Mix(h)
}
