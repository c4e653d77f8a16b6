package report

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/attack"
	"xiezhi/internal/catalog"
	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/defect"
	"xiezhi/internal/intel"
	"xiezhi/internal/judge"
	"xiezhi/internal/message"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/redact"
	"xiezhi/internal/taxonomy"
)

// Addresses says how client addresses appear.
type Addresses uint8

const (
	AddressesPlain Addresses = iota // operational data, as they are
	AddressesToken                  // keyed tokens: a firewall cannot act on them
)

// Config is what a report needs to know beside the findings.
type Config struct {
	Version   string
	Rules     string           // version of the rule data
	Redactor  *redact.Redactor // turns tokens into what may leave the installation
	Addresses Addresses
	Messages  *message.Catalog       // for the stories of campaigns
	TypeID    func(id string) string // names types of data that people defined; nil: as they are
	Forms     *form.Table            // what requests and answers are made of; nil: APIs have no contracts
	Networks  *intel.Map             // where addresses are; nil: actors have no places
}

// Build makes the report of the judged sites.
func Build(cfg Config, in Input, sites []judge.Result) *Report {
	in.sortLists()
	if in.Addresses = "plain"; cfg.Addresses == AddressesToken {
		in.Addresses = "token"
	}
	if cfg.Redactor != nil {
		in.Key = cfg.Redactor.External("key", 0)
	}
	r := &Report{Schema: SchemaID, Version: cfg.Version, Rules: cfg.Rules, Input: in,
		Sites: []Site{}, APIs: []API{}, Defects: []Defect{}, Attacks: []Attack{}, Campaigns: []Campaign{}}
	in.Networks = snapshotOf(cfg.Networks)
	r.Input = in
	if cfg.TypeID == nil {
		cfg.TypeID = func(id string) string { return id }
	}
	b := builder{cfg: cfg}
	last := int64(0)
	for i := range sites {
		for _, a := range sites[i].APIs {
			last = max(last, a.Last)
		}
	}
	for i := range sites {
		s := &sites[i]
		r.Sites = append(r.Sites, site(s))
		b.ids = make(map[catalog.Handle]string, len(s.APIs))
		var contracts []*contract.Contract
		if cfg.Forms != nil {
			contracts = contract.Of(s.APIs, cfg.Forms)
		}
		for k, a := range s.APIs {
			b.ids[a.Handle] = a.ID
			x := b.api(a, last)
			if contracts != nil {
				x.Contract = contracts[k]
				x.Contract.Name(cfg.TypeID)
			}
			r.APIs = append(r.APIs, x)
		}
		for j := range s.Defects {
			d := b.defect(&s.Defects[j])
			d.Site = s.Site.Name
			r.Defects = append(r.Defects, d)
		}
		for j := range s.Attacks {
			r.Attacks = append(r.Attacks, b.attack(&s.Attacks[j]))
		}
	}
	Order(r)
	reduce(r, cfg.Messages)
	r.Statistics = Count(r)
	return r
}

// site describes a judged site.
func edits(list []catalog.Edited) (out []Edit) {
	for _, e := range list {
		out = append(out, Edit{Edit: e.Edit, Host: e.Host, Method: e.Method, Template: e.Template.Template, Title: e.Title, Role: string(e.Role), By: e.By, Reason: e.Reason, APIs: e.APIs})
	}
	return out
}

func site(s *judge.Result) Site {
	zone := s.Site.Location
	if zone == nil {
		zone = time.UTC
	}
	return Site{Name: s.Site.Name, Industry: string(cmp.Or(s.Site.Industry, taxonomy.IndustryOther)), TimeZone: zone.String(), Exchanges: s.Judged, Edits: edits(s.Edits)}
}

