// Package decoy serves sensors that look like APIs worth attacking: a login, a
// sender of codes, queries, an export, a console, actuators, descriptions of
// APIs, configurations with credentials. Nothing links to them but robots.txt,
// which people do not read; whoever touches one gives himself away.
//
// It takes requests and gives answers that are made up, and a Touch for each, to
// whoever is told of them. Invariants: every answer is a function of the request
// and the seed alone, so nothing real can be in it; nothing is connected to, and
// nothing is sent but the answer: no hack-back; what a visitor sent is not kept,
// a touch holds address, client and path. Limits: sizes, times and how often an
// address is told of are capped (LIMITS.md).
package decoy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/lure"
)

// Caps of a sensor.
const (
	maxBody   = 64 << 10
	maxPath   = 512
	maxTold   = 1 << 14 // addresses that are remembered
	tellAgain = time.Minute
	maxAtOnce = 256
)

// Touch is one request to a sensor.
type Touch struct {
	At     time.Time
	Client netip.Addr
	Method string
	Path   string // without the query
	Bait   string // which sensor
	Kind   string // of attack that it stands for
}

// Config is what a sensor is made of. Consent and Told have to be there.
type Config struct {
	Consent lure.Consent
	Seed    [32]byte
	Now     func() time.Time
	Told    func(Touch) // of at most one touch of a sensor by an address a minute
	Client  func(*http.Request) netip.Addr
}

// Sensor serves. It is safe for concurrent use.
type Sensor struct {
	cfg  Config
	room chan struct{}

	mu      sync.Mutex
	told    map[string]time.Time
	touches uint64
	hushed  uint64
	refused uint64
}

// New makes a sensor. Without the owner's consent there is none.
func New(cfg Config) (*Sensor, error) {
	if strings.TrimSpace(cfg.Consent.By) == "" || strings.TrimSpace(cfg.Consent.On) == "" {
		return nil, errors.New("decoys need the consent of their owner: say who agreed, and when")
	}
	if cfg.Now == nil || cfg.Told == nil {
		return nil, errors.New("a sensor needs a clock, and somebody to tell")
	}
	if cfg.Client == nil {
		cfg.Client = func(r *http.Request) netip.Addr {
			a, _ := netip.ParseAddrPort(r.RemoteAddr)
			return a.Addr().Unmap()
		}
	}
	return &Sensor{cfg: cfg, room: make(chan struct{}, maxAtOnce), told: map[string]time.Time{}}, nil
}

// Counts tells how many touches there were, how many of them nobody was told of,
// and how many requests found no room.
func (s *Sensor) Counts() (touches, hushed, refused uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touches, s.hushed, s.refused
}

// ServeHTTP answers as the real thing would.
func (s *Sensor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	default:
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		http.Error(w, "503 Service Temporarily Unavailable", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Server", "nginx")
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody)) // read, as a server would, and forgotten
	path := strings.ToLower(strings.TrimSuffix(r.URL.Path, "/"))
	if len(path) > maxPath {
		http.Error(w, "414 Request-URI Too Large", http.StatusRequestURITooLong)
		return
	}
	if path == "/robots.txt" { // no touch: crawlers read it, and obey
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, robots)
		return
	}
	b := baitOf(path)
	if b == nil {
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	s.touch(r, path, b)
	kind, answer := b.answer(s, r, path, body)
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(answer)
}

func (s *Sensor) touch(r *http.Request, path string, b *bait) {
	t := Touch{At: s.cfg.Now(), Client: s.cfg.Client(r), Method: r.Method, Path: path, Bait: b.name, Kind: string(b.kind)}
	key := t.Client.String() + " " + b.name
	s.mu.Lock()
	s.touches++
	last, again := s.told[key]
	hush := again && t.At.Sub(last) < tellAgain
	if hush {
		s.hushed++
	} else {
		if len(s.told) >= maxTold { // all at once: telling twice does no harm
			clear(s.told)
		}
		s.told[key] = t.At
	}
	s.mu.Unlock()
	if !hush {
		s.cfg.Told(t)
	}
}

// Indicators gives what a touch says, as a source of the role Decoy has it.
func (t *Touch) Indicators() []indicator.Indicator {
	if !t.Client.IsValid() {
		return nil
	}
	at := t.At.UnixNano()
	return []indicator.Indicator{{Type: indicator.Address, Value: t.Client.String(), Confidence: 95, Tags: indicator.Decoyed, Sightings: 1, First: at, Last: at, Note: t.Kind}}
}

// draw gives a number below n that depends on the seed and the words alone.
func (s *Sensor) draw(n uint64, words ...any) uint64 {
	m := hmac.New(sha256.New, s.cfg.Seed[:])
	fmt.Fprintln(m, words...)
	return binary.BigEndian.Uint64(m.Sum(nil)) % n
}

// secret gives a token that is nobody's and that is known again when it is used.
func (s *Sensor) secret(words ...any) string {
	m := hmac.New(sha256.New, s.cfg.Seed[:])
	fmt.Fprintln(m, append(words, "secret")...)
	return hex.EncodeToString(m.Sum(nil)[:16])
}

func asJSON(x any) (string, []byte) {
	b, err := json.Marshal(x)
	if err != nil {
		return "application/json", []byte(`{"code":500}`)
	}
	return "application/json", b
}
