package feed

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/intel/indicator"
)

// plain reads one value a line; what follows # or ; is a remark. Without a type
// each line says what it is by its form.
func (r *Result) plain(data []byte, o *Options) error {
	for line := 1; len(data) > 0; line++ {
		var text []byte
		text, data, _ = bytes.Cut(data, []byte("\n"))
		if len(text) > MaxLine {
			return fmt.Errorf("%s:%d: the line has more than %d bytes", o.Name, line, MaxLine)
		}
		if i := bytes.IndexAny(text, "#;"); i >= 0 {
			text = text[:i]
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		v := string(text)
		t := o.Type
		if t == 0 {
			t = typeOf(v)
		}
		if t == 0 {
			r.refuse(indicator.Unknown)
			continue
		}
		r.add(o, indicator.Indicator{Type: t, Value: v, TLP: o.TLP})
	}
	return nil
}

// typeOf guesses what a bare value is, 0 for what could be several things.
func typeOf(v string) indicator.Type {
	if p, err := indicator.PrefixOf(v); err == nil {
		if p.IsSingleIP() {
			return indicator.Address
		}
		return indicator.Network
	}
	for _, t := range []indicator.Type{indicator.URL, indicator.Fingerprint, indicator.Tool} {
		if _, err := indicator.Canonical(t, v, nil); err == nil {
			return t
		}
	}
	if len(v) > 2 && (v[:2] == "AS" || v[:2] == "as") {
		return indicator.System
	}
	if _, err := indicator.Canonical(indicator.Domain, v, nil); err == nil && strings.ContainsFunc(v, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }) {
		return indicator.Domain
	}
	return 0
}

// line is a row as JSON lines and CSV have it.
type line struct {
	Type       string    `json:"type"`
	Value      string    `json:"value"`
	Tags       []string  `json:"tags,omitempty"`
	Confidence int       `json:"confidence,omitempty"`
	Sightings  int64     `json:"sightings,omitempty"`
	First      time.Time `json:"first,omitzero"`
	Last       time.Time `json:"last,omitzero"`
	Until      time.Time `json:"until,omitzero"`
	TLP        string    `json:"tlp,omitempty"`
	Note       string    `json:"note,omitempty"`
}

// Line gives an indicator as JSON lines have it.
func Line(x *indicator.Indicator) any { return lineOf(x) }

func lineOf(x *indicator.Indicator) line {
	return line{Type: x.Type.String(), Value: x.Value, Tags: x.Tags.Names(), Confidence: int(x.Confidence), Sightings: int64(x.Sightings),
		First: moment(x.First), Last: moment(x.Last), Until: moment(x.Until), TLP: x.TLP.String(), Note: x.Note}
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// nanos gives a time as an indicator has it; ok is false for one that does not
// fit.
func nanos(t time.Time) (ns int64, ok bool) {
	if t.IsZero() {
		return 0, true
	}
	if y := t.Year(); y < 1971 || y > 2200 {
		return 0, false
	}
	return t.UnixNano(), true
}

func (r *Result) line(l *line, o *Options) {
	t, ok := indicator.ParseType(l.Type)
	if l.Type == "" {
		if t, ok = o.Type, o.Type != 0; !ok {
			t = typeOf(l.Value)
			ok = t != 0
		}
	}
	if !ok {
		r.refuse(indicator.Unknown)
		return
	}
	x := indicator.Indicator{Type: t, Value: l.Value, Tags: indicator.ParseTags(l.Tags), TLP: o.TLP, Note: l.Note}
	if l.TLP != "" {
		if x.TLP, ok = indicator.ParseTLP(l.TLP); !ok {
			x.TLP = indicator.Red // what nobody understands goes nowhere
		}
	}
	var in [3]bool
	x.First, in[0] = nanos(l.First)
	x.Last, in[1] = nanos(l.Last)
	x.Until, in[2] = nanos(l.Until)
	if in != [3]bool{true, true, true} || l.Confidence < 0 || l.Confidence > 100 || l.Sightings < 0 || l.Sightings > 1<<32-1 {
		r.refuse(indicator.Malformed)
		return
	}
	x.Confidence, x.Sightings = uint8(l.Confidence), uint32(l.Sightings)
	r.add(o, x)
}

// jsonl reads an object a line, or an array of them.
func (r *Result) jsonl(data []byte, o *Options) error {
	if nested(data) {
		return fmt.Errorf("%s: it is nested more than %d deep", o.Name, maxDepth)
	}
	if t := bytes.TrimSpace(data); len(t) > 0 && t[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(t, &list); err != nil {
			return place(o.Name, t, err)
		}
		for _, x := range list {
			r.object(x, o)
		}
		return nil
	}
	for n := 1; len(data) > 0; n++ {
		var text []byte
		text, data, _ = bytes.Cut(data, []byte("\n"))
		if len(text) > MaxLine {
			return fmt.Errorf("%s:%d: the line has more than %d bytes", o.Name, n, MaxLine)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if !json.Valid(text) {
			return fmt.Errorf("%s:%d: the line is no JSON", o.Name, n)
		}
		r.object(text, o)
	}
	return nil
}

func (r *Result) object(text []byte, o *Options) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		r.refuse(indicator.Malformed) // a field of a wrong type
		return
	}
	r.line(&l, o)
}

