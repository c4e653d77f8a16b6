package password

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxProducts = 8   // whose factory settings worked, per API
	maxTitled   = 256 // hosts whose start page is titled as a back end
	maxTitles   = 1024
)

// Backend finds administrators' logins that a guess opens: a factory setting or
// a weak password got in. One success is enough, for behind it stands
// everything. Whether guessing is stopped at all, Throttle says.
type Backend struct {
	states  *defect.States[backend]
	titled  *defect.Table[uint64, struct{}] // hosts
	titles  *defect.Recent                  // judged already
	dropped uint64
}

type backend struct {
	own    guess // a back end of the application's
	bought guess // a product, with the pair that it is shipped with
}

// guess is what opened a login, of one kind.
type guess struct {
	span     defect.Span // weak or default logins
	weak     uint64
	trials   defect.Trials // logins of accounts once opened by a guess, and refusals of it
	products []product
	accounts defect.Set
	named    defect.Set // the same, as who logs in names them
	public   bool
	samples  defect.Samples
}

type product struct {
	id string
	n  uint64
}

// NewBackend returns the detector.
func NewBackend() *Backend {
	return &Backend{states: defect.NewStates[backend](maxAPIs), titled: defect.NewTable[uint64, struct{}](maxTitled), titles: defect.NewRecent(maxTitles)}
}

// Observe takes one event.
func (d *Backend) Observe(ev *defect.Event) {
	if ev.RespKind == observe.BodyHTML && ev.Message != "" && ev.Status < 400 {
		d.title(ev)
	}
	if len(ev.Passwords) == 0 || ev.Handle == 0 {
		return
	}
	admin := ev.Administrative() || d.titled.Get(defect.HashText(ev.Host)) != nil
	basic := len(ev.Submitted()) < len(ev.Passwords)
	if ev.API.Role != taxonomy.RoleLogin && !basic {
		return
	}
	if !ev.OK {
		d.turnedAway(ev)
		return
	}
	p := shown(ev.Passwords)
	if p == nil {
		return
	}
	product := p.Default
	if p.Privileged && product != "" && !names(ev, product) {
		product = generic // many products have an admin with that password
	}
	factory := product != "" && (admin || p.Privileged || product != generic && (basic || names(ev, product)))
	weak := admin && assess(p) != 0
	if !factory && !weak {
		if d.states.Len() > 0 {
			if s := d.states.Get(ev.Handle); s != nil {
				for _, g := range [...]*guess{&s.own, &s.bought} {
					if g.accounts.Has(accountOf(ev)) {
						g.trials.Count(ev.End, false)
					}
				}
			}
		}
		return
	}
	s := &d.states.Ensure(ev.Handle).own
	if factory && (basic || product != generic) {
		s = &d.states.Ensure(ev.Handle).bought
	}
	s.span.Add(ev.End)
	s.trials.Count(ev.End, true)
	s.public = s.public || !ev.Who.Private
	s.accounts.Add(accountOf(ev))
	if len(ev.Accounts) > 0 {
		s.named.Add(ev.Accounts[0].Token)
	}
	rank, what := uint32(1), "defect.evidence.weak_login"
	if factory {
		rank, what = 2, "defect.evidence.factory_login"
		d.product(s, product, 1)
	} else {
		s.weak++
	}
	if e := s.samples.Show(ev, rank); e != nil {
		e.What, e.Path, e.N, e.Status, e.Text = what, strings.Clone(p.Name), uint64(p.Len), ev.Status, strings.Clone(product)
		if len(ev.Accounts) > 0 {
			e.Value = strings.Clone(ev.Accounts[0].Shape)
		}
	}
}

// turnedAway counts a refusal of what opened the account before: the pair that
// a product is shipped with is the same to everybody, so its refusal is none of
// a guess; another weak password may be one.
func (d *Backend) turnedAway(ev *defect.Event) {
	if d.states.Len() == 0 || ev.Outcome != catalog.OutcomeRejected && ev.Outcome != catalog.OutcomeInvalid && ev.Outcome != catalog.OutcomeDenied ||
		ev.MessageSays&(observe.SaysThrottled|observe.SaysLocked|observe.SaysCaptcha|observe.SaysBroken) != 0 {
		return
	}
	s, p := d.states.Get(ev.Handle), shown(ev.Passwords)
	if s == nil || p == nil {
		return
	}
	for _, g := range [...]*guess{&s.own, &s.bought} {
		factory := p.Default != "" && slices.ContainsFunc(g.products, func(x product) bool { return x.id == p.Default || x.id == generic && p.Privileged })
		if factory || g.weak > 0 && turnedAway(ev, &g.named) {
			g.trials.Count(ev.End, false)
		}
	}
}

const generic = "generic" // the product of pairs that many share

// title notes hosts whose start or login page says that it is a back end.
func (d *Backend) title(ev *defect.Event) {
	key := defect.Pair(defect.HashText(ev.Host), ev.MessageHash)
	if d.titles.Has(key) {
		return
	}
	d.titles.Add(key)
	depth := 0
	for i := range ev.Segments {
		if ev.Segments[i].Class != observe.ClassEmpty {
			depth++
		}
	}
	if depth > 1 || !backendTitle(ev.Message) {
		return
	}
	d.titled.Ensure(defect.HashText(ev.Host))
}

