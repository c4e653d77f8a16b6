package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/message"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
)

// errNoLibrary: this process knows nothing of askers.
var errNoLibrary = refuse(http.StatusServiceUnavailable, "no_intelligence", nil)

// States of what was said, as records have them.
const (
	wordLive    = "live"
	wordRetired = "retired"
	noAttack    = "no_attack"
)

// LookupIndicator says what is known of something.
func (a *API) LookupIndicator(ctx context.Context, q v1.LookupIndicatorRequestObject) (v1.LookupIndicatorResponseObject, error) {
	l := a.cfg.Library
	if l == nil {
		return nil, errNoLibrary
	}
	set, at := l.Set(), l.Now()
	out := v1.LookupIndicator200JSONResponse{Items: []v1.Known{}, At: time.Unix(0, at).UTC(), Indicators: int64(set.Len()), Sources: len(set.Sources())}
	sources := map[string]*indicator.Source{}
	list := set.Sources()
	for i := range list {
		sources[list[i].Name] = &list[i]
	}
	keys := keysOf(q.Body.Value, string(q.Body.Type), l.Hash())
	if len(keys) == 0 && q.Body.Type != "" {
		return nil, wrong(field{name: "value", id: "value"})
	}
	now := a.cfg.Now().UnixNano()
	for _, k := range keys { // of what it could be, what is known
		if x := library.Assess(set, l.Networks(), k, at); len(x.Says) > 0 || x.Negative != "" {
			out.Items = append(out.Items, knownOf(k, &x, sources, at, now))
		}
	}
	if len(out.Items) == 0 && len(keys) == 1 { // then it is known what it is, and that nobody speaks of it
		out.Items = append(out.Items, knownOf(keys[0], &indicator.Assessment{}, sources, at, now))
	}
	return out, nil
}

// keysOf lists what a value can be, or what it is as one type.
func keysOf(value, typ string, hash indicator.Hash) (out []indicator.Key) {
	value = strings.TrimSpace(value)
	if typ == "" || typ == indicator.Address.String() || typ == indicator.Network.String() {
		if p, err := indicator.PrefixOf(value); err == nil {
			if p.IsSingleIP() {
				return []indicator.Key{{Type: indicator.Address, Value: p.Addr().String()}}
			}
			return []indicator.Key{{Type: indicator.Network, Value: p.String()}}
		}
	}
	for _, name := range indicator.Types() {
		t, _ := indicator.ParseType(name)
		if t == indicator.Address || t == indicator.Network || typ != "" && typ != name {
			continue
		}
		for _, prefix := range []string{"", "ja4:", "headers:", "name:", "agent:"} { // people leave them out
			if prefix != "" && t != indicator.Fingerprint && t != indicator.Tool {
				break
			}
			if v, err := indicator.Canonical(t, prefix+value, hash); err == nil {
				out = append(out, indicator.Key{Type: t, Value: v})
			}
		}
	}
	return out
}

func knownOf(k indicator.Key, x *indicator.Assessment, sources map[string]*indicator.Source, at, now int64) v1.Known {
	out := v1.Known{Type: v1.IndicatorType(k.Type.String()), Value: k.Value, Score: x.Score, Blockable: x.Blockable(), Wide: x.Wide, Never: x.Negative, Voices: x.Voices, Tags: tagsOf(x.Tags), Says: []v1.Saying{}}
	for i := range x.Says {
		s := &x.Says[i]
		src := sources[s.Source]
		y := v1.Saying{Source: s.Source, Role: v1.SayingRole(src.Role.String()), Licence: src.Licence, Weight: s.Weight, Reliability: src.Weight(), Confidence: int(s.Row.Confidence), Left: s.Row.Decay(at), Tags: tagsOf(s.Row.Tags),
			Sightings: int64(s.Row.Sightings), First: instant(s.Row.First), Last: instant(s.Row.Last), Ends: instant(s.Row.Ends()), Note: s.Row.Note, Stale: src.Stale(now)}
		if s.Row.Value != k.Value {
			y.Value = s.Row.Value
		}
		if src.Role.Ours() {
			out.Local += int64(s.Row.Sightings)
		}
		out.Says = append(out.Says, y)
	}
	return out
}

func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func tagsOf(t indicator.Tag) []v1.IndicatorTag {
	out := []v1.IndicatorTag{}
	for _, n := range t.Names() {
		out = append(out, v1.IndicatorTag(n))
	}
	return out
}

