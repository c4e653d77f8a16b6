package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/message"
)

// APIList prints APIs as a table.
func APIList(w io.Writer, apis []API, lang string, msgs *message.Catalog) error {
	t := texts{msgs, lang}
	if len(apis) == 0 {
		_, err := fmt.Fprintln(w, t.say("api.none", nil))
		return err
	}
	rows := [][]string{{t.say("api.head.id", nil), t.say("api.head.method", nil), t.say("api.head.api", nil), t.say("api.head.site", nil), t.say("api.head.role", nil),
		t.say("api.head.auth", nil), t.say("api.head.lifecycle", nil), t.say("api.head.exchanges", nil), t.say("api.head.sensitive", nil)}}
	for i := range apis {
		a := &apis[i]
		rows = append(rows, []string{a.ID, a.Method, a.Template, a.Site, t.word("role", a.Role), t.word("auth", a.Auth), t.word("lifecycle", a.Lifecycle), fmt.Sprint(a.Exchanges), sensitiveTypes(a, t)})
	}
	return grid(w, "", rows)
}

func sensitiveTypes(a *API, t texts) string {
	var out []string
	for _, s := range a.Sensitive {
		if name := t.word("sensitive", s.Type); !s.Masked && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, t.say("report.comma", nil))
}

// APIDetail prints what is known of one API.
func APIDetail(w io.Writer, a *API, lang string, msgs *message.Catalog) error {
	t := texts{msgs, lang}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  (%s)\n%s · %s · %s\n", Inert(a.Method), Inert(a.Template), a.ID, Inert(a.Site), t.word("role", a.Role), t.word("auth", a.Auth))
	fmt.Fprintln(&b, t.say("api.seen", message.Args{"first": stamp(a.FirstSeen), "last": stamp(a.LastSeen), "exchanges": fmt.Sprint(a.Exchanges), "actors": fmt.Sprint(a.Actors), "exposure": t.word("exposure", a.Exposure)}))
	c := a.Contract
	if c == nil {
		_, err := io.WriteString(w, b.String())
		return err
	}
	if c.Partial {
		fmt.Fprintln(&b, t.say("api.partial", nil))
	}
	if len(c.Parameters) > 0 {
		fmt.Fprintf(&b, "\n%s\n", t.say("api.parameters", nil))
		var rows [][]string
		for _, p := range c.Parameters {
			rows = append(rows, []string{p.In, p.Name, t.kind([]string{p.Type}, p.Format, p.Values), t.must(p.Required), t.types(p.Sensitive)})
		}
		_ = grid(&b, "  ", rows)
	}
	for _, x := range c.Requests {
		t.body(&b, "api.request", x)
	}
	for _, x := range c.Responses {
		t.body(&b, "api.response", x)
	}
	if len(c.Credentials) > 0 {
		fmt.Fprintf(&b, "\n%s\n", t.say("api.credentials", nil))
		var rows [][]string
		for _, x := range c.Credentials {
			rows = append(rows, []string{x.Kind, x.In, x.Name, fmt.Sprint(x.Count)})
		}
		_ = grid(&b, "  ", rows)
	}
	if len(c.Changes) > 0 {
		fmt.Fprintf(&b, "\n%s\n", t.say("api.changes", nil))
		var rows [][]string
		for _, x := range c.Changes {
			rows = append(rows, []string{stamp(x.Time), ChangeText(x, msgs).In(lang), x.Exchange})
		}
		_ = grid(&b, "  ", rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ChangeText says what changed.
func ChangeText(x contract.Change, msgs *message.Catalog) message.Text {
	if !slices.Contains(contract.Kinds, x.Kind) {
		return message.Text{Zh: x.Kind, En: x.Kind}
	}
	return msgs.Text("change."+x.Kind, message.Args{"where": Inert(x.Where), "name": Inert(x.Name), "from": Inert(x.From), "to": Inert(x.To)})
}

// DriftList prints the differences from descriptions.
func DriftList(w io.Writer, d *drift.Result, lang string, msgs *message.Catalog) error {
	t := texts{msgs, lang}
	var b strings.Builder
	fmt.Fprintln(&b, DriftSummary(d, lang, msgs))
	for _, kind := range drift.Kinds {
		var rows [][]string
		for i := range d.Items {
			if x := &d.Items[i]; x.Kind == kind {
				rows = append(rows, t.drift(x))
			}
		}
		if len(rows) > 0 {
			fmt.Fprintf(&b, "\n%s (%d)\n", t.say("drift."+kind, nil), len(rows))
			_ = grid(&b, "  ", rows)
		}
	}
	if d.Over > 0 {
		fmt.Fprintf(&b, "\n%s\n", t.say("drift.over", message.Args{"count": fmt.Sprint(d.Over)}))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// DriftSummary says in a sentence how much was compared and how much differs.
func DriftSummary(d *drift.Result, lang string, msgs *message.Catalog) string {
	return texts{msgs, lang}.say("drift.summary", message.Args{"files": fmt.Sprint(len(d.Files)), "compared": fmt.Sprint(d.Compared), "matched": fmt.Sprint(d.Matched), "items": fmt.Sprint(len(d.Items) + d.Over)})
}

// DriftRow is a difference from a description, for lists.
type DriftRow struct {
	Kind, Host, API string
	What            string // where it is, and how it differs
	Exchanges       uint64
	At              string // place in the description
}

// DriftRows gives the differences by kind.
func DriftRows(d *drift.Result, lang string, msgs *message.Catalog) []DriftRow {
	t := texts{msgs, lang}
	var out []DriftRow
	for _, kind := range drift.Kinds {
		for i := range d.Items {
			if x := &d.Items[i]; x.Kind == kind {
				row := t.drift(x)
				out = append(out, DriftRow{t.say("drift."+kind, nil), x.Host, x.Method + " " + x.Template, strings.TrimSpace(row[2] + " " + row[3]), x.Exchanges, row[5]})
			}
		}
	}
	return out
}

func (t texts) drift(x *drift.Item) []string {
	what := ""
	if x.Where != "" {
		name := x.Name
		if name == "*" {
			name = t.say("drift.whole_body", nil)
		}
		what = x.Where
		if name != x.Where {
			what += " " + name
		}
	}
	seen := ""
	switch {
	case x.Expected != "" && x.Observed != "":
		seen = t.say("drift.differs", message.Args{"expected": Inert(x.Expected), "observed": Inert(x.Observed)})
	case x.Observed != "":
		seen = t.say("drift.seen", message.Args{"observed": Inert(x.Observed)})
	default:
		seen = x.Expected
	}
	at := ""
	if x.File != "" {
		at = fmt.Sprintf("%s:%d", x.File, x.Line)
	}
	count := ""
	if x.Exchanges > 0 {
		count = fmt.Sprint(x.Exchanges)
	}
	return []string{x.Method, x.Template, what, seen, count, at}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// texts says things in one language.
type texts struct {
	msgs *message.Catalog
	lang string
}

func (t texts) say(id string, args message.Args) string { return t.msgs.Text(id, args).In(t.lang) }

// word names a word of the taxonomy; what has no name is itself.
func (t texts) word(group, id string) string {
	if t.msgs.Has(group + "." + id) {
		return t.say(group+"."+id, nil)
	}
	return id
}

func (t texts) types(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, t.word("sensitive", s))
	}
	return strings.Join(out, t.say("report.comma", nil))
}

func (t texts) must(required bool) string {
	if required {
		return t.say("api.required", nil)
	}
	return ""
}

func (t texts) kind(types []string, format string, values []string) string {
	s := strings.Join(types, "|")
	if format != "" {
		s += " (" + format + ")"
	}
	if len(values) > 0 {
		s += " = " + strings.Join(values, "|")
	}
	return s
}

func (t texts) body(b *strings.Builder, id string, x contract.Body) {
	media := x.Media
	if media == "" {
		media = t.say("api.no_body", nil)
	}
	fmt.Fprintf(b, "\n%s\n", t.say(id, message.Args{"status": fmt.Sprint(x.Status), "media": media, "count": fmt.Sprint(x.Count)}))
	var rows [][]string
	for _, f := range x.Fields {
		rows = append(rows, []string{f.Path, t.kind(f.Types, f.Format, f.Values), t.must(f.Required), t.types(f.Sensitive)})
	}
	_ = grid(b, "  ", rows)
}

// grid prints rows in columns as wide as needed; what traffic named is inert.
func grid(w io.Writer, indent string, rows [][]string) error {
	var wide []int
	for i, r := range rows {
		for k, s := range r {
			rows[i][k] = Inert(s)
			if k == len(wide) {
				wide = append(wide, 0)
			}
			wide[k] = max(wide[k], columns(rows[i][k]))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for k, s := range r {
			b.WriteString(s)
			if wide[k] > 0 {
				b.WriteString(strings.Repeat(" ", wide[k]-columns(s)+2))
			}
		}
		if _, err := fmt.Fprintln(w, indent+strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
