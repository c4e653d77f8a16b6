package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/intel/indicator"
)

// Object is what of a STIX object matters here; what is not written is left out.
type Object struct {
	Type        string   `json:"type"`
	SpecVersion string   `json:"spec_version,omitempty"`
	ID          string   `json:"id"`
	CreatedBy   string   `json:"created_by_ref,omitempty"`
	Created     string   `json:"created,omitempty"`
	Modified    string   `json:"modified,omitempty"`
	Revoked     bool     `json:"revoked,omitempty"`
	Labels      []string `json:"labels,omitempty"`
	Confidence  *int     `json:"confidence,omitempty"`
	Marking     []string `json:"object_marking_refs,omitempty"`

	Name           string   `json:"name,omitempty"`
	Description    string   `json:"description,omitempty"`
	IdentityClass  string   `json:"identity_class,omitempty"`
	IndicatorTypes []string `json:"indicator_types,omitempty"`
	Pattern        string   `json:"pattern,omitempty"`
	PatternType    string   `json:"pattern_type,omitempty"`
	ValidFrom      string   `json:"valid_from,omitempty"`
	ValidUntil     string   `json:"valid_until,omitempty"`

	FirstSeen string `json:"first_seen,omitempty"`
	LastSeen  string `json:"last_seen,omitempty"`
	Count     int64  `json:"count,omitempty"`
	Sighted   string `json:"sighting_of_ref,omitempty"`
}

// Bundle is a STIX bundle. TAXII's envelope has objects, too, and no id.
type Bundle struct {
	Type    string   `json:"type,omitempty"`
	ID      string   `json:"id,omitempty"`
	Objects []Object `json:"objects"`
}

// The markings of TLP that STIX 2.1 defines.
var markings = map[indicator.TLP]string{
	indicator.Clear: "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
	indicator.Green: "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
	indicator.Amber: "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
	indicator.Red:   "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}

// stamp is the time of STIX: UTC, at least milliseconds.
const stamp = "2006-01-02T15:04:05.000Z"

func stamped(ns int64) string { return moment(ns).Format(stamp) }

// patternOf writes what a thing looks like in traffic.
func patternOf(x *indicator.Indicator) string {
	q := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(x.Value)
	switch x.Type {
	case indicator.Address, indicator.Network:
		kind, op := "ipv4-addr", "="
		if strings.Contains(x.Value, ":") {
			kind = "ipv6-addr"
		}
		if x.Type == indicator.Network {
			op = "ISSUBSET"
		}
		return fmt.Sprintf("[%s:value %s '%s']", kind, op, q)
	case indicator.System:
		return fmt.Sprintf("[autonomous-system:number = %s]", strings.TrimPrefix(x.Value, "AS"))
	case indicator.URL:
		return fmt.Sprintf("[url:value = '%s']", q)
	case indicator.Domain:
		return fmt.Sprintf("[email-addr:value LIKE '%%@%s']", q)
	}
	return fmt.Sprintf("[x-xiezhi-trait:%s = '%s']", x.Type, q)
}

// parsePattern reads patterns of one comparison: others say things that no
// indicator of ours can.
func parsePattern(p string) (t indicator.Type, value string, ok bool) {
	p = strings.TrimSpace(p)
	if len(p) < 2 || p[0] != '[' || p[len(p)-1] != ']' {
		return 0, "", false
	}
	p = strings.TrimSpace(p[1 : len(p)-1])
	i := strings.IndexAny(p, " =")
	if i < 0 {
		return 0, "", false
	}
	path, rest := p[:i], strings.TrimSpace(p[i:])
	op := ""
	for _, o := range []string{"ISSUBSET", "LIKE", "="} {
		if strings.HasPrefix(rest, o) {
			op, rest = o, strings.TrimSpace(rest[len(o):])
			break
		}
	}
	if op == "" || rest == "" {
		return 0, "", false
	}
	if path == "autonomous-system:number" && op == "=" {
		return indicator.System, rest, true
	}
	if value, ok = unquote(rest); !ok {
		return 0, "", false
	}
	switch {
	case (path == "ipv4-addr:value" || path == "ipv6-addr:value") && op != "LIKE":
		return indicator.Address, value, true // or a network: told apart by its form
	case path == "url:value" && op == "=":
		return indicator.URL, value, true
	case path == "email-addr:value" && op == "LIKE" && strings.HasPrefix(value, "%@"):
		return indicator.Domain, value[2:], true
	}
	if name, found := strings.CutPrefix(path, "x-xiezhi-trait:"); found && op == "=" {
		t, ok = indicator.ParseType(name)
		return t, value, ok
	}
	return 0, "", false
}

func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	var out strings.Builder
	in := s[1 : len(s)-1]
	for i := 0; i < len(in); i++ {
		switch {
		case in[i] == '\'':
			return "", false // a second comparison
		case in[i] == '\\' && i+1 < len(in):
			i++
		case in[i] == '\\':
			return "", false
		}
		out.WriteByte(in[i])
	}
	return out.String(), true
}