// place names where in a document JSON breaks, without repeating it.
func place(name string, data []byte, err error) error {
	at := int64(len(data))
	var se *json.SyntaxError
	var te *json.UnmarshalTypeError
	what := "it is no JSON"
	switch {
	case errors.As(err, &se):
		at = se.Offset
	case errors.As(err, &te):
		at, what = te.Offset, "a field of the wrong type"
	}
	at = min(max(at, 0), int64(len(data)))
	return fmt.Errorf("%s:%d: %s (byte %d)", name, 1+bytes.Count(data[:at], []byte("\n")), what, at)
}

var columns = []string{"type", "value", "tags", "confidence", "sightings", "first", "last", "until", "tlp", "note"}

// Other names that lists give to columns.
var aliases = map[string]string{"ip": "value", "address": "value", "indicator": "value", "network": "value", "cidr": "value", "first_seen": "first", "last_seen": "last",
	"valid_until": "until", "tag": "tags", "labels": "tags", "score": "confidence", "comment": "note"}

func (r *Result) csv(data []byte, o *Options) error {
	c := csv.NewReader(bytes.NewReader(data))
	c.FieldsPerRecord, c.ReuseRecord, c.TrimLeadingSpace, c.Comment, c.LazyQuotes = -1, true, true, '#', false
	names := o.Columns
	for n := 0; ; n++ {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			return fmt.Errorf("%s:%d: %w", o.Name, pe.Line, pe.Err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		if len(names) == 0 {
			for _, h := range row {
				h = strings.ToLower(strings.TrimSpace(h))
				if a, ok := aliases[h]; ok {
					h = a
				}
				names = append(names, h)
			}
			if !slices.Contains(names, "value") {
				return fmt.Errorf("%s:1: no column value; the first line names the columns, of %v", o.Name, columns)
			}
			continue
		}
		var l line
		bad := false
		for i, v := range row {
			if i >= len(names) || v == "" {
				continue
			}
			var err error
			switch names[i] {
			case "type":
				l.Type = v
			case "value":
				l.Value = unguard(v)
			case "tags":
				l.Tags = strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == '|' || r == ',' })
			case "confidence":
				l.Confidence, err = strconv.Atoi(v)
			case "sightings":
				l.Sightings, err = strconv.ParseInt(v, 10, 64)
			case "first":
				l.First, err = when(v)
			case "last":
				l.Last, err = when(v)
			case "until":
				l.Until, err = when(v)
			case "tlp":
				l.TLP = v
			case "note":
				l.Note = unguard(v)
			}
			bad = bad || err != nil
		}
		if bad {
			r.refuse(indicator.Malformed)
			continue
		}
		r.line(&l, o)
	}
}

// when reads a time as RFC 3339, a day or seconds.
func when(v string) (time.Time, error) {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 && n < 1<<33 {
		return time.Unix(n, 0).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("no time")
}

// guarded keeps a table program from taking a cell for a formula.
func guarded(v string) string {
	if v != "" && strings.ContainsRune("=+-@\t\r'", rune(v[0])) {
		return "'" + v
	}
	return v
}

func unguard(v string) string { return strings.TrimPrefix(v, "'") }

func encodeCSV(w io.Writer, rows []indicator.Indicator) error {
	c := csv.NewWriter(w)
	_ = c.Write(columns)
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339Nano)
	}
	for i := range rows {
		l := lineOf(&rows[i])
		_ = c.Write([]string{l.Type, guarded(l.Value), strings.Join(l.Tags, " "), strconv.Itoa(l.Confidence), strconv.FormatInt(l.Sightings, 10), at(l.First), at(l.Last), at(l.Until), l.TLP, guarded(l.Note)})
	}
	c.Flush()
	return c.Error()
}

func encodeJSONL(w io.Writer, rows []indicator.Indicator) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for i := range rows {
		if err := e.Encode(lineOf(&rows[i])); err != nil {
			return err
		}
	}
	return b.Flush()
}

// encodeList writes what firewalls read: networks, and in a plain list all else
// that has a form of its own.
func encodeList(w io.Writer, f Format, rows []indicator.Indicator) error {
	b := bufio.NewWriter(w)
	if f == Iptables {
		fmt.Fprintf(b, "create xiezhi4 hash:net family inet maxelem %d -exist\ncreate xiezhi6 hash:net family inet6 maxelem %d -exist\n", MaxRows, MaxRows)
	}
	for i := range rows {
		x := &rows[i]
		p, err := indicator.PrefixOf(x.Value)
		if x.Type != indicator.Address && x.Type != indicator.Network || err != nil {
			if f == Plain {
				fmt.Fprintln(b, x.Value)
			}
			continue
		}
		six := p.Addr().Is6()
		switch f {
		case Plain:
			fmt.Fprintln(b, x.Value)
		case EDL:
			fmt.Fprintln(b, p)
		case Nginx:
			fmt.Fprintf(b, "deny %s;\n", p)
		case Iptables:
			fmt.Fprintf(b, "add xiezhi%s %s -exist\n", map[bool]string{false: "4", true: "6"}[six], p)
		case Cisco:
			if six {
				fmt.Fprintf(b, "deny ipv6 %s any\n", p)
			} else {
				fmt.Fprintf(b, "deny ip %s %s any\n", p.Addr(), wildcard(p.Bits()))
			}
		case RouterOS:
			fmt.Fprintf(b, "/ip%s firewall address-list add list=xiezhi address=%s\n", map[bool]string{true: "v6"}[six], p)
		}
	}
	return b.Flush()
}

func wildcard(bits int) string {
	m := uint32(uint64(1)<<(32-bits) - 1)
	return fmt.Sprintf("%d.%d.%d.%d", m>>24, m>>16&255, m>>8&255, m&255)
}
