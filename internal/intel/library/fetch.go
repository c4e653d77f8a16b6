package library

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/taxii"
)

const (
	fetchAtOnce = 2                // feeds
	roundTime   = 10 * time.Minute // for one round of one feed
	firstRetry  = time.Minute
	maxError    = 500 // bytes that are shown
)

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// follow reads a feed by its schedule until the context ends.
func (l *Library) follow(ctx context.Context, f *feedState, turns chan struct{}) {
	for {
		t := time.NewTimer(l.due(f))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-f.wake:
			t.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case turns <- struct{}{}:
		}
		err := l.Fetch(ctx, f.cfg.Name)
		<-turns
		if err != nil && ctx.Err() == nil {
			l.cfg.Log.Warn("a feed could not be read; what it said before holds until it has aged", "feed", f.cfg.Name, "why", err)
		}
	}
}

// due is how long it is until a feed is to be read.
func (l *Library) due(f *feedState) time.Duration {
	now := l.cfg.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next.IsZero() && f.kept.Fetched != 0 && !f.cfg.running() {
		f.next = time.Unix(0, f.kept.Fetched).Add(f.cfg.every())
	}
	return max(f.next.Sub(now), 0)
}

// Fetch reads a feed once.
func (l *Library) Fetch(ctx context.Context, name string) error {
	i := slices.IndexFunc(l.feeds, func(f *feedState) bool { return f.cfg.Name == name })
	if i < 0 {
		return ErrNoFeed
	}
	f := l.feeds[i]
	ctx, stop := context.WithTimeout(ctx, roundTime)
	defer stop()
	f.mu.Lock()
	f.tried, f.reading = l.cfg.Now().UTC(), true
	f.mu.Unlock()
	err := l.round(ctx, f)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reading = false
	wait := f.cfg.every()
	if err == nil {
		f.err, f.failed = "", 0
	} else {
		f.err = strings.ToValidUTF8(err.Error()[:min(len(err.Error()), maxError)], "")
		wait = min(wait, firstRetry<<min(f.failed, 10))
		f.failed++
		var s *taxii.Status
		if errors.As(err, &s) {
			wait = max(wait, s.Wait)
		}
	}
	f.next = l.cfg.Now().Add(wait).UTC()
	return err
}

// news is what a round brought.
type news struct {
	rows  []indicator.Indicator
	gone  []indicator.Key
	bad   map[indicator.Reason]uint64
	whole bool // it is everything; else what changed
	same  bool // nothing changed
	kept  kept
}