// Order sorts every list into reading order: what matters first, ties by id.
func Order(r *Report) {
	slices.SortFunc(r.Sites, func(a, b Site) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.APIs, func(a, b API) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Template, b.Template), cmp.Compare(a.Method, b.Method), cmp.Compare(a.ID, b.ID))
	})
	people := make(map[string]uint64, len(r.Attacks))
	for i := range r.Attacks {
		people[r.Attacks[i].ID] = r.Attacks[i].SubjectsExposed
	}
	slices.SortFunc(r.Defects, func(a, b Defect) int {
		return cmp.Or(cmp.Compare(boolRank(a.Closed()), boolRank(b.Closed())), urgencyOf(&a, people).compare(urgencyOf(&b, people)))
	})
	slices.SortFunc(r.Attacks, func(a, b Attack) int {
		return cmp.Or(cmp.Compare(rank(b.Verdict), rank(a.Verdict)), cmp.Compare(b.SubjectsExposed, a.SubjectsExposed), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.ID, b.ID))
	})
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rank orders the ids of severities and verdicts.
func rank(id string) int {
	for s := taxonomy.Moderate; s <= taxonomy.Critical; s++ {
		if s.String() == id {
			return int(s)
		}
	}
	for v := taxonomy.Suspicious; v <= taxonomy.Confirmed; v++ {
		if v.String() == id {
			return int(v)
		}
	}
	return 0
}

type builder struct {
	cfg Config
	ids map[catalog.Handle]string
}

func (b *builder) api(a *catalog.API, now int64) API {
	out := API{ID: a.ID, Site: a.Site, Host: a.Host, Method: a.Method, Template: a.Template, Operation: a.Operation, Title: a.Title, Protocol: a.Protocol.String(), Role: string(a.Role),
		Lifecycle: string(a.Lifecycle(now)), Gone: a.Gone, Successor: a.Successor, Exposure: string(a.Exposure()), Exchanges: a.Exchanges, Actors: a.Actors,
		Auth: string(a.Auth()), Sensitive: []SensitiveData{}, FirstSeen: moment(a.First), LastSeen: moment(a.Last)}
	for _, s := range a.Sensitive {
		in := "request"
		if s.Response {
			in = "response"
		}
		out.Sensitive = append(out.Sensitive, SensitiveData{Path: s.Path, Type: b.cfg.TypeID(s.Type.String()), In: in, Masked: s.Masked,
			Exchanges: s.Exchanges, MaxPerResponse: s.MaxPerResponse})
	}
	orderSensitive(out.Sensitive)
	return out
}

func orderSensitive(list []SensitiveData) {
	slices.SortFunc(list, func(x, y SensitiveData) int {
		masked := 0
		if x.Masked != y.Masked {
			if masked = 1; y.Masked {
				masked = -1
			}
		}
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Type, y.Type), cmp.Compare(x.In, y.In), masked)
	})
}

func (b *builder) defect(f *defect.Finding) Defect {
	d := Defect{ID: f.ID, Class: string(taxonomy.ClassOf[f.Kind]), Kind: string(f.Kind), Component: f.Component, API: b.ids[f.API],
		Severity: f.Severity.String(), Harm: f.Harm.String(), Exploitability: f.Exploitability.String(), Prevalence: f.Prevalence.String(),
		Rating: f.Rating, Why: &Axes{f.Why.Harm, f.Why.Exploitability, f.Why.Prevalence}, Confidence: round(f.Confidence), Status: string(f.Status), FirstSeen: moment(f.First), LastSeen: moment(f.Last), Count: f.Count,
		Evidence: []Evidence{}, Reason: f.Reason, Advice: f.Advice, OWASP: list(f.OWASP), CWE: list(f.CWE), ExploitedBy: list(f.ExploitedBy)}
	for _, e := range f.Evidence {
		d.Evidence = append(d.Evidence, Evidence{Exchange: e.Exchange, What: e.What, Value: e.Value, Request: e.Request, Response: e.Response})
	}
	d.Life = life(f)
	return d
}

