package jwt

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"hash/maphash"
	"io/fs"
	"strings"
)

// The memo holds the tokens of a crowd: each costs 0.1 ms when it is not there.
const (
	memoSets = 1 << 14 // a power of two
	memoWays = 2
)

// Guesser tests tokens against published and common secrets. It is for one
// goroutine; Clone gives another one its own memo and scratch space over the
// same lists. The memo only saves work: Guess is a function of the token.
type Guesser struct {
	lists *guesses
	seed  maphash.Seed
	memo  [][memoWays]memoEntry // the entry used last stands first
	token Token
	buf   []byte // padded key, then the signing input
	outer [128 + sha512.Size]byte
}

type memoEntry struct {
	hash  uint64 // 0: free
	guess int32  // index in lists.all plus 1, 0 none
}

// NewGuesser reads jwt_secrets.yaml.
func NewGuesser(fsys fs.FS) (*Guesser, error) {
	lists, err := loadGuesses(fsys)
	if err != nil {
		return nil, err
	}
	return (&Guesser{lists: lists}).Clone(), nil
}

// Clone gives a guesser with its own memo.
func (g *Guesser) Clone() *Guesser {
	return &Guesser{lists: g.lists, seed: maphash.MakeSeed(), memo: make([][memoWays]memoEntry, memoSets)}
}

// Product gives the product that is shipped with a list's secrets, "" when they
// are nobody's.
func (g *Guesser) Product(list string) string { return g.lists.products[list] }

// Guess says whether the token is signed with a known secret: the shape of the
// secret and the id of the list it stands in. Only HS256, HS384 and HS512.
func (g *Guesser) Guess(token []byte) (secretShape, list string, ok bool) {
	n := g.index(token)
	if n == 0 {
		return "", "", false
	}
	c := &g.lists.all[n-1]
	return shape(c.text), c.list, true
}

// index is 1 + search, remembered.
func (g *Guesser) index(token []byte) int32 {
	h := max(maphash.Bytes(g.seed, token), 1)
	set := &g.memo[h&(memoSets-1)]
	switch h {
	case set[0].hash:
	case set[1].hash:
		set[0], set[1] = set[1], set[0]
	default:
		set[1] = set[0]
		set[0] = memoEntry{h, int32(g.search(token) + 1)}
	}
	return set[0].guess
}

type algorithm struct {
	block, size int
}

// search gives the index of the candidate that signed the token, or -1.
func (g *Guesser) search(token []byte) int {
	_, _, signature, ok := split(token)
	if !ok || !Parse(token, &g.token) {
		return -1
	}
	var a algorithm
	switch string(g.token.Alg) {
	case "HS256":
		a = algorithm{64, sha256.Size}
	case "HS384":
		a = algorithm{128, sha512.Size384}
	case "HS512":
		a = algorithm{128, sha512.Size}
	default:
		return -1
	}
	var mac [sha512.Size]byte
	if base64.RawURLEncoding.DecodedLen(len(signature)) != a.size {
		return -1
	}
	if _, err := base64.RawURLEncoding.Decode(mac[:a.size], signature); err != nil {
		return -1
	}
	input := token[:len(token)-len(signature)-1]
	g.buf = append(append(g.buf[:0], make([]byte, a.block)...), input...)

	selector := binary.LittleEndian.Uint64(mac[:])
	lists := g.lists.ready()
	for i, t := range lists.tiers {
		// A different mix per tier, so that tokens which share a slice of
		// one tier do not share it in all of them.
		pick := int((selector * (2*uint64(i) + 0x9e3779b97f4a7c15) >> 32) % uint64(t.slices))
		for j := t.from + pick; j < t.to; j += t.slices {
			if g.try(a, lists.all[j].key, mac[:a.size]) {
				return j
			}
		}
	}
	return -1
}

// try is HMAC over the whole-buffer functions of the standard library: the
// padded key stands before the message, so each candidate costs two calls, no
// allocation and no hash state to restore.
func (g *Guesser) try(a algorithm, key string, mac []byte) bool {
	if len(key) > a.block {
		var long [sha512.Size]byte
		key = string(sum(a, []byte(key), &long))
	}
	inner, outer := g.buf[:a.block], g.outer[:a.block]
	for i := range len(key) {
		inner[i], outer[i] = key[i]^0x36, key[i]^0x5c
	}
	copy(inner[len(key):], pads36[:])
	copy(outer[len(key):], pads5c[:])
	var digest [sha512.Size]byte
	n := copy(g.outer[a.block:], sum(a, g.buf, &digest))
	return bytes.Equal(sum(a, g.outer[:a.block+n], &digest), mac)
}

var pads36, pads5c = filled(0x36), filled(0x5c)

func filled(c byte) (p [128]byte) {
	for i := range p {
		p[i] = c
	}
	return p
}

func sum(a algorithm, b []byte, out *[sha512.Size]byte) []byte {
	switch a.size {
	case sha256.Size:
		*(*[sha256.Size]byte)(out[:]) = sha256.Sum256(b)
	case sha512.Size384:
		*(*[sha512.Size384]byte)(out[:]) = sha512.Sum384(b)
	default:
		*out = sha512.Sum512(b)
	}
	return out[:a.size]
}

// shape shows the first and the last character of a secret of six and more.
func shape(s string) string {
	if len(s) < 6 {
		return strings.Repeat("*", len(s))
	}
	return s[:1] + strings.Repeat("*", min(len(s)-2, 14)) + s[len(s)-1:]
}
