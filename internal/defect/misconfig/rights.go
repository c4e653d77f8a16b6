package misconfig

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxRightAPIs   = 4096
	maxHeldRights  = 16_384 // rights of accounts, as shown last
	maxAskedRights = 4096   // rights that accounts asked for and that were not shown since
	maxUsualRights = 64     // properties whose usual values are known
	maxUsual       = 8      // values of one
	minUsual       = 3      // accounts that show the usual value
	maxSetNames    = 8
	askedFor       = int64(24 * 3600e9)
)

// Rights finds updates that set what is not the account's to set: a request
// sends a right with a value that the account did not have, and the answer or
// the next look at the account shows it. Returning what one was shown changes
// nothing and proves nothing. Administrators may set rights of others.
type Rights struct {
	held    *defect.Table[uint64, uint64] // account and right: value shown last
	asked   *defect.Table[uint64, wish]   // account and right: what was asked for
	usual   map[uint64]*usualValues       // by right
	apis    *defect.States[rights]
	dropped uint64
}

// wish is a right that was asked for.
type wish struct {
	api      catalog.Handle
	at       int64
	token    uint64
	before   uint64 // value shown before; 0 unknown
	exchange string
	name     string
	shape    string
	account  uint64
	public   bool
}

// usualValues are the values that accounts show which asked for none.
type usualValues struct {
	tokens   [maxUsual]uint64
	accounts [maxUsual]defect.Set
	n        int
}

type rights struct {
	span     defect.Span // rights that were set
	trials   defect.Trials
	accounts defect.Set
	names    []string
	public   bool
	proven   uint64 // of span, with the value before known
	samples  defect.Samples
}

// NewRights returns the detector.
func NewRights() *Rights {
	return &Rights{held: defect.NewTable[uint64, uint64](maxHeldRights), asked: defect.NewTable[uint64, wish](maxAskedRights),
		usual: map[uint64]*usualValues{}, apis: defect.NewStates[rights](maxRightAPIs)}
}

// Observe takes one event.
func (d *Rights) Observe(ev *defect.Event) {
	if ev.Handle == 0 || len(ev.Rights) == 0 || !ev.OK {
		return
	}
	writes := ev.Method == "POST" || ev.Method == "PUT" || ev.Method == "PATCH"
	owner := ev.Who.Principal
	if ev.API.Role == taxonomy.RoleRegister && ev.Who.Subject != 0 {
		owner = ev.Who.Subject
	}
	if writes && owner != 0 && !ev.Administrative() {
		d.ask(ev, owner)
	}
	d.show(ev, owner)
}

// ask notes the rights that a request sends.
func (d *Rights) ask(ev *defect.Event, owner uint64) {
	for i := range ev.Rights {
		x := &ev.Rights[i]
		if x.Response {
			continue
		}
		key := defect.Pair(owner, x.Key)
		before := uint64(0)
		if h := d.held.Get(key); h != nil {
			before = *h
		}
		if before == x.Token || before == 0 && ev.API.Role != taxonomy.RoleRegister {
			continue // as it was, or nobody knows what it was
		}
		*d.asked.Ensure(key) = wish{api: ev.Handle, at: ev.End, token: x.Token, before: before, exchange: strings.Clone(ev.ID),
			name: strings.Clone(x.Path), shape: strings.Clone(x.Shape), account: owner, public: !ev.Who.Private}
	}
}

// show takes the rights that an answer shows.
func (d *Rights) show(ev *defect.Event, owner uint64) {
	at := 0 // where the leaves of the record begin
	for i := range ev.Rights {
		x := &ev.Rights[i]
		if !x.Response {
			continue
		}
		whose, listed := owner, strings.Contains(x.Path, "[]")
		if listed {
			whose, at = d.inRecord(ev, x, at)
		}
		if whose == 0 {
			continue
		}
		key := defect.Pair(whose, x.Key)
		w := d.asked.Get(key)
		if w == nil {
			d.note(x.Key, x.Token, whose)
		} else if ev.End-w.at > askedFor {
			d.asked.Delete(key)
		} else if w.before != 0 || w.token != x.Token || d.unusual(x.Key, x.Token) { // else it may be what everybody gets; wait for others
			d.judge(ev, x, w)
			d.asked.Delete(key)
		}
		if !listed { // lists would crowd out what people see of themselves
			*d.held.Ensure(key) = x.Token
		}
	}
}

