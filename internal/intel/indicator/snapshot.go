package indicator

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Caps of a snapshot.
const (
	MaxSnapshot      = 1 << 16   // entries: the heaviest
	MaxSnapshotBytes = 960 << 10 // compressed, as it travels: one event of the stream
	maxSnapshotPlain = 24 << 20  // what it may unpack to
)

// Snapshot is the part of a set that judges look at: addresses, networks,
// systems, fingerprints, tools and structures that speak, at one time. It never
// changes; the same bytes are the same snapshot. nil knows nothing.
type Snapshot struct {
	id     string
	at     int64
	all    []Hit
	nets   *prefixes
	traits map[trait]uint32
}

// trait is one of the hashes and names that a request shows.
type trait struct {
	t    Type
	hash uint64
	text string
}

// Hit is what a snapshot says of a thing.
type Hit struct {
	Type  Type   `json:"t"`
	Value string `json:"v"`
	Score int    `json:"s"`
	Tags  Tag    `json:"g,omitempty"`
	From  int64  `json:"f"` // event time from which it holds
	Ends  int64  `json:"e"` // and when nothing is left of it
	Note  string `json:"n,omitempty"`

	// A site does not learn from itself: what it alone saw is there already, as
	// evidence. At the site, Other counts in the place of Score.
	Site  string `json:"o,omitempty"`
	Other int    `json:"r,omitempty"`
}

// Weight is what is left of a hit at a time and site, 0 to 1.
func (h *Hit) Weight(made, at int64, site string) float64 {
	if h == nil || at < h.From || at >= h.Ends {
		return 0
	}
	score := float64(h.Score) / 100
	if h.Site != "" && h.Site == site {
		score = float64(h.Other) / 100
	}
	if at <= made {
		return score
	}
	return score * float64(h.Ends-at) / float64(h.Ends-made)
}

// Snapshot makes what judges need of a set, as bytes. at is event time, 0 for
// that of the newest word: what is then told was true when it was said.
func (s *Set) Snapshot(at int64) ([]byte, error) {
	if s == nil {
		return nil, nil
	}
	seen := map[Key]bool{}
	var hits []Hit
	newest := int64(0)
	for i := range s.rows {
		for k := range s.rows[i] {
			newest = max(newest, s.rows[i][k].Last)
		}
	}
	if at == 0 {
		at = newest
	}
	for i := range s.rows {
		for n := range s.rows[i] {
			x := &s.rows[i][n]
			k := Key{x.Type, x.Value}
			if !judged(x.Type) || s.sources[i].Role == Negative || seen[k] {
				continue
			}
			seen[k] = true
			assess := func(without string) Assessment { return s.value(x.Type, x.Value, at, without) }
			if x.Type == Address {
				ip, err := netip.ParseAddr(x.Value)
				if err != nil {
					continue
				}
				assess = func(without string) Assessment { return s.address(ip, 0, at, without) }
			}
			a := assess("")
			if a.Score < Speaks {
				continue
			}
			h := Hit{Type: x.Type, Value: x.Value, Score: a.Score, Tags: a.Tags, From: math.MaxInt64}
			for _, say := range a.Says {
				h.From = min(h.From, say.Row.First-say.Row.Life())
				h.Ends = max(h.Ends, say.Row.Ends())
				if h.Note == "" {
					h.Note = say.Row.Note
				}
				if h.Site == "" {
					h.Site = say.Row.Site
				}
			}
			if h.Site != "" {
				without := assess(h.Site)
				h.Other = without.Score
			}
			if a.Pin == Hostile && len(a.Says) == 0 {
				h.From, h.Ends = x.First, at+30*day
			}
			hits = append(hits, h)
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value))
	})
	hits = hits[:min(len(hits), MaxSnapshot)]
	for {
		data, err := encode(at, hits)
		if err != nil || len(data) <= MaxSnapshotBytes {
			return data, err
		}
		hits = hits[:len(hits)*3/4]
	}
}

// judged reports whether judges see such things in a request.
func judged(t Type) bool {
	switch t {
	case Address, Network, System, Fingerprint, Tool, Structure:
		return true
	}
	return false
}

