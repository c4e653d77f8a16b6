package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// attackBody is what is read of an attack's record.
type attackBody struct {
	ID       string    `json:"id"`
	Site     string    `json:"site"`
	Verdict  string    `json:"verdict"`
	Last     time.Time `json:"last_seen"`
	Selector struct {
		APIs []string `json:"apis"`
		Keys Keys     `json:"keys"`
	} `json:"selector"`
	Requests uint64 `json:"requests"`
	Actors   struct {
		IPs uint64 `json:"ip_count"`
	} `json:"actors"`
	Signature []struct {
		Key   string  `json:"key"`
		Value string  `json:"value"`
		Share float64 `json:"share"`
	} `json:"signature"`
	Reason message.Text `json:"reason"`
	Action struct {
		Kind taxonomy.Action `json:"kind"`
	} `json:"action"`
}

// Consider takes records that were written: attacks among them are answered
// soon. It does not block; what finds no room is counted, and comes again with
// the next change of the attack.
func (d *Desk) Consider(list []record.Record) {
	for i := range list {
		r := &list[i]
		if r.Kind == record.API {
			d.mu.Lock()
			any := len(d.live) > 0
			d.mu.Unlock()
			if any && r.Rev > 0 {
				d.touch()
			}
			continue
		}
		if r.Kind != record.Attack {
			continue
		}
		a := &attackBody{}
		if json.Unmarshal(r.Body, a) != nil {
			d.failed.Add(1)
			continue
		}
		select {
		case d.attacks <- a:
		default:
			d.lost.Add(1)
		}
	}
}

// chosen gives the action that the policy lets the machine take: the proposed
// one, or the next milder.
func chosen(p *policy.Response, proposed taxonomy.Action) (taxonomy.Action, bool) {
	for i := Rank(proposed); i >= 0; i-- {
		if slices.Contains(p.Actions, Ladder[i]) {
			return Ladder[i], true
		}
	}
	return "", false
}

func verdictOf(s string) taxonomy.Verdict {
	for _, v := range []taxonomy.Verdict{taxonomy.Suspicious, taxonomy.Likely, taxonomy.Confirmed} {
		if v.String() == s {
			return v
		}
	}
	return taxonomy.NoVerdict
}

