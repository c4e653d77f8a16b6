package policy

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/taxonomy"
)

// View is what holds for one site at one moment: the entries applied so far
// that have not expired. The zero value holds nothing. It serves one judge.
type View struct {
	Site      string
	public    []Public
	approvals []Approval
}

// AddPublic applies an entry of the allow-list.
func (v *View) AddPublic(p Public) { v.public = append(v.public, p) }

// AddApproval applies an approval.
func (v *View) AddApproval(a Approval) { v.approvals = append(v.approvals, a) }

// Replace puts another entry in the place of one that was applied.
func (v *View) Replace(old, with *Entry) {
	switch {
	case old.Public != nil:
		Replace(v.public, old.Public, with.Public)
	case old.Approval != nil:
		Replace(v.approvals, old.Approval, with.Approval)
	}
}

// Open reports whether the API is on the allow-list at a time (ns since the
// epoch).
func (v *View) Open(host, method, template string, at int64) bool {
	if v == nil {
		return false
	}
	for i := range v.public {
		if p := &v.public[i]; p.Live(at) && p.Covers(v.Site, host, method, template) {
			return true
		}
	}
	return false
}

// Approved reports whether this request of an API is permitted to show the
// kind of defect: who asks is named by the client's address.
func (v *View) Approved(kind taxonomy.DefectKind, host, method, template string, client netip.Addr, records uint32, at int64) bool {
	if v == nil {
		return false
	}
	for i := range v.approvals {
		if a := &v.approvals[i]; a.Live(at) && a.permits(kind, client, records) && a.Covers(v.Site, host, method, template) {
			return true
		}
	}
	return false
}

func (a *Approval) permits(kind taxonomy.DefectKind, client netip.Addr, records uint32) bool {
	if len(a.Kinds) == 0 && kind != taxonomy.DefectBulkResponse || len(a.Kinds) > 0 && !slices.Contains(a.Kinds, kind) {
		return false
	}
	if a.MaxRecords > 0 && records > a.MaxRecords {
		return false
	}
	return len(a.Clients) == 0 || slices.ContainsFunc(a.Clients, func(p netip.Prefix) bool { return p.Contains(client) })
}

// Live reports whether the decision holds at a time (ns since the epoch).
func (d *Decision) Live(at int64) bool {
	return (d.At.IsZero() || at >= d.At.UnixNano()) && (d.Expires.IsZero() || at < d.Expires.UnixNano())
}

// Since is when the decision was made, in ns since the epoch; the earliest
// time there is when it always held.
func (d *Decision) Since() int64 {
	if d.At.IsZero() {
		return -1 << 63
	}
	return d.At.UnixNano()
}

// Ends gives a copy that ends at the latest a span after it began.
func (d Decision) Ends(span time.Duration) Decision {
	if d.Expires.IsZero() && !d.At.IsZero() {
		d.Expires = d.At.Add(span)
	}
	return d
}

// Covers reports whether the target names this API.
func (t *Target) Covers(site, host, method, template string) bool {
	if t.Site != "" && t.Site != site || t.Method != "" && !strings.EqualFold(t.Method, method) {
		return false
	}
	switch {
	case t.Host == "":
	case strings.HasPrefix(t.Host, "*."):
		if !strings.HasSuffix(host, t.Host[1:]) {
			return false
		}
	case t.Host != host:
		return false
	}
	if t.Template == "" {
		return true
	}
	if under, ok := strings.CutSuffix(t.Template, "/**"); ok {
		return template == under || strings.HasPrefix(template, under+"/")
	}
	return sameTemplate(t.Template, template)
}

// sameTemplate compares templates, whatever their parameters are called.
func sameTemplate(a, b string) bool {
	for a != "" && b != "" {
		x, restA, _ := strings.Cut(a[1:], "/")
		y, restB, _ := strings.Cut(b[1:], "/")
		if x != y && !(isParameter(x) && isParameter(y)) {
			return false
		}
		a, b = slash(restA, a, x), slash(restB, b, y)
	}
	return a == "" && b == ""
}

func slash(rest, whole, first string) string {
	if len(whole) == 1+len(first) {
		return ""
	}
	return "/" + rest
}

func isParameter(s string) bool { return strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") }
