// Package password assesses a submitted password in memory and forgets it.
//
// It takes the password as the client sent it and what the same request says
// about the account, and gives length, character classes, zxcvbn score, rank
// in the lists and relations: nothing that restores the password. Assess is a
// pure function; the memo behind it only saves work. Invariant: no plaintext
// outlives the call; the memo is keyed by a 64-bit hash under a seed of the
// process. Limits: passwords beyond maxScored bytes are scored by their
// beginning, which can only make them look weaker; zxcvbn's leet matcher is
// skipped when a password has too many readings.
package password

import (
	"hash/maphash"
	"io/fs"
	"sync/atomic"
	"unicode/utf8"
)

// Form says how the client sent the password. Values equal those of
// observe.PasswordForm.
type Form uint8

const (
	Plain   Form = iota + 1
	Guessed      // a client-side hash or encoding of a listed password
	Hashed       // a client-side hash of something not listed
	Sealed       // encrypted by the client
)

// Bits of Assessment.Classes.
const (
	ClassLower uint8 = 1 << iota
	ClassUpper
	ClassDigit
	ClassOther
)

// Bits of Assessment.Related. Values equal those of observe.Related*.
const (
	RelatedAccount uint8 = 1 << iota
	RelatedEmail
	RelatedPhone
	RelatedBirthday
	RelatedHost
)

// Context is what the same request says about the account. Fields may be nil.
type Context struct {
	Account, Email, Phone, Birthday, Host []byte
}

// Assessment is all that is kept of a password. Score, Rank, Len and Classes
// are those of the password itself when Form is Plain or Guessed; otherwise
// Score and Rank are zero, and Len and Classes describe what was sent.
type Assessment struct {
	Form    Form
	Len     uint8 // characters, at most 255
	Classes uint8
	Score   uint8  // zxcvbn, 0 to 4
	Rank    uint32 // place in the lists, 1 the commonest, 0 not listed
	Related uint8
	Pattern Pattern

	Privileged bool  // the account is named as administrators are
	Default    uint8 // the pair is a factory setting: 1 + the number of the product, see Product
}

// Assessor is safe for concurrent use: everything but the memo is immutable,
// and the memo is a lock-free table shared by all workers.
type Assessor struct {
	lists     *lists
	defaults  *defaults
	keyboards keyboards
	seed      maphash.Seed
	memo      []memoEntry
}

// memoEntry holds value and hash XOR value, so that a torn read of two racing
// writers fails the check instead of giving somebody else's assessment.
type memoEntry struct{ value, check atomic.Uint64 }

const memoSize = 1 << 15 // entries of 16 bytes; a power of two

// New reads passwords.yaml and defaults.yaml. The digests of the listed passwords are computed
// with the first one that a client sends.
func New(fsys fs.FS) (*Assessor, error) {
	d, err := loadDefaults(fsys)
	if err != nil {
		return nil, err
	}
	l, err := loadLists(fsys, d)
	if err != nil {
		return nil, err
	}
	return &Assessor{lists: l, defaults: d, keyboards: newKeyboards(), seed: maphash.MakeSeed(), memo: make([]memoEntry, memoSize)}, nil
}

// maxPassword bounds what is looked at; a longer value is no password.
const maxPassword = 4 << 10

// Assess looks at one password.
func (a *Assessor) Assess(pw []byte, c Context) Assessment {
	pw = pw[:min(len(pw), maxPassword)]
	h := a.hash(pw, c)
	e := &a.memo[h&(memoSize-1)]
	if v := e.value.Load(); v != 0 && e.check.Load()^v == h {
		return unpack(v)
	}
	r := a.assess(pw, c)
	v := r.pack()
	e.value.Store(v)
	e.check.Store(v ^ h)
	return r
}

func (a *Assessor) hash(pw []byte, c Context) uint64 {
	var h maphash.Hash
	h.SetSeed(a.seed)
	for _, part := range [...][]byte{pw, c.Account, c.Email, c.Phone, c.Birthday, c.Host} {
		h.Write(part[:min(len(part), maxPassword)])
		h.WriteByte(byte(len(part)))
		h.WriteByte(byte(len(part) >> 8))
	}
	return h.Sum64()
}

const maxRank = 1<<20 - 1 // no list is longer

// privilegedBit stands above the bits of Related.
const privilegedBit = 1 << 31

func (r Assessment) pack() uint64 {
	v := uint64(r.Form) | uint64(r.Len)<<8 | uint64(r.Classes)<<16 | uint64(r.Score)<<20 | uint64(r.Related)<<24 |
		uint64(min(r.Rank, maxRank))<<32 | uint64(r.Pattern)<<52 | uint64(r.Default)<<56
	if r.Privileged {
		v |= privilegedBit
	}
	return v
}

func unpack(v uint64) Assessment {
	return Assessment{Form: Form(v), Len: uint8(v >> 8), Classes: uint8(v >> 16 & 15), Score: uint8(v >> 20 & 15), Related: uint8(v >> 24 & 0x7f),
		Privileged: v&privilegedBit != 0, Rank: uint32(v>>32) & maxRank, Pattern: Pattern(v >> 52 & 15), Default: uint8(v >> 56)}
}

func (a *Assessor) assess(pw []byte, c Context) Assessment {
	form, plain := a.recognise(pw)
	r := Assessment{Form: form, Len: uint8(min(utf8.RuneCount(plain), 255)), Classes: classes(plain)}
	if form != Plain && form != Guessed {
		r.Privileged, _ = a.defaults.look(c, nil)
		return r
	}
	var buf [128]byte
	low := lower(buf[:0], plain)
	r.Rank = a.lists.rank(plain, low)
	r.Score = a.score(plain)
	r.Related = related(low, c)
	r.Pattern = a.pattern(plain, low, r.Classes)
	r.Privileged, r.Default = a.defaults.look(c, plain)
	return r
}

func classes(pw []byte) (bits uint8) {
	for _, c := range pw {
		switch {
		case c >= 'a' && c <= 'z':
			bits |= ClassLower
		case c >= 'A' && c <= 'Z':
			bits |= ClassUpper
		case c >= '0' && c <= '9':
			bits |= ClassDigit
		default:
			bits |= ClassOther
		}
	}
	return bits
}

func lower(dst, b []byte) []byte {
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
