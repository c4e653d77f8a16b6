package sensitive

import (
	"bytes"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"xiezhi/rules"
)

// fieldsFile is the form of rules/fields.yaml.
type fieldsFile struct {
	NotFirst     []string             `yaml:"not_first"`
	Trailing     []string             `yaml:"trailing"`
	Persons      []string             `yaml:"persons"`
	Things       []string             `yaml:"things"`
	Hints        map[string]hintRules `yaml:"hints"`
	Surnames     string               `yaml:"surnames"`
	Surnames2    []string             `yaml:"surnames2"`
	NotNames     []string             `yaml:"not_names"`
	NotNameEnds  string               `yaml:"not_name_ends"`
	Placeholders []string             `yaml:"placeholders"`
}

type hintRules struct {
	En       []string `yaml:"en"`
	Zh       []string `yaml:"zh"`
	Pinyin   []string `yaml:"pinyin"`
	Ends     []string `yaml:"ends"`
	NotAfter []string `yaml:"not_after"`
	Match    []string `yaml:"match"`
	Skip     []string `yaml:"skip"`
}

// A lexicon answers what names and values mean; immutable after loading.
type lexicon struct {
	phrases      map[string]Hint // run together, lower case
	whole        map[string]Hint // pinyin initials, only as a whole name
	han          map[string]Hint
	ends         []ending
	notAfter     [hintCount]map[string]bool
	notFirst     map[string]bool
	trailing     map[string]bool
	persons      map[string]bool
	things       map[string]bool
	surnames     map[rune]bool
	surnames2    map[string]bool
	notNames     map[string]bool
	notNameEnds  map[rune]bool
	placeholders map[string]bool
	longestHan   int

	// what the maps above hold, for a quick no
	placeholderLengths [256]uint32 // by first byte: a bit per length
	surnameSet         hanSet
	notEndSet          hanSet
	notNameFirst       hanSet
}

type ending struct {
	text string
	hint Hint
}

// words is the lexicon of the embedded rules. They are part of the program, so
// damage is a programming error, which a test excludes.
var words = sync.OnceValue(func() *lexicon {
	b, err := rules.FS.ReadFile("fields.yaml")
	if err == nil {
		var l *lexicon
		if l, err = parseLexicon(b); err == nil {
			return l
		}
	}
	panic("sensitive: rules/fields.yaml: " + err.Error())
})

func readFields(b []byte) (f fieldsFile, err error) {
	err = yaml.UnmarshalWithOptions(b, &f, yaml.Strict())
	return f, err
}

func parseLexicon(b []byte) (*lexicon, error) {
	f, err := readFields(b)
	if err != nil {
		return nil, err
	}
	l := &lexicon{
		phrases: map[string]Hint{}, whole: map[string]Hint{}, han: map[string]Hint{},
		notFirst: setOf(f.NotFirst), trailing: setOf(f.Trailing), persons: setOf(f.Persons), things: setOf(f.Things),
		surnames: map[rune]bool{}, surnames2: setOf(f.Surnames2), notNames: setOf(f.NotNames),
		notNameEnds: map[rune]bool{}, placeholders: setOf(f.Placeholders),
	}
	for _, r := range f.Surnames {
		l.surnames[r] = true
		l.surnameSet.add(r)
	}
	for _, r := range f.NotNameEnds {
		l.notNameEnds[r] = true
		l.notEndSet.add(r)
	}
	for w := range l.notNames {
		r, _ := utf8.DecodeRuneInString(w)
		l.notNameFirst.add(r)
	}
	for p := range l.placeholders {
		if len(p) > 31 {
			return nil, fmt.Errorf("placeholder %q is too long", p)
		}
		if p == "" {
			continue
		}
		l.placeholderLengths[p[0]] |= 1 << len(p)
	}
	for h := HintNone + 1; h < hintCount; h++ {
		rule, ok := f.Hints[h.String()]
		if !ok {
			return nil, fmt.Errorf("hint %s has no names", h)
		}
		delete(f.Hints, h.String())
		if err := l.learn(h, rule); err != nil {
			return nil, err
		}
	}
	for id := range f.Hints {
		return nil, fmt.Errorf("unknown hint %s", id)
	}
	return l, nil
}

func (l *lexicon) learn(h Hint, rule hintRules) error {
	put := func(m map[string]Hint, phrase string) error {
		key := string(bytes.ReplaceAll([]byte(phrase), []byte(" "), nil))
		if old, dup := m[key]; dup && old != h {
			return fmt.Errorf("%q promises %s and %s", phrase, old, h)
		}
		m[key] = h
		return nil
	}
	for _, p := range rule.En {
		if err := put(l.phrases, p); err != nil {
			return err
		}
	}
	for _, p := range rule.Pinyin {
		m := l.phrases
		if len(p) < 4 {
			m = l.whole
		}
		if err := put(m, p); err != nil {
			return err
		}
	}
	for _, p := range rule.Zh {
		if err := put(l.han, p); err != nil {
			return err
		}
		l.longestHan = max(l.longestHan, len(p))
	}
	for _, e := range rule.Ends {
		l.ends = append(l.ends, ending{e, h})
	}
	l.notAfter[h] = setOf(rule.NotAfter)
	return nil
}

func setOf(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}

// folded is the lower-case ASCII of a short text, for set look-ups without a
// copy on the heap; ok is false for longer texts.
func folded(buf *[32]byte, b []byte) (text []byte, ok bool) {
	if len(b) > len(buf) {
		return nil, false
	}
	for i, c := range b {
		buf[i] = lower(c)
	}
	return buf[:len(b)], true
}

// nullish reports what stands for "no value" in any field.
func nullish(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 1:
		return b[0] == '-'
	}
	switch b[0] {
	case 'n', 'N', 'u', 'U', 't', 'T', 'f', 'F', '-':
	default:
		return false
	}
	if len(b) > len("undefined") {
		return false
	}
	var buf [32]byte
	t, ok := folded(&buf, b)
	if !ok {
		return false
	}
	switch string(t) {
	case "null", "nil", "none", "undefined", "true", "false", "n/a", "na", "--":
		return true
	}
	return false
}

// placeholder reports texts that stand where a secret would: nullish ones,
// template variables, one character repeated, the usual dummies.
func placeholder(b []byte) bool {
	if nullish(b) || templated(b) {
		return true
	}
	if b[len(b)-1] == b[0] && !isDigit(b[0]) {
		same := true
		for _, c := range b {
			same = same && c == b[0]
		}
		if same {
			return true
		}
	}
	l := words()
	if len(b) > 31 || l.placeholderLengths[lower(b[0])]>>len(b)&1 == 0 {
		return false
	}
	var buf [32]byte
	t, ok := folded(&buf, b)
	return ok && l.placeholders[string(t)]
}

// templated reports ${VAR}, $VAR, {{var}}, <var>, %s, #{var}, [var].
func templated(b []byte) bool {
	switch b[0] {
	case '$':
		return len(b) > 1 && (b[1] == '{' || b[1] == '(' || plainClass[b[1]]&(cUpper|cUnder) != 0 && !bytes.ContainsRune(b[1:], '$') && classOf(b[1:])&cLower == 0)
	case '{':
		return len(b) > 3 && b[len(b)-1] == '}'
	case '<':
		return b[len(b)-1] == '>'
	case '#':
		return len(b) > 1 && b[1] == '{'
	case '%':
		return len(b) == 2 || len(b) > 1 && b[1] == '('
	case '[':
		return b[len(b)-1] == ']'
	}
	return false
}
