package observe

import (
	"xiezhi/internal/observe/form"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/sensitive"
)

// formState is the form of the side being read: a sum over the places and what
// was met there, so that the order of fields does not matter.
type formState struct {
	sum    uint64
	fields []uint32 // positions in the field table, in order of appearance
	words  []heard  // the first word of each field that may hold one of a few
	text   []byte
	known  [knownForms]knownForm
}

// heard is a word that stands in formState.text.
type heard struct {
	field uint32 // position in the field table
	from  int32
	to    int32
}

// knownForm is a form that the table has been offered; it only saves work.
type knownForm struct {
	key   uint64
	above uint64 // rank from which on samples are of no interest
}

const (
	knownForms = 1 << 12
	formSeed   = 0x786965_7a68692d66 // "xiezhi-f"
)

// beginFields starts a side of an exchange.
func (o *Observer) beginFields() {
	o.fields.begin()
	s := &o.form
	clear(s.text)
	s.sum, s.fields, s.words, s.text = 0, s.fields[:0], s.words[:0], s.text[:0]
}

// wordy reports whether words in the field may be those of a small set and
// nobody's: nothing about the name speaks of people, secrets or texts.
func (f *field) wordy() bool {
	const personal = traitPassword | traitAccount | traitBirthday | traitOwner | traitIdentifier | traitCredential | traitSignature | traitCompanion | traitSignKey | traitIssued
	return f.hint == sensitive.HintNone && f.traits&personal == 0 && f.message == 0
}

var leafBits = [...]form.Bits{jsonleaf.Int: form.Int, jsonleaf.Float: form.Float, jsonleaf.Bool: form.Bool, jsonleaf.Null: form.Null,
	jsonleaf.EmptyObject: form.Object, jsonleaf.EmptyArray: form.Array}

// leafForm notes a leaf of a document.
func (o *Observer) leafForm(f *fieldEntry, k jsonleaf.Kind, v []byte) {
	b := form.Bits(0)
	switch {
	case k == jsonleaf.String:
		if f.bits&form.Text != 0 {
			return // a text, whatever else it is at times
		}
		b = form.Of(v)
	case k == jsonleaf.Int && len(v) > 9:
		b = form.Long
	default:
		b = leafBits[k]
	}
	if f.bits&b == 0 {
		o.meet(f, b, v)
	}
}

// textForm notes a parameter of a place that has texts only.
func (o *Observer) textForm(f *fieldEntry, in Location, v []byte) {
	b := placeOf(in)
	if f.bits&form.Text == 0 {
		b |= form.OfText(v)
	}
	if f.bits&b != b {
		o.meet(f, b, v)
	}
}

func placeOf(in Location) form.Bits {
	switch in {
	case InPath:
		return form.InPath
	case InQuery:
		return form.InQuery
	case InForm:
		return form.InForm
	case InJSON:
		return form.InJSON
	case InHeader:
		return form.InHeader
	}
	return form.InBody
}

// meet notes what is new about a field on this side of the exchange.
func (o *Observer) meet(f *fieldEntry, b form.Bits, v []byte) {
	s := &o.form
	if f.bits == 0 {
		s.fields = append(s.fields, f.at)
	}
	b &^= f.bits
	f.bits |= b
	for rest := b; rest != 0; rest &= rest - 1 {
		s.sum += mix(f.hash^uint64(rest&-rest), formSeed)
	}
	if b&form.Word != 0 && f.words {
		from := int32(len(s.text))
		s.text = append(s.text, v...)
		s.words = append(s.words, heard{f.at, from, int32(len(s.text))})
	}
}

// formSide is what a form is of.
type formSide uint8

const (
	formRequest formSide = iota
	formResponse
	formHead // of a request
)

// takeForm ends a side of the exchange and gives the key of its form.
func (o *Observer) takeForm(side formSide) uint64 {
	s := &o.form
	if len(s.fields) == 0 {
		return 0
	}
	key := o.formKey(side)
	if o.cfg.Forms == nil {
		return key
	}
	k := &s.known[key%knownForms]
	rank := ^uint64(0)
	if len(s.words) > 0 {
		rank = mix(jsonleaf.Hash(key, []byte(o.o.ID)), formSeed)
	}
	if k.key != key || rank < k.above {
		o.offerForm(key, rank, k)
	}
	return key
}

// formKey tells forms apart by side, host, what the answer is in general, and
// where the path begins: so words are compared among APIs that are near to one
// another.
func (o *Observer) formKey(side formSide) uint64 {
	ob := o.o
	k := mix(o.form.sum^uint64(ob.ReqKind), formSeed)
	switch side {
	case formResponse:
		k = mix(o.form.sum^uint64(ob.RespKind)<<8, formSeed+1)
	case formHead:
		// Before the target is read: a house's headers are the same everywhere.
		return max(mix(o.form.sum, formSeed+2), 1)
	}
	k = mix(k^jsonleaf.Hash(formSeed, []byte(ob.Host)), formSeed)
	if side == formResponse && ob.Status >= 400 {
		return max(k, 1) // errors are alike everywhere
	}
	k = mix(k^jsonleaf.Hash(formSeed, []byte(ob.Method)), formSeed)
	list := o.out.segments.open()
	for i := range list[:min(len(list), 3)] {
		if g := &list[i]; g.Class == ClassWord && g.Text != "api" {
			k = mix(k^jsonleaf.Hash(formSeed, []byte(g.Text)), formSeed)
			break
		}
	}
	return max(k, 1)
}

// offerForm hands the form to the table, with a sample of its words.
func (o *Observer) offerForm(key, rank uint64, k *knownForm) {
	s := &o.form
	var sample *form.Sample
	if len(s.words) > 0 {
		sample = &form.Sample{Rank: rank, Client: o.formClient()}
	}
	at := func() *form.Form {
		f := &form.Form{Fields: make([]form.Field, 0, len(s.fields))}
		for _, i := range s.fields {
			e := &o.fields.list[i]
			f.Fields = append(f.Fields, form.Field{Path: o.pathOf(e), Bits: e.bits, Secret: e.traits&traitPassword != 0})
		}
		f.Sort()
		return f
	}
	if sample != nil {
		// words are filed by the position of their field among the sorted ones
		f := at()
		for _, w := range s.words {
			e := &o.fields.list[w.field]
			if i, ok := f.Position(o.pathOf(e), e.bits); ok {
				sample.Say(i, o.word(s.text[w.from:w.to]))
			}
		}
		k.above = o.cfg.Forms.Offer(key, func() *form.Form { return f }, sample)
	} else {
		k.above = o.cfg.Forms.Offer(key, at, nil)
	}
	k.key = key
}

func (o *Observer) pathOf(e *fieldEntry) string { return e.name }

// formClient is a hash of who asks, to tell clients apart.
func (o *Observer) formClient() uint64 {
	ob := o.o
	a := ob.Client.Addr()
	if list := o.out.addrs.open(); len(list) > 0 {
		a = list[0]
	} else if len(ob.Forwarded) > 0 {
		a = ob.Forwarded[0]
	} else if list := o.out.claimed.open(); len(list) > 0 {
		a = list[0].Addr
	}
	b := a.As16()
	return jsonleaf.Hash(formSeed, b[:])
}
