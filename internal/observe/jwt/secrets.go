package jwt

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ccojocar/zxcvbn-go/frequency"
	"github.com/goccy/go-yaml"
)

const (
	secretsFile = "jwt_secrets.yaml"
	maxSecrets  = 256
	maxWords    = 64 << 10
	minWord     = 3
)

// candidate is one key to try and where it comes from.
type candidate struct {
	key  string
	text string // as published, for the shape
	list string // id in jwt_secrets.yaml, or the word list's
}

// tier is a run of candidates that is cut into slices; a token tries one.
type tier struct {
	from, to int // in guesses.all
	slices   int
}

// guesses is the immutable part of a Guesser. The words, which take a tenth of a
// second and of which most captures need none, are added when the first token
// asks for them.
type guesses struct {
	products map[string]string // by list, of those that products are shipped with
	all      []candidate
	tiers    []tier
	seen     map[string]bool // keys of all, until the words are there
	words    sync.Once
}

// The schedule. A secret is shared by all tokens of an issuer, so it is enough
// that one of them meets it: each token tries a part of the lists, chosen by
// its own signature. The work per token is constant, so nobody can aim
// expensive tokens at us, and the result is a function of the token alone.
//
// If one token in k tries a given secret, a site with n distinct tokens misses
// it with probability (1-1/k)^n:
//
//	tier                                  k          tries  n for 99 %
//	first 16 published secrets            1            ~25    1
//	other published secrets               5            ~78    21
//	1 024 commonest passwords             7           ~144   30
//	next 1 024, 2 048, 4 096 … words      128, 256 …  8 each 590, 1 200 …
//
// The schedule falls off like 1/rank because so does the chance that somebody
// chose the word. A token costs about 290 HMACs once, measured 0.11 ms (HS256)
// and 0.42 ms (HS512); the memo answers its later exchanges in 20 ns. A million
// distinct HS256 tokens cost 110 s of one core, which is 10 % of the pipeline
// when a token lives for 110 exchanges of 10 µs and less when it lives longer.
const (
	alwaysTexts = 16
	listSlices  = 5
	commonWords = 1024
	wordSlices  = 7
	rareTries   = 8
)

type secretsDoc struct {
	Secrets []struct {
		ID      string   `yaml:"id"`
		Source  string   `yaml:"source"`
		Product string   `yaml:"product"` // shipped with the secret
		Decode  bool     `yaml:"decode"`
		Texts   []string `yaml:"texts"`
	} `yaml:"secrets"`
}

func loadGuesses(fsys fs.FS) (*guesses, error) {
	b, err := fs.ReadFile(fsys, secretsFile)
	if err != nil {
		return nil, err
	}
	var doc secretsDoc
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", secretsFile, err)
	}
	g := &guesses{products: map[string]string{}, seen: map[string]bool{}}
	texts := 0
	for _, s := range doc.Secrets {
		if s.ID == "" || s.Source == "" || len(s.Texts) == 0 {
			return nil, fmt.Errorf("%s: entry %q needs id, source and texts", secretsFile, s.ID)
		}
		if s.Product != "" {
			g.products[s.ID] = s.Product
		}
		for _, text := range s.Texts {
			texts++
			g.add(text, text, s.ID)
			if s.Decode || len(text) >= 16 {
				for _, key := range decodings(text) {
					g.add(string(key), text, s.ID)
				}
			}
			if texts == alwaysTexts {
				g.tiers = append(g.tiers, tier{to: len(g.all), slices: 1})
			}
		}
	}
	if texts > maxSecrets {
		return nil, fmt.Errorf("%s: %d secrets, at most %d", secretsFile, texts, maxSecrets)
	}
	g.cut(listSlices)
	return g, nil
}

func (g *guesses) add(key, text, list string) {
	if !g.seen[key] {
		g.seen[key] = true
		g.all = append(g.all, candidate{key: key, text: text, list: list})
	}
}

// ready gives the guesses with the words behind the published secrets.
func (g *guesses) ready() *guesses {
	g.words.Do(g.addWords)
	return g
}

func (g *guesses) addWords() {
	words := wordList()
	seen := make(map[string]bool, len(g.seen)+len(words))
	maps.Copy(seen, g.seen)
	g.seen, g.all = seen, slices.Grow(g.all, len(words))
	for _, w := range words[:min(commonWords, len(words))] {
		g.add(w.text, w.text, w.list)
	}
	g.cut(wordSlices)
	for size, rest := commonWords, words[min(commonWords, len(words)):]; len(rest) > 0; size *= 2 {
		n := min(size, len(rest))
		for _, w := range rest[:n] {
			g.add(w.text, w.text, w.list)
		}
		rest = rest[n:]
		g.cut(max(1, size/rareTries))
	}
	g.seen = nil
}

// cut closes a tier with everything added since the last one.
func (g *guesses) cut(n int) {
	from := 0
	if len(g.tiers) > 0 {
		from = g.tiers[len(g.tiers)-1].to
	}
	g.tiers = append(g.tiers, tier{from: from, to: len(g.all), slices: n})
}

// decodings gives the keys that base64 readers make of a text: the strict ones
// take it whole, old Java ones skip foreign characters and drop an incomplete
// last group.
func decodings(text string) [][]byte {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		}
		if c != '+' && c != '/' && !urlAlphabet[c] {
			continue
		}
		b.WriteByte(c)
	}
	var keys [][]byte
	sources := []string{b.String()}
	// '-' and '_' are foreign to the standard alphabet that skips them.
	if skipped := strings.NewReplacer("+", "", "/", "").Replace(b.String()); strings.ContainsAny(text, "-_") {
		sources = append(sources, skipped)
	}
	for _, s := range sources {
		for _, n := range [...]int{len(s), len(s) &^ 3} {
			if key, err := base64.RawStdEncoding.DecodeString(s[:n]); err == nil && len(key) >= 3 {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

type word struct{ text, list string }

// wordList merges the bundled frequency lists by likelihood: the passwords'
// top first, then rank times how unlikely the list is as a source of secrets.
func wordList() []word {
	lists := [...]struct {
		name, id string
		weight   int
	}{{"Passwords", "passwords", 1}, {"English", "english", 2}, {"FemaleNames", "names", 6}, {"MaleNames", "names", 6}, {"Surname", "names", 8}}
	words := make([]word, 0, maxWords)
	var at [len(lists)]int // the next of each list
	for len(words) < maxWords {
		best, least := -1, 0
		for i := range lists {
			list := frequency.Lists[lists[i].name].List
			for at[i] < len(list) && len(list[at[i]]) < minWord {
				at[i]++
			}
			if at[i] == len(list) {
				continue
			}
			weight := (at[i] + 1) * lists[i].weight
			if i > 0 {
				weight += commonWords
			}
			if best < 0 || weight < least {
				best, least = i, weight
			}
		}
		if best < 0 {
			break
		}
		words = append(words, word{frequency.Lists[lists[best].name].List[at[best]], lists[best].id})
		at[best]++
	}
	return words
}
