package form

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// packed is a form as the table keeps it, in two pieces of memory: paths share
// what they begin with, samples the words that come again. 100 000 APIs have
// hundreds of thousands of forms, and what is made of pointers would take ten
// times the room.
type packed struct {
	fields  string // per path in order: bytes shared with the one before, others, secret, bits
	samples []byte // words, then per sample by rank: rank, client, fields and words
	more    int
	n       uint8  // samples
	words   uint8  // fields that may hold words, to maxWords
	top     uint64 // the highest rank
}

// pack keeps a form without its samples.
func pack(f *Form) *packed {
	p := &packed{more: f.More}
	b := make([]byte, 0, 24*len(f.Fields))
	last := ""
	for i := range f.Fields {
		x := &f.Fields[i]
		same := 0
		for same < min(len(last), len(x.Path)) && last[same] == x.Path[same] {
			same++
		}
		b = binary.AppendUvarint(b, uint64(same))
		b = binary.AppendUvarint(b, uint64(len(x.Path)-same))
		b = append(b, x.Path[same:]...)
		secret := uint64(0)
		if x.Secret {
			secret = 1
		}
		b = binary.AppendUvarint(b, uint64(x.Bits)<<1|secret)
		if last = x.Path; x.Bits&Word != 0 && p.words < maxWords {
			p.words++
		}
	}
	p.fields = string(b)
	return p
}

// cost is what a form is counted with. It grows with samples and never shrinks,
// so that what a table at its cap holds does not depend on the order.
func (p *packed) cost() int { return 176 + len(p.fields) + int(p.n)*(20+8*int(p.words)) }

// unpack gives the form.
func (p *packed) unpack() *Form {
	f := &Form{More: p.more, Samples: p.unpackSamples()}
	last := ""
	for s := p.fields; s != ""; {
		same, rest, bits := uint64(0), uint64(0), uint64(0)
		same, s = uvarint(s)
		rest, s = uvarint(s)
		last = last[:same] + s[:rest]
		bits, s = uvarint(s[rest:])
		f.Fields = append(f.Fields, Field{Path: last, Bits: Bits(bits >> 1), Secret: bits&1 != 0})
	}
	return f
}

func uvarint(s string) (v uint64, rest string) {
	for i := 0; ; i++ {
		v |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, s[i+1:]
		}
	}
}

func (p *packed) unpackSamples() []Sample {
	if p.n == 0 {
		return nil
	}
	s := string(p.samples)
	var n, k, w uint64
	n, s = uvarint(s)
	words := make([]string, n)
	for i := range words {
		k, s = uvarint(s)
		words[i], s = s[:k], s[k:]
	}
	list := make([]Sample, p.n)
	for i := range list {
		x := &list[i]
		x.Rank, x.Client, s = fixed(s), fixed(s[8:]), s[16:]
		n, s = uvarint(s)
		x.Words = make([]Said, n)
		for j := range x.Words {
			k, s = uvarint(s)
			w, s = uvarint(s)
			x.Words[j] = Said{uint16(k), words[w]}
		}
	}
	return list
}

func fixed(s string) (v uint64) {
	for i := range 8 {
		v |= uint64(s[i]) << (8 * i)
	}
	return v
}

func (p *packed) packSamples(list []Sample) {
	var words []string
	at := func(w string) uint64 {
		for i := range words {
			if words[i] == w {
				return uint64(i)
			}
		}
		words = append(words, w)
		return uint64(len(words) - 1)
	}
	var room [2048]byte
	body := room[:0]
	for i := range list {
		x := &list[i]
		body = binary.LittleEndian.AppendUint64(body, x.Rank)
		body = binary.LittleEndian.AppendUint64(body, x.Client)
		body = binary.AppendUvarint(body, uint64(len(x.Words)))
		for _, w := range x.Words {
			body = binary.AppendUvarint(body, uint64(w.Field))
			body = binary.AppendUvarint(body, at(w.Text))
		}
	}
	size := len(body) + 2
	for _, w := range words {
		size += len(w) + 2
	}
	b := p.samples[:0]
	if cap(b) < size {
		b = make([]byte, 0, size)
	}
	b = binary.AppendUvarint(b, uint64(len(words)))
	for _, w := range words {
		b = binary.AppendUvarint(b, uint64(len(w)))
		b = append(b, w...)
	}
	p.samples = append(b, body...)
	p.n, p.top = uint8(len(list)), list[len(list)-1].Rank
}

// add keeps a sample if its rank is among the lowest.
func (p *packed) add(s *Sample) {
	if p.n == MaxSamples && s.Rank >= p.top {
		return
	}
	list := p.unpackSamples()
	i, same := slices.BinarySearchFunc(list, s.Rank, func(a Sample, r uint64) int { return cmp.Compare(a.Rank, r) })
	if same {
		return
	}
	if len(list) == MaxSamples {
		list = list[:MaxSamples-1]
	}
	p.packSamples(slices.Insert(list, i, Sample{s.Rank, s.Client, s.Words}))
}

// above is the rank from which on a sample is of no interest.
func (p *packed) above() uint64 {
	if p.n < MaxSamples {
		return ^uint64(0)
	}
	return p.top
}
