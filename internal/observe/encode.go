package observe

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"unsafe"
)

// The encoding of a batch is self-contained: header, count, observations. A
// string is a reference: 0 the empty one, 1..n one of the batch's dictionary,
// n+1 a new one that follows. Integers are varints, tokens eight bytes, times
// differences to the observation before. IDs stand outside the dictionary,
// since they never recur, and so do path segments that are no words.

const (
	codecMagic   = 'X'
	codecVersion = 8
)

// AppendEncoded appends the encoding of all observations.
func (b *Batch) AppendEncoded(dst []byte) []byte {
	return b.AppendEncodedRange(dst, 0, len(b.obs))
}

// AppendEncodedRange appends the encoding of the observations from i to j as a
// batch of its own.
func (b *Batch) AppendEncodedRange(dst []byte, i, j int) []byte {
	e := b.begin(dst, j-i)
	for k := range b.obs[i:j] {
		e.observation(&b.obs[i+k])
	}
	return e.dst
}

// AppendEncodedOrder appends the encoding of the observations that order
// lists, in that order, as a batch of its own: an external sort sorts the
// indexes, not the observations.
func (b *Batch) AppendEncodedOrder(dst []byte, order []int32) []byte {
	e := b.begin(dst, len(order))
	for _, k := range order {
		e.observation(&b.obs[k])
	}
	return e.dst
}

func (b *Batch) begin(dst []byte, n int) encoder {
	b.enc.reset()
	dst = append(dst, codecMagic, codecVersion)
	return encoder{dst: binary.AppendUvarint(dst, uint64(n)), dict: &b.enc}
}

type encoder struct {
	dst  []byte
	dict *dictionary
	last int64
}

func (e *encoder) u(v uint64) {
	if v < 0x80 {
		e.dst = append(e.dst, uint8(v))
		return
	}
	e.dst = binary.AppendUvarint(e.dst, v)
}
func (e *encoder) i(v int64)    { e.dst = binary.AppendVarint(e.dst, v) }
func (e *encoder) b(v uint8)    { e.dst = append(e.dst, v) }
func (e *encoder) fix(v uint64) { e.dst = binary.LittleEndian.AppendUint64(e.dst, v) }
func (e *encoder) n(length int) { e.u(uint64(length)) }
func (e *encoder) raw(s string) { e.n(len(s)); e.dst = append(e.dst, s...) }
func (e *encoder) bits(v ...bool) {
	var x uint8
	for i, on := range v {
		if on {
			x |= 1 << i
		}
	}
	e.b(x)
}

func (e *encoder) str(s string) {
	if s == "" {
		e.dst = append(e.dst, 0)
		return
	}
	ref, known := e.dict.ref(s)
	e.ref(s, ref, known)
}

func (e *encoder) ref(s string, ref uint32, known bool) {
	e.u(uint64(ref))
	if !known {
		e.raw(s)
	}
}

// tok writes a token; most absent ones cost one byte.
func (e *encoder) tok(v uint64) {
	if v == 0 {
		e.b(0)
		return
	}
	e.dst = binary.LittleEndian.AppendUint64(append(e.dst, 1), v)
}

func (e *encoder) addr(a netip.Addr) {
	switch {
	case !a.IsValid():
		e.b(0)
	case a.Is4():
		v := a.As4()
		e.dst = append(append(e.dst, 4), v[:]...)
	default:
		v := a.As16()
		e.dst = append(append(e.dst, 16), v[:]...)
		e.str(a.Zone())
	}
}

func (e *encoder) addrPort(a netip.AddrPort) {
	e.addr(a.Addr())
	e.u(uint64(a.Port()))
}

