package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Caps of what a merged report keeps.
const (
	maxEvidence = 20    // per defect
	maxIPs      = 1_000 // per attack
	maxListed   = 64    // problems, and quality lines
)

// Merge joins the reports of several runs into one, for months of history.
// The order of the runs does not matter, and a run given twice counts once.
//
// Runs that overlap in time and share a site saw the same traffic: what they
// counted is taken from the one that counted most, never added. All others
// add. Findings are joined by id: an attack's rows by day and API take the
// larger of each figure, so that a day seen by two runs counts once; lists are
// united; texts come from the run that saw the finding last. Figures and
// campaigns are computed anew. The second result says what a reader must know.
func Merge(runs []*Report, msgs *message.Catalog) (*Report, []message.Text) {
	m := newMerger(runs)
	r := &Report{Schema: SchemaID, Version: m.joined(func(r *Report) string { return r.Version }), Rules: m.joined(func(r *Report) string { return r.Rules }), Input: m.input(), Sites: m.sites(), APIs: m.apis(), Defects: m.defects(), Attacks: m.attacks(), Campaigns: m.campaigns()}
	finish(r, msgs)
	return r, m.notes(msgs)
}

// finish computes what follows from a report's lists.
func finish(r *Report, msgs *message.Catalog) {
	known := map[string]bool{}
	for i := range r.Attacks {
		known[r.Attacks[i].ID] = true
	}
	for i := range r.Defects {
		d := &r.Defects[i]
		d.ExploitedBy = slices.DeleteFunc(d.ExploitedBy, func(id string) bool { return !known[id] })
	}
	Order(r)
	if slices.ContainsFunc(r.Attacks, func(a Attack) bool { return len(a.Signature) > 0 }) {
		reduce(r, msgs)
	}
	r.Statistics = Count(r)
}

// merger holds the runs in one order, each with its cluster: runs of one
// cluster saw the same traffic.
type merger struct {
	runs    []*Report
	cluster []int
}

func newMerger(runs []*Report) *merger {
	type keyed struct {
		r   *Report
		sum [sha256.Size]byte
	}
	var list []keyed
	for _, r := range runs {
		b, err := json.Marshal(r)
		if err != nil {
			b = nil // a report holds nothing that JSON cannot say
		}
		list = append(list, keyed{r, sha256.Sum256(b)})
	}
	slices.SortFunc(list, func(a, b keyed) int {
		x, y := start(a.r), start(b.r)
		return cmp.Or(x.Compare(y), bytes.Compare(a.sum[:], b.sum[:]))
	})
	list = slices.CompactFunc(list, func(a, b keyed) bool { return a.sum == b.sum })
	m := &merger{}
	for _, k := range list {
		m.runs = append(m.runs, k.r)
		m.cluster = append(m.cluster, len(m.cluster))
	}
	for i := range m.runs {
		for j := range i {
			if m.cluster[i] != m.cluster[j] && sameTraffic(m.runs[i], m.runs[j]) {
				from, to := m.cluster[i], m.cluster[j]
				for k := range m.cluster {
					if m.cluster[k] == from {
						m.cluster[k] = to
					}
				}
			}
		}
	}
	return m
}

func start(r *Report) time.Time {
	if r.Input.First == nil {
		return time.Time{}
	}
	return *r.Input.First
}

// sameTraffic reports whether two runs share a site and overlap in time. An
// overlap of less than a hundredth of the shorter one is the border of two
// runs that follow each other, not traffic seen twice.
func sameTraffic(a, b *Report) bool {
	if a.Input.First == nil || b.Input.First == nil || a.Input.Last == nil || b.Input.Last == nil {
		return false
	}
	from, to := *a.Input.First, *a.Input.Last
	if b.Input.First.After(from) {
		from = *b.Input.First
	}
	if b.Input.Last.Before(to) {
		to = *b.Input.Last
	}
	shorter := min(a.Input.Last.Sub(*a.Input.First), b.Input.Last.Sub(*b.Input.First))
	if to.Before(from) || to.Sub(from) < shorter/100 {
		return false
	}
	return slices.ContainsFunc(a.Sites, func(x Site) bool {
		return slices.ContainsFunc(b.Sites, func(y Site) bool { return x.Name == y.Name })
	})
}

// tally adds up a figure: the largest of each cluster.
type tally map[int]uint64

func (t tally) see(cluster int, n uint64) { t[cluster] = max(t[cluster], n) }

func (t tally) sum() (n uint64) {
	for _, x := range t {
		n += x
	}
	return n
}