// life tells what became of a defect; nil when it was only found.
func life(f *defect.Finding) *Life {
	if len(f.Life.History) <= 1 && f.Ruling == nil && (f.Life.Progress == nil || !f.Life.Progress.Claimed) {
		return nil
	}
	l := &Life{History: []Step{}}
	for _, c := range f.Life.History {
		l.History = append(l.History, Step{Time: moment(c.At), Status: string(c.Status), Text: c.Text})
	}
	if p := f.Life.Progress; p != nil {
		l.Progress = &Progress{Since: moment(p.Since), Claimed: p.Claimed, Requests: p.Eligible, Needed: p.NeedEligible, Hours: p.Hours, HoursNeeded: p.NeedHours,
			Days: round(p.Days), DaysNeeded: p.NeedDays, Traffic: round(p.Traffic), TrafficNeed: p.NeedTraffic}
	}
	if x := f.Ruling; x != nil {
		l.Decision = &Decision{By: x.By, Reason: x.Reason}
		if x.Expires != 0 {
			until := moment(x.Expires)
			l.Decision.Expires = &until
		}
	}
	return l
}

func (b *builder) attack(f *attack.Finding) Attack {
	s := &f.Selector
	a := Attack{ID: f.ID, Kind: string(f.Kind), Scenario: string(taxonomy.ScenarioOf[f.Kind]), Site: f.Site, APIs: b.apis(s.APIs),
		Verdict: f.Verdict.String(), Confidence: round(f.Confidence), FirstSeen: moment(f.First), LastSeen: moment(f.Last),
		Requests: f.Requests, Blocked: f.Blocked, Succeeded: f.Succeeded, SubjectsExposed: f.SubjectsExposed,
		Through: list(f.Through), Reasons: []Reason{}, Reason: f.Reason,
		Action: Action{Kind: string(f.Action), Collateral: round(f.Collateral)}, Activity: b.activity(f.Activity), Signature: b.signature(f.Marks)}
	a.Selector = Selector{APIs: b.apis(s.APIs), From: moment(s.From), To: moment(s.To), Keys: SelectorKeys{
		IP: b.addresses(s.IP), Prefix: prefixes(s.Prefix), JA4: s.JA4, HeaderOrder: hexes(s.HeaderOrder), ParamShape: hexes(s.ParamShape),
		Credential: b.tokens("credential", s.Credential), Account: b.tokens("account", s.Account),
		Agent: b.tokens("agent", s.Agent), Path: hexes(s.Path)}}
	if b.cfg.Addresses == AddressesToken {
		b.hide(&a, f)
	}
	a.Actors = Actors{IPs: list(b.addresses(f.IPs)), IPCount: f.IPCount, Accounts: f.Accounts, Fingerprints: list(f.Fingerprints)}
	a.Actors.place(b.cfg.Networks, f.IPs)
	for _, x := range f.Reasons {
		a.Reasons = append(a.Reasons, Reason{Family: string(x.Family), Observed: x.Observed, Expected: x.Expected, Weight: round(x.Weight), Zh: x.Text.Zh, En: x.Text.En})
	}
	return a
}

// activity names the APIs of an attack's rows; what is in no list of APIs is
// of no API.
func (b *builder) activity(rows []attack.Activity) []Activity {
	out := []Activity{}
	for _, x := range rows {
		out = append(out, Activity{Day: x.Day, API: b.ids[x.API], Requests: x.Requests, Blocked: x.Blocked, Succeeded: x.Succeeded})
	}
	slices.SortFunc(out, func(x, y Activity) int { return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.API, y.API)) })
	return mergeRows(out)
}

// mergeRows adds up neighbours of the same day and API.
func mergeRows(rows []Activity) []Activity {
	n := 0
	for _, x := range rows {
		if n > 0 && rows[n-1].Day == x.Day && rows[n-1].API == x.API {
			y := &rows[n-1]
			y.Requests, y.Blocked, y.Succeeded = y.Requests+x.Requests, y.Blocked+x.Blocked, y.Succeeded+x.Succeeded
			continue
		}
		rows[n] = x
		n++
	}
	return rows[:n]
}

