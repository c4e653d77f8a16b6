package contract

import (
	"net/netip"
	"net/textproto"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
)

// What a parameter in the header needs before it is taken for one of the API:
// headers are what programs add on their way and clients at their whim.
const (
	minHeadCount = 3
	minHeadShare = 0.02 // of the granted requests
	oneHeadShare = 0.5  // where one client alone sends it
)

// heads adds the parameters that stand in the header of requests.
func (c *Contract) heads(a *catalog.API, table *form.Table) {
	if a.Heads == nil {
		return
	}
	var ways []way
	total := uint64(0)
	for i := range a.Heads {
		h := &a.Heads[i]
		w := way{&h.Way, table.Get(h.Form)}
		if h.Form != 0 && w.form == nil {
			c.Partial = true
			continue
		}
		ways = append(ways, w)
		total += h.Count
	}
	taken := map[string]bool{}
	for _, f := range c.gather(a, ways, form.InHeader, false, MaxParameters) {
		share := float64(f.Count) / float64(max(total, 1))
		if f.Count < minHeadCount || share < minHeadShare || share < oneHeadShare && !shared(a, table, f.Path) {
			continue
		}
		taken[f.Path] = true
		c.parameter(f, "header", headerName(f.Path), total)
	}
	n := len(c.Changes)
	c.compare(ways, func(form.Bits) string { return "header" })
	c.Changes = append(c.Changes[:n], slices.DeleteFunc(c.Changes[n:], func(x Change) bool { return !taken[x.Name] })...)
	for i := range c.Changes[n:] {
		x := &c.Changes[n+i]
		x.Name = headerName(x.Name)
	}
}

// headerName spells a header as is usual; case does not matter in one.
func headerName(lower string) string {
	if strings.ContainsRune(lower, '-') {
		return textproto.CanonicalMIMEHeaderKey(lower)
	}
	return lower
}

// shared reports whether several clients send a header.
func shared(a *catalog.API, table *form.Table, name string) bool {
	var first netip.Addr
	for i := range a.Heads {
		h := &a.Heads[i]
		if _, ok := at(table.Get(h.Form), name); !ok {
			continue
		}
		if h.Several || first.IsValid() && h.Client != first {
			return true
		}
		first = h.Client
	}
	return false
}

// matrix adds the parameters of path segments (/cars;color=red), but for
// sessions, which are credentials.
func (c *Contract) matrix(a *catalog.API, ways []way) {
	total := uint64(0)
	for _, w := range ways {
		total += w.Count
	}
	for _, f := range c.gather(a, ways, form.InPath, false, MaxParameters) {
		session := strings.Contains(strings.ToLower(f.Path), "sess") || slices.ContainsFunc(a.Shown, func(s catalog.Shown) bool {
			return s.In == observe.InPath && strings.EqualFold(s.Name, f.Path)
		})
		if f.Count >= credible(total) && !session {
			c.parameter(f, "matrix", f.Path, total)
		}
	}
}

// parameter adds a parameter that stands in a place of texts.
func (c *Contract) parameter(f Field, in, name string, total uint64) {
	p := Parameter{Name: name, In: in, Type: f.Types[0], Format: f.Format, Required: f.Count == total && total >= MinRequired, Values: f.Values, Sensitive: f.Sensitive, Count: f.Count}
	if len(f.Types) > 1 || p.Type == "null" || p.Type == "object" || p.Type == "array" {
		p.Type = "string"
	}
	c.Parameters = append(c.Parameters, p)
}
