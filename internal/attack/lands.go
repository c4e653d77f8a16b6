package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/sketch"
)

// Which countries people come from. A country is told of by who signs in and
// works: it takes accounts to move what is normal, not addresses. Where nobody
// signs in every asker counts. An address that passes on what others ask, of a
// CDN or a carrier's shared exit, is from nowhere.

const (
	landsKept   = 64      // countries counted; further ones are together
	landsLeast  = 20      // askers before any country is home
	landsHalve  = 1 << 16 // askers after which old ones count half
	homeShare   = 0.5     // of askers, that makes a country home
	staysPeople = 1 << 16
	staysLands  = 4
)

// lands counts askers by country.
type lands struct {
	list [landsKept]struct {
		land intel.Country
		n    uint32
	}
	used  int
	total uint32
}

func (l *lands) add(land intel.Country) {
	l.total++
	for i := range l.used {
		if l.list[i].land == land {
			l.list[i].n++
			l.halve()
			return
		}
	}
	if l.used < landsKept {
		l.list[l.used].land, l.list[l.used].n = land, 1
		l.used++
	}
	l.halve()
}

func (l *lands) halve() {
	if l.total < landsHalve {
		return
	}
	l.total = 0
	kept := 0
	for i := range l.used {
		if n := l.list[i].n / 2; n > 0 {
			l.list[kept] = l.list[i]
			l.list[kept].n = n
			l.total += n
			kept++
		}
	}
	l.used = kept
}

// home is the country that most askers are from, 0 when there is none.
func (l *lands) home() intel.Country {
	if l.total < landsLeast {
		return 0
	}
	for i := range l.used {
		if x := &l.list[i]; float64(x.n) >= homeShare*float64(l.total) {
			return x.land
		}
	}
	return 0
}

// share is how many of all askers are from a country.
func (l *lands) share(land intel.Country) float64 {
	for i := range l.used {
		if l.list[i].land == land {
			return share(l.list[i].n, l.total)
		}
	}
	return 0
}

// stay is where a principal was: first and last moment in each country.
type stay struct {
	lands [staysLands]visit
}

type visit struct {
	land        intel.Country
	n           uint32
	counted     bool   // among those who are from there
	client      uint64 // the last one there
	first, last int64
}

func (s *stay) at(land intel.Country) int {
	for i := range s.lands {
		if s.lands[i].land == land && s.lands[i].n > 0 {
			return i
		}
	}
	return -1
}

// alone reports whether somebody was in no other country.
func (s *stay) alone(i int) bool {
	for k := range s.lands {
		if k != i && s.lands[k].n > 0 {
			return false
		}
	}
	return true
}

// travels remembers where the site's people are.
type travels struct {
	people lands // signed-in askers, once per principal and country
	anyone lands // askers of any kind
	stays  *sketch.Recent[*stay]
}

func newTravels(limit int) travels {
	return travels{stays: sketch.NewRecent[*stay](min(limit, staysPeople))}
}

// home is where the site's people are from, 0 when they are from everywhere or
// nothing is known.
func (t *travels) home() intel.Country {
	if t.people.total >= landsLeast {
		return t.people.home()
	}
	return t.anyone.home()
}

// foreign is the share of the site's people, but for so many of them, who are
// in a country, anywhere away from home for 0, and how many they are.
func (t *travels) foreign(land intel.Country, but uint32) (float64, int) {
	l := &t.anyone
	if t.people.total >= landsLeast {
		l = &t.people
	}
	home, there := t.home(), uint32(0)
	for i := range l.used {
		if x := &l.list[i]; x.land == land || land == 0 && x.land != home {
			there += x.n
		}
	}
	if l.total <= but {
		return 0, 0
	}
	return share(there-min(there, but), l.total-but), int(l.total - but)
}

// placed gives the country that an event tells of, 0 when it tells of none.
func placed(n intel.Net) intel.Country {
	if n.Type.Relays() {
		return 0
	}
	return n.Country
}

// travel notes where an asker is; fresh says that its actor was not known.
func (e *Engine) travel(ev *catalog.Event, fresh bool) {
	land := placed(ev.Net)
	if land == 0 {
		return
	}
	if fresh {
		e.travels.anyone.add(land)
	}
	p := ev.Who.Principal
	if p == 0 || ev.Outcome != catalog.OutcomeSuccess {
		return
	}
	s, ok := e.travels.stays.Get(p)
	if !ok {
		s = &stay{}
		e.travels.stays.Put(p, s)
	}
	i := s.at(land)
	if i < 0 {
		i = 0 // the country left longest ago makes room
		for k := range s.lands {
			if s.lands[k].last < s.lands[i].last {
				i = k
			}
		}
		s.lands[i] = visit{land: land, first: ev.End}
	}
	// Somebody is from where he is first seen, and from elsewhere when he stays:
	// accounts that are taken abroad do not make it usual to be there.
	if !s.lands[i].counted && (s.alone(i) || ev.End-s.lands[i].first >= abroadBefore) {
		s.lands[i].counted = true
		e.travels.people.add(land)
	}
	s.lands[i].n++
	s.lands[i].client = ev.Who.Cohort
	s.lands[i].last = ev.End
}
