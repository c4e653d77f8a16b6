package observe

import (
	"bytes"
	"strconv"

	"xiezhi/internal/redact"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// There is one token domain: a user name in a path, in JSON and as a JWT's
// subject is one token. A recognised type first takes its canonical form, then
// every value is trimmed and folded.

// tokenOf gives the token of a value.
func (o *Observer) tokenOf(t taxonomy.Sensitive, b []byte) uint64 {
	return o.tokenOfMask(t, sensitive.MaskOf(b), b)
}

// tokenOfMask is tokenOf for a value whose mask is known.
func (o *Observer) tokenOfMask(t taxonomy.Sensitive, m sensitive.Mask, b []byte) uint64 {
	if t != taxonomy.NotSensitive {
		if secret(t) {
			return o.secretToken(b)
		}
		if !sensitive.Settled(t, m, b) {
			o.canon = sensitive.Canonical(o.canon[:0], t, b)
			return o.foldToken(o.canon)
		}
	}
	if m&(sensitive.HasUpper|sensitive.HasBlank|sensitive.HasControl|sensitive.HasBeyond) == 0 {
		return o.cfg.Redactor.Token(b)
	}
	return o.foldToken(b)
}

// foldToken is Redactor.TokenFold, faster for ASCII and for scripts without
// case; a test holds the two together.
func (o *Observer) foldToken(b []byte) uint64 {
	if settled(b) {
		return o.cfg.Redactor.Token(b)
	}
	o.folded = o.folded[:0]
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c < 0x80:
			if c-'A' < 26 {
				c |= 0x20
			}
		case ideograph(b, i):
			o.folded = append(o.folded, c, b[i+1], b[i+2])
			i += 2
			continue
		default:
			return o.cfg.Redactor.TokenFold(b)
		}
		o.folded = append(o.folded, c)
	}
	return o.cfg.Redactor.Token(bytes.TrimSpace(o.folded))
}

// settled reports whether b is its own folded form: trimmed, without capitals,
// and nothing beyond ASCII but ideographs.
func settled(b []byte) bool {
	n := len(b)
	if n == 0 || b[0] <= ' ' || b[n-1] <= ' ' {
		return n == 0
	}
	for i := 0; i < n; i++ {
		if c := b[i]; c < 0x80 {
			if c-'A' < 26 {
				return false
			}
		} else if ideograph(b, i) {
			i += 2
		} else {
			return false
		}
	}
	return true
}

// ideograph reports whether a character of U+4000 to U+9FFF begins at i:
// neither case nor blank.
func ideograph(b []byte, i int) bool {
	return i+2 < len(b) && b[i]-0xE4 < 6 && b[i+1]&0xC0 == 0x80 && b[i+2]&0xC0 == 0x80
}

// secretToken gives the token of a credential: exact, since case counts. An
// "Authorization" scheme in front is no part of it.
func (o *Observer) secretToken(b []byte) uint64 {
	if bearer(b) {
		b = trimSpace(b[7:])
	}
	return o.cfg.Redactor.Token(b)
}

func secret(t taxonomy.Sensitive) bool {
	switch t {
	case taxonomy.SensSecretKey, taxonomy.SensAccessToken, taxonomy.SensPrivateKey, taxonomy.SensSessionID:
		return true
	}
	return false
}

// shapeOf gives the shape of a value.
func (o *Observer) shapeOf(b []byte) string {
	o.shape = redact.Shape(o.shape[:0], b)
	return o.once(o.shape)
}

// recognise finds the sensitive data in a value. typ is the type when the
// whole value is one; o.hits lists every hit.
func (o *Observer) recognise(h sensitive.Hint, b []byte) (typ taxonomy.Sensitive) {
	m := sensitive.MaskOf(b)
	return o.recogniseMask(h, classifyMask(m, b), m, b)
}

