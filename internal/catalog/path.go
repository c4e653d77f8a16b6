package catalog

import (
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// segment is one path segment as the trie sees it.
type segment struct {
	text  string
	token uint64
	class observe.ValueClass
	sens  taxonomy.Sensitive
	value bool // a value by its shape alone
}

// path splits an observation into segments; empty ones (double slashes, a
// slash at the end) do not distinguish APIs.
func (c *Catalog) path(o *observe.Observation, into []segment) []segment {
	n := 0
	for i := range o.Segments {
		if o.Segments[i].Class != observe.ClassEmpty || o.Segments[i].Sensitive != 0 {
			n++
		}
	}
	for i := range o.Segments {
		s := &o.Segments[i]
		if s.Class == observe.ClassEmpty && s.Sensitive == 0 {
			continue
		}
		prev := ""
		if k := len(into); k > 0 && !into[k-1].value {
			prev = into[k-1].text
		}
		into = append(into, segment{
			text: s.Text, token: s.Token, class: s.Class, sens: s.Sensitive,
			value: isValue(s, prev, len(into), len(into) == n-1),
		})
	}
	return into
}

// isValue reports whether a segment is a value whatever its siblings are.
func isValue(s *observe.Segment, prev string, at int, last bool) bool {
	if s.Sensitive != 0 || s.Text == "" {
		return true
	}
	// Where versions stand, a small number or a date is one until siblings say
	// otherwise: /2/…, /api/1.1/…, /2010-04-01/….
	version := !last && (at == 0 || strings.EqualFold(prev, "api") || strings.EqualFold(prev, "rest") || strings.EqualFold(prev, "services"))
	switch s.Class {
	case observe.ClassInt:
		return !version || len(s.Text) > 2
	case observe.ClassDate, observe.ClassFloat:
		return !version
	case observe.ClassUUID, observe.ClassHex, observe.ClassEmail, observe.ClassPhrase:
		return true
	case observe.ClassToken:
		return digits(s.Text) > 0
	case observe.ClassMixed:
		return digits(s.Text) >= 5
	case observe.ClassFile:
		stem := s.Text[:max(strings.LastIndexByte(s.Text, '.'), 0)]
		d := digits(stem)
		return d > 0 && (d == len(stem) || d >= 5)
	case observe.ClassOther:
		return !hasLetter(s.Text)
	}
	return false
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' {
			n++
		}
	}
	return n
}

func hasLetter(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; 'a' <= c && c <= 'z' || s[i] >= 0x80 {
			return true
		}
	}
	return false
}

// Weights, in tenths: how far a literal counts towards its siblings being
// values of one parameter. A group forms at 60 when the siblings' answers are
// alike in a telling way, at 120 when they are alike as most answers are.
const (
	weightNever   = 0
	weightRoute   = 5
	weightWord    = 10
	weightOther   = 14
	weightFile    = 15
	weightMixed   = 20
	weightData    = 20
	weightMember  = 4 // added for a word that follows a plural: /users/alice
	needTelling   = 60
	needCommon    = 120
	needContent   = 240 // pages and assets, which answer alike by nature
	bonusNeighbor = 30  // a parameter already stands here and answers the same
)

// weigh gives a literal's weight by its text; route says that it is made of
// route words.
func (c *Catalog) weigh(s *segment, parent *node) (weight int32, route bool) {
	switch s.class {
	case observe.ClassVer:
		return weightNever, true
	case observe.ClassMixed, observe.ClassInt, observe.ClassDate, observe.ClassFloat, observe.ClassToken:
		if c.lex.route[plain(s.text)] {
			return weightRoute, true
		}
		return weightMixed, false
	case observe.ClassFile:
		return weightFile, false
	case observe.ClassOther:
		if c.lex.isRoute(s.text) {
			return weightRoute, true
		}
		return weightOther, false
	}
	if c.lex.isRoute(s.text) {
		if c.lex.self[strings.ToLower(s.text)] {
			return weightNever, true
		}
		return weightRoute, true
	}
	weight = weightWord
	if len(s.text) > 40 {
		weight = weightMixed
	}
	if parent.text != "" && !parent.param && strings.HasSuffix(parent.text, "s") && c.lex.isRoute(parent.text) {
		weight += weightMember
	}
	return weight, false
}
