// Package rival holds what the product is measured against, in the same play:
// per-address leaky buckets with the thresholds that CrowdSec publishes, and a
// decision stump, the best threshold on one figure of one window.
//
// It takes exchanges in order of time and says which it would flag. Invariant:
// the buckets are fitted on nothing; the stump is fitted by its caller on what
// it is not scored on. Both are given what such rules do not have in the field:
// the buckets are told of every sign-in that failed, however the application
// words it, and the stump sees the same public in training and in test. Limits:
// MaxBuckets live buckets; a bucket beyond them is not made, and counted.
package rival

import (
	"bytes"
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	"xiezhi/internal/exchange"
)

// MaxBuckets bounds the live buckets.
const MaxBuckets = 1 << 18

// bucketRule is one scenario of CrowdSec's hub: capacity and leak as published.
// A bucket overflows with the event after its capacity.
type bucketRule struct {
	name     string
	capacity int
	leak     time.Duration
	distinct bool // pours a path once in a bucket's life
	takes    func(e *seen) bool
}

// ban is how long CrowdSec's default profile keeps an address out.
const ban = 4 * time.Hour

var bucketRules = []bucketRule{
	{name: "http-probing", capacity: 10, leak: 10 * time.Second, distinct: true, takes: func(e *seen) bool {
		return !e.static && (e.status == 404 || e.status == 403 || e.status == 400)
	}},
	{name: "http-crawl-non_statics", capacity: 40, leak: time.Second / 2, takes: func(e *seen) bool { return !e.static }},
	{name: "http-sensitive-files", capacity: 4, leak: 5 * time.Second, distinct: true, takes: func(e *seen) bool { return e.secret }},
	{name: "http-generic-bf", capacity: 5, leak: 10 * time.Second, takes: func(e *seen) bool { return e.denied }},
	{name: "http-generic-401-bf", capacity: 5, leak: 10 * time.Second, takes: func(e *seen) bool { return !e.denied && e.status == 401 }},
	{name: "http-generic-403-bf", capacity: 5, leak: 10 * time.Second, takes: func(e *seen) bool { return !e.denied && e.status == 403 }},
}

// seen is what the rules know of a request.
type seen struct {
	status                 int
	static, secret, denied bool
	path                   uint64
}

// statics are the endings of what a browser loads with a page.
var statics = []string{".js", ".css", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".svg", ".webp", ".woff", ".woff2", ".ttf", ".map", ".bmp", ".mp4"}

// secrets are endings of what nobody is to fetch.
var secrets = []string{".env", "/.git/config", "/.git/HEAD", "/.svn/entries", "/.DS_Store", ".sql", ".sql.gz", ".db", ".sqlite", ".bak", ".old", ".swp", ".log", ".tar.gz", ".zip", ".htpasswd", ".htaccess", "/id_rsa", "wp-config.php", "web.config", "/WEB-INF/web.xml", "/phpinfo.php", ".pem", ".key"}

// Alert is one overflow.
type Alert struct {
	Rule string
	At   int64
	Over []int32 // the exchanges in the bucket, and those that the ban then meets
}

// Buckets are the buckets of all addresses.
type Buckets struct {
	live   map[bucketKey]*bucket
	bans   map[netip.Addr]banned
	alerts []Alert
	Lost   uint64 // buckets that found no room
	swept  int64
}

type bucketKey struct {
	rule int
	from netip.Addr
	site string // of http-probing, which counts a site by itself
}

type bucket struct {
	level float64
	last  int64
	held  []int32
	paths map[uint64]bool
}

type banned struct {
	until int64
	alert int
}

// NewBuckets gives empty buckets.
func NewBuckets() *Buckets {
	return &Buckets{live: map[bucketKey]*bucket{}, bans: map[netip.Addr]banned{}}
}

// Alerts are the overflows so far.
func (b *Buckets) Alerts() []Alert { return b.alerts }

// Observe takes the next exchange, which the caller knows as n. denied says
// that it was a sign-in and failed.
func (b *Buckets) Observe(n int32, x *exchange.Exchange, denied bool) {
	from := x.Client.Addr()
	if !from.IsValid() {
		return
	}
	now := x.End
	b.sweep(now)
	if k, ok := b.bans[from]; ok {
		if now < k.until {
			a := &b.alerts[k.alert]
			a.Over = append(a.Over, n)
			return // an address that is kept out reaches no application
		}
		delete(b.bans, from)
	}
	path, _, _ := bytes.Cut(x.Target, []byte("?"))
	e := seen{status: x.Status, denied: denied, path: sum(path), static: ends(path, statics), secret: ends(path, secrets)}
	for i := range bucketRules {
		r := &bucketRules[i]
		if !r.takes(&e) {
			continue
		}
		key := bucketKey{rule: i, from: from}
		if r.name == "http-probing" {
			key.site = string(x.Host)
		}
		if b.pour(r, key, n, now, e.path) {
			return
		}
	}
}

// pour adds an event and reports whether the bucket overflowed.
func (b *Buckets) pour(r *bucketRule, key bucketKey, n int32, now int64, path uint64) bool {
	k := b.live[key]
	if k == nil {
		if len(b.live) >= MaxBuckets {
			b.Lost++
			return false
		}
		k = &bucket{last: now}
		b.live[key] = k
	}
	k.level -= float64(now-k.last) / float64(r.leak)
	k.last = now
	if k.level <= 0 {
		*k = bucket{last: now, held: k.held[:0]} // ran empty: another life
	}
	if r.distinct {
		if k.paths == nil {
			k.paths = map[uint64]bool{}
		}
		if k.paths[path] {
			k.held = append(k.held, n)
			return false
		}
		k.paths[path] = true
	}
	k.level++
	k.held = append(k.held, n)
	if k.level <= float64(r.capacity) {
		return false
	}
	b.bans[key.from] = banned{until: now + int64(ban), alert: len(b.alerts)}
	b.alerts = append(b.alerts, Alert{Rule: r.name, At: now, Over: k.held})
	delete(b.live, key)
	return true
}

// sweep lets go of buckets that ran empty and bans that are over.
func (b *Buckets) sweep(now int64) {
	if now-b.swept < int64(10*time.Minute) {
		return
	}
	b.swept = now
	for key, k := range b.live {
		if k.level-float64(now-k.last)/float64(bucketRules[key.rule].leak) <= 0 {
			delete(b.live, key)
		}
	}
	for a, k := range b.bans {
		if now >= k.until {
			delete(b.bans, a)
		}
	}
}

func ends(path []byte, list []string) bool {
	for _, s := range list {
		if len(path) >= len(s) && strings.EqualFold(string(path[len(path)-len(s):]), s) {
			return true
		}
	}
	return false
}

// sum hashes parts that belong together.
func sum(parts ...[]byte) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write(p)
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