// inRecord gives the account that the record of a right is about: the account
// that asked for the right and whose name stands in the record, else any name
// in it. Leaves and rights stand in the order of the document, so that the
// search for a record goes on where the last one was, from.
func (d *Rights) inRecord(ev *defect.Event, x *observe.Right, from int) (whose uint64, at int) {
	n := len(ev.Leaves)
	if from < n && ev.Leaves[from].Record > x.Record { // another list of the same answer
		from = 0
	}
	for at = from; at < n && ev.Leaves[at].Record < x.Record; at++ {
	}
	for i := at; i < n && ev.Leaves[i].Record == x.Record; i++ {
		token := ev.Leaves[i].Token
		if d.asked.Len() > 0 && d.asked.Get(defect.Pair(token, x.Key)) != nil {
			return token, at
		}
		if whose == 0 {
			whose = token
		}
	}
	return whose, at
}

// note counts a value that an account shows which asked for none.
func (d *Rights) note(right, token, account uint64) {
	u := d.usual[right]
	if u == nil {
		if len(d.usual) == maxUsualRights {
			d.dropped++
			return
		}
		u = &usualValues{}
		d.usual[right] = u
	}
	for i := range u.tokens[:u.n] {
		if u.tokens[i] == token {
			u.accounts[i].Add(account)
			return
		}
	}
	if u.n < maxUsual {
		u.tokens[u.n] = token
		u.accounts[u.n].Add(account)
		u.n++
	}
}

// unusual reports whether accounts that ask for nothing show another value.
func (d *Rights) unusual(right, token uint64) bool {
	u := d.usual[right]
	if u == nil {
		return false
	}
	most, own := uint64(0), uint64(0)
	for i := range u.tokens[:u.n] {
		n := u.accounts[i].Count()
		if u.tokens[i] == token {
			own = n
		}
		most = max(most, n)
	}
	return most >= minUsual && own*3 <= most
}

// judge compares what was asked for with what is shown.
func (d *Rights) judge(ev *defect.Event, x *observe.Right, w *wish) {
	fired := x.Token == w.token
	s := d.apis.Get(w.api)
	if s == nil {
		if !fired {
			return
		}
		s = d.apis.Ensure(w.api)
	}
	s.trials.Count(w.at, fired)
	if !fired {
		return
	}
	s.span.Add(w.at)
	s.accounts.Add(w.account)
	s.public = s.public || w.public
	rank := uint32(0)
	if w.before != 0 {
		s.proven++
		rank = 1
	}
	s.name(w.name, d)
	if e := s.samples.Offer(w.exchange, rank); e != nil {
		e.What, e.Path, e.Status, e.Value = "defect.evidence.right_set", w.name, ev.Status, w.shape
	}
}

func (s *rights) name(name string, d *Rights) {
	for _, n := range s.names {
		if n == name {
			return
		}
	}
	if len(s.names) == maxSetNames {
		d.dropped++
		return
	}
	s.names = append(s.names, name)
}

// Merge folds the state of one API into another.
func (d *Rights) Merge(from, into catalog.Handle) {
	d.apis.Move(from, into, func(dst, src *rights) {
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.accounts.Union(&src.accounts)
		for _, n := range src.names {
			dst.name(n, d)
		}
		dst.public = dst.public || src.public
		dst.proven += src.proven
		dst.samples.Fold(&src.samples)
	})
	d.asked.Each(func(_ uint64, w *wish) {
		if w.api == from {
			w.api = into
		}
	})
}

// Findings reports what is known.
func (d *Rights) Findings(r *defect.Report) {
	d.apis.Each(func(h catalog.Handle, s *rights) {
		api := r.API(h)
		// Where most requests set the right, it is what the API is for: an upgrade
		// that is paid for, a form of staff.
		if api == nil || s.span.Count == 0 || s.span.Count*2 > api.Outcomes[catalog.OutcomeSuccess] {
			return
		}
		args := message.Args{"api": r.Name(h), "n": s.span.Count, "accounts": s.accounts.Number(), "names": defect.JoinWords(s.names, maxSetNames)}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectMassAssignment, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
			Harm: taxonomy.High, HarmWhy: "defect.rating.h.rights", Reach: defect.Reach{Public: s.public, Register: true, Guessable: true},
			Confidence: defect.Confidence(0.62, defect.If(s.span.Count >= 2, 0.3), defect.If(s.span.Count >= 3 && s.proven > 0, 0.4)),
			Reason:     r.Text("defect.mass_assignment.reason", args), Advice: r.Text("defect.mass_assignment.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Rights) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.rights.apis", Count: d.apis.Evicted}, {What: "defect.rights.accounts", Count: d.held.Evicted + d.asked.Evicted}, {What: "defect.rights.names", Count: d.dropped}}
}

var _ defect.Detector = (*Rights)(nil)
