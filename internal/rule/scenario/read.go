package scenario

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"xiezhi/internal/message"
)

// loader translates files one after another.
type loader struct {
	set  *Set
	open Open
	data map[string]*dataFile
	sum  int // bytes of data files read

	file_ string
	name  string
	bad   bool // a problem that keeps the scenario from running
}

func (l *loader) problem(line int, construct, format string, args ...any) {
	l.bad = true
	l.note(line, construct, format, args...)
	l.set.problems[len(l.set.problems)-1].Note = false
}

func (l *loader) note(line int, construct, format string, args ...any) {
	why := say(format, args...)
	l.set.problems = append(l.set.problems, Problem{File: l.file_, Line: line, Scenario: l.name, Construct: short(construct), Why: why.Error(), Note: true, why: why})
}

// short keeps a construct printable in a line.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:77], "") + "..."
	}
	return s
}

// Is reports whether a YAML file holds scenarios: a mapping at the top with a
// filter, which no other file of ours has.
func Is(data []byte) bool {
	return topKey(data, "filter") && (topKey(data, "type") || topKey(data, "labels")) && !topKey(data, "version")
}

func topKey(data []byte, key string) bool {
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte(key)); ok && len(bytes.TrimLeft(rest, " \t")) > 0 && bytes.TrimLeft(rest, " \t")[0] == ':' {
			return true
		}
	}
	return false
}

func (l *loader) file(f *File) {
	l.file_, l.name = f.Name, ""
	if len(f.Data) > MaxBytes {
		l.problem(1, "file", "%d bytes are more than the %d a scenario file may have", len(f.Data), MaxBytes)
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(f.Data))
	for n := 0; ; n++ {
		l.name = ""
		var doc yaml.Node
		err := decode(dec, &doc)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			l.problem(yamlLine(err), "YAML", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
			return
		case l.set.read == MaxScenarios:
			l.problem(1, "scenario", "more than the %d scenarios that one run may have", MaxScenarios)
			return
		}
		if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
			continue // an empty document
		}
		l.set.read++
		l.scenario(doc.Content[0])
	}
}

// decode reads the next document. A panic of the parser, on a text that nobody
// wrote by hand, is an error.
func decode(dec *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("no YAML that can be read")
		}
	}()
	return dec.Decode(doc)
}

var yamlLineText = regexp.MustCompile(`line (\d+)`)

func yamlLine(err error) int {
	if m := yamlLineText.FindStringSubmatch(err.Error()); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 1
}

// draft is a scenario as it is written.
type draft struct {
	kind, name, filter, group, distinct   *yaml.Node
	capacity, leak, span, blackhole       *yaml.Node
	overflow, cancel, condition, bayesian *yaml.Node
	data, labels, scope                   *yaml.Node
	description                           *yaml.Node
}