// recogniseMask is recognise for a value whose class and mask are known.
func (o *Observer) recogniseMask(h sensitive.Hint, c ValueClass, m sensitive.Mask, b []byte) (typ taxonomy.Sensitive) {
	o.hits = o.hits[:0]
	if o.cfg.Custom != nil && len(b) > 0 {
		if hit, ok := o.cfg.Custom.Leaf(h, b); ok {
			o.hits = append(o.hits, hit)
			return hit.Type
		}
	}
	if len(b) == 0 || h == sensitive.HintNone && unknowable(c, len(b)) {
		return taxonomy.NotSensitive
	}
	o.hits = sensitive.LeafMask(h, m, b, o.hits)
	if len(o.hits) == 1 && o.hits[0].End-o.hits[0].Start >= len(trimSpace(b)) {
		return o.hits[0].Type
	}
	return taxonomy.NotSensitive
}

// unknowable reports whether no recogniser knows a value without the help of
// its name: what is personal about a word is the field it stands in.
func unknowable(c ValueClass, n int) bool {
	switch c {
	case ClassWord:
		return n <= 24
	case ClassVer, ClassDate, ClassUUID, ClassFloat:
		return true
	}
	return n < 6
}

// setOf places an enumerable identifier in its space.
func (o *Observer) setOf(t taxonomy.Sensitive, c ValueClass, b []byte) (f SetFeature) {
	if t != taxonomy.NotSensitive && !secret(t) {
		o.canon = sensitive.Canonical(o.canon[:0], t, b)
		prefix, pos, unallocated, ok := sensitive.Set(t, o.canon)
		if ok {
			return SetFeature{o.cfg.Redactor.Token(prefix), pos, unallocated}
		}
		if t.Level() > 1 {
			return f
		}
	}
	if c != ClassInt || len(b) > 18 {
		return f
	}
	v := uint64(0)
	for _, d := range b {
		if d-'0' > 9 {
			return f // -5
		}
		v = v*10 + uint64(d-'0')
	}
	o.canon = append(o.canon[:0], "int/"...)
	o.canon = strconv.AppendUint(o.canon, v/64, 10)
	return SetFeature{Prefix: o.cfg.Redactor.Token(o.canon), Position: uint16(v % 64)}
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] <= ' ') {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// exposures sums up sensitive data while an exchange is observed.
type exposures struct {
	n    int
	keys [MaxExposures]exposureKey
	list [MaxExposures]exposure
	seen distinct
}

// exposureKey is what tells exposures apart, kept densely for the search.
type exposureKey struct {
	hash     uint64
	typ      taxonomy.Sensitive
	response bool
	masked   bool
}

type exposure struct {
	exposureKey
	path       string
	confidence uint8
	count      uint32
	distinct   uint32
	shape      string
	subjects   [MaxSubjects]uint64
	nsubjects  int
	tags       [MaxTags]uint32
	ntags      int
	twin       string // path of a plain value that agrees with the mask
	twins      uint32
}

// begin empties an entry; what stands in its arrays beyond the counts is never
// read.
func (e *exposure) begin(key exposureKey, path string) {
	e.exposureKey, e.path, e.shape = key, path, ""
	e.confidence, e.count, e.distinct, e.nsubjects, e.ntags, e.twin, e.twins = 0, 0, 0, 0, 0, "", 0
}

func (e *exposures) reset() { e.n = 0; e.seen.reset() }

// expose counts the hits that recognise left for the value b. token is that of
// the last hit, 0 when it was not needed.
func (o *Observer) expose(f *fieldEntry, response bool, m sensitive.Mask, b []byte) (token uint64) {
	for i := range o.hits {
		h := &o.hits[i]
		v := b[h.Start:h.End]
		if len(v) != len(b) {
			m = sensitive.MaskOf(v)
		}
		token = o.exposeHit(f.name, f.hash, response, h, m, v)
	}
	return token
}

func (o *Observer) exposeHit(path string, hash uint64, response bool, h *sensitive.Hit, m sensitive.Mask, v []byte) (token uint64) {
	es := &o.expo
	key := exposureKey{hash, h.Type, response, h.Masked}
	var e *exposure
	for i := range es.keys[:es.n] {
		if es.keys[i] == key {
			e = &es.list[i]
			break
		}
	}
	if e == nil {
		if es.n == MaxExposures {
			o.over(1)
			return 0
		}
		e = &es.list[es.n]
		es.keys[es.n] = key
		es.n++
		e.begin(key, path)
		if h.Type != taxonomy.SensPassword {
			e.shape = o.shapeOf(v)
		}
	}
	e.count++
	e.confidence = max(e.confidence, h.Confidence)
	token = o.tokenOfMask(h.Type, m, v)
	fresh, full := es.seen.add(token ^ uint64(e.typ)<<56 ^ hash)
	if full {
		o.over(1)
		return token
	}
	if !fresh || e.distinct >= MaxDistinct {
		return token
	}
	e.distinct++
	if h.Masked {
		return token // what is masked names nobody
	}
	if h.Type == taxonomy.SensPassword {
		// no token: equality with submitted passwords within the day is all
		if response && e.ntags < MaxTags {
			e.tags[e.ntags] = o.passwordTag(v)
			e.ntags++
		}
		return 0
	}
	if e.nsubjects < MaxSubjects && o.allow() {
		e.subjects[e.nsubjects] = token
		e.nsubjects++
	}
	return token
}

// passwordTag is Redactor.PasswordTag under the key of the event day, which is
// derived once.
func (o *Observer) passwordTag(v []byte) uint32 {
	day := o.day()
	if o.dayTags == nil || o.dayTags.Day() != day {
		o.dayTags = o.cfg.Redactor.DayTags(day)
	}
	return o.dayTags.Tag(v)
}

// day is the event day of the exchange, days since the epoch.
func (o *Observer) day() int64 {
	d := o.x.End / 86_400_000_000_000
	if o.x.End < 0 && o.x.End%86_400_000_000_000 != 0 {
		d--
	}
	return d
}

func (o *Observer) takeExposures() {
	out := o.out
	for i := range o.expo.list[:o.expo.n] {
		e := &o.expo.list[i]
		out.subjects.buf = append(out.subjects.buf, e.subjects[:e.nsubjects]...)
		out.tags.buf = append(out.tags.buf, e.tags[:e.ntags]...)
		out.exposures.add(Exposure{Path: e.path, Shape: e.shape, Type: e.typ, Response: e.response, Masked: e.masked,
			Confidence: o.cfg.Custom.Confidence(e.typ, e.count, e.confidence), Count: e.count, Distinct: e.distinct, Subjects: out.subjects.take(), Tags: out.tags.take(), Twin: e.twin, Twins: e.twins})
	}
	o.o.Exposures = out.exposures.take()
}

// distinct is a set of hashes, emptied in time proportional to its use.
type distinct struct {
	slots []uint64 // power of two; 0 is free
	used  []uint32
}

const maxDistinctTotal = 1 << 14

func (d *distinct) reset() {
	for _, i := range d.used {
		d.slots[i] = 0
	}
	d.used = d.used[:0]
}

// add reports whether h is new, or that the set is full.
func (d *distinct) add(h uint64) (fresh, full bool) {
	if h == 0 {
		h = 1
	}
	if len(d.used)*2 >= len(d.slots) {
		if len(d.used) >= maxDistinctTotal {
			return false, true
		}
		d.grow()
	}
	mask := uint64(len(d.slots) - 1)
	for i := h * 0x9E3779B97F4A7C15 >> 32 & mask; ; i = (i + 1) & mask {
		switch d.slots[i] {
		case h:
			return false, false
		case 0:
			d.slots[i] = h
			d.used = append(d.used, uint32(i))
			return true, false
		}
	}
}

func (d *distinct) grow() {
	old := d.slots
	d.slots = make([]uint64, max(1024, 2*len(old)))
	used := d.used
	d.used = make([]uint32, 0, len(d.slots)/2)
	for _, i := range used {
		d.add(old[i])
	}
}
