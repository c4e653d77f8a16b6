package feed

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"xiezhi/internal/intel/indicator"
)

// decision is one of CrowdSec's, as its local API gives it to bouncers.
type decision struct {
	Origin    string `json:"origin"`
	Type      string `json:"type"`
	Scope     string `json:"scope"`
	Value     string `json:"value"`
	Duration  string `json:"duration"`
	Scenario  string `json:"scenario"`
	Simulated bool   `json:"simulated"`
}

// crowdsec reads the answer of /v1/decisions/stream, or the list of /v1/decisions.
func (r *Result) crowdsec(data []byte, o *Options) error {
	if nested(data) {
		return fmt.Errorf("%s: it is nested more than %d deep", o.Name, maxDepth)
	}
	var stream struct {
		New     []json.RawMessage `json:"new"`
		Deleted []json.RawMessage `json:"deleted"`
	}
	err := json.Unmarshal(data, &stream)
	if err != nil {
		err = json.Unmarshal(data, &stream.New)
	}
	if err != nil {
		return place(o.Name, data, err)
	}
	for _, raw := range stream.New {
		var d decision
		if json.Unmarshal(raw, &d) != nil {
			r.refuse(indicator.Malformed)
			continue
		}
		t := scopeOf(d.Scope)
		if t == 0 || d.Simulated {
			r.refuse(indicator.Unknown)
			continue
		}
		left, err := time.ParseDuration(d.Duration)
		if err != nil || left > 10*365*24*time.Hour {
			r.refuse(indicator.Malformed)
			continue
		}
		if left <= 0 {
			r.refuse(indicator.Expired)
			continue
		}
		r.add(o, indicator.Indicator{Type: t, Value: d.Value, Tags: indicator.OpenIntel, TLP: o.TLP, Last: o.Now, Until: o.Now + int64(left), Note: d.Scenario})
	}
	for _, raw := range stream.Deleted {
		var d decision
		if json.Unmarshal(raw, &d) != nil {
			r.refuse(indicator.Malformed)
			continue
		}
		t := scopeOf(d.Scope)
		if v, err := indicator.Canonical(t, d.Value, nil); err == nil {
			r.Gone = append(r.Gone, indicator.Key{Type: t, Value: v})
		} else if t == indicator.Network {
			if v, err := indicator.Canonical(indicator.Address, strings.TrimSuffix(d.Value, "/32"), nil); err == nil {
				r.Gone = append(r.Gone, indicator.Key{Type: indicator.Address, Value: v})
			}
		}
	}
	return nil
}

func scopeOf(s string) indicator.Type {
	switch strings.ToLower(s) {
	case "ip":
		return indicator.Address
	case "range":
		return indicator.Network
	case "as":
		return indicator.System
	}
	return 0
}