// joined lists the versions of the runs.
func (m *merger) joined(of func(*Report) string) string {
	var all []string
	for _, r := range m.runs {
		if v := of(r); v != "" {
			all = append(all, strings.Split(v, ", ")...)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// input adds the runs that stand for their clusters: those that took in most.
// So what came in is still what was analysed and what was dropped.
func (m *merger) input() Input {
	in := NewInput()
	in.Addresses = "token"
	stands := map[int]*Report{}
	for i, r := range m.runs {
		if best := stands[m.cluster[i]]; best == nil || r.Input.Exchanges > best.Input.Exchanges {
			stands[m.cluster[i]] = r
		}
		if r.Input.Addresses == "plain" {
			in.Addresses = "plain"
		}
		if f := r.Input.First; f != nil && (in.First == nil || f.Before(*in.First)) {
			in.First = f
		}
		if l := r.Input.Last; l != nil && (in.Last == nil || l.After(*in.Last)) {
			in.Last = l
		}
	}
	dropped, limits := map[string]uint64{}, map[string]uint64{}
	type line struct{ code, detail string }
	quality := map[line]uint64{}
	type server struct{ address, name, protocol, reason string }
	blind := map[server]*Blind{}
	for _, c := range slices.Sorted(maps.Keys(stands)) {
		x := &stands[c].Input
		in.Exchanges, in.Analysed, in.Observations, in.Bytes = in.Exchanges+x.Exchanges, in.Analysed+x.Analysed, in.Observations+x.Observations, in.Bytes+x.Bytes
		for _, d := range x.Dropped {
			dropped[d.Reason] += d.Count
		}
		for _, l := range x.Limits {
			limits[l.What] += l.Count
		}
		for _, q := range x.Quality {
			quality[line{q.Code, q.Detail}] += q.Count
		}
		if len(in.Networks) < maxListed {
			in.Networks = uniteSnapshots(in.Networks, x.Networks)
		}
		for _, b := range x.Blind {
			k := server{b.Server, b.Name, b.Protocol, b.Reason}
			if blind[k] == nil {
				blind[k] = &Blind{Server: b.Server, Name: b.Name, Protocol: b.Protocol, Reason: b.Reason}
			}
			blind[k].Connections, blind[k].Bytes = blind[k].Connections+b.Connections, blind[k].Bytes+b.Bytes
			blind[k].addClients(b.Clients)
		}
		for _, p := range x.Problems {
			if len(in.Problems) < maxListed && !slices.Contains(in.Problems, p) {
				in.Problems = append(in.Problems, p)
			}
		}
	}
	for reason, n := range dropped {
		in.Dropped = append(in.Dropped, ReasonCount{reason, n})
	}
	for what, n := range limits {
		in.Limits = append(in.Limits, LimitCount{what, n})
	}
	details := map[string]int{}
	for l := range quality {
		details[l.code]++
	}
	plain := map[string]uint64{} // codes with a detail per run say it once
	for l, n := range quality {
		if l.code == string(taxonomy.QualityNotWarm) && details[l.code] > 1 || len(quality) > maxListed {
			plain[l.code] += n
		} else {
			in.Quality = append(in.Quality, QualityCount{l.code, n, l.detail})
		}
	}
	for code, n := range plain {
		in.Quality = append(in.Quality, QualityCount{Code: code, Count: n})
	}
	for _, b := range blind {
		b.Clients = b.Clients[:min(len(b.Clients), maxBlindClients)]
		in.Blind = append(in.Blind, *b)
	}
	slices.SortFunc(in.Blind, func(a, b Blind) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Reason, b.Reason))
	})
	in.NotJudged = m.notJudged()
	in.sortLists()
	return in
}

// addClients joins fingerprints, most connections first.
func (b *Blind) addClients(list []BlindClient) {
	for _, c := range list {
		if i := slices.IndexFunc(b.Clients, func(x BlindClient) bool { return x.JA4 == c.JA4 }); i >= 0 {
			b.Clients[i].Connections += c.Connections
		} else {
			b.Clients = append(b.Clients, c)
		}
	}
	slices.SortFunc(b.Clients, func(x, y BlindClient) int {
		return cmp.Or(cmp.Compare(y.Connections, x.Connections), cmp.Compare(x.JA4, y.JA4))
	})
}

