package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"xiezhi/internal/defect"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/gate"
	"xiezhi/internal/taxonomy"
)

// shadow holds selectors against traffic that the stream still has.
type shadow struct {
	until  int64 // event time up to which it is known who attacks; later, nobody is honest yet
	table  *respond.Shadow
	out    []respond.Collateral
	people []map[uint64]struct{} // honest askers, by selector
	met    []bool
	of     uint64
	first  int64
	last   int64
}

// Shadow says what selectors of a site would have met of late: requests of
// known attacks, and of honest askers. It looks at what TryRules looks at.
func (s *Service) Shadow(ctx context.Context, site string, list []respond.Selector, since time.Duration) ([]respond.Collateral, error) {
	t, err := s.newTrial(Trial{Since: since, Site: site, Most: trialMost, Took: trialTook})
	if err != nil {
		return nil, err
	}
	x := &shadow{until: s.knownAt.Load(), table: respond.NewShadow(site, list, s.tools.redactor.External), out: make([]respond.Collateral, len(list)), people: make([]map[uint64]struct{}, len(list)), met: make([]bool, len(list))}
	t.look = x.look
	t.known = goingOn(t.known)
	if _, err := t.run(ctx, s.cfg.Bus); err != nil {
		return nil, fmt.Errorf("look back: %w", err)
	}
	for i := range x.out {
		c := &x.out[i]
		c.Known, c.Of, c.Principals = x.first != 0, x.of, uint64(len(x.people[i]))
		if x.first != 0 {
			c.From, c.To = time.Unix(0, x.first).UTC(), time.Unix(0, x.last).UTC()
		}
	}
	return x.out, nil
}

// stillOn is how long after its last request an attack is taken to go on: what
// the judges have not come to yet is no honest traffic for that.
const stillOn = 10 * time.Minute

// goingOn gives attacks without an end where they may go on.
func goingOn(known map[string]*knownSite) map[string]*knownSite {
	out := make(map[string]*knownSite, len(known))
	for name, k := range known {
		newest := int64(0)
		for i := range k.attacks {
			newest = max(newest, k.attacks[i].Selector.To)
		}
		c := &knownSite{slices.Clone(k.attacks), k.apis}
		for i := range c.attacks {
			if s := &c.attacks[i].Selector; s.To >= newest-int64(stillOn) {
				s.To = math.MaxInt64
			}
		}
		out[name] = c
	}
	return out
}

func (x *shadow) look(s *trialSite, ev *defect.Event) {
	if ev.End > x.until {
		return
	}
	if x.first == 0 || ev.End < x.first {
		x.first = ev.End
	}
	x.last = max(x.last, ev.End)
	_, verdict := s.claims.of(ev.Event)
	honest := verdict < taxonomy.Likely
	if honest {
		x.of++
	}
	var asked respond.Asked
	gate.Fill(&asked, ev.Observation, &ev.Who)
	api := ""
	if ev.API != nil {
		api = ev.API.ID
	}
	x.table.Met(&asked, api, func(i int) {
		c := &x.out[i]
		if !honest {
			c.Attack++
			return
		}
		c.Requests++
		who := ev.Who.Principal
		if who == 0 {
			who = ev.Who.Session
		}
		if x.people[i] == nil {
			x.people[i] = map[uint64]struct{}{}
		}
		if len(x.people[i]) < respond.MaxPrincipals {
			x.people[i][who] = struct{}{}
		}
	})
}

// Reader makes what reads single requests as this service's observers do: an
// observer, and a resolver that knows the trusted proxies and nobody. It is not
// used by two at once.
func (s *Service) Reader() (*observe.Observer, *identity.Resolver, error) {
	o, err := s.tools.observer(nil)
	return o, identity.New(s.part.bench.identityConfig(trialSites)), err
}

// External makes the tokens that selectors hold.
func (s *Service) External(domain string, token uint64) string {
	return s.tools.redactor.External(domain, token)
}
