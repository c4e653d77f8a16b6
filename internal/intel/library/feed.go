package library

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
)

// TAXII is the format of a feed that is a collection on a server.
const TAXII = "taxii"

// Feed is a list of somebody else's that is read by schedule:
//
//	intel:
//	  feeds:
//	    - name: spamhaus-drop
//	      url: https://www.spamhaus.org/drop/drop.txt
//	      every: 24h
//	      licence: "(c) The Spamhaus Project; free to download, keep this notice"
//	      reliability: 0.8
//	    - name: sister
//	      url: https://xiezhi.sister.example/taxii2/api/collections/4e6a…/
//	      format: taxii
//	      header_file: sister.token      # lines as Authorization: Bearer xz_…
//	      licence: our own
//	      role: peer
//	    - {name: crowdsec, url: "http://10.0.0.5:8080", format: crowdsec, every: 1m, licence: ours, header_file: crowdsec.key}
type Feed struct {
	Name        string        `yaml:"name"`
	URL         string        `yaml:"url"`
	File        string        `yaml:"file"`   // in the place of a URL
	Format      string        `yaml:"format"` // plain, csv, jsonl, misp, stix, taxii, crowdsec; empty: told from the content
	Every       time.Duration `yaml:"every"`  // empty: a day; taxii an hour, crowdsec a minute
	Licence     string        `yaml:"licence"`
	Role        string        `yaml:"role"` // feed (default), peer, negative; decoy for what xiezhi decoy writes
	Reliability *float64      `yaml:"reliability"`
	Confidence  int           `yaml:"confidence"`
	Type        string        `yaml:"type"`
	Tags        []string      `yaml:"tags"`
	Columns     []string      `yaml:"columns"`
	Group       string        `yaml:"group"`       // whose it is, where several are of one
	HeaderFile  string        `yaml:"header_file"` // lines NAME: VALUE, sent along; not in the configuration, which is shown around
	SumURL      string        `yaml:"sha256_url"`  // where the SHA-256 of the content stands
}

// Bounds of schedules.
const (
	leastEvery = time.Minute
	mostEvery  = 31 * 24 * time.Hour
	staleAfter = 3 // rounds without success
)

// FeedFormats lists the formats of feeds.
func FeedFormats() []string {
	out := []string{TAXII}
	for _, f := range feed.Formats() {
		out = append(out, string(f))
	}
	return out
}

// CheckFeeds tells what is wrong with feeds.
func CheckFeeds(list []Feed) error {
	if len(list) > MaxFeeds {
		return fmt.Errorf("feeds: %d, at most %d", len(list), MaxFeeds)
	}
	names := Own()
	for i := range list {
		f := &list[i]
		if err := f.check(); err != nil {
			return fmt.Errorf("feeds[%d]: %w", i, err)
		}
		if slices.Contains(names, f.Name) {
			return fmt.Errorf("feeds[%d]: the name %q is taken; every feed has its own", i, f.Name)
		}
		names = append(names, f.Name)
	}
	return nil
}

func (f *Feed) check() error {
	if f.Name == "" || len(f.Name) > 64 || strings.Trim(f.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return fmt.Errorf("name: %.70q is no name of letters, digits, dots and dashes", f.Name)
	}
	if (f.URL == "") == (f.File == "") {
		return errors.New("name a url or a file")
	}
	if strings.TrimSpace(f.Licence) == "" {
		return errors.New("licence: say under which terms the list is used; it is shown beside what it says")
	}
	if len(f.Licence) > 300 {
		return errors.New("licence: at most 300 bytes")
	}
	if f.Format != "" && !slices.Contains(FeedFormats(), f.Format) {
		return fmt.Errorf("format: %q is unknown; one of %v", f.Format, FeedFormats())
	}
	if f.Format == TAXII && f.File != "" {
		return errors.New("format: taxii needs a url")
	}
	switch f.Role {
	case "", "feed", "peer", "negative":
	case "decoy": // the touches that xiezhi decoy writes down, which nobody else can
		if f.File == "" {
			return errors.New("role: decoy is for a file that xiezhi decoy writes")
		}
	default:
		return fmt.Errorf("role: %q is unknown; one of feed, peer, negative, decoy", f.Role)
	}
	if _, ok := indicator.ParseType(f.Type); f.Type != "" && !ok {
		return fmt.Errorf("type: %q is unknown; one of %v", f.Type, indicator.Types())
	}
	for _, n := range f.Tags {
		if !slices.Contains(indicator.TagNames(), n) {
			return fmt.Errorf("tags: %q is unknown; one of %v", n, indicator.TagNames())
		}
	}
	if f.Every != 0 && (f.Every < leastEvery || f.Every > mostEvery) {
		return fmt.Errorf("every: %s lies not between %s and 31 days", f.Every, leastEvery)
	}
	if r := f.Reliability; r != nil && (*r < 0 || *r > 1) || f.Confidence < 0 || f.Confidence > 100 {
		return errors.New("reliability lies between 0 and 1, confidence between 0 and 100")
	}
	return nil
}

func (f *Feed) every() time.Duration {
	switch {
	case f.Every != 0:
		return f.Every
	case f.Format == TAXII:
		return time.Hour
	case f.Format == string(feed.CrowdSec):
		return time.Minute
	}
	return 24 * time.Hour
}