// observation writes what it has in common with others first, see like.go.
func (e *encoder) observation(o *Observation) {
	kind, lean := e.dict.like(o)
	e.u(kind)
	if kind <= likeNew {
		e.common(o)
	}
	if !lean {
		e.lists(o)
	}
	e.raw(o.ID)
	e.b(o.Part)
	e.u(uint64(o.Ordinal))
	e.u(o.Seq)
	e.i(o.End - e.last)
	e.last = o.End
	e.i(o.End - o.Start)
	e.addrPort(o.Client)
	e.u(o.RespBytes)
	e.n(len(o.Segments))
	for i := range o.Segments {
		s := &o.Segments[i]
		e.b(uint8(s.Class))
		if recurs(s.Class) {
			e.str(s.Text)
		} else {
			e.raw(s.Text)
		}
		e.str(s.Shape)
		e.tok(s.Token)
		e.b(uint8(s.Sensitive))
		e.set(&s.Set)
	}
	e.n(len(o.Params))
	for i := range o.Params {
		p := &o.Params[i]
		e.str(p.Name)
		e.str(p.Shape)
		e.tok(p.Token)
		e.u(uint64(p.Len))
		e.b(uint8(p.In))
		e.b(uint8(p.Type))
		e.b(uint8(p.Class))
		e.b(uint8(p.Sensitive))
		e.set(&p.Set)
	}
	e.n(len(o.Dispatch))
	for i := range o.Dispatch {
		d := &o.Dispatch[i]
		e.str(d.Name)
		e.str(d.Value)
		e.b(d.Rank)
	}
	e.n(len(o.Deals))
	for i := range o.Deals {
		d := &o.Deals[i]
		e.b(uint8(d.Kind))
		e.bits(d.Flaw)
		e.b(d.Size)
		e.tok(d.Token)
		e.tok(d.Range)
		e.set(&d.Set)
	}
}

// recurs reports whether segments of that class recur, so that their texts go
// through the dictionary.
func recurs(c ValueClass) bool { return c == ClassWord || c == ClassVer || c == ClassFile }

// common writes what like compares.
func (e *encoder) common(o *Observation) {
	e.str(o.Site)
	e.str(o.Host)
	e.str(o.Sensor)
	e.addrPort(o.Server)
	e.bits(o.Secure, o.Query, o.AgentTool)
	e.b(o.Proto)
	e.u(uint64(o.Caps))
	e.str(o.Method)
	e.b(uint8(o.ReqKind))
	e.u(o.ReqBytes)
	e.str(o.AgentFamily)
	e.tok(o.Agent)
	e.tok(o.HeaderOrder)
	e.tok(o.ParamShape)
	e.str(o.JA4)
	e.str(o.H2)
	e.str(o.Referer)
	e.str(o.Origin)
	e.u(uint64(o.Status))
	e.b(uint8(o.RespKind))
	e.str(o.Code)
	e.str(o.CodeField)
	e.b(uint8(o.CodeSays))
	e.str(o.Message)
	e.tok(o.MessageHash)
	e.u(uint64(o.MessageSays))
	e.bits(o.Verdict != Verdict{})
	if v := &o.Verdict; *v != (Verdict{}) {
		e.tok(v.Hash)
		e.str(v.Field)
		e.bits(v.Yes)
		e.u(uint64(v.Says))
	}
	e.tok(o.Schema)
	e.tok(o.ReqForm)
	e.tok(o.HeadForm)
	e.tok(o.RespForm)
	e.u(uint64(o.Records))
	e.str(o.ServerBanner)
	e.str(o.Location)
	e.b(o.CORS)
	e.b(o.Limits)
	e.b(uint8(o.Protocol))
	e.str(o.Operation)
	e.str(o.Root)
	e.b(uint8(o.Stream))
	e.u(uint64(o.Overflow))
}