// answer decides about an attack as the policy says.
func (d *Desk) answer(ctx context.Context, a *attackBody) error {
	d.write.Lock()
	defer d.write.Unlock()
	delete(d.again, a.ID)
	p := d.cfg.Policy.ResponseFor(a.Site)
	now := d.cfg.Now().UTC()
	ttl := time.Duration(p.TTL)
	action, ok := chosen(&p, a.Action.Kind)
	if !ok || verdictOf(a.Verdict) < p.Least || now.Sub(a.Last) > ttl {
		return nil
	}
	x := Decision{Site: a.Site, Action: action, Attack: a.ID, Origin: ByAttack, By: machine, At: now, Changed: now, Expires: now.Add(ttl).Truncate(time.Second),
		Reason: a.Reason, Selector: Selector{Keys: a.Selector.Keys}, State: Active}
	if action == taxonomy.ActRateLimit {
		x.Rate = p.Rate
	}
	for _, id := range a.Selector.APIs {
		api, _, err := d.Named(ctx, id)
		if errors.Is(err, record.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		x.Selector.APIs = append(x.Selector.APIs, api)
	}
	old, ended := d.ofAttack(a.ID)
	switch {
	case ended != "":
		return nil // a person, or what it met, has spoken
	case old != nil && old.Action == action && old.Selector.same(&x.Selector):
		return d.prolong(ctx, old, x.Expires)
	case old != nil && now.Sub(old.Changed) < settle:
		d.later(a, now)
		return nil // it grows: not with every address that joins
	}
	// overtaken reports that a person decided about the attack meanwhile: it is
	// looked at again.
	overtaken := func() bool {
		y, over := d.ofAttack(a.ID)
		if y == old && over == "" {
			return false
		}
		d.later(a, now)
		return true
	}
	if len(a.Selector.APIs) > 0 && len(x.Selector.APIs)+len(x.Selector.Keys.Path) == 0 {
		return d.decline(ctx, &x, refuse("api", ""))
	}
	if k, ok := a.cohort(); ok {
		// Whoever changes the address with every few requests is not met by the
		// addresses of before, but by what the requests have in common, if nobody
		// else shows that.
		wide := x
		wide.Selector.Keys, wide.Wide = k, nil
		err := d.judge(ctx, &wide, now)
		if overtaken() {
			return nil
		}
		if err == nil && len(wide.Wide) == 0 && wide.Collateral.Attack >= x.Collateral.Attack {
			x = wide
			if old != nil && old.Action == action && old.Selector.same(&x.Selector) {
				return d.prolong(ctx, old, x.Expires)
			}
		} else {
			d.later(a, now) // the judges may know more of the traffic then
		}
	}
	var refused *Refusal
	if x.Collateral.Known { // judged
	} else if err := d.judge(ctx, &x, now); overtaken() {
		return nil
	} else if errors.As(err, &refused) {
		if old != nil {
			return nil
		}
		return d.decline(ctx, &x, err)
	} else if err != nil {
		return err
	}
	switch {
	case p.Mode == policy.ModeObserve:
		x.State = Proposed
	case p.Mode == policy.ModeAlert:
		x.State, x.Wide = Waiting, append(x.Wide, "mode")
	case len(x.Wide) > 0 && (old == nil || old.State != Active):
		x.State = Waiting
	case len(x.Wide) > 0:
		return nil // what was approved stands; the wider one would need approval anew
	}
	if err := d.add(ctx, &x); err != nil || old == nil {
		return err
	}
	return d.replace(ctx, old)
}

// rotating is how few requests an address sends, on average, of an attack that
// changes addresses.
const (
	rotating     = 3
	leastRotated = 20   // addresses of it
	common       = 0.95 // share of its requests that show a trait that all have in common
)

// cohort gives the keys of an attack that changes its addresses: what its
// requests have in common beside them.
func (a *attackBody) cohort() (k Keys, ok bool) {
	if a.Actors.IPs < leastRotated || a.Requests > rotating*a.Actors.IPs || len(a.Selector.Keys.IP)+len(a.Selector.Keys.Prefix) == 0 {
		return k, false
	}
	k = a.Selector.Keys
	k.IP, k.Prefix = nil, nil
	for _, m := range a.Signature {
		if m.Share < common {
			continue
		}
		for _, to := range []struct {
			key  string
			list *[]string
		}{{"ja4", &k.JA4}, {"header_order", &k.HeaderOrder}, {"param_shape", &k.ParamShape}, {"agent", &k.Agent}} {
			if m.Key == to.key && len(*to.list) == 0 {
				*to.list = []string{m.Value}
			}
		}
	}
	return k, len(k.JA4)+len(k.HeaderOrder)+len(k.ParamShape)+len(k.Agent) > 0
}

// later has an attack looked at once more, although it does not change.
func (d *Desk) later(a *attackBody, now time.Time) {
	if _, ok := d.again[a.ID]; ok || len(d.again) < maxWaiting {
		d.again[a.ID] = retry{a, now}
	}
}

type retry struct {
	attack *attackBody
	at     time.Time
}

// Retry looks at attacks again that could not be answered for good.
func (d *Desk) Retry(ctx context.Context) error {
	now := d.cfg.Now()
	var due []*attackBody
	d.write.Lock()
	for id, r := range d.again {
		if now.Sub(r.at) >= settle {
			due = append(due, r.attack)
			delete(d.again, id)
		}
	}
	d.write.Unlock()
	slices.SortFunc(due, func(a, b *attackBody) int { return strings.Compare(a.ID, b.ID) })
	for _, a := range due {
		if err := d.answer(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// settle is how long a decision about an attack stays as it is, at least.
const settle = 10 * time.Second

// prolongBy is how much later an end has to be for a decision to be written
// anew.
const prolongBy = time.Minute

func (s *Selector) same(o *Selector) bool {
	x, err1 := json.Marshal(s)
	y, err2 := json.Marshal(o)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// ofAttack gives the decision about an attack that is not over, and the id of
// the one that was ended for a reason.
func (d *Desk) ofAttack(id string) (x *Decision, ended string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, y := range d.live {
		if y.Attack == id && (x == nil || y.Number > x.Number) {
			x = y
		}
	}
	return x, d.byEnd[id]
}

func (d *Desk) prolong(ctx context.Context, old *Decision, until time.Time) error {
	if until.Sub(old.Expires) < prolongBy {
		return nil
	}
	x := *old
	x.Rev++
	x.Expires, x.Changed = until, d.cfg.Now().UTC()
	return d.keep(ctx, &x, "decision.prolong", machine, old)
}

// replace ends a decision for one that reaches further.
func (d *Desk) replace(ctx context.Context, old *Decision) error {
	x := *old
	x.Rev++
	x.State, x.Changed = Expired, d.cfg.Now().UTC()
	x.Ended = &Ending{At: x.Changed, By: machine, Reason: d.cfg.Messages.Text("respond.replaced", nil)}
	return d.keep(ctx, &x, "decision.replace", machine, old)
}

// decline keeps what was not done, and why.
func (d *Desk) decline(ctx context.Context, x *Decision, err error) error {
	var r *Refusal
	if !errors.As(err, &r) {
		return fmt.Errorf("decline: %w", err)
	}
	x.State = Refused
	x.Ended = &Ending{At: x.At, By: machine, Reason: r.Why(d.cfg.Messages)}
	return d.add(ctx, x)
}