// refusedFields say why a value is not taken.
var refusedFields = map[indicator.Reason]string{
	indicator.Malformed: "indicator_malformed", indicator.Reserved: "indicator_reserved", indicator.TooWide: "indicator_too_wide", indicator.Plain: "indicator_plain",
	indicator.Future: "indicator_future", indicator.Expired: "indicator_expired", indicator.Unknown: "indicator_unknown",
}

// ListIndicators gives what people said.
func (a *API) ListIndicators(ctx context.Context, q v1.ListIndicatorsRequestObject) (v1.ListIndicatorsResponseObject, error) {
	query, err := questionOf(record.Indicator, q.Params)
	if err != nil {
		return nil, err
	}
	p, err := a.cfg.Store.List(ctx, query)
	if err != nil {
		return nil, err
	}
	out := v1.ListIndicators200JSONResponse{Items: []v1.Word{}, Next: p.Next}
	for i := range p.Records {
		s, err := saidOf(&p.Records[i])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, a.wordOf(ctx, p.Records[i].ID, s))
	}
	return out, nil
}

func saidOf(r *record.Record) (*library.Said, error) {
	s := &library.Said{}
	return s, json.Unmarshal(r.Body, s)
}

func (a *API) wordOf(ctx context.Context, id string, s *library.Said) v1.Word {
	w := v1.Word{Id: id, Verdict: v1.WordVerdictHostile, Type: s.Type, Value: s.Value, Attack: s.Attack, Sources: s.Sources, Confidence: s.Confidence, Tlp: s.TLP, Until: s.Until, Reason: s.Reason, By: s.By, At: s.At, State: v1.WordStateLive}
	for _, t := range s.Tags {
		w.Tags = append(w.Tags, v1.IndicatorTag(t))
	}
	switch {
	case s.Attack != "":
		w.Verdict = v1.WordVerdictNoAttack
	case s.Harmless:
		w.Verdict = v1.WordVerdictHarmless
	}
	switch {
	case s.Retired != nil:
		w.State, w.RetiredBy, w.RetiredAt, w.RetiredReason = v1.WordStateRetired, s.Retired.By, s.Retired.At, s.Retired.Reason
	case !s.Until.IsZero() && !a.when(ctx).Before(s.Until):
		w.State = v1.WordStateOver
	}
	return w
}

// AddIndicator takes what somebody says of a thing.
func (a *API) AddIndicator(ctx context.Context, q v1.AddIndicatorRequestObject) (v1.AddIndicatorResponseObject, error) {
	n := q.Body
	s := &library.Said{Type: string(n.Type), Value: n.Value, Harmless: n.Verdict == v1.NewWordVerdictHarmless, Confidence: n.Confidence, TLP: string(n.Tlp), Reason: n.Reason, By: ask(ctx).who.id, At: a.when(ctx)}
	for _, t := range n.Tags {
		s.Tags = append(s.Tags, string(t))
	}
	if n.Days > 0 {
		s.Until = s.At.AddDate(0, 0, n.Days)
	}
	if a.cfg.Library == nil {
		return nil, errNoLibrary
	}
	w, err := s.Word(a.cfg.Library.Hash())
	if err != nil {
		var r *indicator.Refusal
		if errors.As(err, &r) && refusedFields[r.Reason] != "" {
			return nil, &problem{status: http.StatusUnprocessableEntity, code: "indicator", fields: []field{{name: "value", id: refusedFields[r.Reason]}}}
		}
		return nil, &problem{status: http.StatusUnprocessableEntity, code: "indicator", fields: []field{{name: "value", id: "value"}}}
	}
	s.Type, s.Value = w.Row.Type.String(), w.Row.Value // what was plain is not kept
	out, err := a.say(ctx, s, string(n.Verdict), map[string]any{"type": s.Type, "value": s.Value, "reason": s.Reason})
	return v1.AddIndicator201JSONResponse(out), err
}

// WrongAttack takes the word that an attack was none.
func (a *API) WrongAttack(ctx context.Context, q v1.WrongAttackRequestObject) (v1.WrongAttackResponseObject, error) {
	l := a.cfg.Library
	if l == nil {
		return nil, errNoLibrary
	}
	r, err := a.cfg.Store.Get(ctx, record.Attack, q.Id)
	if err != nil {
		return nil, err
	}
	s := &library.Said{Attack: r.ID, Sources: l.Naming(l.KeysOf(r.ID)), Reason: q.Body.Reason, By: ask(ctx).who.id, At: a.when(ctx)}
	out, err := a.say(ctx, s, noAttack, map[string]any{"attack": r.ID, "reason": s.Reason})
	return v1.WrongAttack201JSONResponse(out), err
}

