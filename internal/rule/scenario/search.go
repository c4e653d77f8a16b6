package scenario

import (
	"encoding/json"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// words finds whether one of many texts stands in another: a table of their
// first two bytes says where to compare.
type words struct {
	single [256]bool
	starts [1 << 16 / 64]uint64
	by     map[uint16][]word
	empty  bool
}

type word struct {
	text string
	id   int32
}

func newWords(list []string) *words {
	w := &words{by: map[uint16][]word{}}
	for i, s := range list {
		switch len(s) {
		case 0:
			w.empty = true
		case 1:
			w.single[s[0]] = true
		default:
			k := pair(s)
			w.starts[k>>6] |= 1 << (k & 63)
			if !slices.ContainsFunc(w.by[k], func(x word) bool { return x.text == s && x.id == int32(i) }) {
				w.by[k] = append(w.by[k], word{s, int32(i)})
			}
		}
	}
	return w
}

func pair(s string) uint16 { return uint16(s[0])<<8 | uint16(s[1]) }

func (w *words) in(s string) bool {
	found := w.empty
	if !found {
		w.each(s, func(int32) bool { found = true; return false })
	}
	return found
}

// each gives the numbers of the texts that stand in s, some of them more than
// once, until f gives false. A text of one byte has the number -1.
func (w *words) each(s string, f func(id int32) bool) {
	for i := 0; i < len(s); i++ {
		if w.single[s[i]] && !f(-1) {
			return
		}
		if i+1 == len(s) {
			return
		}
		k := uint16(s[i])<<8 | uint16(s[i+1])
		if w.starts[k>>6]&(1<<(k&63)) == 0 {
			continue
		}
		for _, x := range w.by[k] {
			if strings.HasPrefix(s[i:], x.text) && !f(x.id) {
				return
			}
		}
	}
}

// edges finds whether a text begins or ends with one of many.
type edges struct {
	front   bool
	lengths []int // ascending
	set     map[string]struct{}
}

func newEdges(list []string, front bool) *edges {
	e := &edges{front: front, set: map[string]struct{}{}}
	for _, s := range list {
		e.set[s] = struct{}{}
		if i, ok := slices.BinarySearch(e.lengths, len(s)); !ok {
			e.lengths = slices.Insert(e.lengths, i, len(s))
		}
	}
	return e
}

func (e *edges) in(s string) bool {
	for _, n := range e.lengths {
		if n > len(s) {
			return false
		}
		part := s[len(s)-n:]
		if e.front {
			part = s[:n]
		}
		if _, ok := e.set[part]; ok {
			return true
		}
	}
	return false
}

// gate knows texts of which one has to stand in whatever a pattern matches,
// so that most texts need no pattern.
type gate struct {
	words *words
	fold  bool
}

func (g *gate) may(s string) bool {
	if g.fold {
		return !isASCII(s) || g.words.in(strings.ToLower(s))
	}
	return g.words.in(s)
}

func newGate(pattern string) *gate {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	list, fold := needed(re.Simplify())
	if len(list) == 0 {
		return nil
	}
	return &gate{newWords(list), fold}
}

// needed gives texts of at least two bytes of which one stands in every match;
// fold: in lower case, of ASCII subjects in lower case. nil: none is known.
func needed(re *syntax.Regexp) (list []string, fold bool) {
	switch re.Op {
	case syntax.OpLiteral:
		s := string(re.Rune)
		if re.Flags&syntax.FoldCase != 0 {
			s, fold = strings.ToLower(s), true
		}
		if len(s) < 2 || fold && !isASCII(s) {
			return nil, false
		}
		return []string{s}, fold
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needed(re.Sub[0])
		}
	case syntax.OpConcat:
		best := 0
		for _, sub := range re.Sub {
			l, f := needed(sub)
			if len(l) == 0 {
				continue
			}
			least := len(l[0])
			for _, s := range l {
				least = min(least, len(s))
			}
			if score := least*64 - min(len(l), 63); score > best {
				best, list, fold = score, l, f
			}
		}
		return list, fold
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			l, f := needed(sub)
			if len(l) == 0 || i > 0 && f != fold || len(list)+len(l) > 256 {
				return nil, false
			}
			list, fold = append(list, l...), f
		}
		return list, fold
	}
	return nil, false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// patterns are the regular expressions of a file.
type patterns struct {
	list  []*regexp.Regexp
	words *words  // of those with needed texts
	owner []int32 // pattern by the number of a word
	free  []int32 // patterns that have none: always tried
}

func newPatterns(lines []string) (*patterns, int, error) {
	if len(lines) > MaxPatterns {
		return nil, MaxPatterns, say("more than %d patterns", MaxPatterns)
	}
	p := &patterns{}
	var texts []string
	for i, s := range lines {
		re, err := compilePattern(s)
		if err != nil {
			return nil, i, err
		}
		p.list = append(p.list, re)
		var list []string
		fold := false
		if tree, err := syntax.Parse(s, syntax.Perl); err == nil {
			list, fold = needed(tree.Simplify())
		}
		if len(list) == 0 || fold {
			p.free = append(p.free, int32(i))
			continue
		}
		for _, t := range list {
			texts = append(texts, t)
			p.owner = append(p.owner, int32(i))
		}
	}
	p.words = newWords(texts)
	return p, 0, nil
}

// match reports whether one of the patterns matches s.
func (p *patterns) match(s string) bool {
	for _, i := range p.free {
		if p.list[i].MatchString(s) {
			return true
		}
	}
	found, last := false, int32(-1)
	p.words.each(s, func(id int32) bool {
		if i := p.owner[id]; i != last {
			found, last = p.list[i].MatchString(s), i
		}
		return !found
	})
	return found
}

// lookup is a file of type map: patterns with what they stand for.
type lookup struct {
	equal map[string]string
	words *words
	tags  []string // by the number of a word
	regex []*regexp.Regexp
	names []string // of regex
}

func newLookup(lines []string) (*lookup, int, error) {
	t := &lookup{equal: map[string]string{}}
	var texts []string
	for i, line := range lines {
		var e struct{ Pattern, Tag, Type string }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Pattern == "" || e.Tag == "" {
			return nil, i, say("not an object with pattern, tag and type")
		}
		switch e.Type {
		case "equals":
			if _, ok := t.equal[e.Pattern]; !ok {
				t.equal[e.Pattern] = e.Tag
			}
		case "contains":
			if len(e.Pattern) < 2 {
				return nil, i, say("a text of one byte is no pattern")
			}
			texts, t.tags = append(texts, e.Pattern), append(t.tags, e.Tag)
		case "regex":
			re, err := compilePattern(e.Pattern)
			if err != nil {
				return nil, i, err
			}
			t.regex, t.names = append(t.regex, re), append(t.names, e.Tag)
		default:
			return nil, i, say("type %q is none of equals, contains and regex", short(e.Type))
		}
		if len(t.regex) > MaxPatterns {
			return nil, i, say("more than %d patterns", MaxPatterns)
		}
	}
	t.words = newWords(texts)
	return t, 0, nil
}

// find gives what s stands for: the first that fits of equal texts, of texts in
// it, and of patterns.
func (t *lookup) find(s string) string {
	if tag, ok := t.equal[s]; ok {
		return tag
	}
	best := int32(-1)
	t.words.each(s, func(id int32) bool {
		if best < 0 || id < best {
			best = id
		}
		return true
	})
	if best >= 0 {
		return t.tags[best]
	}
	for i, re := range t.regex {
		if re.MatchString(s) {
			return t.names[i]
		}
	}
	return ""
}
