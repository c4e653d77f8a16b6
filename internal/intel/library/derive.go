package library

import (
	"errors"
	"maps"
	"slices"

	"xiezhi/internal/intel/indicator"
)

// derive makes own intelligence anew, and counts what it says of the others.
// The lock is held.
func (l *Library) derive() error {
	if !l.stale {
		return nil
	}
	var plain, decoyed []indicator.Attack
	for _, id := range slices.Sorted(maps.Keys(l.attacks)) { // the same attacks, the same snapshot
		x := l.attacks[id]
		if _, wrong := l.wrong[id]; wrong {
			continue
		}
		if x.Decoy {
			decoyed = append(decoyed, *x)
		}
		plain = append(plain, *x)
	}
	at := max(l.Now(), l.cfg.Now().UnixNano())
	for i := range plain {
		at = max(at, plain[i].Last)
	}
	world := indicator.World{Networks: l.cfg.Networks}
	set := l.Set()
	put := func(src indicator.Source, rows []indicator.Indicator) (err error) {
		src.Fetched = at
		set, err = set.With(src, rows, at)
		return err
	}
	bad := map[string]uint64{}
	for _, list := range l.wrong {
		for _, s := range list {
			bad[s]++
		}
	}
	own := indicator.Derive(plain, world)
	var said, harmless []indicator.Indicator
	for i := range l.words {
		if w := &l.words[i]; w.Harmless {
			harmless = append(harmless, w.Row)
		} else {
			said = append(said, w.Row)
		}
	}
	err := errors.Join(
		put(indicator.Source{Name: OwnSource, Role: indicator.Own, Reliability: 0.9, Confirmed: uint64(len(plain)), False: bad[OwnSource]}, expired(own, l.Now())),
		put(indicator.Source{Name: DecoySource, Role: indicator.Decoy, Reliability: 0.95, Confirmed: uint64(len(decoyed)), False: bad[DecoySource]}, expired(indicator.Derive(decoyed, world), l.Now())),
		put(indicator.Source{Name: PeopleSource, Role: indicator.Analyst, Reliability: 0.95}, said),
		put(indicator.Source{Name: HarmlessSource, Role: indicator.Negative, Reliability: 1}, harmless))
	if err != nil {
		return err
	}
	l.stale = false
	l.swap(set.Ledgers(OwnSource, bad))
	return nil
}

// expired leaves out what has aged by the time of the traffic.
func expired(rows []indicator.Indicator, at int64) []indicator.Indicator {
	return slices.DeleteFunc(rows, func(x indicator.Indicator) bool { return x.Ends() <= at })
}

// Naming lists the sources that speak of any of these things.
func (l *Library) Naming(keys []indicator.Key) (out []string) {
	set := l.Set()
	at := l.Now()
	for _, k := range keys {
		a := Assess(set, l.cfg.Networks, k, at)
		for _, s := range a.Says {
			if !slices.Contains(out, s.Source) {
				out = append(out, s.Source)
			}
		}
	}
	slices.Sort(out)
	return out
}

// KeysOf lists what an attack is known by.
func (l *Library) KeysOf(attack string) (out []indicator.Key) {
	l.mu.Lock()
	x := l.attacks[attack]
	l.mu.Unlock()
	if x == nil {
		return nil
	}
	for _, r := range indicator.Derive([]indicator.Attack{*x}, indicator.World{Networks: l.cfg.Networks}) {
		out = append(out, indicator.Key{Type: r.Type, Value: r.Value})
	}
	return out
}
