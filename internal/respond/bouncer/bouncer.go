// Package bouncer hands decisions to other people's gateways by the contract of
// CrowdSec's local API, so that its bouncers obey Xiezhi as they are, and as a
// plain list of addresses.
//
// It takes decisions of the desk and keys of gateways, kept as hashes, and gives
// an http.Handler for /v1/decisions, /v1/decisions/stream, /v1/usage-metrics and
// /v1/blocklist.txt. Invariants: without a key nothing is answered; only what
// addresses alone say is given away, so that no gateway carries out a wider
// decision than was made; tokens of accounts never leave; with the kill switch
// set everything that was given is taken back; answers to streams are never
// compressed, which bouncers do not expect. Limits: block and challenge become
// ban and captcha, other actions are not known there; cursors live in memory, a
// bouncer that asks after a restart is told everything once more.
package bouncer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"xiezhi/internal/respond"
	"xiezhi/internal/store/record"
)

// Caps.
const (
	MaxKeys    = 1000
	maxCursors = 10_000
	maxMetrics = 1 << 20 // bytes of a report of usage
	KeyPrefix  = "xzb_"
)

// Key is a gateway that may ask. Its record's id is the SHA-256 of the key in
// hexadecimal.
type Key struct {
	ID   string    `json:"-"`
	Rev  uint64    `json:"-"`
	Name string    `json:"name"`
	Site string    `json:"site,omitempty"` // empty: decisions of every site
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

// Seen is what is known of a gateway since this process began.
type Seen struct {
	At      time.Time // of its last pull
	Agent   string    // type/version
	Address string
	Pulls   uint64
	Blocked uint64 // requests or packets that it says it stopped
}

// Desk is what is needed of respond.Desk.
type Desk interface {
	Changes(since uint64) (now uint64, live, ended []*respond.Decision)
}

// Config of a Server.
type Config struct {
	Store  record.Store
	Desk   Desk
	Now    func() time.Time
	Client func(*http.Request) netip.Addr // nil: the connection's
}

// Server answers bouncers.
type Server struct {
	cfg Config
	mux *http.ServeMux

	mu      sync.Mutex
	keys    map[string]Key    // by id
	seen    map[string]*Seen  // by id
	cursors map[string]uint64 // by id and address: last change that was told
}

// New makes a server of the keys that the records hold.
func New(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Store == nil || cfg.Desk == nil {
		return nil, errors.New("bouncer: Store and Desk have to be given")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Client == nil {
		cfg.Client = func(r *http.Request) netip.Addr {
			a, _ := netip.ParseAddrPort(r.RemoteAddr)
			return a.Addr().Unmap()
		}
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux(), keys: map[string]Key{}, seen: map[string]*Seen{}, cursors: map[string]uint64{}}
	if err := s.Load(ctx); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("GET /v1/decisions", s.authorised(s.live))
	s.mux.HandleFunc("GET /v1/decisions/stream", s.authorised(s.stream))
	s.mux.HandleFunc("POST /v1/usage-metrics", s.authorised(s.metrics))
	s.mux.HandleFunc("GET /v1/blocklist.txt", s.authorised(s.list))
	s.mux.HandleFunc("/v1/", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusNotFound, "Page or Method not found") })
	return s, nil
}

// Load reads the keys anew.
func (s *Server) Load(ctx context.Context) error {
	keys := map[string]Key{}
	err := record.Every(ctx, s.cfg.Store, record.Query{Kind: record.Bouncer}, func(r *record.Record) error {
		k, err := ReadKey(r)
		keys[k.ID] = k
		return err
	})
	if err != nil {
		return fmt.Errorf("read the keys of bouncers: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
	for id := range s.seen {
		if _, ok := keys[id]; !ok {
			delete(s.seen, id)
		}
	}
	return nil
}

// ReadKey gives a key of its record.
func ReadKey(r *record.Record) (Key, error) {
	var k Key
	err := json.Unmarshal(r.Body, &k)
	k.ID, k.Rev = r.ID, r.Rev
	return k, err
}

// IDOf gives the id of a key.
func IDOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Seen says what is known of a gateway; zero for one that never asked.
func (s *Server) Seen(id string) Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.seen[id]; x != nil {
		return *x
	}
	return Seen{}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// say answers with a message, as errors of the contract are.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	b, err := json.Marshal(map[string]string{"message": text})
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// authorised lets through who shows a key. A firewall that knows only names and
// passwords shows it as the password.
func (s *Server) authorised(f func(http.ResponseWriter, *http.Request, Key)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		secret := r.Header.Get("X-Api-Key")
		if _, password, ok := r.BasicAuth(); secret == "" && ok && r.URL.Path == "/v1/blocklist.txt" {
			secret = password
		}
		if secret == "" || len(secret) > 256 {
			say(w, http.StatusForbidden, "access forbidden")
			return
		}
		id := IDOf(secret)
		s.mu.Lock()
		k, ok := s.keys[id] // of a hash: what is compared tells nothing of the key
		if ok {
			x := s.seen[id]
			if x == nil {
				x = &Seen{}
				s.seen[id] = x
			}
			if x.Agent = r.UserAgent(); len(x.Agent) > 100 {
				x.Agent = strings.ToValidUTF8(x.Agent[:100], "")
			}
			x.Address = s.cfg.Client(r).String()
			if r.Method == http.MethodGet {
				x.At = s.cfg.Now().UTC()
				x.Pulls++
			}
		}
		s.mu.Unlock()
		if !ok {
			say(w, http.StatusForbidden, "access forbidden")
			return
		}
		f(w, r, k)
	}
}

// metrics takes what a bouncer says it did.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request, k Key) {
	var body struct {
		Components []struct {
			Metrics []struct {
				Items []struct {
					Name  string  `json:"name"`
					Unit  string  `json:"unit"`
					Value float64 `json:"value"`
				} `json:"items"`
			} `json:"metrics"`
		} `json:"remediation_components"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMetrics)).Decode(&body); err != nil {
		say(w, http.StatusBadRequest, "the report of usage cannot be read")
		return
	}
	var n float64
	for _, c := range body.Components {
		for _, m := range c.Metrics {
			for _, i := range m.Items {
				if i.Name == "dropped" && (i.Unit == "request" || i.Unit == "packet") && i.Value > 0 && i.Value < 1e15 {
					n += i.Value
				}
			}
		}
	}
	s.mu.Lock()
	if x := s.seen[k.ID]; x != nil {
		x.Blocked += uint64(n)
	}
	s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

// list gives addresses and networks that are to be blocked, one a line.
func (s *Server) list(w http.ResponseWriter, _ *http.Request, k Key) {
	_, live, _ := s.cfg.Desk.Changes(0)
	var lines []string
	for _, x := range rowsOf(live, k, s.cfg.Now()) {
		if x.Type == "ban" {
			lines = append(lines, x.Value)
		}
	}
	slices.Sort(lines)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if lines = slices.Compact(lines); len(lines) > 0 {
		_, _ = w.Write([]byte(strings.Join(lines, "\n") + "\n"))
	}
}
