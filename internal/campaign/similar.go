package campaign

import (
	"math"
	"slices"
	"strings"
)

// A profile is an attack as the comparison needs it.
type profile struct {
	*Attack
	marks [][]value // by key, in the order of keys; sorted by value
	self  [families]float64
	tool  string // that it says it is, where most requests do
}

// value is one mark.
type value struct {
	id     int32
	share  float64
	others uint64
	of     uint64
	bits   float64
	shared bool // of a network: by attacks that have nothing else in common
}

// keys are the kinds of marks, sorted.
var keys = func() []string {
	var out []string
	for k := range traits {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}()

var traitOf = func() []trait {
	var out []trait
	for _, k := range keys {
		out = append(out, traits[k])
	}
	return out
}()

// profiles prepares attacks, oldest first.
func profiles(list []*Attack) []*profile {
	names := map[string]int32{}
	out := make([]*profile, len(list))
	for i, a := range list {
		p := &profile{Attack: a, marks: make([][]value, len(keys))}
		for _, m := range a.Marks {
			if m.Key == "tool" && m.Share > 0.5 {
				p.tool = m.Value
			}
			k, ok := slices.BinarySearch(keys, m.Key)
			if !ok || m.Value == "" {
				continue
			}
			name := m.Key + "\x00" + m.Value
			id, ok := names[name]
			if !ok {
				id = int32(len(names))
				names[strings.Clone(name)] = id
			}
			p.marks[k] = append(p.marks[k], value{id: id, share: m.Share, others: m.Others, of: m.Of, bits: traitOf[k].bits(m.Key, m.Others, m.Of)})
		}
		for k := range p.marks {
			slices.SortFunc(p.marks[k], func(x, y value) int { return int(x.id) - int(y.id) })
			p.marks[k] = slices.CompactFunc(p.marks[k], func(x, y value) bool { return x.id == y.id })
		}
		p.weigh()
		out[i] = p
	}
	return out
}

// weigh computes what each family of a profile could tell.
func (p *profile) weigh() {
	p.self = [families]float64{}
	for k, list := range p.marks {
		t := &traitOf[k]
		best, sum := 0.0, 0.0
		for _, v := range list {
			if v.shared {
				continue
			}
			best = max(best, v.bits)
			sum += v.bits * v.share
		}
		if !t.sample {
			best = sum
		}
		p.self[t.family] = max(p.self[t.family], min(best, t.cap))
	}
}

// likeness is how alike two attacks are.
type likeness struct {
	sim   float64
	links int // families that make a rare link
	by    [families]float64
}

// score is the likeness as linkage adds it up: one link alone is half proof.
func (l likeness) score() float64 {
	switch {
	case l.links >= 2:
		return l.sim
	case l.links == 1:
		return l.sim * 0.6
	}
	return 0
}

// compare weighs what two attacks share against what tells them apart: a
// Jaccard index over families, weighted by rarity and fading with the time
// between them.
func compare(a, b *profile) likeness {
	var l likeness
	var shared, apart [families]float64
	place := false
	for k := range keys {
		x, y := a.marks[k], b.marks[k]
		if len(x) == 0 || len(y) == 0 {
			continue
		}
		t := &traitOf[k]
		got, overlap := match(t, keys[k], x, y)
		if keys[k] == "ip" && overlap >= 0.5 && a.IPCount <= fewIPs && b.IPCount <= fewIPs {
			place = true
		}
		shared[t.family] = max(shared[t.family], got)
		apart[t.family] = 1
	}
	days := max(a.First.Sub(b.Last), b.First.Sub(a.Last), 0).Hours() / 24
	same := a.tool != "" && a.tool == b.tool
	var num, den, weak float64
	for f := range families {
		if apart[f] == 0 {
			continue
		}
		self := max(a.self[f], b.self[f])
		got := shared[f]
		rare := got >= linkBits
		switch {
		case f == famTool && a.tool != "" && b.tool != "":
			// Tools that say what they are: anybody can get them. They tell one
			// asker from another at one place only.
			got, self = min(got, toolBits), min(self, toolBits)
			rare = same && got > 0 && place
		case f == famStructure && same:
			// What a common tool makes of a site's form is no trait of its user.
			got, self = min(got, toolBits), min(self, toolBits)
			rare = false
		}
		w := math.Exp(-days / fade[f])
		if rare && (f == famTool && same || got*w >= linkBits) {
			l.links++
		} else {
			weak += got * w
		}
		l.by[f] = got * w
		num += got * w
		// Forms differ from API to API, so only on common ground does it mean
		// anything that structures do, and orders only among attacks alike.
		against := mismatch[f]
		if f == famStructure && !meet(a.APIs, b.APIs) || f == famSequence && a.Kind != b.Kind {
			against = 0
		}
		den += got*w + max(self-got, 0)*w*against
	}
	if weak >= linkBits {
		l.links++ // what several families say a little of adds up to one link
	}
	if den > 0 {
		l.sim = num / den
	}
	return l
}

// match gives the bits that two lists of values share, and the overlap of
// samples.
func match(t *trait, key string, x, y []value) (bits, overlap float64) {
	n, nx, ny, shared := 0.0, 0, 0, 0
	for _, v := range x {
		if v.bits > 0 && !v.shared {
			nx++
		}
	}
	for _, v := range y {
		if v.bits > 0 && !v.shared {
			ny++
		}
	}
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i].id < y[j].id:
			i++
		case x[i].id > y[j].id:
			j++
		default:
			u, v := &x[i], &y[j]
			i++
			j++
			if u.shared || v.shared {
				continue
			}
			b := pooled(t, key, u, v)
			if b == 0 {
				continue
			}
			shared++
			if t.sample {
				n += b
			} else {
				n += b * min(u.share, v.share)
			}
		}
	}
	if shared == 0 {
		return 0, 0
	}
	if !t.sample {
		return min(n, t.cap), 1
	}
	overlap = float64(shared) / float64(max(min(nx, ny), 1))
	if overlap < wide && shared < 3 {
		return 0, overlap
	}
	// A quarter of the sample in common is as good as all: pools and lists are
	// never used up in one attack.
	return n / float64(shared) * min(overlap*2, 1), overlap
}

// pooled is how rare a value is on the sites of two attacks.
func pooled(t *trait, key string, u, v *value) float64 {
	if u.others == v.others && u.of == v.of {
		return u.bits
	}
	return t.bits(key, u.others+v.others, u.of+v.of)
}

func meet(a, b []string) bool {
	for _, x := range a {
		if slices.Contains(b, x) {
			return true
		}
	}
	return false
}
