package catalog

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"xiezhi/internal/taxonomy"

	"github.com/goccy/go-yaml"
)

// Lexicon is the catalogue's knowledge of words: which are route words, which
// roles they speak for, which field names hold an owner. It is immutable.
type Lexicon struct {
	route  map[string]bool
	self   map[string]bool
	roles  []roleWords
	params map[string]paramUse
	owners map[string]bool
	askers map[string]bool // parameters that name the asker
	longer int             // longest route word
	pairs  [26][26]bool    // letters that follow each other in route words

	roleCases  []roleCase
	wordCases  wordCases
	ownerCases ownerCases
}

type roleWords struct {
	role    taxonomy.Role
	words   []string
	methods map[string]bool
}

// paramUse says what a parameter is for.
type paramUse uint8

const (
	useCode paramUse = 1 << iota // verification code
	usePhone
	useSearch
	usePage
	useMoney
	useRefresh // refresh token
	usePlate   // number of a car
)

var paramUses = map[string]paramUse{"code": useCode, "phone": usePhone, "search": useSearch, "page": usePage, "money": useMoney, "refresh": useRefresh, "plate": usePlate}

type roleCase struct {
	Method string
	Path   string
	With   []string // password, new_password, account, issued, code, phone, records, html, file, upload, registered
	Role   string
}

type wordCases struct{ Literal, Value []string }

type ownerCases struct{ Match, Not []string }