// running reports whether each round brings only what changed since.
func (f *Feed) running() bool {
	return f.Format == TAXII || f.Format == string(feed.CrowdSec) && f.URL != ""
}

// heads reads the file of heads that are sent along.
func (f *Feed) heads() (http.Header, error) {
	out := http.Header{}
	if f.HeaderFile == "" {
		return out, nil
	}
	b, err := os.ReadFile(f.HeaderFile)
	if err != nil {
		return nil, fmt.Errorf("header_file: %w", err)
	}
	if len(b) > 64<<10 {
		return nil, fmt.Errorf("header_file: %s has more than 64 KiB", f.HeaderFile)
	}
	for i, text := range strings.Split(string(b), "\n") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		k, v, ok := strings.Cut(text, ":")
		if !ok || strings.TrimSpace(k) == "" {
			return nil, fmt.Errorf("header_file: %s:%d: write NAME: VALUE", f.HeaderFile, i+1) // and not what stands there
		}
		out.Set(strings.TrimSpace(k), strings.TrimSpace(v))
	}
	return out, nil
}

// feedState is a feed and what is known of it. mu guards all but cfg and wake.
type feedState struct {
	cfg  Feed
	wake chan struct{} // it is to be read now

	mu      sync.Mutex
	rows    []indicator.Indicator // as the set took them
	kept    kept
	tried   time.Time
	next    time.Time
	err     string
	failed  int // rounds in a row
	reading bool
	started bool // a running feed has been read from its beginning since the start
}

// kept is what is known of what was read last.
type kept struct {
	Fetched  int64 // ns
	Changed  int64
	ETag     string `json:",omitempty"`
	Modified string `json:",omitempty"`
	After    string `json:",omitempty"` // of TAXII
	Digest   string `json:",omitempty"`
	Refused  map[indicator.Reason]uint64
	Rows     int
	Source   string // digest of the configuration that it was read by
}

func newFeedState(f Feed) *feedState { return &feedState{cfg: f, wake: make(chan struct{}, 1)} }

// forget drops what was brought back.
func (f *feedState) forget() { f.rows, f.kept = nil, kept{} }

// source is who says what the feed holds.
func (f *feedState) source() indicator.Source {
	role, _ := indicator.ParseRole(f.cfg.Role) // checked; empty is a feed
	s := indicator.Source{Name: f.cfg.Name, Role: role, Reliability: 0.5, Group: f.cfg.Group, URL: f.cfg.URL, Format: f.cfg.Format, Licence: f.cfg.Licence,
		Digest: f.kept.Digest, Fetched: f.kept.Fetched, Fresh: int64(staleAfter * f.cfg.every()), Refused: maps.Clone(f.kept.Refused)}
	if role == indicator.Decoy {
		s.Reliability = 0.95
	}
	if f.cfg.Reliability != nil {
		s.Reliability = *f.cfg.Reliability
	}
	return s
}

// Health is how a feed is.
type Health struct {
	Feed
	Every   time.Duration
	Host    string // of the URL: what stands behind it may be a secret
	Rows    int
	Weight  float64 // how far it is believed, after its ledger
	Good    uint64  // things that own findings confirmed
	Wrong   uint64  // verdicts that it was wrong
	Refused map[indicator.Reason]uint64
	Digest  string
	Fetched time.Time // last success; zero: none
	Changed time.Time // since when it says what it says
	Tried   time.Time
	Next    time.Time
	Err     string // of the last round; empty: it went well
	Failed  int    // rounds in a row
	Stale   bool
	Reading bool
}

// Feeds gives the health of every feed, in the order of the configuration.
func (l *Library) Feeds() (out []Health) {
	set, now := l.Set(), l.cfg.Now()
	for _, f := range l.feeds {
		f.mu.Lock()
		h := Health{Feed: f.cfg, Every: f.cfg.every(), Host: hostOf(f.cfg.URL), Rows: len(f.rows), Refused: maps.Clone(f.kept.Refused), Digest: f.kept.Digest, Tried: f.tried, Next: f.next, Err: f.err, Failed: f.failed, Reading: f.reading}
		if f.kept.Fetched != 0 {
			h.Fetched, h.Changed = time.Unix(0, f.kept.Fetched).UTC(), time.Unix(0, f.kept.Changed).UTC()
		}
		f.mu.Unlock()
		h.Stale = h.Fetched.IsZero() || now.Sub(h.Fetched) > staleAfter*h.Every
		for _, s := range set.Sources() {
			if s.Name == f.cfg.Name {
				h.Weight, h.Good, h.Wrong = s.Weight(), s.Confirmed, s.False
				h.Refused = s.Refused
			}
		}
		out = append(out, h)
	}
	return out
}

// ErrNoFeed: there is no feed of that name.
var ErrNoFeed = errors.New("there is no such feed")

// Refresh lets a feed be read now. One that is being read is read again.
func (l *Library) Refresh(name string) error {
	for _, f := range l.feeds {
		if f.cfg.Name == name {
			select {
			case f.wake <- struct{}{}:
			default:
			}
			return nil
		}
	}
	return ErrNoFeed
}
