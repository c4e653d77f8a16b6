package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

var (
	stixID   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,248}[a-z0-9]--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	stixTime = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`)
)

// required lists what STIX 2.1 asks of the objects that are written here, beside
// type and id.
var required = map[string][]string{
	"indicator": {"spec_version", "created", "modified", "pattern", "pattern_type", "valid_from"},
	"sighting":  {"spec_version", "created", "modified", "sighting_of_ref"},
	"identity":  {"spec_version", "created", "modified", "name"},
}

// CheckSTIX holds a bundle against the rules of STIX 2.1 (OASIS, sections 2, 3,
// 4.7, 4.5 and 5.2) that concern what is written here: ids, times and their
// order, what has to be there, confidence, references, patterns. It gives every
// breach.
func CheckSTIX(data []byte) error {
	var b struct {
		Type    string           `json:"type"`
		ID      string           `json:"id"`
		Objects []map[string]any `json:"objects"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return place("bundle", data, err)
	}
	var bad []error
	say := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if b.Type != "bundle" || !strings.HasPrefix(b.ID, "bundle--") || !stixID.MatchString(b.ID) {
		say("the bundle is none: %q %q", b.Type, b.ID)
	}
	known := map[string]string{}
	for i, x := range b.Objects {
		kind, _ := x["type"].(string)
		id, _ := x["id"].(string)
		if !stixID.MatchString(id) || !strings.HasPrefix(id, kind+"--") {
			say("objects[%d]: id %q of a %q", i, id, kind)
		}
		if _, twice := known[id]; twice {
			say("objects[%d]: %s is there twice", i, id)
		}
		known[id] = kind
	}
	for i, x := range b.Objects {
		kind, _ := x["type"].(string)
		for _, k := range required[kind] {
			if s, ok := x[k].(string); !ok || s == "" {
				say("objects[%d]: a %s needs %s", i, kind, k)
			}
		}
		if x["spec_version"] != "2.1" {
			say("objects[%d]: spec_version %v", i, x["spec_version"])
		}
		at := map[string]time.Time{}
		for _, k := range []string{"created", "modified", "valid_from", "valid_until", "first_seen", "last_seen"} {
			s, ok := x[k].(string)
			if !ok {
				continue
			}
			t, err := time.Parse(time.RFC3339Nano, s)
			if err != nil || !stixTime.MatchString(s) {
				say("objects[%d]: %s is no time: %q", i, k, s)
			}
			at[k] = t
		}
		order := func(a, b string, strict bool) {
			x, y := at[a], at[b]
			if !x.IsZero() && !y.IsZero() && (y.Before(x) || strict && !y.After(x)) {
				say("objects[%d]: %s lies before %s", i, b, a)
			}
		}
		order("created", "modified", false)
		order("valid_from", "valid_until", true)
		order("first_seen", "last_seen", false)
		if c, ok := x["confidence"].(float64); ok && (c < 0 || c > 100 || c != float64(int(c))) {
			say("objects[%d]: confidence %v", i, c)
		}
		if c, ok := x["count"].(float64); ok && (c < 0 || c > 999_999_999) {
			say("objects[%d]: count %v", i, c)
		}
		for k, v := range x {
			refs, _ := v.([]any)
			if s, ok := v.(string); ok && strings.HasSuffix(k, "_ref") {
				refs = []any{s}
			}
			if !strings.HasSuffix(k, "_ref") && !strings.HasSuffix(k, "_refs") {
				continue
			}
			for _, ref := range refs {
				id, _ := ref.(string)
				_, here := known[id]
				if !stixID.MatchString(id) || !here && !strings.HasPrefix(id, "marking-definition--") {
					say("objects[%d]: %s leads to %q, which is not there", i, k, id)
				}
			}
		}
		if v, ok := x["labels"].([]any); ok && len(v) == 0 {
			say("objects[%d]: an empty list of labels", i)
		}
		if kind == "indicator" && x["pattern_type"] == "stix" {
			p, _ := x["pattern"].(string)
			if _, _, ok := parsePattern(p); !ok {
				say("objects[%d]: the pattern is not understood", i)
			}
		}
	}
	return errors.Join(bad...)
}
