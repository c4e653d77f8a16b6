package bouncer

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/respond"
	"xiezhi/internal/taxonomy"
)

// row is one decision as bouncers know them, with its fields in the order that
// CrowdSec writes.
type row struct {
	Duration string `json:"duration"`
	ID       uint64 `json:"id"`
	Origin   string `json:"origin"`
	Scenario string `json:"scenario"`
	Scope    string `json:"scope"`
	Type     string `json:"type"`
	UUID     string `json:"uuid"`
	Value    string `json:"value"`

	until time.Time
}

// origin is who decided, to bouncers.
const origin = "xiezhi"

// types are the actions that bouncers know.
var types = map[taxonomy.Action]string{taxonomy.ActBlock: "ban", taxonomy.ActChallenge: "captcha"}

// valueBits is how many values of one decision its rows' ids tell apart.
const valueBits = 12

// rowsOf gives the rows of decisions that a key may see: one for each address.
func rowsOf(list []*respond.Decision, k Key, now time.Time) (out []row) {
	for _, d := range list {
		kind := types[d.Action]
		if kind == "" || k.Site != "" && d.Site != k.Site || !d.Selector.AddressesOnly() {
			continue
		}
		x := row{Origin: origin, Scenario: "xiezhi/manual", Type: kind, UUID: uuidOf(d.ID), until: d.Expires, Duration: lasts(d.Expires.Sub(now))}
		if d.Attack != "" {
			x.Scenario = "xiezhi/" + d.Attack
		}
		x.Scope = "Ip"
		values := d.Selector.Keys.IP
		if len(values) == 0 {
			x.Scope, values = "Range", d.Selector.Keys.Prefix
		}
		for i, v := range values {
			x.ID, x.Value = d.Number<<valueBits|uint64(i), v
			out = append(out, x)
		}
	}
	return out
}

// lasts writes how long a decision holds, in whole seconds.
func lasts(d time.Duration) string { return d.Truncate(time.Second).String() }

func uuidOf(id string) string {
	b := sha256.Sum256([]byte(id))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8: of one's own making
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// once keeps one row for each value, the one that holds longest.
func once(list []row) []row {
	type key struct{ scope, kind, value string }
	at := make(map[key]int, len(list))
	out := list[:0]
	for _, x := range list {
		k := key{x.Scope, x.Type, x.Value}
		if i, ok := at[k]; !ok {
			at[k] = len(out)
			out = append(out, x)
		} else if x.until.After(out[i].until) {
			out[i] = x
		}
	}
	return out
}

// filter is what a query asks for.
type filter struct {
	scopes, origins, with, without []string
	q                              url.Values
}

func filterOf(q url.Values) filter {
	list := func(name string) []string {
		if q.Get(name) == "" {
			return nil
		}
		return strings.Split(strings.ToLower(q.Get(name)), ",")
	}
	return filter{list("scopes"), list("origins"), list("scenarios_containing"), list("scenarios_not_containing"), q}
}

func (f *filter) takes(x *row) bool {
	in := func(s string) func(string) bool { return func(p string) bool { return strings.Contains(s, p) } }
	scenario := strings.ToLower(x.Scenario)
	return (f.scopes == nil || slices.Contains(f.scopes, strings.ToLower(x.Scope))) && (f.origins == nil || slices.Contains(f.origins, strings.ToLower(x.Origin))) &&
		(f.with == nil || slices.ContainsFunc(f.with, in(scenario))) && !slices.ContainsFunc(f.without, in(scenario))
}

func (f *filter) among(list []row) []row {
	return slices.DeleteFunc(list, func(x row) bool { return !f.takes(&x) })
}

// stream gives what is new and what is over since the same bouncer asked last.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, k Key) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	who := k.ID + "@" + s.cfg.Client(r).String()
	startup := r.URL.Query().Get("startup") == "true"
	s.mu.Lock()
	since, known := s.cursors[who]
	s.mu.Unlock()
	if startup || !known {
		since = 0
	}
	now, live, ended := s.cfg.Desk.Changes(since)
	if startup {
		ended = nil // it holds nothing that could be taken back
	}
	at := s.cfg.Now()
	f := filterOf(r.URL.Query())
	fresh := once(f.among(rowsOf(live, k, at)))
	gone := once(f.among(rowsOf(ended, k, at)))
	if len(gone) > 0 { // what is over for one decision may hold by another
		_, all, _ := s.cfg.Desk.Changes(0)
		held := map[string]bool{}
		for _, x := range rowsOf(all, k, at) {
			held[x.Type+x.Value] = true
		}
		gone = slices.DeleteFunc(gone, func(x row) bool { return held[x.Type+x.Value] })
	}
	for i := range gone {
		if gone[i].until.After(at) {
			gone[i].Duration = "0s" // undone before its time
		}
	}
	b := bufio.NewWriterSize(w, 64<<10)
	_, _ = b.WriteString(`{"new": [`)
	err := write(b, fresh)
	_, _ = b.WriteString(`], "deleted": [`)
	if err == nil {
		err = write(b, gone)
	}
	_, _ = b.WriteString(`]}`)
	if err != nil || b.Flush() != nil {
		return // it asks for the same once more
	}
	s.mu.Lock()
	if len(s.cursors) >= maxCursors {
		clear(s.cursors) // those are told everything again
	}
	s.cursors[who] = now
	s.mu.Unlock()
}

func write(b *bufio.Writer, list []row) error {
	for i := range list {
		if i > 0 {
			_ = b.WriteByte(',')
		}
		x, err := json.Marshal(&list[i])
		if err != nil {
			return err
		}
		if _, err := b.Write(x); err != nil {
			return err
		}
	}
	return nil
}

// live answers about one address, network or kind.
func (s *Server) live(w http.ResponseWriter, r *http.Request, k Key) {
	q := r.URL.Query()
	ip, err := addressOf(q.Get("ip"))
	if err != nil {
		say(w, http.StatusBadRequest, "invalid ip or range: "+q.Get("ip"))
		return
	}
	network, err := addressOf(q.Get("range"))
	if err != nil {
		say(w, http.StatusBadRequest, "invalid ip or range: "+q.Get("range"))
		return
	}
	_, list, _ := s.cfg.Desk.Changes(0)
	f := filterOf(q)
	rows := slices.DeleteFunc(once(f.among(rowsOf(list, k, s.cfg.Now()))), func(x row) bool {
		p, err := addressOf(x.Value)
		return err != nil || q.Get("scope") != "" && !strings.EqualFold(q.Get("scope"), x.Scope) || q.Get("value") != "" && q.Get("value") != x.Value ||
			q.Get("type") != "" && q.Get("type") != x.Type || ip.IsValid() && !around(p, ip) ||
			network.IsValid() && (q.Get("contains") != "false" && !around(p, network) || q.Get("contains") == "false" && !around(network, p))
	})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.Method == http.MethodHead {
		return
	}
	if len(rows) == 0 {
		_, _ = w.Write([]byte("null"))
		return
	}
	b, err := json.Marshal(rows)
	if err != nil {
		say(w, http.StatusInternalServerError, "the decisions cannot be written")
		return
	}
	_, _ = w.Write(b)
}

func around(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

func addressOf(s string) (netip.Prefix, error) {
	if s == "" {
		return netip.Prefix{}, nil
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}