func (l *Library) round(ctx context.Context, f *feedState) error {
	n, err := l.read(ctx, f)
	if err != nil {
		return err
	}
	now := l.cfg.Now().UnixNano()
	n.kept.Fetched, n.kept.Source = now, f.digest()
	f.mu.Lock()
	before, was := f.rows, f.kept
	f.mu.Unlock()
	n.kept.Changed = now
	switch {
	case n.same:
		n.rows, n.kept.Changed = again(before, was.Fetched, now), was.Changed
		n.kept.ETag, n.kept.Modified, n.kept.Digest, n.bad = was.ETag, was.Modified, was.Digest, was.Refused
	case n.whole:
		n.rows = since(n.rows, before, now)
	default:
		if len(n.rows)+len(n.gone) == 0 {
			n.kept.Changed = was.Changed
		}
		n.rows = merged(before, n.rows, n.gone)
	}
	n.kept.Refused = n.bad
	f.mu.Lock()
	f.kept = n.kept
	src := f.source()
	f.mu.Unlock()
	l.mu.Lock()
	set, err := l.Set().With(src, n.rows, now)
	if err == nil {
		l.stale = true // ledgers are made anew
		l.swap(set)
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.rows, f.started = set.Of(f.cfg.Name), true
	f.kept.Rows = len(f.rows)
	f.mu.Unlock()
	if err := l.save(f); err != nil { // it is read again after a restart
		l.cfg.Log.Error("what was fetched of a feed could not be kept", "feed", f.cfg.Name, "why", err)
	}
	return nil
}

// again are rows of a list that says the same as before: what it says without a
// time, it says of now.
func again(rows []indicator.Indicator, then, now int64) []indicator.Indicator {
	out := slices.Clone(rows)
	for i := range out {
		if out[i].Last == then {
			out[i].Last = now
		}
	}
	return out
}

// since lets rows without a time be known since they were on the list first.
func since(rows, before []indicator.Indicator, now int64) []indicator.Indicator {
	first := make(map[indicator.Key]int64, len(before))
	for i := range before {
		first[indicator.Key{Type: before[i].Type, Value: before[i].Value}] = before[i].First
	}
	for i := range rows {
		if x := &rows[i]; x.First == now || x.First == x.Last {
			if t, ok := first[indicator.Key{Type: x.Type, Value: x.Value}]; ok {
				x.First = min(x.First, t)
			}
		}
	}
	return rows
}

// merged is what there was with what came and without what went.
func merged(before, rows []indicator.Indicator, gone []indicator.Key) []indicator.Indicator {
	over := make(map[indicator.Key]bool, len(rows)+len(gone))
	for _, k := range gone {
		over[k] = true
	}
	for i := range rows {
		over[indicator.Key{Type: rows[i].Type, Value: rows[i].Value}] = true
	}
	out := make([]indicator.Indicator, 0, len(before)+len(rows))
	for i := range before {
		if !over[indicator.Key{Type: before[i].Type, Value: before[i].Value}] {
			out = append(out, before[i])
		}
	}
	return append(out, rows...)
}

func (f *feedState) options(l *Library) feed.Options {
	t, _ := indicator.ParseType(f.cfg.Type)
	return feed.Options{Name: f.cfg.Name, Now: l.cfg.Now().UnixNano(), Type: t, Tags: indicator.ParseTags(f.cfg.Tags), Confidence: uint8(f.cfg.Confidence), Columns: f.cfg.Columns, Hash: l.cfg.Hash}
}

func (l *Library) read(ctx context.Context, f *feedState) (*news, error) {
	heads, err := f.cfg.heads()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	was, started := f.kept, f.started
	f.mu.Unlock()
	switch {
	case f.cfg.File != "":
		return l.readFile(f)
	case f.cfg.Format == TAXII:
		return l.readTAXII(ctx, f, heads, was)
	case f.cfg.Format == string(feed.CrowdSec):
		return l.readCrowdSec(ctx, f, heads, started)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cfg.URL, nil)
	if err != nil {
		return nil, errors.New("the url cannot be asked for")
	}
	r.Header = heads
	if was.ETag != "" {
		r.Header.Set("If-None-Match", was.ETag)
	}
	if was.Modified != "" {
		r.Header.Set("If-Modified-Since", was.Modified)
	}
	got, err := l.cfg.Guard.Do(r, feed.MaxBytes)
	switch {
	case err != nil:
		return nil, err
	case got.Status == http.StatusNotModified && was.Fetched != 0:
		return &news{same: true}, nil
	case got.Status != http.StatusOK:
		return nil, taxii.StatusOf(r.URL.Host, got)
	}
	n, err := l.document(f, got.Body)
	if err != nil {
		return nil, err
	}
	if f.cfg.SumURL != "" {
		if err := l.sum(ctx, f, n.kept.Digest); err != nil {
			return nil, err
		}
	}
	n.kept.ETag, n.kept.Modified = bounded(got.Header.Get("ETag")), bounded(got.Header.Get("Last-Modified"))
	return n, nil
}

// bounded is a head that is sent back later, or nothing.
func bounded(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}

// document decodes a whole list.
func (l *Library) document(f *feedState, data []byte) (*news, error) {
	form := feed.Format(f.cfg.Format)
	if form == "" {
		form = feed.Guess(f.cfg.URL+f.cfg.File, data)
	}
	digest := sha256.Sum256(data)
	r, err := feed.Decode(form, data, f.options(l))
	if err != nil {
		return nil, err
	}
	return &news{rows: r.Rows, gone: r.Gone, bad: r.Refused, whole: true, kept: kept{Digest: hex.EncodeToString(digest[:])}}, nil
}

func (l *Library) readFile(f *feedState) (*news, error) {
	if l.cfg.Open == nil {
		return nil, errors.New("files are not read here")
	}
	in, err := l.cfg.Open(f.cfg.File)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, feed.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return l.document(f, data)
}

// sum holds the content against the SHA-256 that stands elsewhere: the first 64
// hexadecimal digits of the answer.
func (l *Library) sum(ctx context.Context, f *feedState, digest string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cfg.SumURL, nil)
	if err != nil {
		return errors.New("sha256_url cannot be asked for")
	}
	got, err := l.cfg.Guard.Do(r, 64<<10)
	if err != nil {
		return fmt.Errorf("sha256_url: %w", err)
	}
	if got.Status != http.StatusOK {
		return fmt.Errorf("sha256_url: %w", taxii.StatusOf(r.URL.Host, got))
	}
	for word := range strings.FieldsSeq(string(got.Body)) {
		if len(word) == 64 && strings.EqualFold(word, digest) {
			return nil
		}
	}
	return errors.New("the content has not the SHA-256 that sha256_url gives; nothing is taken")
}

func (l *Library) readTAXII(ctx context.Context, f *feedState, heads http.Header, was kept) (*news, error) {
	p, err := taxii.Get(ctx, l.cfg.Guard, f.cfg.URL, heads, was.After)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(map[string]any{"objects": p.Objects})
	if err != nil {
		return nil, err
	}
	r, err := feed.Decode(feed.STIX, data, f.options(l))
	if err != nil {
		return nil, err
	}
	n := &news{rows: r.Rows, gone: r.Gone, bad: r.Refused, kept: kept{After: was.After, Digest: was.Digest}}
	if p.Last != "" {
		n.kept.After = p.Last
	}
	if len(p.Objects) > 0 {
		digest := sha256.Sum256(data)
		n.kept.Digest = hex.EncodeToString(digest[:])
	}
	return n, nil
}

// readCrowdSec is a bouncer's round: everything at first, what changed later.
func (l *Library) readCrowdSec(ctx context.Context, f *feedState, heads http.Header, started bool) (*news, error) {
	u := strings.TrimSuffix(f.cfg.URL, "/")
	if !strings.Contains(u, "/v1/decisions") {
		u += "/v1/decisions/stream"
	}
	at, err := url.Parse(u)
	if err != nil {
		return nil, errors.New("the url cannot be asked for")
	}
	q := at.Query()
	q.Set("startup", fmt.Sprint(!started))
	at.RawQuery = q.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, errors.New("the url cannot be asked for")
	}
	r.Header = heads
	r.Header.Set("User-Agent", "xiezhi-feed/v1")
	got, err := l.cfg.Guard.Do(r, feed.MaxBytes)
	if err != nil {
		return nil, err
	}
	if got.Status != http.StatusOK {
		return nil, taxii.StatusOf(r.URL.Host, got)
	}
	n, err := l.document(f, got.Body)
	if err != nil {
		return nil, err
	}
	n.whole = !started
	return n, nil
}
