package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
)

// MaxKeys is how many connections' secrets are held; beyond it the oldest are
// given up.
const MaxKeys = 128 << 10

// What is wrong with a line of a key log. The texts hold nothing of the line.
var (
	ErrKeyLine   = errors.New("the line is not a label, a client random and a secret")
	ErrKeyRandom = errors.New("the client random is not 64 hexadecimal digits")
	ErrKeySecret = errors.New("the secret is not hexadecimal or has a length that no cipher suite has")
)

// Keys holds TLS secrets by the client random of their connection, as key logs
// (SSLKEYLOGFILE) and pcapng's Decryption Secrets Blocks give them. It is safe
// for concurrent use. It never shows what it holds.
type Keys struct {
	mu      sync.RWMutex
	m       map[[32]byte]*secrets
	order   [][32]byte // oldest first, from head on
	head    int
	evicted uint64
	version atomic.Uint64

	// Master secrets by session, to open what resumes one.
	sessions map[[32]byte][]byte
	recent   [][32]byte // ring of them, oldest at next
	next     int

	more func(must bool)
}

// secrets are those of one connection; index 0 is the client's side.
type secrets struct {
	master, early      []byte
	handshake, traffic [2][]byte
}

// NewKeys makes an empty table.
func NewKeys() *Keys { return &Keys{m: map[[32]byte]*secrets{}} }

// Grow has more called when a secret is wanted that is not there: it may add
// lines that have appeared since. It is called often and from several
// goroutines, and bounds its own work unless it must look. To be set before
// the first use.
func (k *Keys) Grow(more func(must bool)) { k.more = more }

// String keeps the secrets out of whatever prints its arguments.
func (k *Keys) String() string { return "TLS secrets" }

// GoString does the same for %#v.
func (k *Keys) GoString() string { return k.String() }

// Len is the number of connections whose secrets are held.
func (k *Keys) Len() int { k.mu.RLock(); defer k.mu.RUnlock(); return len(k.m) }

// Evicted is the number of connections whose secrets were given up at MaxKeys.
func (k *Keys) Evicted() uint64 { k.mu.RLock(); defer k.mu.RUnlock(); return k.evicted }

// Add takes one line of a key log. Comments, blank lines and labels of no use
// here are neither added nor an error.
func (k *Keys) Add(line []byte) (added bool, err error) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' {
		return false, nil
	}
	label, rest, _ := bytes.Cut(line, []byte{' '})
	if !keyLabel(label) {
		return false, ErrKeyLine
	}
	var slot func(s *secrets) *[]byte
	switch string(label) {
	case "CLIENT_RANDOM":
		slot = func(s *secrets) *[]byte { return &s.master }
	case "CLIENT_EARLY_TRAFFIC_SECRET":
		slot = func(s *secrets) *[]byte { return &s.early }
	case "CLIENT_HANDSHAKE_TRAFFIC_SECRET":
		slot = func(s *secrets) *[]byte { return &s.handshake[0] }
	case "SERVER_HANDSHAKE_TRAFFIC_SECRET":
		slot = func(s *secrets) *[]byte { return &s.handshake[1] }
	case "CLIENT_TRAFFIC_SECRET_0":
		slot = func(s *secrets) *[]byte { return &s.traffic[0] }
	case "SERVER_TRAFFIC_SECRET_0":
		slot = func(s *secrets) *[]byte { return &s.traffic[1] }
	default:
		id, _, more := bytes.Cut(rest, []byte{' '})
		if _, err := hex.Decode(make([]byte, len(id)/2), id); err != nil || !more || len(id) == 0 || len(id) > 64 {
			return false, ErrKeyLine
		}
		return false, nil // EXPORTER_SECRET and the like
	}
	r, value, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte{' '})
	value = bytes.TrimLeft(value, " ")
	var random [32]byte
	if len(r) != 64 {
		return false, ErrKeyRandom
	}
	if _, err := hex.Decode(random[:], r); err != nil {
		return false, ErrKeyRandom
	}
	master := string(label) == "CLIENT_RANDOM"
	if n := len(value); n != 96 && (n != 64 || master) {
		return false, ErrKeySecret
	}
	secret := make([]byte, len(value)/2)
	if _, err := hex.Decode(secret, value); err != nil {
		return false, ErrKeySecret
	}
	k.mu.Lock()
	s := k.m[random]
	if s == nil {
		s = &secrets{}
		k.admit(random, s)
	}
	*slot(s) = secret
	k.mu.Unlock()
	k.version.Add(1)
	return true, nil
}

// admit files the secrets of a new connection and gives up the oldest beyond
// the bound.
func (k *Keys) admit(random [32]byte, s *secrets) {
	if len(k.m) >= MaxKeys {
		delete(k.m, k.order[k.head])
		k.evicted++
		k.order[k.head] = random
		k.head = (k.head + 1) % len(k.order)
	} else {
		k.order = append(k.order, random)
	}
	k.m[random] = s
}

// keyLabel reports what may be a key log's label.
func keyLabel(b []byte) bool {
	for _, c := range b {
		if !(c >= 'A' && c <= 'Z' || c == '_' || digit(c)) {
			return false
		}
	}
	return len(b) >= 3
}

// AddLog takes the lines of a whole key log, such as the contents of a
// Decryption Secrets Block.
func (k *Keys) AddLog(b []byte) (added, bad int) {
	for len(b) > 0 {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		switch ok, err := k.Add(line); {
		case err != nil:
			bad++
		case ok:
			added++
		}
	}
	return added, bad
}

// find copies the secrets of a connection.
func (k *Keys) find(random *[32]byte) (secrets, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if s := k.m[*random]; s != nil {
		return *s, true
	}
	return secrets{}, false
}

// MaxSessions is how many sessions that may be resumed are remembered; beyond
// it the oldest are forgotten.
const MaxSessions = 32 << 10

// remember keeps the master secret of a session of TLS 1.2 by its id or
// ticket.
func (k *Keys) remember(id, master []byte) {
	if k == nil || len(id) == 0 || master == nil {
		return
	}
	name := sha256.Sum256(id)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sessions == nil {
		k.sessions = map[[32]byte][]byte{}
	}
	if _, ok := k.sessions[name]; !ok {
		if len(k.recent) < MaxSessions {
			k.recent = append(k.recent, name)
		} else {
			delete(k.sessions, k.recent[k.next])
			k.recent[k.next] = name
			k.next = (k.next + 1) % MaxSessions
		}
	}
	k.sessions[name] = master
}

// recall gives the master secret of a session, nil when it is not known.
func (k *Keys) recall(id []byte) []byte {
	if k == nil || len(id) == 0 {
		return nil
	}
	name := sha256.Sum256(id)
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.sessions[name]
}

// growing reports whether secrets may still be added.
func (k *Keys) growing() bool { return k != nil && k.more != nil }

// complete reports whether all that a connection needs is there.
func (s *secrets) complete() bool {
	return s.master != nil || s.handshake[0] != nil && s.handshake[1] != nil && s.traffic[0] != nil && s.traffic[1] != nil
}