// lists writes what a lean observation has none of.
func (e *encoder) lists(o *Observation) {
	e.n(len(o.Forwarded))
	for _, a := range o.Forwarded {
		e.addr(a)
	}
	e.n(len(o.Claimed))
	for i := range o.Claimed {
		e.str(o.Claimed[i].Header)
		e.addr(o.Claimed[i].Addr)
	}
	e.credentials(o.Credentials)
	e.n(len(o.Accounts))
	for i := range o.Accounts {
		a := &o.Accounts[i]
		e.str(a.Name)
		e.b(uint8(a.In))
		e.b(uint8(a.Kind))
		e.tok(a.Token)
		e.str(a.Shape)
		e.set(&a.Set)
	}
	e.n(len(o.Passwords))
	for i := range o.Passwords {
		p := &o.Passwords[i]
		e.str(p.Name)
		e.b(uint8(p.Use))
		e.b(uint8(p.Form))
		e.b(p.Len)
		e.b(p.Classes)
		e.b(p.Score)
		e.u(uint64(p.Rank))
		e.b(p.Related)
		e.u(uint64(p.Tag))
		e.str(p.Shape)
		e.b(p.Pattern)
		e.bits(p.Privileged)
		e.str(p.Default)
	}
	e.n(len(o.Signatures))
	for i := range o.Signatures {
		s := &o.Signatures[i]
		e.str(s.Rule)
		e.b(uint8(s.In))
		e.str(s.Name)
	}
	e.n(len(o.Leaves))
	for i := range o.Leaves {
		l := &o.Leaves[i]
		if l.Path != "" && l.Record < 0x80 {
			if ref, known := e.dict.ref(l.Path); known && ref < 0x80 { // nearly all
				e.dst = append(binary.LittleEndian.AppendUint64(append(e.dst, uint8(ref)), l.Token), uint8(l.Record), uint8(l.Type), uint8(l.Class))
				continue
			} else {
				e.ref(l.Path, ref, known)
			}
		} else {
			e.str(l.Path)
		}
		e.fix(l.Token)
		e.u(uint64(l.Record))
		e.b(uint8(l.Type))
		e.b(uint8(l.Class))
	}
	e.n(len(o.Exposures))
	for i := range o.Exposures {
		x := &o.Exposures[i]
		e.str(x.Path)
		e.str(x.Shape)
		e.b(uint8(x.Type))
		e.bits(x.Response, x.Masked)
		e.b(x.Confidence)
		e.u(uint64(x.Count))
		e.u(uint64(x.Distinct))
		e.n(len(x.Subjects))
		for _, s := range x.Subjects {
			e.fix(s)
		}
		e.n(len(x.Tags))
		for _, t := range x.Tags {
			e.u(uint64(t))
		}
		e.str(x.Twin)
		e.u(uint64(x.Twins))
	}
	e.n(len(o.Codes))
	for i := range o.Codes {
		e.str(o.Codes[i].Where)
		e.fix(o.Codes[i].Token)
	}
	e.n(len(o.Internals))
	for i := range o.Internals {
		x := &o.Internals[i]
		e.str(x.Path)
		e.b(uint8(x.Kind))
		e.u(uint64(x.Count))
	}
	e.n(len(o.Roles))
	for i := range o.Roles {
		e.str(o.Roles[i].Path)
		e.str(o.Roles[i].Word)
	}
	e.n(len(o.Rights))
	for i := range o.Rights {
		r := &o.Rights[i]
		e.str(r.Path)
		e.fix(r.Key)
		e.tok(r.Token)
		e.str(r.Shape)
		e.bits(r.Response)
		e.u(uint64(r.Record))
	}
	e.used(o.Used)
	e.bits(o.UsedCut)
	e.credentials(o.Issued)
	e.n(len(o.Markers))
	for i := range o.Markers {
		m := &o.Markers[i]
		e.str(m.Rule)
		e.str(m.Where)
		e.str(m.What)
	}
	e.n(len(o.Uploads))
	for i := range o.Uploads {
		e.file(&o.Uploads[i])
	}
	e.n(len(o.Hits))
	for i := range o.Hits {
		h := &o.Hits[i]
		e.str(h.Rule)
		e.tok(h.Key)
		e.tok(h.Distinct)
		e.u(uint64(h.Marks))
		e.bits(h.Cancel)
	}
	e.b(uint8(o.Aside))
	e.bits(o.Download != File{})
	if o.Download != (File{}) {
		e.file(&o.Download)
	}
}

