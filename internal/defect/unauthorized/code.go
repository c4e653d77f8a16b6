package unauthorized

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxCodeAccounts = 4096 // accounts that a code was asked for, lately
	maxCodePlaces   = 1024 // places of answers, all APIs together
	maxCodeFields   = 8    // per API
	sendsKept       = 2    // per account: the code before the last may still be on its way
	accountsAsked   = 4    // of a request
	minCodePhones   = 2
	minCodes        = 2 // different ones: a constant is no code
	codeLife        = int64(10 * time.Minute)
)

// Code finds answers that hold the verification code which they say was sent: a
// number of the answer is what the same account submits within ten minutes.
// That is so for two accounts and two codes before it counts, since a countdown
// or an id can meet a code once by chance.
type Code struct {
	accounts *defect.Table[uint64, asked]
	states   *defect.States[code]
	places   map[string]uint16
	names    []string // of places, by number
	dropped  uint64
}

// asked is what an account was answered lately.
type asked struct{ sends [sendsKept]send }

type send struct {
	at       int64
	api      catalog.Handle
	exchange string
	public   bool
	anon     bool
	n        int
	tokens   [observe.MaxCodes]uint64
	places   [observe.MaxCodes]uint16
}

type code struct{ fields []codeField }

type codeField struct {
	place     uint16
	span      defect.Span
	trials    defect.Trials // codes sent
	parameter string
	anonymous uint64
	short     uint64 // codes of fewer than six digits, which meet by chance more often
	public    bool
	accounts  defect.Set
	codes     defect.Set
	samples   defect.Samples
}

// NewCode returns the detector.
func NewCode() *Code {
	return &Code{accounts: defect.NewTable[uint64, asked](maxCodeAccounts), states: defect.NewStates[code](maxAPIs), places: map[string]uint16{}}
}

// Observe takes one event.
func (d *Code) Observe(ev *defect.Event) {
	if ev.Handle == 0 || len(ev.Codes) == 0 && d.accounts.Len() == 0 {
		return
	}
	var accounts [accountsAsked]uint64
	n := named(ev, &accounts)
	if n == 0 {
		return
	}
	if d.accounts.Len() > 0 {
		d.submitted(ev, accounts[:n])
	}
	if ev.OK {
		d.clean(ev)
		if len(ev.Codes) > 0 {
			d.sent(ev, accounts[:n])
		}
	}
}

// named gives the accounts that the request is about.
func named(ev *defect.Event, out *[accountsAsked]uint64) (n int) {
	for i := range ev.Accounts {
		if t := ev.Accounts[i].Token; t != 0 && n < accountsAsked && !slices.Contains(out[:n], t) {
			out[n] = t
			n++
		}
	}
	for i := range ev.Segments {
		switch s := &ev.Segments[i]; s.Sensitive {
		case taxonomy.SensCNMobile, taxonomy.SensPhone, taxonomy.SensEmail:
			if n < accountsAsked && !slices.Contains(out[:n], s.Token) {
				out[n] = s.Token
				n++
			}
		}
	}
	return n
}

// clean counts an answer without a number where codes stood before. One with a
// number is judged when the code is submitted.
func (d *Code) clean(ev *defect.Event) {
	s := d.states.Get(ev.Handle)
	if s == nil {
		return
	}
	for i := range s.fields {
		where := d.names[s.fields[i].place]
		if !slices.ContainsFunc(ev.Codes, func(c observe.Code) bool { return c.Where == where }) {
			s.fields[i].trials.Count(ev.End, false)
		}
	}
}

// sent remembers the numbers of an answer.
func (d *Code) sent(ev *defect.Event, accounts []uint64) {
	s := send{at: ev.End, api: ev.Handle, public: !ev.Who.Private, anon: ev.Anonymous}
	for i := range ev.Codes {
		c := &ev.Codes[i]
		if ev.Echoed(c.Token) {
			continue
		}
		place, ok := d.place(c.Where)
		if !ok {
			d.dropped++
			continue
		}
		s.tokens[s.n], s.places[s.n] = c.Token, place
		s.n++
	}
	if s.n == 0 {
		return
	}
	s.exchange = strings.Clone(ev.ID)
	for _, a := range accounts {
		e := d.accounts.Ensure(a)
		e.sends[1] = e.sends[0]
		e.sends[0] = s
	}
}

func (d *Code) place(where string) (uint16, bool) {
	if p, ok := d.places[where]; ok {
		return p, true
	}
	if len(d.names) == maxCodePlaces {
		return 0, false
	}
	where = strings.Clone(where)
	d.places[where] = uint16(len(d.names))
	d.names = append(d.names, where)
	return d.places[where], true
}

// submitted compares the codes of a request with what the account was answered.
func (d *Code) submitted(ev *defect.Event, accounts []uint64) {
	for i := range ev.Params {
		p := &ev.Params[i]
		if p.Class != observe.ClassInt || p.Len < 4 || p.Len > 8 || p.Token == 0 || p.Sensitive != taxonomy.SensVerificationCode && !codeName(p.Name) {
			continue
		}
		for _, account := range accounts {
			e := d.accounts.Get(account)
			if e == nil {
				continue
			}
			for k := range e.sends {
				s := &e.sends[k]
				if s.n == 0 || ev.End < s.at || ev.End-s.at > codeLife {
					continue
				}
				for j := range s.tokens[:s.n] {
					if s.tokens[j] == p.Token {
						d.match(ev, p, account, s, s.places[j])
					}
				}
			}
		}
	}
}

