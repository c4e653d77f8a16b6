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

	operation bool // not of the path: the operation
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
		if verb := customVerb(s); verb > 0 && len(into)+1 < cap(into) {
			thing := observe.Segment{Text: s.Text[:verb], Token: s.Token, Class: plainClass(s.Text[:verb])}
			into = append(into, segment{
				text: thing.Text, token: s.Token, class: thing.Class, value: isValue(&thing, prev, len(into), true),
			}, segment{text: s.Text[verb:], class: observe.ClassOther})
			continue
		}
		into = append(into, segment{
			text: s.Text, token: s.Token, class: s.Class, sens: s.Sensitive,
			value: isValue(s, prev, len(into), len(into) == n-1),
		})
	}
	return into
}

// customVerb finds the colon of a verb that is written behind the resource's
// name (/volumes/17:detach), 0 when there is none.
func customVerb(s *observe.Segment) int {
	switch s.Class {
	case observe.ClassOther, observe.ClassToken, observe.ClassMixed, observe.ClassWord, observe.ClassPhrase, observe.ClassFile:
	default:
		return 0
	}
	if s.Sensitive != 0 {
		return 0
	}
	i := strings.LastIndexByte(s.Text, ':')
	if i <= 0 || len(s.Text)-i < 4 {
		return 0
	}
	for _, c := range []byte(s.Text[i+1:]) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return 0
		}
	}
	return i
}

// plainClass is enough of a classifier for the part before a custom verb.
func plainClass(s string) observe.ValueClass {
	letters, others := 0, 0 // beyond f; neither letter nor digit
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case 'g' <= c && c <= 'z':
			letters++
		case (c < 'a' || c > 'f') && (s[i] < '0' || s[i] > '9'):
			others++
		}
	}
	switch d := digits(s); {
	case d == len(s):
		return observe.ClassInt
	case d > 0 && letters == 0 && len(s) == 36 && others == 4:
		return observe.ClassUUID
	case d > 0 && letters == 0 && others == 0 && len(s) >= 8:
		return observe.ClassHex
	case d >= 2 && others == 0 && len(s) >= 16:
		return observe.ClassToken
	case d > 0:
		return observe.ClassMixed
	}
	return observe.ClassWord
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
		return digits(s.Text) > 0 || slashed(s.Text)
	case observe.ClassMixed:
		return digits(s.Text) >= 5
	case observe.ClassFile:
		stem := s.Text[:max(strings.LastIndexByte(s.Text, '.'), 0)]
		d := digits(stem)
		return d > 0 && (d == len(stem) || d >= 5)
	case observe.ClassOther:
		return !hasLetter(s.Text) || slashed(s.Text)
	}
	return false
}

// slashed reports a slash that was written with percent: a value that is handed
// on, for no route has one in its name, and a template would read as another.
func slashed(s string) bool { return strings.IndexByte(s, '/') >= 0 }

// numbered reports a word of some length with one digit right behind it.
func numbered(s string) bool {
	i := len(s) - 1
	return i >= 6 && s[i]-'0' <= 9 && (s[i-1]|0x20)-'a' < 26
}

// capitals reports two to four capital letters and nothing else.
func capitals(s string) bool {
	if len(s) < 2 || len(s) > 4 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

func beyondASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return true
		}
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
// values of one parameter. A group forms at needTelling when the siblings'
// answers are alike in a telling way, at needCommon when they are alike as most
// answers are; then it matters more what the word looks like and where it
// stands.
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
	needCommon    = 80
	needContent   = 240 // pages and assets, which answer alike by nature
	needPages     = 120 // the same below a first segment, where pages of one kind stand together
	needFiles     = 45  // files of one folder
	manyNames     = 8   // words that are called like no route, with one common answer
	bonusNeighbor = 30  // a parameter already stands here and answers the same
)

// weigh gives a literal's weight by its text, once for telling answers and
// once (firm) for common ones; route says that it is made of route words.
func (c *Catalog) weigh(s *segment, parent *node) (weight, firm int32, route bool) {
	switch s.class {
	case observe.ClassVer:
		return weightNever, weightNever, true
	case observe.ClassMixed, observe.ClassInt, observe.ClassDate, observe.ClassFloat, observe.ClassToken:
		n := digits(s.text)
		switch {
		case c.lex.isRoute(s.text) && s.class == observe.ClassMixed:
			return weightRoute, 0, true
		case n == 0: // a long word
		case n == 1 && s.class == observe.ClassMixed && numbered(s.text): // getOrdersV2, boxscore2: routes are numbered, too
		default:
			return weightMixed, weightMixed, false
		}
	}
	if s.text[0] == ':' {
		return weightNever, weightNever, true
	}
	text, program := stem(s.text)
	if s.class == observe.ClassFile && !program {
		return weightFile, weightFile, false
	}
	if program && static(s.text) && parent.parent != nil && !c.lex.isRoute(text) {
		return weightFile, weightFile, false // a page that somebody wrote: how-to-return.html
	}
	if strings.Count(text, "-") >= 3 && !c.lex.mostlyRoute(text) {
		return weightMixed, weightMixed, false // a headline: how-we-pack-your-order
	}
	if capitals(text) && parent.text != "" && !capitals(parent.text) {
		return weightMixed, weightMixed, false // a code of a country, currency, airport
	}
	if c.lex.isRoute(text) {
		if c.lex.self[strings.ToLower(text)] {
			return weightNever, weightNever, true
		}
		return weightRoute, 0, true
	}
	if c.lex.drawn(text) || beyondASCII(text) {
		return weightMixed, weightMixed, false // nobody names a route so
	}
	weight = weightWord
	if s.class == observe.ClassOther {
		weight = weightOther
	}
	if len(text) > 40 {
		weight = weightMixed
	}
	plural := parent.text != "" && !parent.param && strings.HasSuffix(parent.text, "s") && parent.route
	firm = weight
	switch {
	case plural:
		weight += weightMember
	case c.routesStand(parent):
		firm = firm / 10 // sub-resources and first segments are routes
	default:
		firm = firm * 7 / 10
	}
	switch {
	case humps(text):
		firm = 0
	case c.lex.hasRoute(text):
		firm = firm * 4 / 10
	case strings.HasSuffix(text, "s"):
		firm = firm * 5 / 10 // a collection, more often than a name
	}
	return weight, firm, false
}

// stem cuts off an extension that says how a route is served, not that it is
// a file: login.do, list.json.
func stem(s string) (string, bool) {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 {
		return s, false
	}
	switch s[i+1:] {
	case "json", "xml", "do", "action", "php", "asp", "aspx", "ashx", "jsp", "html", "htm", "cgi", "jhtml", "shtml":
		return s[:i], true
	}
	return s, false
}

// static reports whether an extension is that of a page written in advance.
func static(s string) bool {
	return strings.HasSuffix(s, ".html") || strings.HasSuffix(s, ".htm") || strings.HasSuffix(s, ".shtml")
}

// humps reports camelCase and snake_case: people name code so, not things.
func humps(s string) bool {
	for i := 1; i < len(s); i++ {
		if s[i] == '_' || 'A' <= s[i] && s[i] <= 'Z' && 'a' <= s[i-1] && s[i-1] <= 'z' {
			return true
		}
	}
	return false
}