// used writes an ascending list by its differences.
func (e *encoder) used(list []uint32) {
	e.n(len(list))
	last := uint32(0)
	for _, k := range list {
		e.u(uint64(k - last))
		last = k
	}
}

func (e *encoder) file(f *File) {
	e.b(uint8(f.Kind))
	e.str(f.Name)
	e.str(f.Field)
	e.u(f.Bytes)
	e.u(uint64(f.Rows))
	e.bits(f.Attachment)
}

func (e *encoder) set(s *SetFeature) {
	if *s == (SetFeature{}) {
		e.b(0)
		return
	}
	e.bits(true, s.Unallocated)
	e.fix(s.Prefix)
	e.u(uint64(s.Position))
}

func (e *encoder) credentials(list []Credential) {
	e.n(len(list))
	for i := range list {
		c := &list[i]
		e.b(uint8(c.Kind))
		e.b(uint8(c.In))
		e.str(c.Name)
		e.tok(c.Token)
		e.tok(c.Account)
		e.str(c.Shape)
		e.b(c.Cookie)
		e.str(c.Product)
		e.bits(c.JWT != nil)
		if c.JWT != nil {
			e.jwt(c.JWT)
		}
	}
}

func (e *encoder) jwt(j *JWT) {
	e.str(j.Alg)
	e.tok(j.KeyID)
	e.str(j.Issuer)
	e.tok(j.Subject)
	e.n(len(j.Claims))
	for i := range j.Claims {
		e.str(j.Claims[i].Name)
		e.tok(j.Claims[i].Token)
		e.str(j.Claims[i].Word)
	}
	e.i(j.IssuedAt)
	e.i(j.Expires)
	e.str(j.WeakSecret)
	e.str(j.WeakList)
	e.bits(j.None)
}

// dictionary numbers the strings of a batch.
type dictionary struct {
	seed  maphash.Seed
	slots []uint32 // position in strs, +1
	strs  []string
	same  [sameSlots]sameString
	likes likes
}

// sameString is a string numbered before, by its place in memory: most strings
// of a batch are interned. The dictionary holds the string, so no other can
// come to stand there.
type sameString struct {
	at  uintptr
	len int32
	ref uint32
}

const sameSlots = 256

func (d *dictionary) reset() {
	if d.slots == nil || len(d.slots) > 1<<16 {
		d.seed, d.slots, d.strs = maphash.MakeSeed(), make([]uint32, 1<<10), nil
	}
	clear(d.slots)
	clear(d.strs)
	d.strs = d.strs[:0]
	d.same = [sameSlots]sameString{}
	d.likes.reset()
}

// ref gives the number of s, from 1, and whether it has been there before.
func (d *dictionary) ref(s string) (ref uint32, known bool) {
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	c := &d.same[(at>>3^at>>11)%sameSlots]
	if c.at == at && int(c.len) == len(s) {
		return c.ref, true
	}
	ref, known = d.find(s)
	// of an equal string only the one that is kept stays where it is
	if unsafe.StringData(d.strs[ref-1]) == unsafe.StringData(s) {
		*c = sameString{at, int32(len(s)), ref}
	}
	return ref, known
}

// find is ref by the bytes of s.
func (d *dictionary) find(s string) (ref uint32, known bool) {
	mask := uint64(len(d.slots) - 1)
	for i := maphash.String(d.seed, s) & mask; ; i = (i + 1) & mask {
		p := d.slots[i]
		if p == 0 {
			d.strs = append(d.strs, s)
			d.slots[i] = uint32(len(d.strs))
			if len(d.strs)*2 > len(d.slots) {
				d.grow()
			}
			return uint32(len(d.strs)), false
		}
		if d.strs[p-1] == s {
			return p, true
		}
	}
}

func (d *dictionary) grow() {
	d.slots = make([]uint32, 2*len(d.slots))
	mask := uint64(len(d.slots) - 1)
	for n, s := range d.strs {
		i := maphash.String(d.seed, s) & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = uint32(n + 1)
	}
}