func encode(at int64, hits []Hit) ([]byte, error) {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	if err := e.Encode(map[string]int64{"at": at}); err != nil {
		return nil, err
	}
	for i := range hits {
		if err := e.Encode(&hits[i]); err != nil {
			return nil, err
		}
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return z.EncodeAll(plain.Bytes(), nil), nil
}

var errSnapshot = errors.New("it is no snapshot of intelligence of this version")

// ParseSnapshot reads what Set.Snapshot made. No bytes are nothing known.
func ParseSnapshot(data []byte) (*Snapshot, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) > MaxSnapshotBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errSnapshot, len(data), MaxSnapshotBytes)
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxSnapshotPlain))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	plain, err := z.DecodeAll(data, nil)
	if err != nil {
		return nil, errSnapshot
	}
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	var head struct {
		At int64 `json:"at"`
	}
	if err := d.Decode(&head); err != nil {
		return nil, errSnapshot
	}
	sum := sha256.Sum256(data)
	s := &Snapshot{id: hex.EncodeToString(sum[:8]), at: head.At, traits: map[trait]uint32{}}
	var list []entry
	for d.More() {
		var h Hit
		if err := d.Decode(&h); err != nil || !judged(h.Type) || h.Score < 0 || h.Score > 100 || h.Other < 0 || h.Other > 100 || len(h.Site) > MaxNote || len(s.all) >= MaxSnapshot || len(h.Note) > MaxNote {
			return nil, errSnapshot
		}
		v, err := Canonical(h.Type, h.Value, nil)
		if err != nil || v != h.Value {
			return nil, errSnapshot
		}
		n := uint32(len(s.all))
		s.all = append(s.all, h)
		if h.Type == Address || h.Type == Network {
			p, err := PrefixOf(h.Value)
			if err != nil {
				return nil, errSnapshot
			}
			list = append(list, entry{p, n})
			continue
		}
		s.traits[traitKey(h.Type, h.Value)] = n
	}
	s.nets = newPrefixes(list)
	return s, nil
}

// traitKey is how a request's own hash or text finds a value.
func traitKey(t Type, value string) trait {
	switch t {
	case System:
		n, _ := strconv.ParseUint(strings.TrimPrefix(value, "AS"), 10, 32)
		return trait{t: t, hash: n}
	case Structure:
		n, _ := strconv.ParseUint(value, 16, 64)
		return trait{t: t, hash: n}
	}
	if h, ok := strings.CutPrefix(value, "headers:"); ok {
		n, _ := strconv.ParseUint(h, 16, 64)
		return trait{t: t, hash: n}
	}
	_, text, _ := strings.Cut(value, ":")
	return trait{t: t, text: text}
}

// ID tells snapshots apart; nothing known has none.
func (s *Snapshot) ID() string {
	if s == nil {
		return ""
	}
	return s.id
}

// Len is how many things a snapshot knows.
func (s *Snapshot) Len() int {
	if s == nil {
		return 0
	}
	return len(s.all)
}

// Asker is what a request shows of who asks.
type Asker struct {
	Site      string // that is asked
	Client    netip.Addr
	ASN       uint32
	JA4       string
	Headers   uint64 // hash of their order
	Structure uint64 // hash of the parameters'
	Tool      string // family of the client that says what it is
}

// Known is what a snapshot says of an asker: the strongest of where it comes
// from, and the strongest of what it asks with. They are independent: an
// address can be rented by anybody, a tool is its maker's.
type Known struct {
	Source, Means     float64 // 0 to 1
	SourceOf, MeansOf *Hit
}

// Look tells what is known of an asker at a time.
func (s *Snapshot) Look(x *Asker, at int64) (k Known) {
	if s == nil {
		return k
	}
	better := func(w *float64, of **Hit, h *Hit) {
		if got := h.Weight(s.at, at, x.Site); got > *w {
			*w, *of = got, h
		}
	}
	if x.Client.IsValid() {
		s.nets.each(s.nets.lookup(x.Client.Unmap()), func(n uint32) { better(&k.Source, &k.SourceOf, &s.all[n]) })
	}
	find := func(t trait) *Hit {
		if n, ok := s.traits[t]; ok {
			return &s.all[n]
		}
		return nil
	}
	if len(s.traits) == 0 {
		return k
	}
	if x.ASN != 0 {
		better(&k.Source, &k.SourceOf, find(trait{t: System, hash: uint64(x.ASN)}))
	}
	if x.JA4 != "" {
		better(&k.Means, &k.MeansOf, find(trait{t: Fingerprint, text: x.JA4}))
	}
	if x.Headers != 0 {
		better(&k.Means, &k.MeansOf, find(trait{t: Fingerprint, hash: x.Headers}))
	}
	if x.Tool != "" {
		better(&k.Means, &k.MeansOf, find(trait{t: Tool, text: x.Tool}))
	}
	if x.Structure != 0 {
		better(&k.Means, &k.MeansOf, find(trait{t: Structure, hash: x.Structure}))
	}
	return k
}
