package observe

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/taxonomy"
)

// ErrEncoding is returned for bytes that are no encoded batch, or one of
// another version.
var ErrEncoding = errors.New("observe: not an encoded batch of this version")

// Decode appends the observations of an encoded batch. It is strict: every
// count is checked against the bytes that are left and the caps of an
// observation, and nothing may stand behind the last one. On an error the
// batch holds what it held before.
func (b *Batch) Decode(src []byte) error {
	if len(src) < 3 || src[0] != codecMagic || src[1] != codecVersion {
		return ErrEncoding
	}
	d := decoder{src: src[2:], b: b, likes: b.likes[:0]}
	b.dec = b.dec[:0]
	before := len(b.obs)
	count := d.count(minObservation, math.MaxInt32)
	for range count {
		b.next()
		d.observation(len(b.obs) - 1)
		if d.bad {
			break
		}
	}
	clear(b.dec)
	b.likes = d.likes
	if d.bad || len(d.src) != 0 {
		clear(b.obs[before:])
		b.obs = b.obs[:before]
		return ErrEncoding
	}
	return nil
}

// minObservation is less than the smallest encoded observation takes.
const minObservation = 12

type decoder struct {
	src   []byte
	b     *Batch
	last  int64
	likes []int32 // see like.go
	bad   bool
}

func (d *decoder) fail() { d.bad, d.src = true, nil }

func (d *decoder) u(limit uint64) uint64 {
	if len(d.src) > 0 && d.src[0] < 0x80 && uint64(d.src[0]) <= limit {
		v := d.src[0]
		d.src = d.src[1:]
		return uint64(v)
	}
	return d.uLong(limit)
}

func (d *decoder) uLong(limit uint64) uint64 {
	v, n := binary.Uvarint(d.src)
	if n <= 0 || v > limit {
		d.fail()
		return 0
	}
	d.src = d.src[n:]
	return v
}

func (d *decoder) i() int64 {
	v, n := binary.Varint(d.src)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.src = d.src[n:]
	return v
}

func (d *decoder) u8() uint8 {
	if len(d.src) == 0 {
		d.fail()
		return 0
	}
	v := d.src[0]
	d.src = d.src[1:]
	return v
}

func (d *decoder) fix() uint64 {
	if len(d.src) < 8 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(d.src)
	d.src = d.src[8:]
	return v
}