// signature renders marks: hashes of software as they are, tokens of values
// under the key for what leaves the installation.
func (b *builder) signature(marks []attack.Mark) []Mark {
	out := []Mark{}
	for _, m := range marks {
		x := Mark{Key: m.Key, Share: round(m.Share), Others: m.Others, Of: m.Of}
		switch m.Key {
		case "ja4", "tool":
			x.Value = m.Text
		case "ip", "prefix":
			x.Value = m.Net.String()
			if m.Key == "ip" {
				x.Value = m.Net.Addr().String()
			}
			if b.cfg.Addresses == AddressesToken {
				x.Value = b.address(x.Value)
			}
		case "agent", "credential", "account", "segment", "password", "param_value":
			x.Value = b.cfg.Redactor.External(m.Key, m.Value)
		default:
			x.Value = fmt.Sprintf("%016x", m.Value)
		}
		out = append(out, x)
	}
	return out
}

// hide takes client addresses and networks out of an attack's texts and
// selector.
func (b *builder) hide(a *Attack, f *attack.Finding) {
	plain := map[string]string{}
	for _, ip := range slices.Concat(f.IPs, f.Selector.IP) {
		plain[ip.String()] = b.address(ip.String())
	}
	for _, p := range f.Selector.Prefix {
		plain[p.String()] = b.address(p.String())
	}
	for _, ip := range f.IPs { // a text may name the network of the addresses
		for _, bits := range []int{24, 64} {
			if p, err := ip.Prefix(bits); err == nil {
				plain[p.String()] = b.address(p.String())
			}
		}
	}
	names := slices.SortedFunc(maps.Keys(plain), func(x, y string) int { return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(x, y)) })
	pairs := make([]string, 0, 2*len(names))
	for _, n := range names {
		pairs = append(pairs, n, plain[n])
	}
	r := strings.NewReplacer(pairs...)
	a.Reason = message.Text{Zh: r.Replace(a.Reason.Zh), En: r.Replace(a.Reason.En)}
	for i := range a.Reasons {
		x := &a.Reasons[i]
		x.Observed, x.Expected, x.Zh, x.En = r.Replace(x.Observed), r.Replace(x.Expected), r.Replace(x.Zh), r.Replace(x.En)
	}
	for i, p := range a.Selector.Keys.Prefix {
		a.Selector.Keys.Prefix[i] = r.Replace(p)
	}
}

// address is the token of an address or network.
func (b *builder) address(s string) string {
	return b.cfg.Redactor.External("address", b.cfg.Redactor.TokenString(s))
}

func (b *builder) apis(hs []catalog.Handle) []string {
	out := []string{}
	for _, h := range hs {
		if id, ok := b.ids[h]; ok {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (b *builder) addresses(ips []netip.Addr) []string {
	var out []string
	for _, ip := range ips {
		if b.cfg.Addresses == AddressesToken {
			out = append(out, b.address(ip.String()))
		} else {
			out = append(out, ip.String())
		}
	}
	return out
}

func (b *builder) tokens(domain string, ts []uint64) []string {
	var out []string
	for _, t := range ts {
		out = append(out, b.cfg.Redactor.External(domain, t))
	}
	return out
}

func prefixes(ps []netip.Prefix) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.String())
	}
	return out
}

func hexes(hs []uint64) []string {
	var out []string
	for _, h := range hs {
		out = append(out, fmt.Sprintf("%016x", h))
	}
	return out
}

// list makes an empty list of a nil one: the schema wants arrays.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func moment(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// round keeps four decimals, so that the last bits of a float never differ
// between machines.
func round(f float64) float64 { return float64(int64(f*1e4+0.5)) / 1e4 }

// sortLists puts the input's lists into an order that does not depend on who
// counted first.
func (in *Input) sortLists() {
	slices.SortFunc(in.Dropped, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	slices.SortFunc(in.Quality, func(a, b QualityCount) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Detail, b.Detail))
	})
	slices.SortFunc(in.Limits, func(a, b LimitCount) int { return cmp.Compare(a.What, b.What) })
}
