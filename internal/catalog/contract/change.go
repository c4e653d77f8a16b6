package contract

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe/form"
)

// Change is something that an API did not do before. Where is "query",
// "header", "request" or the status of an answer.
type Change struct {
	Kind     string    `json:"kind"` // one of Kinds
	Where    string    `json:"where,omitempty"`
	Name     string    `json:"name,omitempty"` // parameter, path of a field, status, template
	From     string    `json:"from,omitempty"`
	To       string    `json:"to,omitempty"`
	Time     time.Time `json:"time"`
	Exchange string    `json:"exchange"` // the first that showed it
}

// Kinds of change.
const (
	ParameterAdded = "parameter_added"
	ParameterGone  = "parameter_gone"
	FieldAdded     = "field_added"
	FieldGone      = "field_gone"
	TypeChanged    = "type_changed"
	StatusAdded    = "status_added"
	AuthChanged    = "auth_changed"
	VersionAdded   = "version_added"
)

// Kinds lists the kinds of change.
var Kinds = []string{ParameterAdded, ParameterGone, FieldAdded, FieldGone, TypeChanged, StatusAdded, AuthChanged, VersionAdded}

// What must have been seen before something counts as changed: enough without
// it to say that it was not there, and enough with it to say that it stays.
const (
	settledBefore = 30
	settledAfter  = 5
)

func (c *Contract) changes(a *catalog.API, asked, answered []way) {
	c.compare(asked, func(b form.Bits) string {
		if b&form.InQuery != 0 {
			return "query"
		}
		return "request"
	})
	by := map[uint16][]way{}
	for _, w := range answered {
		by[w.Status] = append(by[w.Status], w)
	}
	for status, list := range by {
		where := strconv.Itoa(int(status))
		c.compare(list, func(form.Bits) string { return where })
		first := earliest(list)
		if first.Before >= settledBefore && total(list) >= settledAfter {
			c.add(Change{Kind: StatusAdded, Where: where, Name: where}, first)
		}
	}
	for _, s := range a.Shifts {
		x := Change{Kind: AuthChanged, From: "required", To: "optional", Time: moment(s.At), Exchange: s.Exchange}
		before := a.LastShown
		if s.Shown {
			x.From, before = "none", a.LastBare
		}
		if before < s.At { // and never again as it was
			x.To = "none"
			if s.Shown {
				x.To = "required"
			}
		}
		c.Changes = append(c.Changes, x)
	}
}

func (c *Contract) add(x Change, w way) {
	x.Time, x.Exchange = moment(w.First), w.Exchange
	c.Changes = append(c.Changes, x)
}

func earliest(list []way) way {
	return slices.MinFunc(list, func(a, b way) int {
		return cmp.Or(cmp.Compare(a.First, b.First), strings.Compare(a.Exchange, b.Exchange))
	})
}

func latest(list []way) (last int64) {
	for _, w := range list {
		last = max(last, w.Last)
	}
	return last
}

func total(list []way) (n uint64) {
	for _, w := range list {
		n += w.Count
	}
	return n
}

// compare finds the fields that came, went or changed their type among ways of
// one side.
func (c *Contract) compare(ways []way, where func(form.Bits) string) {
	if len(ways) < 2 {
		return
	}
	bits := map[string]form.Bits{}
	for _, w := range ways {
		if w.form != nil {
			for i := range w.form.Fields {
				bits[w.form.Fields[i].Path] |= w.form.Fields[i].Bits
			}
		}
	}
	for path, b := range bits {
		var with, without []way
		byType := map[string][]way{}
		for _, w := range ways {
			x, ok := at(w.form, path)
			if !ok {
				without = append(without, w)
				continue
			}
			with = append(with, w)
			if t := strings.Join(types(x&^(form.Null|form.Empty)), "|"); x&^(form.Null|form.Empty|form.Places) != 0 {
				byType[t] = append(byType[t], w)
			}
		}
		place := where(b)
		added, gone := FieldAdded, FieldGone
		if place == "query" || place == "header" {
			added, gone = ParameterAdded, ParameterGone
		}
		if first := earliest(with); first.At >= settledBefore && total(with) >= settledAfter && 2*total(with) >= total(ways)-first.At {
			c.add(Change{Kind: added, Where: place, Name: path, To: strings.Join(types(b), "|")}, first)
		} else if len(without) > 0 && total(with) >= settledBefore && total(without) >= settledAfter {
			if first := earliest(without); first.First > latest(with) {
				c.add(Change{Kind: gone, Where: place, Name: path, From: strings.Join(types(b), "|")}, first)
			}
		}
		c.compareTypes(place, path, byType)
	}
}

func (c *Contract) compareTypes(place, path string, by map[string][]way) {
	for from, old := range by {
		for to, now := range by {
			first := earliest(now)
			if from != to && latest(old) < first.First && total(old) >= settledBefore && total(now) >= settledAfter {
				c.add(Change{Kind: TypeChanged, Where: place, Name: path, From: from, To: to}, first)
			}
		}
	}
}

// at gives what a form has at a path.
func at(f *form.Form, path string) (b form.Bits, ok bool) {
	if f == nil {
		return 0, false
	}
	i, ok := slices.BinarySearchFunc(f.Fields, path, func(a form.Field, p string) int { return strings.Compare(a.Path, p) })
	for ; ok && i < len(f.Fields) && f.Fields[i].Path == path; i++ {
		b |= f.Fields[i].Bits
	}
	return b, ok
}

// versions notes where an API of the same name but a higher version came up.
func versions(apis []*catalog.API, out []*Contract) {
	type key struct{ host, method, rest string }
	by := map[key][]int{}
	for i, a := range apis {
		if rest, v := catalog.Version(a.Template); v > 0 {
			k := key{a.Host, a.Method, rest}
			by[k] = append(by[k], i)
		}
	}
	for _, list := range by {
		for _, i := range list {
			_, old := catalog.Version(apis[i].Template)
			for _, j := range list {
				next := apis[j]
				if _, v := catalog.Version(next.Template); v <= old || next.First <= apis[i].First || apis[i].Exchanges < settledBefore || len(next.Ways) == 0 {
					continue
				}
				w := slices.MinFunc(next.Ways, func(a, b catalog.Way) int { return cmp.Compare(a.First, b.First) })
				out[i].Changes = append(out[i].Changes, Change{Kind: VersionAdded, Name: next.Template, Time: moment(next.First), Exchange: w.Exchange})
			}
		}
	}
}

// order sorts changes by time, and drops what stands twice.
func order(list []Change) []Change {
	slices.SortFunc(list, func(a, b Change) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Where, b.Where), strings.Compare(a.Name, b.Name),
			strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), strings.Compare(a.Exchange, b.Exchange))
	})
	return slices.Compact(list)
}

// Join unites the changes that two runs saw.
func Join(a, b *Contract) []Change {
	out := []Change{}
	for _, c := range [...]*Contract{a, b} {
		if c != nil {
			out = append(out, c.Changes...)
		}
	}
	return order(out)
}

// With is the contract with other changes, of which it keeps the latest; nil
// stays nil.
func (c *Contract) With(changes []Change) *Contract {
	if c == nil {
		return nil
	}
	x := *c
	if n := len(changes) - MaxChanges; n > 0 {
		changes, x.Partial = changes[n:], true
	}
	x.Changes = changes
	return &x
}
