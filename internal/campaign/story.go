package campaign

import (
	"cmp"
	"math"
	"slices"
	"time"

	"xiezhi/internal/message"
)

const (
	firstRequests = 200  // in which a target has to notice
	mostly        = 0.9  // share of blocked requests that counts as blocked
	hardly        = 0.1  // … below which a late control changes nothing
	maxSpreads    = 24   // moments of spread that are told
	maxLinks      = 8    // kinds of links that are told
	pastDays      = 1000 // days that a peak is looked for in, for each attack
)

// tell makes the campaign of a group, oldest attack first.
func tell(g []*profile, msgs *message.Catalog) Campaign {
	id, name := identify(g[0].ID)
	c := Campaign{ID: id, Name: name, First: g[0].First, Last: g[0].Last}
	scenarios, kinds, industries := weights{}, weights{}, weights{}
	var through []Defect
	for _, p := range g {
		c.Attacks = append(c.Attacks, p.ID)
		if p.Last.After(c.Last) {
			c.Last = p.Last
		}
		c.Requests += p.Requests
		c.Blocked += p.Blocked
		c.Succeeded += p.Succeeded
		c.Subjects += p.Subjects
		scenarios.add(p.Scenario, p.Requests)
		kinds.add(p.Kind, p.Requests)
		industries.add(p.Industry, p.Requests)
		for _, d := range p.Through {
			if !slices.Contains(through, d) {
				through = append(through, d)
				c.Through = append(c.Through, d.ID)
			}
		}
	}
	c.IPCount = addresses(g)
	slices.Sort(c.Through)
	c.Scenarios, c.Kinds, c.Industries = scenarios.sorted(), kinds.sorted(), industries.sorted()
	c.Targets = targets(g)
	for _, t := range c.Targets {
		c.Sites = append(c.Sites, t.Site)
	}
	c.Links = links(g)
	c.Timeline = timeline(g, &c, msgs)
	c.Reason = reason(&c, through, zone(g[0]), msgs)
	return c
}

// addresses counts source addresses: exactly where the marks name all of an
// attack's, else at most.
func addresses(g []*profile) (n uint64) {
	k, _ := slices.BinarySearch(keys, "ip")
	known := map[int32]bool{}
	for _, p := range g {
		if uint64(len(p.marks[k])) != p.IPCount {
			n += p.IPCount
			continue
		}
		for _, v := range p.marks[k] {
			known[v.id] = true
		}
	}
	return n + uint64(len(known))
}

// weights sums up by name.
type weights map[string]uint64

func (w weights) add(name string, n uint64) {
	if name != "" {
		w[name] += max(n, 1)
	}
}

// sorted gives the names, heaviest first.
func (w weights) sorted() []string {
	out := []string{}
	for k := range w {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(w[b], w[a]), cmp.Compare(a, b)) })
	return out
}

// targets says how each site stood up, most requests first.
func targets(g []*profile) []Target {
	at := map[string]int{}
	var out []Target
	for _, p := range g {
		i, ok := at[p.Site]
		if !ok {
			i = len(out)
			at[p.Site] = i
			out = append(out, Target{Site: p.Site, Industry: p.Industry})
		}
		t := &out[i]
		t.Requests += p.Requests
		t.Blocked += p.Blocked
		t.Succeeded += p.Succeeded
	}
	for i := range out {
		t := &out[i]
		switch share := float64(t.Blocked) / float64(max(t.Requests, 1)); {
		case share >= mostly:
			t.Outcome = Blocked
		case share < hardly && !noticed(g, t.Site):
			t.Outcome = Undetected
		default:
			t.Outcome = Partly
		}
	}
	slices.SortFunc(out, func(a, b Target) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Site, b.Site))
	})
	return out
}

// noticed reports whether a site blocked anything on the days of the first
// requests.
func noticed(g []*profile, site string) bool {
	var days []Activity
	for _, p := range g {
		if p.Site == site {
			days = append(days, p.Activity...)
		}
	}
	slices.SortFunc(days, func(a, b Activity) int { return cmp.Compare(a.Day, b.Day) })
	n := uint64(0)
	for i, d := range days {
		if n >= firstRequests && d.Day != days[i-1].Day {
			return false
		}
		if d.Blocked > 0 {
			return true
		}
		n += d.Requests
	}
	return false
}

// links lists what the attacks of a group have in common, rarest first.
func links(g []*profile) []Link {
	var out []Link
	for k, key := range keys {
		t := &traitOf[k]
		best := 0.0
		in := map[string]bool{}
		for id, list := range postings(g, k) {
			if len(list) < 2 {
				continue
			}
			rare := rarity(g, k, id, list)
			if rare < linkBits {
				continue
			}
			best = max(best, rare)
			for _, i := range list {
				in[g[i].ID] = true
			}
		}
		if best == 0 || t.family == famTool && declared(g) {
			continue
		}
		l := Link{Key: key, Rarity: math.Round(best*100) / 100}
		for _, p := range g {
			if in[p.ID] {
				l.Attacks = append(l.Attacks, p.ID)
			}
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Link) int {
		return cmp.Or(cmp.Compare(b.Rarity, a.Rarity), cmp.Compare(len(b.Attacks), len(a.Attacks)), cmp.Compare(a.Key, b.Key))
	})
	return out[:min(len(out), maxLinks)]
}

