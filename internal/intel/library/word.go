package library

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"xiezhi/internal/intel/indicator"
)

// Said is what somebody of the owner said, as it is kept in the records: that a
// thing is hostile or harmless, or that an attack was none.
type Said struct {
	Type       string    `json:"type,omitempty"`
	Value      string    `json:"value,omitempty"`
	Harmless   bool      `json:"harmless,omitempty"`
	Tags       []string  `json:"tags,omitempty"`
	Confidence int       `json:"confidence,omitempty"`
	TLP        string    `json:"tlp,omitempty"`
	Until      time.Time `json:"until,omitzero"` // empty: hostile until it has aged, harmless until it is retired

	Attack  string   `json:"attack,omitempty"` // that was none
	Sources []string `json:"sources,omitempty"`

	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Retired *Retired  `json:"retired,omitempty"`
}

// Retired says who took it back, and why.
type Retired struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// MaxReason is how long a reason may be, in bytes.
const MaxReason = 500

// ErrSaid: what somebody says cannot be taken.
var ErrSaid = errors.New("that cannot be taken")

// Word reads what is said of a thing. hash is nil where phones and accounts are
// not known by their hashes.
func (s *Said) Word(hash indicator.Hash) (w Word, err error) {
	t, ok := indicator.ParseType(s.Type)
	if !ok {
		return w, fmt.Errorf("%w: the type %.20q is unknown", ErrSaid, s.Type)
	}
	value := s.Value
	if t == indicator.Address || t == indicator.Network { // people mix them
		if p, e := indicator.PrefixOf(strings.TrimSpace(value)); e == nil {
			t, value = indicator.Network, p.String()
			if p.IsSingleIP() {
				t, value = indicator.Address, p.Addr().String()
			}
		}
	}
	if value, err = indicator.Canonical(t, value, hash); err != nil {
		return w, fmt.Errorf("%w: %w", ErrSaid, err)
	}
	tlp, ok := indicator.ParseTLP(s.TLP)
	if s.TLP != "" && !ok {
		return w, fmt.Errorf("%w: the marking %.20q is unknown", ErrSaid, s.TLP)
	}
	tags := indicator.ParseTags(s.Tags)
	if len(tags.Names()) != len(s.Tags) {
		return w, fmt.Errorf("%w: a tag is unknown, or there twice", ErrSaid)
	}
	if s.Reason == "" || len(s.Reason) > MaxReason || !utf8.ValidString(s.Reason) || s.Confidence < 0 || s.Confidence > 100 || s.At.IsZero() {
		return w, fmt.Errorf("%w: the reason has 1 to %d bytes, the confidence lies between 0 and 100", ErrSaid, MaxReason)
	}
	if !s.Until.IsZero() && !s.Until.After(s.At) {
		return w, fmt.Errorf("%w: it ends before it begins", ErrSaid)
	}
	w.Harmless = s.Harmless
	w.Row = indicator.Indicator{Type: t, Value: value, Tags: tags, TLP: tlp, Confidence: 90, Sightings: 1, First: s.At.UnixNano(), Last: s.At.UnixNano()}
	if s.Confidence > 0 {
		w.Row.Confidence = uint8(s.Confidence)
	}
	if !s.Until.IsZero() {
		w.Row.Until = s.Until.UnixNano()
	}
	// The guards of a set refuse some; better now than in silence.
	set, err := (*indicator.Set)(nil).With(indicator.Source{Name: PeopleSource, Role: map[bool]indicator.Role{true: indicator.Negative, false: indicator.Analyst}[s.Harmless]}, []indicator.Indicator{w.Row}, s.At.UnixNano())
	if err != nil {
		return w, err
	}
	if set.Len() == 0 {
		for reason := range set.Sources()[0].Refused {
			return w, fmt.Errorf("%w: %w", ErrSaid, &indicator.Refusal{Reason: reason})
		}
	}
	return w, nil
}
