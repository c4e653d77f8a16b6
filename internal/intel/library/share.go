package library

import (
	"fmt"
	"slices"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/taxii"
)

// Share says what leaves this node, as the configuration has it:
//
//	intel:
//	  share:
//	    who: ACME security
//	    owner: true          # nodes of the same owner read what was seen here
//	    others: green        # and others what two sites or a decoy saw, up to this TLP
//	    least: 50
//
// Without it nothing is served.
type Share struct {
	Who    string `yaml:"who"`
	Owner  bool   `yaml:"owner"`
	Others string `yaml:"others"` // empty: nothing
	Least  int    `yaml:"least"`  // score from which on a thing is passed on
}

// The collections.
const (
	OwnerCollection  = "4e6a8a4f-4d56-5b52-9a4e-6d1f0d3b7a10"
	OthersCollection = "9f1d2c7e-35ab-5c1b-8a55-0c2f41d9e6b2"
)

// Check tells what is wrong.
func (s *Share) Check() error {
	level, ok := indicator.ParseTLP(s.Others)
	switch {
	case s.Others != "" && (!ok || level != indicator.Clear && level != indicator.Green):
		return fmt.Errorf("share: others: %q is neither clear nor green; what is marked stricter stays with its owner", s.Others)
	case s.Least < 0 || s.Least > 100:
		return fmt.Errorf("share: least: a score lies between 0 and 100")
	case len(s.Who) > 100:
		return fmt.Errorf("share: who: a name has at most 100 bytes")
	}
	return nil
}

// Off reports whether nothing is shared.
func (s *Share) Off() bool { return !s.Owner && s.Others == "" }

// Name is the owner's in what is passed on.
func (s *Share) Name() string {
	if s.Who == "" {
		return "Xiezhi"
	}
	return s.Who
}

// ours lists the sources whose words may be passed on: those of one's own eyes.
var ours = []string{PeopleSource, DecoySource, OwnSource} // the surest first

// Passable gives what may be passed on up to a level of TLP: what was seen here,
// that has not aged and that nothing speaks against.
func (l *Library) Passable(most indicator.TLP, least int) []indicator.Indicator {
	return l.passable(ours, most, least)
}

// Everything is Passable with what others say, once for each thing.
func (l *Library) Everything(most indicator.TLP, least int) []indicator.Indicator {
	var names []string
	for _, s := range l.Set().Sources() {
		if s.Role != indicator.Negative {
			names = append(names, s.Name)
		}
	}
	return l.passable(names, most, least)
}

func (l *Library) passable(sources []string, most indicator.TLP, least int) (out []indicator.Indicator) {
	set, at := l.Set(), l.Now()
	seen := map[indicator.Key]bool{}
	for _, name := range sources {
		for _, x := range set.Of(name) {
			k := indicator.Key{Type: x.Type, Value: x.Value}
			if seen[k] || !x.TLP.Within(most) || x.Ends() <= at {
				continue
			}
			a := Assess(set, l.cfg.Networks, k, at)
			if a.Negative == "" && a.Score >= least {
				out, seen[k] = append(out, x), true
			}
		}
	}
	return out
}

// Who is the owner in what is passed on.
func (l *Library) Who() string { return l.cfg.Share.Name() }

// Shared gives what a collection holds, and a number that differs when that did.
func (l *Library) Shared(collection string) ([]taxii.Shared, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.derive(); err != nil {
		l.cfg.Log.Error("own intelligence could not be made", "why", err)
	}
	if l.at != l.version {
		now := l.cfg.Now().UnixNano()
		l.shared[0] = l.owner.Update(l.Passable(indicator.Amber, l.cfg.Share.Least), now)
		level, _ := indicator.ParseTLP(l.cfg.Share.Others)
		if l.cfg.Share.Others != "" {
			l.shared[1] = l.others.Update(l.Passable(level, l.cfg.Share.Least), now)
		}
		l.at = l.version
	}
	i := slices.Index([]string{OwnerCollection, OthersCollection}, collection)
	if i < 0 {
		return nil, l.at
	}
	return l.shared[i], l.at
}

// Collections are those that are served.
func (l *Library) Collections() (out []taxii.Collection) {
	add := func(id, title, about string) {
		out = append(out, taxii.Collection{ID: id, Title: title, About: about, Shared: func() ([]taxii.Shared, uint64) { return l.Shared(id) }})
	}
	if l.cfg.Share.Owner {
		add(OwnerCollection, "owner", "what was seen on the owner's sites, for the owner's other nodes (TLP:AMBER)")
	}
	if l.cfg.Share.Others != "" {
		add(OthersCollection, "others", "what two of the owner's sites or a decoy saw, for others (TLP:"+l.cfg.Share.Others+")")
	}
	return out
}
