package respond

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"xiezhi/internal/store/record"
)

// load reads what the records hold.
func (d *Desk) load(ctx context.Context) error {
	since := d.cfg.Now().Add(-keepEnded)
	err := d.every(ctx, record.Query{Kind: record.Decision, Upwards: true}, func(r *record.Record) error {
		x, err := Read(r)
		if err != nil {
			return fmt.Errorf("read decision %s: %w", r.ID, err)
		}
		d.number = max(d.number, x.Number)
		d.take(x, since)
		return nil
	})
	if err != nil {
		return err
	}
	return d.every(ctx, record.Query{Kind: record.Switch}, func(r *record.Record) error {
		d.stop.rev = r.Rev
		return json.Unmarshal(r.Body, &d.stop)
	})
}

// take notes a decision as it is now.
func (d *Desk) take(x *Decision, since time.Time) {
	d.change++
	d.changes[x.ID] = d.change
	if !x.State.Over() {
		d.live[x.ID] = x
		return
	}
	delete(d.live, x.ID)
	delete(d.met, x.ID)
	if x.Attack != "" && (x.State == Undone || x.State == Withdrawn || x.State == Refused) {
		d.byEnd[x.Attack] = x.ID
	}
	if x.Changed.After(since) {
		d.ended = append(d.ended, x)
	}
	for len(d.ended) > 0 && (len(d.ended) > maxEnded || !d.ended[0].Changed.After(since)) {
		gone := d.ended[0]
		delete(d.changes, gone.ID)
		if d.byEnd[gone.Attack] == gone.ID {
			delete(d.byEnd, gone.Attack)
		}
		d.ended = d.ended[1:]
	}
}

func (d *Desk) every(ctx context.Context, q record.Query, do func(*record.Record) error) error {
	return record.Every(ctx, d.cfg.Store, q, do)
}

// Read gives a decision of its record.
func Read(r *record.Record) (*Decision, error) {
	x := &Decision{}
	err := json.Unmarshal(r.Body, x)
	x.ID, x.Rev, x.State = r.ID, r.Rev, State(r.State)
	return x, err
}

// recordOf writes a decision. Its ranks are its number and its end in seconds.
func recordOf(x *Decision) (record.Record, error) {
	body, err := json.Marshal(x)
	r := record.Record{Kind: record.Decision, ID: x.ID, Rev: x.Rev, Site: x.Site, Type: string(x.Action), State: string(x.State), First: x.At, Last: x.Changed, Body: body}
	r.Ranks[0], r.Ranks[1] = int64(x.Number), x.Expires.Unix()
	words := []string{x.Attack, x.Defect, x.Name, x.Reason.Zh, x.Reason.En}
	for _, l := range x.Selector.Keys.lists() {
		words = append(words, l.values...)
	}
	for _, a := range x.Selector.APIs {
		words = append(words, a.Host+a.Template)
	}
	r.Words = strings.ToLower(strings.Join(words, "\n"))
	if len(r.Words) > record.MaxWords {
		r.Words = strings.ToValidUTF8(r.Words[:record.MaxWords], "")
	}
	return r, err
}

// keep writes a decision with its entry in the audit log, and takes it on.
func (d *Desk) keep(ctx context.Context, x *Decision, action, by string, old *Decision) error {
	r, err := recordOf(x)
	if err != nil {
		return err
	}
	note := map[string]any{"site": x.Site, "action": string(x.Action), "state": string(x.State), "expires": x.Expires.Format(time.RFC3339), "attack": x.Attack}
	if old == nil {
		note["reason"] = x.Reason.En
	} else if x.Ended != nil {
		note["reason"] = x.Ended.Reason.En
	}
	e, err := d.entry(action, by, x.ID, note)
	if err != nil {
		return err
	}
	if _, err := d.cfg.Store.Write(ctx, record.Batch{Put: []record.Record{r}, Audit: []record.Entry{e}}); err != nil {
		return err
	}
	d.mu.Lock()
	d.take(x, d.cfg.Now().Add(-keepEnded))
	d.mu.Unlock()
	d.touch()
	if d.cfg.Changed != nil {
		d.cfg.Changed(x)
	}
	return nil
}

func (d *Desk) keepSwitch(ctx context.Context, s *Switch) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	e, err := d.entry(map[bool]string{true: "enforcement.stop", false: "enforcement.resume"}[s.Stopped], s.By, switchID, map[string]any{"reason": s.Reason})
	if err != nil {
		return err
	}
	r := record.Record{Kind: record.Switch, ID: switchID, Rev: s.rev, First: s.At, Last: s.At, Body: body}
	_, err = d.cfg.Store.Write(ctx, record.Batch{Put: []record.Record{r}, Audit: []record.Entry{e}})
	return err
}

func (d *Desk) entry(action, by, target string, detail map[string]any) (record.Entry, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(d.cfg.Random, id); err != nil {
		return record.Entry{}, err
	}
	for k, v := range detail {
		if s, ok := v.(string); ok && s == "" {
			delete(detail, k)
		} else if len(s) > MaxReason {
			detail[k] = strings.ToValidUTF8(s[:MaxReason], "")
		}
	}
	b, err := json.Marshal(detail)
	return record.Entry{ID: hex.EncodeToString(id), At: d.cfg.Now().UTC(), By: by, Action: action, Target: target, Detail: b}, err
}

// apiBody is what is read of an API's record.
type apiBody struct {
	ID       string `json:"id"`
	Host     string `json:"host"`
	Method   string `json:"method"`
	Template string `json:"template"`
}

// routes reads which APIs there are.
func (d *Desk) routes(ctx context.Context) (*Routes, error) {
	routes := NewRoutes()
	err := d.every(ctx, record.Query{Kind: record.API, Sort: record.ByName, Upwards: true}, func(r *record.Record) error {
		var a apiBody
		if err := json.Unmarshal(r.Body, &a); err != nil {
			return err
		}
		routes.Add(r.Site, API{r.ID, a.Host, a.Method, a.Template})
		return nil
	})
	return routes, err
}

// Named gives the API of an id, as selectors name it, and its site.
func (d *Desk) Named(ctx context.Context, id string) (API, string, error) {
	r, err := d.cfg.Store.Get(ctx, record.API, id)
	if err != nil {
		return API{}, "", err
	}
	var a apiBody
	err = json.Unmarshal(r.Body, &a)
	return API{r.ID, a.Host, a.Method, a.Template}, r.Site, err
}

// approved gives the clients that people approved for a site.
func (d *Desk) approved(ctx context.Context, site string, now time.Time) (out []Exempt, err error) {
	q := record.Query{Kind: record.Policy, Type: []string{"approval"}, State: []string{"pending", "live"}}
	err = d.every(ctx, q, func(r *record.Record) error {
		var e struct {
			Site    string    `json:"site"`
			Expires time.Time `json:"expires"`
			Clients []string  `json:"clients"`
		}
		if err := json.Unmarshal(r.Body, &e); err != nil {
			return err
		}
		if e.Site != "" && e.Site != site || !e.Expires.IsZero() && !e.Expires.After(now) {
			return nil
		}
		for _, s := range e.Clients {
			if p, err := network(s); err == nil {
				out = append(out, Exempt{p, "allowed"})
			}
		}
		return nil
	})
	return out, err
}