var nameText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,127}$`)

func (l *loader) scenario(n *yaml.Node) {
	l.bad = false
	if n.Kind != yaml.MappingNode {
		l.problem(n.Line, "scenario", "not a mapping of keys to values")
		return
	}
	var d draft
	known := map[string]**yaml.Node{
		"type": &d.kind, "name": &d.name, "filter": &d.filter, "groupby": &d.group, "distinct": &d.distinct,
		"capacity": &d.capacity, "leakspeed": &d.leak, "duration": &d.span, "blackhole": &d.blackhole,
		"overflow_filter": &d.overflow, "cancel_on": &d.cancel, "condition": &d.condition, "bayesian_conditions": &d.bayesian,
		"data": &d.data, "labels": &d.labels, "scope": &d.scope, "description": &d.description,
	}
	if v := find(n, "name"); v != nil && v.Kind == yaml.ScalarNode && nameText.MatchString(v.Value) {
		l.name = v.Value
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if to, ok := known[k.Value]; ok && k.Kind == yaml.ScalarNode {
			if *to != nil {
				l.problem(k.Line, k.Value, "stands twice")
			}
			*to = v
			continue
		}
		switch k.Value {
		case "format", "debug", "author", "references", "cache_size", "tags", "version":
			// cache_size bounds how many events an alert shows; ours shows none.
		case "reprocess":
			if v.Value == "true" {
				l.note(k.Line, k.Value, "alerts are not fed back; scenarios that read them (evt.Overflow) are listed themselves")
			}
		case "simulated":
			if v.Value == "true" {
				l.note(k.Line, k.Value, "the alerts are reported all the same")
			}
		default:
			l.problem(k.Line, k.Value, "an unknown key")
		}
	}
	r := &Rule{File: l.file_, Line: n.Line, Name: l.name}
	if r.Name == "" {
		l.problem(n.Line, "name", "needed: letters, digits and _ . : / + -, at most %d", maxName)
	}
	if _, dup := l.set.byName[r.Name]; dup {
		l.problem(n.Line, "name", "already used by another scenario of this run")
	}
	if d.description != nil {
		r.Description = short(d.description.Value)
	}
	l.bucket(r, &d)
	l.labels(r, d.labels)
	l.files(d.data)
	l.expressions(r, &d)
	if l.bad {
		return
	}
	r.Title = message.Text{Zh: r.title(), En: r.title()}
	l.set.byName[r.Name] = int32(len(l.set.rules))
	l.set.rules = append(l.set.rules, r)
}

// title is how the scenario calls itself.
func (r *Rule) title() string {
	if r.Labels.Label != "" {
		return r.Labels.Label
	}
	return r.Description
}

func find(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// bucket reads how the scenario counts.
func (l *loader) bucket(r *Rule, d *draft) {
	if d.kind == nil {
		l.problem(r.Line, "type", "needed: leaky, trigger or counter")
		return
	}
	capacity, has := l.number(d.capacity, "capacity")
	switch d.kind.Value {
	case "trigger":
		r.Kind = Trigger
		if has && capacity != 0 {
			l.problem(d.capacity.Line, "capacity", "a trigger has none")
		}
	case "leaky":
		r.Kind = Leaky
		if !has || capacity < 0 || capacity > 1<<20 {
			l.problem(d.kind.Line, "capacity", "a leaky bucket needs one, from 0 to %d", 1<<20)
		}
		r.Capacity = capacity
		if r.Leak = l.duration(d.leak, "leakspeed"); r.Leak <= 0 {
			l.problem(d.kind.Line, "leakspeed", "a leaky bucket needs one, as 10s")
		}
		// Without news a bucket is empty after this; then it starts anew.
		r.Span = time.Duration(r.Capacity+1) * r.Leak
		if d.span != nil {
			l.problem(d.span.Line, "duration", "of a leaky bucket is not translated")
		}
	case "counter":
		r.Kind = Counter
		if !has || capacity != -1 {
			l.problem(d.kind.Line, "capacity", "a counter has -1: it is told when its duration ends")
		}
		if r.Span = l.duration(d.span, "duration"); r.Span <= 0 {
			l.problem(d.kind.Line, "duration", "a counter needs one, as 60s")
		}
	case "conditional", "bayesian":
		l.problem(d.kind.Line, d.kind.Value, "a bucket that keeps the events themselves, to look at them together: none of an exchange is kept")
	default:
		l.problem(d.kind.Line, "type", "%q is none of leaky, trigger and counter", short(d.kind.Value))
	}
	if d.leak != nil && r.Kind != Leaky {
		l.note(d.leak.Line, "leakspeed", "has no effect on a %s", r.Kind)
	}
	if r.Leak > 100*24*time.Hour || r.Span > 100*24*time.Hour {
		l.problem(d.kind.Line, "leakspeed", "an event may take at most 100 days, capacity included")
	}
	if d.blackhole != nil {
		if r.Blackhole = l.duration(d.blackhole, "blackhole"); r.Blackhole < 0 || r.Blackhole > 100*24*time.Hour {
			l.problem(d.blackhole.Line, "blackhole", "from 0s to 100 days")
		}
	}
	for _, x := range []struct {
		n   *yaml.Node
		key string
	}{{d.condition, "condition"}, {d.bayesian, "bayesian_conditions"}} {
		if x.n != nil && d.kind.Value != "conditional" && d.kind.Value != "bayesian" {
			l.problem(x.n.Line, x.key, "not translated")
		}
	}
	if d.scope != nil {
		l.scope(d.scope)
	}
}

func (l *loader) scope(n *yaml.Node) {
	t := find(n, "type")
	if t == nil || strings.EqualFold(t.Value, "ip") {
		return
	}
	l.note(n.Line, "scope", "%q: alerts name the addresses of their events instead", short(t.Value))
}

func (l *loader) number(n *yaml.Node, key string) (int, bool) {
	if n == nil {
		return 0, false
	}
	v, err := strconv.Atoi(strings.TrimSpace(n.Value))
	if n.Kind != yaml.ScalarNode || err != nil {
		l.problem(n.Line, key, "%q is no number", short(n.Value))
		return 0, false
	}
	return v, true
}

func (l *loader) duration(n *yaml.Node, key string) time.Duration {
	if n == nil {
		return 0
	}
	v, err := time.ParseDuration(strings.TrimSpace(n.Value))
	if n.Kind != yaml.ScalarNode || err != nil {
		l.problem(n.Line, key, "%q is no span of time like 10s or 5m", short(n.Value))
		return 0
	}
	return v
}

// lineOf gives where an expression begins: the line of its text, and whether that is a block.
func lineOf(n *yaml.Node) int {
	if n.Style == yaml.LiteralStyle || n.Style == yaml.FoldedStyle {
		return n.Line + 1
	}
	return n.Line
}

func (l *loader) text(n *yaml.Node, key string) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case n.Kind != yaml.ScalarNode:
		l.problem(n.Line, key, "an expression is a text")
		return "", false
	case len(n.Value) > MaxExpression:
		l.problem(n.Line, key, "%d bytes are more than the %d an expression may have", len(n.Value), MaxExpression)
		return "", false
	}
	return n.Value, strings.TrimSpace(n.Value) != ""
}

func (l *loader) expressions(r *Rule, d *draft) {
	if s, ok := l.text(d.filter, "filter"); ok {
		r.filter = l.condition(s, lineOf(d.filter), "filter")
	} else if d.filter == nil || d.filter.Kind == yaml.ScalarNode && strings.TrimSpace(d.filter.Value) == "" {
		l.problem(r.Line, "filter", "needed")
	}
	if s, ok := l.text(d.cancel, "cancel_on"); ok {
		r.cancel = l.condition(s, lineOf(d.cancel), "cancel_on")
	}
	if s, ok := l.text(d.group, "groupby"); ok {
		r.group, r.ByAddress = l.key(s, lineOf(d.group), "groupby")
	}
	if s, ok := l.text(d.distinct, "distinct"); ok {
		r.Distinct = true
		r.distinct, r.PerAddress = l.key(s, lineOf(d.distinct), "distinct")
	}
	if s, ok := l.text(d.overflow, "overflow_filter"); ok {
		r.overflow, r.inner = l.queue(s, lineOf(d.overflow))
	}
}
