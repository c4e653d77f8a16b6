package api

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"golang.org/x/crypto/argon2"
)

// hashing is the cost of a password's hash.
type hashing struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// defaultHashing is the second recommendation of RFC 9106, section 4.
var defaultHashing = hashing{memory: 64 << 10, time: 3, threads: 4}

const (
	hashersAtOnce = 2  // each takes hashing.memory
	hashersWait   = 32 // beyond them a sign-in is told to come later
	saltBytes     = 16
	hashBytes     = 32
)

// turns lets few do something at once and few more wait for it.
type turns struct{ slots, waiting chan struct{} }

func newTurns(atOnce, wait int) *turns {
	return &turns{make(chan struct{}, atOnce), make(chan struct{}, wait)}
}

// enter waits for a turn; whoever gets it gives it back by leave.
func (t *turns) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-t.slots }
	select {
	case t.slots <- struct{}{}:
		return leave, nil
	default:
	}
	select {
	case t.waiting <- struct{}{}:
	default:
		return nil, refuse(http.StatusServiceUnavailable, "busy", nil)
	}
	defer func() { <-t.waiting }()
	select {
	case t.slots <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hasher makes and checks hashes of passwords, few at once: each takes memory,
// which anybody could else make it take.
type hasher struct {
	cost   hashing
	random io.Reader
	turns  *turns
	nobody string // the hash that stands for users who are not there
}

func newHasher(cost hashing, random io.Reader) (*hasher, error) {
	h := &hasher{cost: cost, random: random, turns: newTurns(hashersAtOnce, hashersWait)}
	var err error
	h.nobody, err = h.make(context.Background(), "nobody has this password")
	return h, err
}

func (h *hasher) make(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	leave, err := h.turns.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	sum := argon2.IDKey([]byte(password), salt, h.cost.time, h.cost.memory, h.cost.threads, hashBytes)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.cost.memory, h.cost.time, h.cost.threads, b64(salt), b64(sum)), nil
}

// check compares a password with a hash. An empty hash takes as long as any and
// fits nothing.
func (h *hasher) check(ctx context.Context, password, hash string) (bool, error) {
	there := hash != ""
	if !there {
		hash = h.nobody
	}
	var c hashing
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return false, nil
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil || c.time < 1 || c.threads < 1 || c.memory > 1<<20 || c.time > 64 {
		return false, nil
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) < 16 || len(want) > 128 {
		return false, nil
	}
	leave, err := h.turns.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	sum := argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(sum, want) == 1 && there, nil
}

// Rules of a password: long enough, no longer than a hash should be made of,
// and not what a guesser tries within 10^8 guesses (zxcvbn score 3).
const (
	minPassword = 12  // characters
	maxPassword = 256 // bytes
	minScore    = 3   // of 4
	scoredBytes = 72  // the score's time grows with the square of the length
)

// strong says what is wrong with a new password of a user.
func strong(password, name string) error {
	bad := func(id string) error {
		return &problem{status: http.StatusUnprocessableEntity, code: "weak_password", fields: []field{{name: "password", id: id}}}
	}
	switch {
	case !utf8.ValidString(password):
		return bad("text")
	case utf8.RuneCountInString(password) < minPassword:
		return bad("password_short")
	case len(password) > maxPassword:
		return bad("password_long")
	}
	scored := password
	if len(scored) > scoredBytes {
		scored = scored[:scoredBytes]
	}
	if zxcvbn.PasswordStrength(scored, []string{strings.ToLower(name), "xiezhi", "獬豸"}).Score < minScore {
		return bad("password_guessable")
	}
	return nil
}