// backendTitle reports whether a page's title is that of a back end. Many that
// are called management systems are for the public.
func backendTitle(title string) bool {
	title = strings.ToLower(title)
	for _, w := range [...]string{"后台", "运营平台", "管理员登录", "管理员登陆", "admin panel", "admin console", "admin login", "management console", "backoffice", "back office"} {
		if strings.Contains(title, w) {
			return true
		}
	}
	return title == "admin" || strings.HasPrefix(title, "admin ") || strings.HasSuffix(title, " admin")
}

// names reports whether host, path or banner name the product.
func names(ev *defect.Event, product string) bool {
	word, _, _ := strings.Cut(product, "_")
	if strings.Contains(strings.ToLower(ev.API.Template), word) || strings.Contains(ev.Host, word) {
		return true
	}
	return strings.Contains(strings.ToLower(ev.ServerBanner), word)
}

func (d *Backend) product(s *guess, id string, n uint64) {
	for i := range s.products {
		if s.products[i].id == id {
			s.products[i].n += n
			return
		}
	}
	if len(s.products) == maxProducts {
		d.dropped++
		return
	}
	s.products = append(s.products, product{strings.Clone(id), n})
}

// Merge folds the state of one API into another.
func (d *Backend) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *backend) {
		d.fold(&dst.own, &src.own)
		d.fold(&dst.bought, &src.bought)
	})
}

func (d *Backend) fold(dst, src *guess) {
	dst.span.Fold(src.span)
	dst.weak += src.weak
	dst.trials.Fold(&src.trials)
	for _, p := range src.products {
		d.product(dst, p.id, p.n)
	}
	dst.accounts.Union(&src.accounts)
	dst.named.Union(&src.named)
	dst.public = dst.public || src.public
	dst.samples.Fold(&src.samples)
}

// Findings reports what is known.
func (d *Backend) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, b *backend) {
		if r.API(h) == nil {
			return
		}
		d.bought(r, h, &b.bought)
		s := &b.own
		if s.span.Count == 0 {
			return
		}
		args := message.Args{"api": r.Name(h), "n": s.span.Count, "accounts": s.accounts.Number(), "weak": s.weak}
		draft := defect.Draft{
			Kind: taxonomy.DefectAdminWeakOrDefault, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Harm: taxonomy.Critical, HarmWhy: "defect.rating.h.admin",
			Reach: defect.Reach{Public: s.public, Anonymous: true, Guessable: true},
		}
		var reasons, advice []message.Text
		add := func(id string) {
			reasons = append(reasons, r.Text("defect.admin_weak_or_default.reason."+id, args))
			advice = append(advice, r.Text("defect.admin_weak_or_default.advice."+id, args))
		}
		if len(s.products) > 0 {
			most := slices.MinFunc(s.products, func(a, b product) int { return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.id, b.id)) })
			draft.Component = most.id
			args["product"] = productText(r, most.id)
			args["n"] = s.span.Count - s.weak
			add("default")
		}
		if s.weak > 0 {
			add("weak")
		}
		draft.Confidence = defect.Confidence(0.7, defect.If(len(s.products) > 0, 0.4), defect.If(s.span.Count >= 2, 0.3), defect.If(s.accounts.Count() >= 2, 0.2))
		draft.Reason = r.Text("defect.admin_weak_or_default.reason", message.Args{"api": r.Name(h), "reasons": joinClauses(reasons)})
		draft.Advice = joinSentences(advice)
		r.Add(draft)
	})
}

// bought reports a product that kept the pair it is shipped with.
func (d *Backend) bought(r *defect.Report, h catalog.Handle, s *guess) {
	if s.span.Count == 0 {
		return
	}
	most := slices.MinFunc(s.products, func(a, b product) int { return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.id, b.id)) })
	args := message.Args{"api": r.Name(h), "n": s.span.Count, "accounts": s.accounts.Number(), "product": productText(r, most.id)}
	r.Add(defect.Draft{
		Kind: taxonomy.DefectDefaultCredential, Component: most.id, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
		Harm: taxonomy.Critical, HarmWhy: "defect.rating.h.admin", Reach: defect.Reach{Public: s.public, Anonymous: true, Guessable: true},
		Confidence: defect.Confidence(0.7, defect.If(most.id != generic, 0.4), defect.If(s.span.Count >= 2, 0.3)),
		Reason:     r.Text("defect.default_credential.reason", args), Advice: r.Text("defect.default_credential.advice", args),
	})
}

func productText(r *defect.Report, id string) message.Text {
	if id == generic {
		return r.Text("defect.factory.generic", nil)
	}
	return r.Text("defect.factory.product", message.Args{"name": strings.ReplaceAll(id, "_", " ")})
}

func joinClauses(l []message.Text) (out message.Text) {
	for i, t := range l {
		if i > 0 {
			out.Zh, out.En = out.Zh+"；", out.En+"; "
		}
		out.Zh, out.En = out.Zh+t.Zh, out.En+t.En
	}
	return out
}

func joinSentences(l []message.Text) (out message.Text) {
	for i, t := range l {
		if i > 0 {
			out.En += " "
		}
		out.Zh, out.En = out.Zh+t.Zh, out.En+t.En
	}
	return out
}

// Counters says what was dropped.
func (d *Backend) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.backend.apis", Count: d.states.Evicted}, {What: "defect.backend.titles", Count: d.titles.Turns + d.titled.Evicted}, {What: "defect.backend.products", Count: d.dropped}}
}

var _ defect.Detector = (*Backend)(nil)
