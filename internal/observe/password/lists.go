package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/ccojocar/zxcvbn-go/frequency"
	"github.com/goccy/go-yaml"
)

const (
	listsFile = "passwords.yaml"
	maxListed = 200_000

	factoryRank = 500 // of passwords that products are shipped with
)

type listsDoc struct {
	Lists []struct {
		ID    string   `yaml:"id"`
		From  uint32   `yaml:"from"`
		Same  bool     `yaml:"same"`
		Texts []string `yaml:"texts"`
	} `yaml:"lists"`
	Names struct {
		From     uint32   `yaml:"from"`
		Bases    []string `yaml:"bases"`
		Suffixes []string `yaml:"suffixes"`
	} `yaml:"names"`
	Dates struct {
		Rank  uint32 `yaml:"rank"`
		First int    `yaml:"first"`
		Last  int    `yaml:"last"`
	} `yaml:"dates"`
}

// lists holds the listed passwords, their ranks, and what clients make of them.
// They are filled when the first password asks for them: many captures hold none.
type lists struct {
	fill    func()
	filling sync.Once
	texts   []string          // listed passwords, in order of first listing
	ranks   map[string]uint32 // rank; the text as it is, and in lower case
	own     []uint32          // rank of each text as listed

	hashing sync.Once         // digests take time and most clients send none
	hashes  map[uint64]uint32 // first 8 bytes of a digest → index in texts
}

func loadLists(fsys fs.FS, d *defaults) (*lists, error) {
	b, err := fs.ReadFile(fsys, listsFile)
	if err != nil {
		return nil, err
	}
	var doc listsDoc
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", listsFile, err)
	}
	if doc.Dates.First < 1900 || doc.Dates.Last > 2100 || doc.Dates.First > doc.Dates.Last {
		return nil, fmt.Errorf("%s: dates from %d to %d", listsFile, doc.Dates.First, doc.Dates.Last)
	}
	for _, list := range doc.Lists {
		if list.ID == "" || list.From == 0 || len(list.Texts) == 0 {
			return nil, fmt.Errorf("%s: list %q needs id, from and texts", listsFile, list.ID)
		}
	}
	l := &lists{}
	l.fill = func() { l.read(&doc, d) }
	return l, nil
}

// ready gives the lists filled.
func (l *lists) ready() *lists {
	l.filling.Do(func() {
		l.fill()
		l.fill = nil
	})
	return l
}

func (l *lists) read(doc *listsDoc, d *defaults) {
	common := frequency.Lists["Passwords"].List
	l.ranks = make(map[string]uint32, 2*len(common))
	for i, text := range common {
		l.add(text, uint32(i+1))
	}
	for _, list := range doc.Lists {
		rank := list.From
		for _, text := range list.Texts {
			l.add(text, rank)
			if !list.Same {
				rank++
			}
		}
	}
	for _, base := range doc.Names.Bases {
		for _, suffix := range doc.Names.Suffixes {
			l.add(base+suffix, doc.Names.From)
			l.add(strings.ToUpper(base[:1])+base[1:]+suffix, doc.Names.From+1)
		}
	}
	for _, text := range d.passwords {
		l.add(text, factoryRank)
	}
	for y := doc.Dates.First; y <= doc.Dates.Last; y++ {
		for m := 1; m <= 12; m++ {
			for d := 1; d <= 31; d++ {
				l.add(fmt.Sprintf("%04d%02d%02d", y, m, d), doc.Dates.Rank)
				l.add(fmt.Sprintf("%02d%02d%02d", y%100, m, d), doc.Dates.Rank)
			}
		}
	}
	l.own = make([]uint32, len(l.texts))
	for i, text := range l.texts {
		l.own[i] = l.ranks[text]
	}
	// Capitals are the first thing that attackers vary, so a listed password
	// in other capitals has the same rank, unless it is listed itself. These
	// aliases stand for no password, so they have no digest.
	for _, text := range l.texts {
		lower := strings.ToLower(text)
		if r, ok := l.ranks[lower]; !ok || r > l.ranks[text] {
			l.ranks[lower] = l.ranks[text]
		}
	}
}

func (l *lists) add(text string, rank uint32) {
	old, ok := l.ranks[text]
	if !ok {
		if len(l.texts) == maxListed {
			return
		}
		l.texts = append(l.texts, text)
	}
	if !ok || rank < old {
		l.ranks[text] = rank
	}
}

// rank gives the rank of a password, 0 when it is not listed. lower is its
// lower-case form.
func (l *lists) rank(pw, lower []byte) uint32 {
	l.ready()
	r, ok := l.ranks[string(pw)]
	if low, okLow := l.ranks[string(lower)]; okLow && (!ok || low < r) {
		r = low
	}
	return r
}

// hash computes what clients send instead of a listed password.
func (l *lists) hash() {
	l.hashes = make(map[uint64]uint32, 7*len(l.texts))
	for i, text := range l.texts {
		put := func(digest []byte) {
			k := binary.BigEndian.Uint64(digest)
			if old, ok := l.hashes[k]; !ok || l.own[i] < l.own[old] {
				l.hashes[k] = uint32(i)
			}
		}
		var buf [64]byte
		m := md5.Sum([]byte(text))
		put(m[:])
		put(m[4:]) // the middle 16 hex digits, a habit of old clients
		hex.Encode(buf[:], m[:])
		twice := md5.Sum(buf[:32])
		put(twice[:])
		s256 := sha256.Sum256(buf[:32])
		put(s256[:])
		upper(buf[:32])
		twice = md5.Sum(buf[:32])
		put(twice[:])
		s1 := sha1.Sum([]byte(text))
		put(s1[:])
		s256 = sha256.Sum256([]byte(text))
		put(s256[:])
	}
}

func upper(b []byte) {
	for i, c := range b {
		if c >= 'a' && c <= 'f' {
			b[i] = c - 'a' + 'A'
		}
	}
}

// listed gives the listed password whose digest begins with k.
func (l *lists) listed(k []byte) (string, bool) {
	l.ready().hashing.Do(l.hash)
	i, ok := l.hashes[binary.BigEndian.Uint64(k)]
	if !ok {
		return "", false
	}
	return l.texts[i], true
}

// sortedTexts is for tests: the listed passwords by rank.
func (l *lists) sortedTexts() []string {
	t := slices.Clone(l.texts)
	slices.SortStableFunc(t, func(a, b string) int { return int(l.ranks[a]) - int(l.ranks[b]) })
	return t
}