// notJudged keeps the kinds that no run could judge: what one run of several
// could show is not unseen. A run that took nothing in has no say.
func (m *merger) notJudged() []NotJudged {
	var out []NotJudged
	judges := 0
	missing := map[string]int{}
	for _, r := range m.runs {
		if r.Input.Analysed == 0 {
			continue
		}
		judges++
		seen := map[string]bool{}
		for _, n := range r.Input.NotJudged {
			if !seen[n.Kind] {
				seen[n.Kind] = true
				missing[n.Kind]++
			}
			if !slices.ContainsFunc(out, func(x NotJudged) bool { return x.Kind == n.Kind }) {
				out = append(out, n)
			}
		}
	}
	out = slices.DeleteFunc(out, func(n NotJudged) bool { return missing[n.Kind] < judges })
	if out == nil {
		out = []NotJudged{}
	}
	return out
}

func (m *merger) sites() []Site {
	type state struct {
		site  Site
		last  time.Time
		count tally
	}
	all := map[string]*state{}
	for i, r := range m.runs {
		last := time.Time{}
		if r.Input.Last != nil {
			last = *r.Input.Last
		}
		for _, s := range r.Sites {
			st := all[s.Name]
			if st == nil {
				st = &state{site: s, last: last, count: tally{}}
				all[s.Name] = st
			}
			st.count.see(m.cluster[i], s.Exchanges)
			if last.After(st.last) { // the latest configuration holds
				st.site, st.last = Site{Name: s.Name, Industry: named(s.Industry, st.site.Industry), TimeZone: s.TimeZone}, last
			} else {
				st.site.Industry = named(st.site.Industry, s.Industry)
			}
		}
	}
	out := []Site{}
	for _, st := range all {
		st.site.Exchanges = st.count.sum()
		out = append(out, st.site)
	}
	return out
}

// named prefers an industry over none.
func named(a, b string) string {
	if a == string(taxonomy.IndustryOther) {
		return b
	}
	return a
}

func (m *merger) apis() []API {
	type state struct {
		api       API
		count     tally
		sensitive map[SensitiveData]tally // without figures
		most      map[SensitiveData]uint32
	}
	all := map[string]*state{}
	now := time.Time{}
	for i, r := range m.runs {
		for _, a := range r.APIs {
			st := all[a.ID]
			if st == nil {
				st = &state{api: a, count: tally{}, sensitive: map[SensitiveData]tally{}, most: map[SensitiveData]uint32{}}
				all[a.ID] = st
			}
			st.count.see(m.cluster[i], a.Exchanges)
			for _, s := range a.Sensitive {
				k := SensitiveData{Path: s.Path, Type: s.Type, In: s.In, Masked: s.Masked}
				if st.sensitive[k] == nil {
					st.sensitive[k] = tally{}
				}
				st.sensitive[k].see(m.cluster[i], s.Exchanges)
				st.most[k] = max(st.most[k], s.MaxPerResponse)
			}
			first, last, actors := earlier(st.api.FirstSeen, a.FirstSeen), later(st.api.LastSeen, a.LastSeen), max(st.api.Actors, a.Actors)
			changes := contract.Join(st.api.Contract, a.Contract)
			internet := st.api.Exposure == string(taxonomy.ExposureInternet)
			if a.LastSeen.After(st.api.LastSeen) {
				st.api = a
			}
			st.api.Contract = st.api.Contract.With(changes)
			if internet {
				st.api.Exposure = string(taxonomy.ExposureInternet)
			}
			st.api.FirstSeen, st.api.LastSeen, st.api.Actors = first, last, actors
			now = later(now, last)
		}
	}
	out := []API{}
	for _, st := range all {
		a := st.api
		a.Exchanges = st.count.sum()
		a.Sensitive = []SensitiveData{}
		for k, t := range st.sensitive {
			k.Exchanges, k.MaxPerResponse = t.sum(), st.most[k]
			a.Sensitive = append(a.Sensitive, k)
		}
		orderSensitive(a.Sensitive)
		a.Lifecycle = string((&catalog.API{First: a.FirstSeen.UnixNano(), Last: a.LastSeen.UnixNano(), Exchanges: a.Exchanges, Gone: a.Gone, Successor: a.Successor}).Lifecycle(now.UnixNano()))
		out = append(out, a)
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// notes says what a reader must know about the runs.
func (m *merger) notes(msgs *message.Catalog) []message.Text {
	var out []message.Text
	overlap, keys := map[int]int{}, map[string]bool{}
	for i, r := range m.runs {
		overlap[m.cluster[i]]++
		if r.Input.Key != "" {
			keys[r.Input.Key] = true
		}
	}
	twice := 0
	for _, n := range overlap {
		if n > 1 {
			twice += n
		}
	}
	if twice > 0 {
		out = append(out, msgs.Text("merge.overlap", message.Args{"n": twice}))
	}
	if len(keys) > 1 {
		out = append(out, msgs.Text("merge.keys", message.Args{"n": len(keys)}))
	}
	return out
}