// Load reads words.yaml, roles.yaml and owners.yaml.
func Load(fsys fs.FS) (*Lexicon, error) {
	var words struct {
		Self  []string
		Words string
		Cases wordCases
	}
	var roles struct {
		Params map[string][]string
		Roles  []struct {
			Role    string
			Words   []string
			Methods []string
		}
		Cases []roleCase
	}
	var owners struct {
		Owners []string
		Askers []string
		Cases  ownerCases
	}
	for _, f := range []struct {
		name string
		into any
	}{{"words.yaml", &words}, {"roles.yaml", &roles}, {"owners.yaml", &owners}} {
		b, err := fs.ReadFile(fsys, f.name)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalWithOptions(b, f.into, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	l := &Lexicon{route: map[string]bool{}, self: map[string]bool{}, params: map[string]paramUse{}, owners: map[string]bool{}, askers: map[string]bool{}}
	for _, w := range strings.Fields(words.Words) {
		l.addRoute(w)
	}
	for _, w := range words.Self {
		l.addRoute(w)
		l.self[w] = true
	}
	known := map[string]bool{}
	for _, r := range taxonomy.Roles {
		known[string(r)] = true
	}
	for _, r := range roles.Roles {
		if !known[r.Role] {
			return nil, fmt.Errorf("roles.yaml: unknown role %q", r.Role)
		}
		rw := roleWords{role: taxonomy.Role(r.Role), methods: map[string]bool{}}
		for _, m := range r.Methods {
			rw.methods[m] = true
		}
		for _, w := range r.Words {
			n := plain(w)
			rw.words = append(rw.words, n)
			l.addRoute(n)
		}
		l.roles = append(l.roles, rw)
	}
	for use, names := range roles.Params {
		u, ok := paramUses[use]
		if !ok {
			return nil, fmt.Errorf("roles.yaml: unknown parameter use %q", use)
		}
		for _, n := range names {
			l.params[plain(n)] |= u
		}
	}
	for _, w := range owners.Owners {
		l.owners[plain(w)] = true
	}
	for _, w := range owners.Askers {
		l.askers[plain(w)] = true
	}
	l.roleCases, l.wordCases, l.ownerCases = roles.Cases, words.Cases, owners.Cases
	return l, nil
}

func (l *Lexicon) addRoute(w string) {
	for i := 1; i < len(w); i++ {
		if a, b := w[i-1]-'a', w[i]-'a'; a < 26 && b < 26 {
			l.pairs[a][b] = true
		}
	}
	l.route[w] = true
	l.longer = max(l.longer, len(w))
}

// plain lower-cases s and drops what joins words: "created_by" and "createdBy"
// are the same name.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '-', '_', '.', ' ':
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// subwords splits a segment at separators and at camelCase humps, lower-cased.
func subwords(s string, into []string) []string {
	start, upper := -1, false
	for i, r := range s {
		letter := unicode.IsLetter(r)
		hump := unicode.IsUpper(r) && !upper
		if start >= 0 && (!letter || hump) {
			into = append(into, strings.ToLower(s[start:i]))
			start = -1
		}
		if letter && start < 0 {
			start = i
		}
		upper = unicode.IsUpper(r)
	}
	if start >= 0 {
		into = append(into, strings.ToLower(s[start:]))
	}
	return into
}

// drawn reports whether a text was drawn rather than written by somebody: its
// letters follow each other as in no word, or its cases change as in no name.
func (l *Lexicon) drawn(s string) bool {
	if len(s) < 7 || len(s) > 64 {
		return false
	}
	strange, pairs, changes, letters := 0, 0, 0, 0
	for i := 0; i < len(s); i++ {
		b := s[i] | 0x20 - 'a'
		if b >= 26 {
			continue
		}
		letters++
		if i == 0 {
			continue
		}
		a := s[i-1] | 0x20 - 'a'
		if a >= 26 {
			continue
		}
		pairs++
		if !l.pairs[a][b] {
			strange++
		}
		if s[i-1]&0x20 != s[i]&0x20 {
			changes++
		}
	}
	if letters < 7 {
		return false
	}
	return strange >= 2 && strange*4 >= pairs || changes*5 >= letters*2 && strange >= 1 || changes >= 4 && changes*2 >= letters
}

// isRoute reports whether a segment is made of route words only.
func (l *Lexicon) isRoute(s string) bool {
	if len(s) > 64 {
		return false
	}
	if l.route[s] {
		return true
	}
	// A digit numbers something, unless the word as a whole is known (oauth2).
	if digits(s) > 0 {
		return l.route[strings.ToLower(s)]
	}
	var room [12]string
	ws := subwords(s, room[:0])
	if len(ws) == 0 {
		return false
	}
	for _, w := range ws {
		// One or two letters between real words (by, id, v) prove nothing.
		if len(w) <= 2 && len(ws) > 1 {
			continue
		}
		if !l.word(w) {
			return false
		}
	}
	return true
}

// hasRoute reports whether a segment of several words has a route word of some
// length among them: domestic-payments.
func (l *Lexicon) hasRoute(s string) bool {
	if len(s) > 64 {
		return false
	}
	var room [12]string
	ws := subwords(s, room[:0])
	if len(ws) < 2 {
		return false
	}
	for _, w := range ws {
		if len(w) > 3 && l.word(w) {
			return true
		}
	}
	return false
}

// mostlyRoute reports whether at least half of a segment's words are route words:
// get-all-orders-of-customer, not how-we-pack-your-order.
func (l *Lexicon) mostlyRoute(s string) bool {
	var room [12]string
	known, n := 0, 0
	for _, w := range subwords(s, room[:0]) {
		if len(w) > 2 {
			n++
			known += boolInt(l.word(w))
		}
	}
	return known > 0 && known*2 >= n
}

// word reports whether w is a route word, its plural, or route words written
// together.
func (l *Lexicon) word(w string) bool {
	if l.route[w] || len(w) > 3 && l.route[strings.TrimSuffix(w, "s")] {
		return true
	}
	if len(w) < 6 || len(w) > 32 {
		return false
	}
	// ok[i]: w[:i] splits into route words of three letters or more.
	var ok [33]bool
	ok[0] = true
	for i := 3; i <= len(w); i++ {
		for j := max(0, i-l.longer); j <= i-3; j++ {
			if ok[j] && l.route[w[j:i]] {
				ok[i] = true
				break
			}
		}
	}
	return ok[len(w)]
}

// isOwner reports whether the last name of a response path is that of an owner
// field.
func (l *Lexicon) isOwner(path string) bool { return l.owners[plain(lastName(path))] }

func lastName(path string) string {
	path = strings.TrimSuffix(path, "[]")
	return path[strings.LastIndexByte(path, '.')+1:]
}
