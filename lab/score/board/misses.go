package board

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Misses writes what went wrong, one story each: the attacks that were not
// found, those found as something else, and what was said of the public.
func Misses(out io.Writer, records []*Record) error {
	w := &page{out: out}
	records = slices.SortedFunc(slices.Values(records), func(a, b *Record) int {
		return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Game, b.Game))
	})
	w.printf("# Attacks not found, or found as something else\n\nFor each: what it was, how it is equipped, what the reports hold of it. `in` names reports (kind verdict score: requests of the attack).\n\n")
	for _, r := range records {
		got, asked := r.covered(&r.Plain)
		blindGot, _ := r.covered(&r.Blind)
		right := r.named(&r.Plain)
		for a := 1; a < len(r.Attacks); a++ {
			if 2*right[a] >= asked[a] && 2*blindGot[a] >= asked[a] {
				continue
			}
			x := &r.Attacks[a]
			g := &r.Gangs[x.Gang]
			state := "MISSED"
			switch {
			case 2*right[a] >= asked[a]:
				state = "missed IP-blind only"
			case 2*got[a] >= asked[a]:
				state = "found as another kind"
			case got[a] > 0:
				state = "MISSED, in part"
			}
			k := &g.Knobs
			w.printf("- **%s** %s %s %s/%s at %s, sensor %s: %d requests, %d addresses, %d attributed (%d as it), %d IP-blind; first found after %d\n", r.Game, state, x.Kind, g.Difficulty, g.Family, x.Site, r.Sensor, asked[a], x.Actors, got[a], right[a], blindGot[a], r.Plain.Found[a].Probes)
			w.printf("  - knobs: addr/req %.2f, overlap %.2f, %s, params %s, %s %.1f/min, order %s, hit %.2f, flow %.2f, from %s to %s\n", k.AddressesPerRequest, k.Overlap, k.Fingerprint, k.Parameters, k.Rate, k.PerMinute, k.Order, k.HitRate, k.Flow, x.First.Format("01-02 15:04"), x.Last.Format("01-02 15:04"))
			w.printf("  - in: %s\n", r.in(&r.Plain, func(g *Group) bool { return g.Attack == a }))
			w.printf("  - in, IP-blind: %s\n", r.in(&r.Blind, func(g *Group) bool { return g.Attack == a }))
		}
	}
	w.printf("\n# What was said of the public\n\nReports (likely or confirmed) that hold exchanges of the public.\n\n")
	for _, r := range records {
		for _, o := range []struct {
			name string
			v    *View
		}{{"", &r.Plain}, {" IP-blind", &r.Blind}} {
			j := weighed(r, o.v, choice{counts: func(*Record, *Attack) bool { return true }})
			events := make([]map[string]int, len(o.v.Reports))
			for i := range o.v.Groups {
				g := &o.v.Groups[i]
				if g.Attack != honest || g.Event == 0 {
					continue
				}
				for _, k := range g.In {
					if events[k] == nil {
						events[k] = map[string]int{}
					}
					events[k][r.Events[g.Event].Name] += g.N
				}
			}
			for i := range o.v.Reports {
				x := &o.v.Reports[i]
				if x.Weak() || is(j.attack[i], j.honest[i]) && j.honest[i] == 0 || j.honest[i] == 0 && j.other[i] > 0 {
					continue
				}
				w.printf("- **%s**%s %s %s at %s, score %.1f: %d of the public, %d of attacks, %d beside; events %v; %s\n", r.Game, o.name, x.Kind, x.Verdict, x.Site, x.Score, j.honest[i], j.attack[i], j.other[i], events[i], x.Reason)
			}
		}
	}
	return w.err
}

// named counts, by attack, the requests in reports of their kind.
func (r *Record) named(v *View) []int {
	out := make([]int, len(r.Attacks))
	for _, g := range v.Groups {
		if g.Attack > 0 && slices.ContainsFunc(g.In, func(i int) bool { return !v.Reports[i].Weak() && v.Reports[i].Kind == r.Attacks[g.Attack].Kind }) {
			out[g.Attack] += g.N
		}
	}
	return out
}

// in lists the reports that hold some exchanges, and how many.
func (r *Record) in(v *View, want func(*Group) bool) string {
	n := make([]int, len(v.Reports))
	for i := range v.Groups {
		if want(&v.Groups[i]) {
			for _, k := range v.Groups[i].In {
				n[k] += v.Groups[i].N
			}
		}
	}
	var parts []string
	for i, x := range v.Reports {
		if n[i] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s %.1f: %d", x.Kind, x.Verdict, x.Score, n[i]))
		}
	}
	if len(parts) > 12 {
		parts = append(parts[:12], fmt.Sprintf("and %d more", len(parts)-12))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}