// codeName reports whether a parameter is one that takes a code. A request id
// that the server gave out and the client sends back has another name.
func codeName(name string) bool {
	last := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	last = strings.NewReplacer("_", "", "-", "").Replace(last)
	switch last {
	case "code", "captcha", "otp", "yzm", "pin", "token", "verify", "vcode", "answer", "dynamicpassword", "onetimepassword", "yanzhengma", "验证码", "校验码":
		return true
	case "areacode", "countrycode", "zipcode", "postcode", "citycode", "templatecode", "scenecode", "bizcode", "appcode", "channelcode", "typecode", "productcode", "statuscode", "errorcode":
		return false
	}
	return strings.HasSuffix(last, "code") || strings.HasSuffix(last, "captcha") || strings.HasSuffix(last, "otp")
}

func (d *Code) match(ev *defect.Event, p *observe.Param, account uint64, s *send, place uint16) {
	f := d.field(d.states.Ensure(s.api), place)
	if f == nil {
		d.dropped++
		return
	}
	f.span.Add(s.at)
	f.trials.Count(s.at, true)
	f.accounts.Add(account)
	f.codes.Add(p.Token)
	if p.Len < 6 {
		f.short++
	}
	f.public = f.public || s.public
	if s.anon {
		f.anonymous++
	}
	if f.parameter == "" || p.Name < f.parameter {
		f.parameter = strings.Clone(p.Name)
	}
	if e := f.samples.Offer(s.exchange, 0); e != nil {
		e.What, e.Path, e.Text, e.N = "defect.evidence.code", d.names[place], strings.Clone(p.Name), uint64(ev.End-s.at)/uint64(time.Second)
		for i := range ev.Accounts {
			if ev.Accounts[i].Token == account {
				e.Value = strings.Clone(ev.Accounts[i].Shape)
				break
			}
		}
	}
}

func (d *Code) field(s *code, place uint16) *codeField {
	for i := range s.fields {
		if s.fields[i].place == place {
			return &s.fields[i]
		}
	}
	if len(s.fields) == maxCodeFields {
		return nil
	}
	s.fields = append(s.fields, codeField{place: place})
	return &s.fields[len(s.fields)-1]
}

// Merge folds the state of one API into another.
func (d *Code) Merge(from, into catalog.Handle) {
	d.accounts.Each(func(_ uint64, e *asked) {
		for i := range e.sends {
			if e.sends[i].api == from {
				e.sends[i].api = into
			}
		}
	})
	d.states.Move(from, into, func(dst, src *code) {
		for i := range src.fields {
			g := &src.fields[i]
			f := d.field(dst, g.place)
			if f == nil {
				d.dropped++
				continue
			}
			f.span.Fold(g.span)
			f.trials.Fold(&g.trials)
			f.anonymous += g.anonymous
			f.short += g.short
			f.public = f.public || g.public
			f.accounts.Union(&g.accounts)
			f.codes.Union(&g.codes)
			if f.parameter == "" || g.parameter != "" && g.parameter < f.parameter {
				f.parameter = g.parameter
			}
			f.samples.Fold(&g.samples)
		}
	})
}

// Findings reports what is known.
func (d *Code) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *code) {
		if r.API(h) == nil {
			return
		}
		fields := slices.Clone(s.fields)
		slices.SortFunc(fields, func(a, b codeField) int {
			return cmp.Or(cmp.Compare(b.accounts.Count(), a.accounts.Count()), strings.Compare(d.names[a.place], d.names[b.place]))
		})
		for i := range fields {
			f := &fields[i]
			accounts, codes := f.accounts.Count(), f.codes.Count()
			if accounts < minCodePhones || codes < minCodes {
				continue
			}
			where := d.names[f.place]
			args := message.Args{"api": r.Name(h), "where": placeText(r, where), "path": where, "n": f.span.Count, "accounts": f.accounts.Number(), "codes": f.codes.Number(), "parameter": f.parameter}
			r.Add(defect.Draft{
				Kind: taxonomy.DefectCodeInResponse, API: h, SubKey: where, Span: f.span, Samples: f.samples, Trials: &f.trials,
				Harm: taxonomy.Critical, HarmWhy: "defect.rating.h.takeover",
				Confidence: defect.Confidence(0.75, defect.If(f.short == 0, 0.3), defect.If(accounts >= 3, 0.4), defect.If(codes >= 5, 0.3)),
				Reach:      defect.Reach{Public: f.public, Anonymous: f.anonymous > 0, Guessable: true, Register: true},
				Reason:     r.Text("defect.code_in_response.reason", args),
				Advice:     r.Text("defect.code_in_response.advice", args),
			})
		}
	})
}

// placeText names a place of an answer.
func placeText(r *defect.Report, where string) message.Text {
	id, name := "field", where
	if header, ok := strings.CutPrefix(where, "header:"); ok {
		id, name = "header", header
		if cookie, ok := strings.CutPrefix(header, "set-cookie "); ok {
			id, name = "cookie", cookie
		}
	} else if where == "body" {
		id = "body"
	}
	return r.Text("defect.place."+id, message.Args{"name": name})
}

// Counters says what was dropped.
func (d *Code) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.code.apis", Count: d.states.Evicted}, {What: "defect.code.accounts", Count: d.accounts.Evicted}, {What: "defect.code.places", Count: d.dropped}}
}

var _ defect.Detector = (*Code)(nil)
