package stream

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A sealed batch is a head and what AES-256-GCM makes of a byte that says
// whether the rest is compressed, and the rest. The head is the form, the id of
// the installation's key, the salt of the epoch and the number in it.
//
// An epoch begins with every Sealer, and again after maxEpoch batches. It has a
// key of its own, HKDF-SHA-256(installation's key, salt, "xiezhi stream v1"),
// and counts its batches, so that no nonce comes twice under a key however many
// processes seal with the installation's key: they would have to draw the same
// 256 random bits. Sealed along are the head, the partition and the id, so that
// a batch opens only where and as what it was published.
const (
	sealForm     = "XB1"
	keyIDSize    = 8
	saltSize     = 32
	sealHead     = len(sealForm) + keyIDSize + saltSize + 8
	sealTag      = 16
	sealInfo     = "xiezhi stream v1"
	sealIDInfo   = "xiezhi stream key id v1"
	asIs         = 0
	compressed   = 1
	maxEpoch     = 1 << 28 // far below the 2^32 of NIST SP 800-38D; of the largest batches 2^44 blocks
	openedEpochs = 64      // keys of epochs remembered; making one anew takes 2 µs

	// MaxSealed is the largest sealed batch.
	MaxSealed = MaxData + sealHead + 1 + sealTag
)

// Why a sealed batch does not open.
var (
	errForm       = errors.New("it is no sealed batch of this version")
	errUnknownKey = errors.New("it is sealed with a key that is not known here")
	errAltered    = errors.New("it was changed, or moved from another place")
	errTooLong    = errors.New("it opens to more than a batch may hold")
)

// Sealer encrypts batches. It is safe for concurrent use.
type Sealer struct {
	keys   []installation // the first seals
	random io.Reader
	enc    *zstd.Encoder
	dec    *zstd.Decoder
	rooms  sync.Pool // *[]byte, where what is sealed is put together

	mu     sync.Mutex
	now    *epoch
	number uint64            // of the next batch of the epoch
	opened map[string]*epoch // by key id and salt
	order  []string          // of opened, the oldest first
}

type installation struct {
	key [32]byte
	id  []byte
}

type epoch struct {
	head []byte // but for the number
	aead cipher.AEAD
}

// NewSealer seals with a key of the installation and opens what was sealed with
// it or with one of former. Salts come from random.
func NewSealer(random io.Reader, key [32]byte, former ...[32]byte) (*Sealer, error) {
	s := &Sealer{random: random, opened: map[string]*epoch{}}
	for _, k := range append([][32]byte{key}, former...) {
		id, err := hkdf.Key(sha256.New, k[:], nil, sealIDInfo, keyIDSize)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, installation{k, id})
	}
	s.rooms.New = func() any { return new([]byte) }
	var err error
	if s.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true), zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0))); err != nil {
		return nil, err
	}
	if s.dec, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxData), zstd.WithDecoderMaxWindow(1<<20),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0))); err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends what the Sealer has running.
func (s *Sealer) Close() { s.dec.Close(); _ = s.enc.Close() }

func newEpoch(k *installation, salt []byte) (*epoch, error) {
	key, err := hkdf.Key(sha256.New, k.key[:], salt, sealInfo, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &epoch{slices.Concat([]byte(sealForm), k.id, salt), aead}, nil
}

// next is a place in the epoch that no other batch gets.
func (s *Sealer) next() (*epoch, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || s.number >= maxEpoch {
		salt := make([]byte, saltSize)
		if _, err := io.ReadFull(s.random, salt); err != nil {
			return nil, 0, fmt.Errorf("draw a salt for sealing: %w", err)
		}
		e, err := newEpoch(&s.keys[0], salt)
		if err != nil {
			return nil, 0, err
		}
		s.now, s.number = e, 0
	}
	s.number++
	return s.now, s.number - 1, nil
}

// Seal appends the sealed batch to dst.
func (s *Sealer) Seal(dst []byte, b *Batch) ([]byte, error) {
	e, number, err := s.next()
	if err != nil {
		return dst, err
	}
	room := s.rooms.Get().(*[]byte)
	defer s.rooms.Put(room)
	plain := s.enc.EncodeAll(b.Data, append((*room)[:0], compressed))
	if len(plain) > len(b.Data) {
		plain = append(append(plain[:0], asIs), b.Data...)
	}
	*room = plain
	start := len(dst)
	dst = append(slices.Grow(dst, sealHead+len(plain)+sealTag), e.head...)
	dst = binary.BigEndian.AppendUint64(dst, number)
	head := dst[start:]
	return e.aead.Seal(dst, sealNonce(number), plain, sealedAlong(head, b.Partition, b.ID)), nil
}

func sealNonce(number uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), number)
}

func sealedAlong(head []byte, partition int, id string) []byte {
	a := make([]byte, 0, sealHead+4+MaxID)
	a = binary.BigEndian.AppendUint32(append(a, head...), uint32(partition))
	return append(a, id...)
}

// Open gives the data of a sealed batch, in room if there is enough. What it
// reads may be anything.
func (s *Sealer) Open(room []byte, partition int, id string, sealed []byte) ([]byte, error) {
	if len(sealed) < sealHead+1+sealTag || len(sealed) > MaxSealed || string(sealed[:len(sealForm)]) != sealForm {
		return nil, errForm
	}
	e, err := s.epoch(sealed[len(sealForm) : sealHead-8])
	if err != nil {
		return nil, err
	}
	opened := s.rooms.Get().(*[]byte)
	defer s.rooms.Put(opened)
	head := sealed[:sealHead]
	plain, err := e.aead.Open((*opened)[:0], sealNonce(binary.BigEndian.Uint64(head[sealHead-8:])), sealed[sealHead:], sealedAlong(head, partition, id))
	if err != nil {
		return nil, errAltered
	}
	*opened = plain
	switch plain[0] {
	case asIs:
		if len(plain)-1 > MaxData {
			return nil, errTooLong
		}
		return append(room[:0], plain[1:]...), nil
	case compressed:
		data, err := s.dec.DecodeAll(plain[1:], room[:0])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errForm, err)
		}
		if len(data) > MaxData {
			return nil, errTooLong
		}
		return data, nil
	}
	return nil, errForm
}

// epoch gives the key that a key id and a salt name.
func (s *Sealer) epoch(named []byte) (*epoch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.opened[string(named)]; e != nil {
		return e, nil
	}
	k := slices.IndexFunc(s.keys, func(k installation) bool { return bytes.Equal(k.id, named[:keyIDSize]) })
	if k < 0 {
		return nil, errUnknownKey
	}
	e, err := newEpoch(&s.keys[k], named[keyIDSize:])
	if err != nil {
		return nil, err
	}
	if len(s.order) >= openedEpochs {
		delete(s.opened, s.order[0])
		s.order = append(s.order[:0], s.order[1:]...)
	}
	name := string(named)
	s.opened[name], s.order = e, append(s.order, name)
	return e, nil
}
