// Package redact is the only place that turns plaintext into what may be kept:
// tokens, shapes, passwords' equality tags.
//
// It takes the installation key and values, and gives keyed 64-bit tokens,
// shapes that show at most two leading and two trailing characters, 24-bit
// password tags of one event day, and identifiers for whatever leaves the
// installation. A Redactor is safe for concurrent use; every method is a pure
// function of (key, input). Invariant: no output restores its input without
// the key. Limits: a token of a small value space can be enumerated by whoever
// holds the key, therefore the key never leaves the installation.
package redact

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/dchest/siphash"
)

// Redactor holds the sub-keys of one installation key.
type Redactor struct {
	k0, k1   uint64
	password [32]byte
	external [32]byte
}

// New derives the sub-keys by HKDF-SHA-256, one label each, so that no use of
// the key tells anything about another.
func New(key [32]byte) *Redactor {
	r := &Redactor{}
	t := derive(key[:], "xiezhi/token", 16)
	r.k0, r.k1 = binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[8:])
	copy(r.password[:], derive(key[:], "xiezhi/password", 32))
	copy(r.external[:], derive(key[:], "xiezhi/external", 32))
	return r
}

func derive(secret []byte, info string, n int) []byte {
	out, err := hkdf.Key(sha256.New, secret, nil, info, n)
	if err != nil { // only for lengths beyond 255 hashes
		panic("redact: " + err.Error())
	}
	return out
}

// Token is the keyed 64-bit PRF (SipHash-2-4) of canonical bytes; never 0, so
// that 0 can mean "no token".
func (r *Redactor) Token(b []byte) uint64 {
	return max(siphash.Hash(r.k0, r.k1, b), 1)
}

// TokenString is Token of a string, without a copy.
func (r *Redactor) TokenString(s string) uint64 {
	return r.Token(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// TokenFold is Token of the text without surrounding white space and case:
// names that differ only in these are one account. TokenFold(x) equals
// Token(x) when x is trimmed and in lower case already.
func (r *Redactor) TokenFold(b []byte) uint64 {
	var buf [256]byte
	return r.Token(fold(buf[:0], bytes.TrimSpace(b)))
}

// TokenFoldString is TokenFold of a string, without a copy.
func (r *Redactor) TokenFoldString(s string) uint64 {
	return r.TokenFold(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// fold appends b in lower case: every rune becomes the lower case of the
// smallest rune that folds to it, so that σ, ς and Σ are one. Bytes that are no
// UTF-8 stay as they are.
func fold(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			dst = append(dst, c)
			i++
			continue
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		dst = utf8.AppendRune(dst, unicode.ToLower(least))
		i += n
	}
	return dst
}

// PasswordTag is a 24-bit equality tag of a password under a key of the event
// day (days since the epoch): equal passwords of one day compare equal, days
// cannot be joined, and 24 bits are too few to confirm a guess. Never 0.
func (r *Redactor) PasswordTag(day int64, password []byte) uint32 {
	return r.DayTags(day).Tag(password)
}

// DayTags gives the password tags of one day: the day's key is derived once.
// It belongs to one goroutine.
type DayTags struct {
	day int64
	mac hash.Hash
	sum [sha256.Size]byte
}

// DayTags derives the key of a day.
func (r *Redactor) DayTags(day int64) *DayTags {
	var d [8]byte
	binary.BigEndian.PutUint64(d[:], uint64(day))
	t := &DayTags{day: day, mac: hmac.New(sha256.New, derive(r.password[:], "day/"+string(d[:]), 32))}
	t.mac.Reset() // from here on Reset restores the whole state, its buffer included
	return t
}

// Day is the day of the tags.
func (t *DayTags) Day() int64 { return t.day }

// Tag is PasswordTag of the day.
func (t *DayTags) Tag(password []byte) uint32 {
	t.mac.Write(password)
	sum := t.mac.Sum(t.sum[:0])
	t.mac.Reset() // nothing of the password stays
	return max(uint32(sum[0])<<16|uint32(sum[1])<<8|uint32(sum[2]), 1)
}

// External gives 16 hexadecimal digits for a token that leaves the
// installation. Different domains (a partner, a feed, an export) cannot be
// joined, and the inner token cannot be computed back.
func (r *Redactor) External(domain string, token uint64) string {
	m := hmac.New(sha256.New, r.external[:])
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(domain))) // a length keeps (domain, token) unambiguous
	m.Write(n[:])
	m.Write([]byte(domain))
	binary.BigEndian.PutUint64(n[:], token)
	m.Write(n[:])
	return hex.EncodeToString(m.Sum(nil)[:8])
}