// count reads a length whose items take at least size bytes each.
func (d *decoder) count(size, limit int) int {
	n := d.u(uint64(limit))
	if n*uint64(size) > uint64(len(d.src)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) take(n int) []byte {
	v := d.src[:n]
	d.src = d.src[n:]
	return v
}

const maxEncodedString = 4096

func (d *decoder) raw() []byte { return d.take(d.count(1, maxEncodedString)) }

func (d *decoder) str() string {
	if len(d.src) > 0 {
		switch ref := int(d.src[0]); {
		case ref == 0:
			d.src = d.src[1:]
			return ""
		case ref < 0x80 && ref <= len(d.b.dec):
			d.src = d.src[1:]
			return d.b.dec[ref-1]
		}
	}
	return d.strLong()
}

func (d *decoder) strLong() string {
	ref := d.u(uint64(len(d.b.dec)) + 1)
	switch {
	case ref == 0:
		return ""
	case ref <= uint64(len(d.b.dec)):
		return d.b.dec[ref-1]
	}
	v := d.raw()
	if len(v) == 0 {
		d.fail()
		return ""
	}
	s := d.b.text.word(v)
	d.b.dec = append(d.b.dec, s)
	return s
}

func (d *decoder) tok() uint64 {
	switch d.u8() {
	case 0:
		return 0
	case 1:
		if v := d.fix(); v != 0 {
			return v
		}
	}
	d.fail()
	return 0
}

// mask reads a byte of flags below limit.
func (d *decoder) mask(limit uint8) uint8 {
	v := d.u8()
	if v >= limit {
		d.fail()
		return 0
	}
	return v
}

func (d *decoder) addr() netip.Addr {
	switch d.u8() {
	case 0:
		return netip.Addr{}
	case 4:
		if len(d.src) >= 4 {
			return netip.AddrFrom4([4]byte(d.take(4)))
		}
	case 16:
		if len(d.src) >= 16 {
			a := netip.AddrFrom16([16]byte(d.take(16)))
			zone := d.str()
			if zone == "" {
				return a
			}
			if !a.Is4In6() { // such an address has no zone
				return a.WithZone(zone)
			}
		}
	}
	d.fail()
	return netip.Addr{}
}

func (d *decoder) addrPort() netip.AddrPort {
	a := d.addr()
	return netip.AddrPortFrom(a, uint16(d.u(math.MaxUint16)))
}

func (d *decoder) sensitive() taxonomy.Sensitive {
	return taxonomy.Sensitive(d.mask(uint8(taxonomy.SensitiveCount)))
}

func (d *decoder) observation(at int) {
	o := &d.b.obs[at]
	kind := d.u(uint64(len(d.likes)) + likeFirst - 1)
	switch {
	case kind >= likeFirst:
		*o = d.b.obs[d.likes[kind-likeFirst]]
	case kind == likeNew:
		if len(d.likes) == maxLikes {
			d.fail()
			return
		}
		d.likes = append(d.likes, int32(at))
		d.common(o)
	default:
		d.common(o)
		d.lists(o)
	}
	o.ID = d.b.text.unique(d.raw())
	o.Part = d.u8()
	o.Ordinal = uint32(d.u(math.MaxUint32))
	o.Seq = d.u(math.MaxUint64)
	o.End = d.last + d.i()
	d.last = o.End
	o.Start = o.End - d.i()
	o.Client = d.addrPort()
	o.RespBytes = d.u(math.MaxUint64)
	o.Segments = d.b.segments.room(d.count(6, MaxSegments))
	for i := range o.Segments {
		s := &o.Segments[i]
		s.Class = ValueClass(d.u8())
		if recurs(s.Class) {
			s.Text = d.str()
		} else {
			s.Text = d.b.text.unique(d.raw())
		}
		s.Shape, s.Token = d.str(), d.tok()
		s.Sensitive, s.Set = d.sensitive(), d.set()
	}
	o.Params = d.b.params.room(d.count(9, MaxParams))
	for i := range o.Params {
		p := &o.Params[i]
		p.Name, p.Shape, p.Token, p.Len = d.str(), d.str(), d.tok(), uint32(d.u(math.MaxUint32))
		p.In, p.Type, p.Class = Location(d.u8()), ValueType(d.u8()), ValueClass(d.u8())
		p.Sensitive, p.Set = d.sensitive(), d.set()
	}
	o.Dispatch = d.b.dispatch.room(d.count(3, MaxDispatch))
	for i := range o.Dispatch {
		o.Dispatch[i] = Dispatch{d.str(), d.str(), d.u8()}
	}
	o.Deals = d.b.deals.room(d.count(6, MaxDeals))
	for i := range o.Deals {
		o.Deals[i] = Deal{DealKind(d.u8()), d.mask(2) != 0, d.u8(), d.tok(), d.tok(), d.set()}
	}
}

func (d *decoder) common(o *Observation) {
	o.Site, o.Host, o.Sensor = d.str(), d.str(), d.str()
	o.Server = d.addrPort()
	flags := d.mask(8)
	o.Secure, o.Query, o.AgentTool = flags&1 != 0, flags&2 != 0, flags&4 != 0
	o.Proto = d.u8()
	o.Caps = exchange.Caps(d.u(math.MaxUint16))
	o.Method = d.str()
	o.ReqKind = BodyKind(d.u8())
	o.ReqBytes = d.u(math.MaxUint64)
	o.AgentFamily = d.str()
	o.Agent, o.HeaderOrder, o.ParamShape = d.tok(), d.tok(), d.tok()
	o.JA4, o.H2, o.Referer, o.Origin = d.str(), d.str(), d.str(), d.str()
	o.Status = uint16(d.u(math.MaxUint16))
	o.RespKind = BodyKind(d.u8())
	o.Code, o.CodeField, o.CodeSays = d.str(), d.str(), int8(d.u8())
	o.Message, o.MessageHash = d.str(), d.tok()
	o.MessageSays = MessageClass(d.u(math.MaxUint16))
	o.Verdict = Verdict{}
	if d.mask(2) != 0 {
		v := &o.Verdict
		v.Hash, v.Field, v.Yes, v.Says = d.tok(), d.str(), d.mask(2) != 0, MessageClass(d.u(math.MaxUint16))
	}
	o.Schema, o.ReqForm, o.HeadForm, o.RespForm = d.tok(), d.tok(), d.tok(), d.tok()
	o.Records = uint32(d.u(math.MaxUint32))
	o.ServerBanner, o.Location = d.str(), d.str()
	o.CORS, o.Limits = d.u8(), d.u8()
	o.Protocol, o.Operation, o.Root, o.Stream = rpc.Protocol(d.u8()), d.str(), d.str(), Stream(d.u8())
	o.Overflow = uint32(d.u(math.MaxUint32))
}

func (d *decoder) lists(o *Observation) {
	o.Forwarded = d.b.addrs.room(d.count(1, MaxForwarded))
	for i := range o.Forwarded {
		o.Forwarded[i] = d.addr()
	}
	o.Claimed = d.b.claimed.room(d.count(2, MaxClaimed))
	for i := range o.Claimed {
		o.Claimed[i] = ClaimedAddr{d.str(), d.addr()}
	}
	o.Credentials = d.credentials(&d.b.credentials)
	o.Accounts = d.b.accounts.room(d.count(6, MaxAccounts))
	for i := range o.Accounts {
		a := &o.Accounts[i]
		a.Name, a.In, a.Kind = d.str(), Location(d.u8()), AccountKind(d.u8())
		a.Token, a.Shape, a.Set = d.tok(), d.str(), d.set()
	}
	o.Passwords = d.b.passwords.room(d.count(13, MaxPasswords))
	for i := range o.Passwords {
		p := &o.Passwords[i]
		p.Name, p.Use, p.Form = d.str(), PasswordUse(d.u8()), PasswordForm(d.u8())
		p.Len, p.Classes, p.Score = d.u8(), d.u8(), d.u8()
		p.Rank, p.Related, p.Tag = uint32(d.u(math.MaxUint32)), d.u8(), uint32(d.u(math.MaxUint32))
		p.Shape = d.str()
		p.Pattern, p.Privileged, p.Default = d.u8(), d.mask(2) != 0, d.str()
	}
	o.Signatures = d.b.signatures.room(d.count(3, MaxSignatures))
	for i := range o.Signatures {
		s := &o.Signatures[i]
		s.Rule, s.In, s.Name = d.str(), Location(d.u8()), d.str()
	}
	o.Leaves = d.b.leaves.room(d.count(12, MaxLeaves))
	for i := range o.Leaves {
		l := &o.Leaves[i]
		if b := d.src; len(b) >= 12 && b[0]-1 < 0x7f && int(b[0]) <= len(d.b.dec) && b[9] < 0x80 { // nearly all
			l.Path, l.Token, l.Record = d.b.dec[b[0]-1], binary.LittleEndian.Uint64(b[1:]), uint32(b[9])
			l.Type, l.Class = ValueType(b[10]), ValueClass(b[11])
			d.src = b[12:]
			continue
		}
		l.Path, l.Token, l.Record = d.str(), d.fix(), uint32(d.u(math.MaxUint32))
		l.Type, l.Class = ValueType(d.u8()), ValueClass(d.u8())
	}
	o.Exposures = d.b.exposures.room(d.count(11, MaxExposures))
	for i := range o.Exposures {
		x := &o.Exposures[i]
		x.Path, x.Shape, x.Type = d.str(), d.str(), d.sensitive()
		flags := d.mask(4)
		x.Response, x.Masked = flags&1 != 0, flags&2 != 0
		x.Confidence = d.u8()
		x.Count, x.Distinct = uint32(d.u(math.MaxUint32)), uint32(d.u(math.MaxUint32))
		x.Subjects = d.b.subjects.room(d.count(8, MaxSubjects))
		for k := range x.Subjects {
			x.Subjects[k] = d.fix()
		}
		x.Tags = d.b.tags.room(d.count(1, MaxTags))
		for k := range x.Tags {
			x.Tags[k] = uint32(d.u(math.MaxUint32))
		}
		x.Twin, x.Twins = d.str(), uint32(d.u(math.MaxUint32))
	}
	o.Codes = d.b.codes.room(d.count(9, MaxCodes))
	for i := range o.Codes {
		o.Codes[i] = Code{d.str(), d.fix()}
	}
	o.Internals = d.b.internals.room(d.count(3, MaxInternals))
	for i := range o.Internals {
		o.Internals[i] = Internal{d.str(), InternalKind(d.u8()), uint32(d.u(math.MaxUint32))}
	}
	o.Roles = d.b.roles.room(d.count(2, MaxRoles))
	for i := range o.Roles {
		o.Roles[i] = RoleWord{d.str(), d.str()}
	}
	o.Rights = d.b.rights.room(d.count(13, MaxRights))
	for i := range o.Rights {
		r := &o.Rights[i]
		r.Path, r.Key, r.Token, r.Shape = d.str(), d.fix(), d.tok(), d.str()
		r.Response, r.Record = d.mask(2) != 0, uint32(d.u(math.MaxUint32))
	}
	o.Used = d.used()
	o.UsedCut = d.mask(2) != 0
	o.Issued = d.credentials(&d.b.issued)
	o.Markers = d.b.markers.room(d.count(3, MaxMarkers))
	for i := range o.Markers {
		m := &o.Markers[i]
		m.Rule, m.Where, m.What = d.str(), d.str(), d.str()
	}
	o.Uploads = d.b.uploads.room(d.count(6, MaxUploads))
	for i := range o.Uploads {
		d.file(&o.Uploads[i])
	}
	o.Hits = d.b.met.room(d.count(5, MaxHits))
	for i := range o.Hits {
		h := &o.Hits[i]
		h.Rule, h.Key, h.Distinct, h.Marks, h.Cancel = d.str(), d.tok(), d.tok(), uint16(d.u(math.MaxUint16)), d.mask(2) != 0
	}
	o.Aside = exchange.Aside(d.u8())
	if d.mask(2) != 0 {
		if d.file(&o.Download); o.Download == (File{}) {
			d.fail()
		}
	}
}

func (d *decoder) used() []uint32 {
	list := d.b.used.room(d.count(1, MaxUsed))
	last := uint64(0)
	for i := range list {
		if last += d.u(math.MaxUint32); last > math.MaxUint32 {
			d.fail()
			return nil
		}
		list[i] = uint32(last)
	}
	return list
}

func (d *decoder) file(f *File) {
	f.Kind, f.Name, f.Field = FileKind(d.u8()), d.str(), d.str()
	f.Bytes, f.Rows = d.u(math.MaxUint64), uint32(d.u(math.MaxUint32))
	f.Attachment = d.mask(2) != 0
}

func (d *decoder) set() (s SetFeature) {
	flags := d.mask(4)
	if flags == 0 {
		return s
	}
	if flags&1 == 0 {
		d.fail()
		return s
	}
	s.Unallocated = flags&2 != 0
	s.Prefix = d.fix()
	s.Position = uint16(d.u(math.MaxUint16))
	return s
}

func (d *decoder) credentials(slab *slab[Credential]) []Credential {
	list := slab.room(d.count(9, MaxCredentials))
	for i := range list {
		c := &list[i]
		c.Kind, c.In, c.Name = CredentialKind(d.u8()), Location(d.u8()), d.str()
		c.Token, c.Account, c.Shape = d.tok(), d.tok(), d.str()
		c.Cookie, c.Product = d.u8(), d.str()
		if d.mask(2) != 0 && !d.bad {
			j := &d.b.jwts.room(1)[0]
			d.jwt(j)
			c.JWT = j
		}
	}
	return list
}

func (d *decoder) jwt(j *JWT) {
	j.Alg, j.KeyID, j.Issuer, j.Subject = d.str(), d.tok(), d.str(), d.tok()
	j.Claims = d.b.claims.room(d.count(3, MaxClaims))
	for i := range j.Claims {
		j.Claims[i] = Claim{d.str(), d.tok(), d.str()}
	}
	j.IssuedAt, j.Expires = d.i(), d.i()
	j.WeakSecret, j.WeakList = d.str(), d.str()
	j.None = d.mask(2) != 0
}
