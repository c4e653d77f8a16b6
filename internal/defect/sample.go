package defect

import (
	"strings"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// MaxEvidence is the number of exchanges that a finding shows.
const MaxEvidence = 3

// Sample is an exchange kept as evidence. Texts are made when findings are.
type Sample struct {
	Exchange string
	What     string // message id; it may use {path}, {type}, {n}, {status} and {text}
	Path     string
	Type     taxonomy.Sensitive
	N        uint64
	Status   uint16
	Text     string // redacted: a message template or an excerpt
	Value    string // redacted: a shape
	Exhibit  *Exhibit

	rank uint32
	hash uint64
}

// Samples keeps the exchanges that show a defect best: highest rank first,
// among equals the smallest hash of the id, so that the choice depends neither
// on order nor on merges.
type Samples struct {
	s [MaxEvidence]Sample
	n uint8
}

// Offer gives the place for a sample of this exchange, to be filled in, or nil
// when better ones are held. rank must be a function of the exchange alone.
func (s *Samples) Offer(id string, rank uint32) *Sample {
	h := HashText(id)
	for i := range s.s[:s.n] {
		if s.s[i].hash == h && s.s[i].Exchange == id {
			if rank <= s.s[i].rank {
				return nil
			}
			s.remove(i)
			break
		}
	}
	at := int(s.n)
	for at > 0 && better(rank, h, &s.s[at-1]) {
		at--
	}
	if at == MaxEvidence {
		return nil
	}
	if s.n < MaxEvidence {
		s.n++
	}
	copy(s.s[at+1:s.n], s.s[at:s.n-1])
	// The id may be a slice of a whole batch's dictionary: keep a copy.
	s.s[at] = Sample{Exchange: strings.Clone(id), rank: rank, hash: h}
	return &s.s[at]
}

// Show is Offer for a running event, whose request and answer are noted, too.
func (s *Samples) Show(ev *Event, rank uint32) *Sample {
	p := s.Offer(ev.ID, rank)
	if p != nil {
		p.Exhibit = exhibit(ev)
	}
	return p
}

func (s *Samples) remove(i int) {
	copy(s.s[i:s.n], s.s[i+1:s.n])
	s.n--
	s.s[s.n] = Sample{}
}

func better(rank uint32, hash uint64, than *Sample) bool {
	if rank != than.rank {
		return rank > than.rank
	}
	return hash < than.hash
}

// Fold adds what o holds.
func (s *Samples) Fold(o *Samples) {
	for i := range o.s[:o.n] {
		if p := s.Offer(o.s[i].Exchange, o.s[i].rank); p != nil {
			*p = o.s[i]
		}
	}
}

// IDs gives the exchanges held, best first.
func (s *Samples) IDs() []string {
	out := make([]string, 0, s.n)
	for i := range s.s[:s.n] {
		out = append(out, s.s[i].Exchange)
	}
	return out
}

// Len is the number of samples held.
func (s *Samples) Len() int { return int(s.n) }

// Evidence words the samples, best first.
func (s *Samples) Evidence(m *message.Catalog) []Evidence {
	out := make([]Evidence, 0, s.n)
	for i := range s.s[:s.n] {
		p := &s.s[i]
		out = append(out, Evidence{
			Exchange: p.Exchange,
			What: m.Text(p.What, message.Args{
				"path": p.Path, "type": ShownName(m, p.Type), "n": p.N, "status": int(p.Status), "text": p.Text}),
			Value: p.Value,
		})
		if x := p.Exhibit; x != nil {
			out[i].Request, out[i].Response = x.Request, x.Response
		}
	}
	return out
}

// HashText is a 64-bit hash of a text, eight bytes at a time.
func HashText(s string) uint64 {
	h := uint64(len(s)) * 0x9e3779b97f4a7c15
	for len(s) >= 8 {
		v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = (h ^ v) * 0xbf58476d1ce4e5b9
		h ^= h >> 32
		s = s[8:]
	}
	var v uint64
	for i := range len(s) {
		v |= uint64(s[i]) << (8 * i)
	}
	return Mix(h ^ v)
}

// Span is the time and number of firings.
type Span struct {
	First, Last int64
	Count       uint64
}

// Add counts a firing at t.
func (s *Span) Add(t int64) {
	if s.Count == 0 || t < s.First {
		s.First = t
	}
	if s.Count == 0 || t > s.Last {
		s.Last = t
	}
	s.Count++
}

// Fold adds what o holds.
func (s *Span) Fold(o Span) {
	if o.Count == 0 {
		return
	}
	if s.Count == 0 {
		*s = o
		return
	}
	s.First, s.Last, s.Count = min(s.First, o.First), max(s.Last, o.Last), s.Count+o.Count
}

// First gives the best sample; the zero Sample when there is none.
func (s *Samples) First() Sample { return s.s[0] }