// say keeps what somebody said, and lets the library know.
func (a *API) say(ctx context.Context, s *library.Said, verdict string, detail map[string]any) (v1.Word, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	if n, err := a.cfg.Store.Count(ctx, record.Query{Kind: record.Indicator, State: []string{wordLive}}); err != nil || n >= library.MaxWords {
		if err == nil {
			err = refuse(http.StatusConflict, "full", message.Args{"most": library.MaxWords})
		}
		return v1.Word{}, err
	}
	id, err := a.random(16)
	if err != nil {
		return v1.Word{}, err
	}
	if s.Attack != "" { // once is enough
		id = "attack-" + s.Attack
		if _, err := a.cfg.Store.Get(ctx, record.Indicator, id); err == nil {
			return v1.Word{}, refuse(http.StatusConflict, "conflict", nil)
		} else if !errors.Is(err, record.ErrNotFound) {
			return v1.Word{}, err
		}
	}
	r := a.kept(ctx, record.Indicator, id, 1)
	r.Type, r.State, r.Words = verdict, wordLive, kept.Fold(s.Value+"\n"+s.Attack+"\n"+s.Reason)
	if r.Body, err = json.Marshal(s); err != nil {
		return v1.Word{}, err
	}
	if err := a.commit(ctx, "indicator."+verdict, id, detail, record.Batch{Put: []record.Record{r}}); err != nil {
		return v1.Word{}, err
	}
	return a.wordOf(ctx, id, s), a.readWords(ctx)
}

// RetireIndicator takes back what was said.
func (a *API) RetireIndicator(ctx context.Context, q v1.RetireIndicatorRequestObject) (v1.RetireIndicatorResponseObject, error) {
	if a.cfg.Library == nil {
		return nil, errNoLibrary
	}
	a.deciding.Lock()
	defer a.deciding.Unlock()
	r, err := a.cfg.Store.Get(ctx, record.Indicator, q.Id)
	if err != nil {
		return nil, err
	}
	s, err := saidOf(&r)
	if err != nil {
		return nil, err
	}
	if s.Retired != nil {
		return nil, refuse(http.StatusConflict, "conflict", nil)
	}
	s.Retired = &library.Retired{By: ask(ctx).who.id, At: a.when(ctx), Reason: q.Body.Reason}
	r.Rev, r.State, r.Last = r.Rev+1, wordRetired, s.Retired.At
	var put record.Batch
	id := r.ID
	if s.Attack != "" { // it may be said again
		put.Delete = []record.Key{{Kind: record.Indicator, ID: r.ID, Rev: r.Rev - 1}}
		fresh, err := a.random(16)
		if err != nil {
			return nil, err
		}
		r.ID, r.Rev = fresh, 1
	}
	if r.Body, err = json.Marshal(s); err != nil {
		return nil, err
	}
	put.Put = []record.Record{r}
	if err := a.commit(ctx, "indicator.retire", id, map[string]any{"type": s.Type, "value": s.Value, "attack": s.Attack, "reason": q.Body.Reason}, put); err != nil {
		return nil, err
	}
	return v1.RetireIndicator200JSONResponse(a.wordOf(ctx, r.ID, s)), a.readWords(ctx)
}

// readWords lets the library know what people say. What cannot be taken any more
// is left out and told.
func (a *API) readWords(ctx context.Context) error {
	if a.cfg.Library == nil {
		return nil
	}
	var words []library.Word
	wrong := map[string][]string{}
	err := a.every(ctx, record.Query{Kind: record.Indicator, State: []string{wordLive}}, func(r *record.Record) error {
		s, err := saidOf(r)
		if err != nil {
			return err
		}
		if s.Attack != "" {
			wrong[s.Attack] = s.Sources
			return nil
		}
		w, err := s.Word(a.cfg.Library.Hash())
		if err != nil {
			a.cfg.Log.Warn("what somebody said of a thing is not taken", "id", r.ID, "why", err)
			return nil
		}
		words = append(words, w)
		return nil
	})
	if err != nil {
		return err
	}
	return a.cfg.Library.People(words, wrong)
}
