package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// suite is a cipher suite whose records can be opened.
type suite struct {
	id       uint16
	key      int  // bytes of the key
	chacha   bool // ChaCha20-Poly1305, else AES-GCM
	explicit int  // bytes of the nonce that each record carries: TLS 1.2 with GCM
	sum      func() hash.Hash
	old      bool // TLS 1.2
}

// suites13 are tried in this order where a ServerHello is missing.
var suites13 = [...]suite{
	{id: 0x1301, key: 16, sum: sha256.New},
	{id: 0x1302, key: 32, sum: sha512.New384},
	{id: 0x1303, key: 32, chacha: true, sum: sha256.New},
}

var suites12 = func() []suite {
	var list []suite
	for _, id := range [...]uint16{0xc02b, 0xc02f, 0x009c, 0x009e, 0x00a2, 0x00a8, 0x00aa, 0xd001} { // AES-128-GCM
		list = append(list, suite{id: id, key: 16, explicit: 8, sum: sha256.New, old: true})
	}
	for _, id := range [...]uint16{0xc02c, 0xc030, 0x009d, 0x009f, 0x00a3, 0x00a9, 0x00ab, 0xd002} { // AES-256-GCM
		list = append(list, suite{id: id, key: 32, explicit: 8, sum: sha512.New384, old: true})
	}
	for _, id := range [...]uint16{0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad} {
		list = append(list, suite{id: id, key: 32, chacha: true, sum: sha256.New, old: true})
	}
	return list
}()

// findSuite is nil for a suite that cannot be opened.
func findSuite(version, id uint16) *suite {
	switch version {
	case 0x0304:
		for i := range suites13 {
			if suites13[i].id == id {
				return &suites13[i]
			}
		}
	case 0x0303:
		for i := range suites12 {
			if suites12[i].id == id {
				return &suites12[i]
			}
		}
	}
	return nil
}

const tagSize = 16

// overhead is what a record of n plaintext bytes has besides them, without its
// header and padding.
func (s *suite) overhead() int {
	if s.old {
		return s.explicit + tagSize
	}
	return 1 + tagSize
}

// keyEpoch is the time of one key in one direction.
type keyEpoch struct {
	suite  *suite
	stage  stage
	secret []byte // TLS 1.3: what the next one is made of
	aead   cipher.AEAD
	iv     [12]byte
	seq    uint64 // of the next record
	opened bool   // a record was

	nonce [12]byte // of the record in hand; here, so that opening allocates nothing
	ad    [13]byte
}

// stage orders the epochs of a direction.
type stage uint8

const (
	stagePlain stage = iota
	stageEarly
	stageHandshake
	stageData
)

func newEpoch(s *suite, st stage, key, iv, secret []byte) *keyEpoch {
	e := &keyEpoch{suite: s, stage: st, secret: secret}
	copy(e.iv[:], iv)
	var err error
	if s.chacha {
		e.aead, err = chacha20poly1305.New(key)
	} else {
		var block cipher.Block
		if block, err = aes.NewCipher(key); err == nil {
			e.aead, err = cipher.NewGCM(block)
		}
	}
	if err != nil {
		return nil // cannot be: the keys have the sizes their ciphers ask for
	}
	return e
}

// epoch13 makes the keys that belong to a traffic secret (RFC 8446, 7.3).
func epoch13(s *suite, st stage, secret []byte) *keyEpoch {
	if len(secret) != s.sum().Size() {
		return nil
	}
	return newEpoch(s, st, expandLabel(s, secret, "key", s.key), expandLabel(s, secret, "iv", 12), secret)
}

// update is the epoch after a KeyUpdate.
func (e *keyEpoch) update() *keyEpoch {
	return epoch13(e.suite, e.stage, expandLabel(e.suite, e.secret, "traffic upd", len(e.secret)))
}

func expandLabel(s *suite, secret []byte, label string, n int) []byte {
	info := make([]byte, 0, 32)
	info = binary.BigEndian.AppendUint16(info, uint16(n))
	info = append(info, byte(6+len(label)))
	info = append(append(info, "tls13 "...), label...)
	info = append(info, 0)
	out, err := hkdf.Expand(s.sum, secret, string(info), n)
	if err != nil {
		return make([]byte, n) // cannot be: n is small; such a key opens nothing
	}
	return out
}

// epochs12 makes both directions' keys of TLS 1.2 (RFC 5246, 6.3), the
// client's first.
func epochs12(s *suite, master []byte, client, server *[32]byte) [2]*keyEpoch {
	fixed := 12 - s.explicit
	seed := append(append([]byte("key expansion"), server[:]...), client[:]...)
	b := prf12(s.sum, master, seed, 2*(s.key+fixed))
	k := s.key
	return [2]*keyEpoch{
		newEpoch(s, stageData, b[:k], b[2*k:2*k+fixed], nil),
		newEpoch(s, stageData, b[k:2*k], b[2*k+fixed:], nil),
	}
}

func prf12(sum func() hash.Hash, secret, seed []byte, n int) []byte {
	h := hmac.New(sum, secret)
	mac := func(parts ...[]byte) []byte {
		h.Reset()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	var out []byte
	for a := mac(seed); len(out) < n; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:n]
}

// open decrypts a record that has the number seq. dst must not overlap rec.
func (e *keyEpoch) open(dst, rec []byte, seq uint64) (kind byte, plain []byte, ok bool) {
	body := rec[recordHeader:]
	s := e.suite
	if len(body) < s.overhead() {
		return 0, nil, false
	}
	e.nonce = e.iv
	data := e.ad[:recordHeader]
	if s.explicit > 0 {
		copy(e.nonce[4:], body[:8])
		body = body[8:]
	} else {
		for i := range 8 {
			e.nonce[4+i] ^= byte(seq >> (56 - 8*i))
		}
	}
	if s.old {
		data = e.ad[:]
		binary.BigEndian.PutUint64(data, seq)
		copy(data[8:], rec[:3])
		binary.BigEndian.PutUint16(data[11:], uint16(len(body)-tagSize))
	} else {
		copy(data, rec)
	}
	plain, err := e.aead.Open(dst[:0], e.nonce[:], body, data)
	if err != nil {
		return 0, nil, false
	}
	if s.old {
		return rec[0], plain, true
	}
	n := len(plain)
	for n > 0 && plain[n-1] == 0 {
		n--
	}
	if n == 0 {
		return 0, plain[:0], true // padding alone; the standard forbids it
	}
	return plain[n-1], plain[:n-1], true
}