// stix reads a bundle or the envelope of a TAXII collection.
func (r *Result) stix(data []byte, o *Options) error {
	if nested(data) {
		return fmt.Errorf("%s: it is nested more than %d deep", o.Name, maxDepth)
	}
	var b struct {
		Objects []json.RawMessage `json:"objects"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return place(o.Name, data, err)
	}
	sighted := map[string]*Object{}
	list := make([]Object, 0, len(b.Objects))
	for _, raw := range b.Objects {
		var x Object
		if json.Unmarshal(raw, &x) != nil {
			r.refuse(indicator.Malformed)
			continue
		}
		switch x.Type {
		case "indicator":
			list = append(list, x)
		case "sighting":
			if have := sighted[x.Sighted]; have == nil || have.LastSeen < x.LastSeen {
				sighted[x.Sighted] = &x
			}
		}
	}
	for i := range list {
		r.indicator(&list[i], sighted[list[i].ID], o)
	}
	return nil
}

func (r *Result) indicator(x *Object, seen *Object, o *Options) {
	t, value, ok := parsePattern(x.Pattern)
	if !ok || x.PatternType != "" && x.PatternType != "stix" {
		r.refuse(indicator.Unknown)
		return
	}
	if x.Revoked {
		for _, t := range []indicator.Type{t, indicator.Network} {
			if v, err := indicator.Canonical(t, value, nil); err == nil {
				r.Gone = append(r.Gone, indicator.Key{Type: t, Value: v})
				break
			}
		}
		r.refuse(indicator.Revoked)
		return
	}
	out := indicator.Indicator{Type: t, Value: value, Tags: indicator.ParseTags(x.Labels), TLP: o.TLP, Note: x.Description}
	for level, id := range markings {
		if slices.Contains(x.Marking, id) {
			out.TLP = level
		}
	}
	at := func(s string) int64 {
		if s == "" {
			return 0
		}
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			ok = false
			return 0
		}
		n, fits := nanos(t)
		ok = ok && fits
		return n
	}
	out.First, out.Last, out.Until = at(x.ValidFrom), at(x.Modified), at(x.ValidUntil)
	out.Sightings = 1
	if seen != nil {
		out.First, out.Last = at(seen.FirstSeen), at(seen.LastSeen)
		ok = ok && seen.Count >= 0 && seen.Count < 1<<32
		out.Sightings = uint32(seen.Count)
	}
	if out.Last == 0 {
		out.Last = out.First
	}
	if out.First > out.Last {
		out.First = out.Last
	}
	if c := x.Confidence; c != nil {
		if *c < 0 || *c > 100 {
			ok = false
		} else {
			out.Confidence = uint8(max(*c, 1))
		}
	}
	if !ok {
		r.refuse(indicator.Malformed)
		return
	}
	r.add(o, out)
}

// Objects gives indicators as STIX objects: an identity, and for each an
// indicator and its sighting. The same things give the same ids.
func Objects(rows []indicator.Indicator, o Out) []Object {
	out := make([]Object, 0, 2*len(rows)+1)
	out = append(out, identity(o.Who))
	for i := range rows {
		out = append(out, objects(&rows[i], o.Who, false)...)
	}
	return out
}

// ObjectsOf gives one indicator as objects, behind the identity. One that is
// taken back has no sighting.
func ObjectsOf(x *indicator.Indicator, o Out, revoked bool) []Object {
	return append([]Object{identity(o.Who)}, objects(x, o.Who, revoked)...)
}

func identity(who string) Object {
	zero := stamped(1577836800e9) // it does not change
	return Object{Type: "identity", SpecVersion: "2.1", ID: "identity--" + uuid5("identity", who), Created: zero, Modified: zero, Name: who, IdentityClass: "organization"}
}

func objects(x *indicator.Indicator, owner string, revoked bool) []Object {
	c := int(x.Confidence)
	who, mark := "identity--"+uuid5("identity", owner), []string{markings[x.TLP]}
	id := "indicator--" + uuid5("indicator", owner, x.Type.String(), x.Value)
	ob := Object{Type: "indicator", SpecVersion: "2.1", ID: id, CreatedBy: who, Created: stamped(x.First), Modified: stamped(x.Last), Revoked: revoked, Labels: x.Tags.Names(), Confidence: &c, Marking: mark,
		Name: x.Type.String() + " " + x.Value, Description: x.Note, IndicatorTypes: []string{kindOf(x)}, Pattern: patternOf(x), PatternType: "stix", ValidFrom: stamped(x.First)}
	end := x.Ends()
	if x.Until != 0 {
		end = x.Until
	}
	if end/1e6 > x.First/1e6 {
		ob.ValidUntil = stamped(end)
	}
	if revoked {
		return []Object{ob}
	}
	return []Object{ob, {Type: "sighting", SpecVersion: "2.1", ID: "sighting--" + uuid5("sighting", owner, x.Type.String(), x.Value), CreatedBy: who, Created: stamped(x.First), Modified: stamped(x.Last),
		Marking: mark, FirstSeen: stamped(x.First), LastSeen: stamped(x.Last), Count: int64(min(x.Sightings, 999_999_999)), Sighted: id}}
}

// kindOf is STIX's open vocabulary of indicators.
func kindOf(x *indicator.Indicator) string {
	switch {
	case x.Tags&(indicator.Proxy|indicator.VPN|indicator.Tor) != 0:
		return "anonymization"
	case x.Tags&(indicator.Gang|indicator.Decoyed|indicator.Scanner) != 0:
		return "malicious-activity"
	case x.Type == indicator.Account:
		return "compromised"
	}
	return "anomalous-activity"
}

func encodeSTIX(w io.Writer, rows []indicator.Indicator, o Out) error {
	b := Bundle{Type: "bundle", Objects: Objects(rows, o)}
	var all bytes.Buffer
	for i := range b.Objects {
		all.WriteString(b.Objects[i].ID + b.Objects[i].Modified)
	}
	b.ID = "bundle--" + uuid5("bundle", all.String(), strconv.Itoa(len(b.Objects)))
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(&b)
}