// rarity is how rare a value is on all sites of those who show it.
func rarity(g []*profile, k int, id int32, list []int32) float64 {
	type crowd struct{ others, of uint64 }
	sites := map[string]crowd{}
	for _, i := range list {
		p := g[i]
		j, _ := slices.BinarySearchFunc(p.marks[k], id, func(v value, id int32) int { return int(v.id) - int(id) })
		v := &p.marks[k][j]
		c := sites[p.Site]
		sites[p.Site] = crowd{max(c.others, v.others), max(c.of, v.of)}
	}
	var all crowd
	for _, c := range sites {
		all.others += c.others
		all.of += c.of
	}
	return traitOf[k].bits(keys[k], all.others, all.of)
}

// declared reports whether all say that they are one and the same tool.
func declared(g []*profile) bool {
	for _, p := range g {
		if p.tool == "" || p.tool != g[0].tool {
			return false
		}
	}
	return true
}

func zone(p *profile) *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// day gives the moment that stands for a day of an attack.
func day(p *profile, name string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, name, zone(p))
	switch {
	case err != nil || t.Before(p.First):
		return p.First
	case t.After(p.Last):
		return p.Last
	}
	return t
}

// timeline tells the story in order of time.
func timeline(g []*profile, c *Campaign, msgs *message.Catalog) []Moment {
	var out []Moment
	say := func(at time.Time, event string, p *profile, args message.Args) {
		args["site"], args["kind"] = p.Site, msgs.Text("attack_kind."+p.Kind, nil)
		out = append(out, Moment{Time: at, Event: event, Site: p.Site, Attack: p.ID, Text: msgs.Text("campaign.moment."+event, args)})
	}
	say(g[0].First, "start", g[0], message.Args{})
	seen := map[string]bool{g[0].Site: true, g[0].Site + "\x00" + g[0].Kind: true}
	for _, p := range g[1:] {
		if len(out) > maxSpreads {
			break
		}
		switch kind := p.Site + "\x00" + p.Kind; {
		case !seen[p.Site]:
			say(p.First, "spread", p, message.Args{})
			seen[p.Site], seen[kind] = true, true
		case !seen[kind]:
			say(p.First, "spread", p, message.Args{})
			out[len(out)-1].Text = msgs.Text("campaign.moment.turn", message.Args{"site": p.Site, "kind": msgs.Text("attack_kind."+p.Kind, nil)})
			seen[kind] = true
		}
	}
	first := func(event string, count func(Activity) uint64) {
		var at time.Time
		var who *profile
		n := uint64(0)
		for _, p := range g {
			for _, a := range p.Activity {
				if count(a) == 0 {
					continue
				}
				switch t := day(p, a.Day); {
				case who == nil || t.Before(at):
					at, who, n = t, p, count(a)
				case who == p && t.Equal(at):
					n += count(a)
				}
			}
		}
		if who != nil {
			say(at, event, who, message.Args{"n": n, "day": at.In(zone(who)).Format(time.DateOnly)})
		}
	}
	first("success", func(a Activity) uint64 { return a.Succeeded })
	first("blocked", func(a Activity) uint64 { return a.Blocked })
	peak(g, say)
	last := slices.MaxFunc(g, func(a, b *profile) int { return cmp.Or(a.Last.Compare(b.Last), cmp.Compare(b.ID, a.ID)) })
	say(c.Last, "end", last, message.Args{"n": c.Requests})
	slices.SortStableFunc(out, func(a, b Moment) int { return a.Time.Compare(b.Time) })
	return out
}

// peak tells the day of most requests, if there are two days or more.
func peak(g []*profile, say func(time.Time, string, *profile, message.Args)) {
	total := map[string]uint64{}
	for _, p := range g {
		for _, a := range p.Activity[:min(len(p.Activity), pastDays)] {
			total[a.Day] += a.Requests
		}
	}
	if len(total) < 2 {
		return
	}
	best := ""
	for d, n := range total {
		if best == "" || n > total[best] || n == total[best] && d < best {
			best = d
		}
	}
	var most uint64
	var who *profile
	for _, p := range g {
		n := uint64(0)
		for _, a := range p.Activity {
			if a.Day == best {
				n += a.Requests
			}
		}
		if n > most {
			most, who = n, p
		}
	}
	if who != nil {
		say(day(who, best), "peak", who, message.Args{"n": total[best], "day": best})
	}
}
