package observe

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
)

// Phrases tells what a message says, by rules/phrases.yaml. It is immutable.
type Phrases struct {
	phrases []phrase
	buckets map[[2]byte][]uint16 // first two bytes → phrases
	rules   []phraseRule
	words   map[string]bool // words of the phrases: a message holds them anyway
}

type phrase struct {
	text               string
	openStart, openEnd bool // matches inside a word
	wordStart, wordEnd bool // begins, ends with a letter or digit of ASCII
}

const phraseWords = 32 // 64-bit words of a phrase set

type phraseSet [phraseWords]uint64

func (s *phraseSet) add(i int) { s[i>>6] |= 1 << (i & 63) }
func (s *phraseSet) meets(t *phraseSet) bool {
	for i := range s {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

type phraseRule struct {
	says, over         MessageClass
	any, with, without phraseSet
	conditional        bool
}

type phrasesFile struct {
	Version      int      `yaml:"version"`
	AccountWords []string `yaml:"account_words"`
	Rules        []struct {
		Says    string   `yaml:"says"`
		Any     []string `yaml:"any"`
		With    []string `yaml:"with"`
		Without []string `yaml:"without"`
		Over    []string `yaml:"over"`
		Match   []string `yaml:"match"`
		Refuse  []string `yaml:"refuse"`
	} `yaml:"rules"`
}

var messageClasses = map[string]MessageClass{
	"not_registered": SaysNotRegistered, "registered": SaysRegistered, "wrong_secret": SaysWrongSecret,
	"bad_pair": SaysBadPair, "unauthorized": SaysUnauthorized, "forbidden": SaysForbidden,
	"throttled": SaysThrottled, "locked": SaysLocked, "captcha": SaysCaptcha, "not_found": SaysNotFound,
	"invalid": SaysInvalid, "success": SaysSuccess, "failure": SaysFailure, "broken": SaysBroken,
}

// LoadPhrases reads phrases.yaml.
func LoadPhrases(fsys fs.FS) (*Phrases, error) {
	p, _, err := loadPhrases(fsys)
	return p, err
}

func loadPhrases(fsys fs.FS) (*Phrases, *phrasesFile, error) {
	const file = "phrases.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, nil, err
	}
	var f phrasesFile
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	p := &Phrases{buckets: map[[2]byte][]uint16{}, words: map[string]bool{}}
	ids := map[string]int{}
	fill := func(dst *phraseSet, list []string) error {
		for _, s := range list {
			id, ok := ids[s]
			if !ok {
				ph := phrase{openStart: strings.HasPrefix(s, "*"), openEnd: strings.HasSuffix(s, "*")}
				ph.text = string(normalMessage(nil, []byte(strings.Trim(s, "*"))))
				if len(ph.text) < 2 {
					return fmt.Errorf("%s: phrase %q is too short", file, s)
				}
				ph.wordStart = alphanumeric(ph.text[0])
				ph.wordEnd = alphanumeric(ph.text[len(ph.text)-1])
				if id = len(p.phrases); id >= phraseWords*64 {
					return fmt.Errorf("%s: more than %d phrases", file, phraseWords*64)
				}
				ids[s] = id
				p.phrases = append(p.phrases, ph)
				k := [2]byte{ph.text[0], ph.text[1]}
				p.buckets[k] = append(p.buckets[k], uint16(id))
				for _, w := range strings.Fields(ph.text) {
					p.words[w] = true
				}
			}
			dst.add(id)
		}
		return nil
	}
	for i, r := range f.Rules {
		out := phraseRule{says: messageClasses[r.Says], conditional: len(r.With) > 0}
		if out.says == 0 || len(r.Any) == 0 {
			return nil, nil, fmt.Errorf("%s: rule %d says %q by %d phrases", file, i, r.Says, len(r.Any))
		}
		for _, s := range r.Over {
			if messageClasses[s] == 0 {
				return nil, nil, fmt.Errorf("%s: rule %d is over unknown class %q", file, i, s)
			}
			out.over |= messageClasses[s]
		}
		for _, l := range []struct {
			dst  *phraseSet
			list []string
		}{{&out.any, r.Any}, {&out.with, r.With}, {&out.without, r.Without}} {
			if err := fill(l.dst, l.list); err != nil {
				return nil, nil, err
			}
		}
		p.rules = append(p.rules, out)
	}
	return p, &f, nil
}

// says gives the classes of a normalised message.
func (p *Phrases) says(text []byte) MessageClass {
	var met phraseSet
	none := true
	for i := 0; i+1 < len(text); i++ {
		for _, id := range p.buckets[[2]byte{text[i], text[i+1]}] {
			ph := &p.phrases[id]
			end := i + len(ph.text)
			if end > len(text) || string(text[i:end]) != ph.text ||
				ph.wordStart && !ph.openStart && i > 0 && alphanumeric(text[i-1]) ||
				ph.wordEnd && !ph.openEnd && end < len(text) && alphanumeric(text[end]) {
				continue
			}
			met.add(int(id))
			none = false
		}
	}
	if none {
		return 0
	}
	var says, over MessageClass
	for i := range p.rules {
		r := &p.rules[i]
		if r.any.meets(&met) && (!r.conditional || r.with.meets(&met)) && !r.without.meets(&met) {
			says |= r.says
			over |= r.over
		}
	}
	return says &^ over
}

func alphanumeric(c byte) bool { return c-'0' < 10 || (c|0x20)-'a' < 26 }

// normalMessage appends text as phrases are compared: ASCII in lower case,
// joints as blanks, runs of blanks as one, typographic apostrophes straight.
func normalMessage(dst, b []byte) []byte {
	start := len(dst)
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c-'A' < 26:
			c |= 0x20
		case c <= ' ' || c == '_' || c == '-':
			if len(dst) == start || dst[len(dst)-1] == ' ' {
				continue
			}
			c = ' '
		case c == 0xE2 && i+2 < len(b) && b[i+1] == 0x80 && (b[i+2] == 0x98 || b[i+2] == 0x99):
			c = '\''
			i += 2
		}
		dst = append(dst, c)
	}
	return dst
}
