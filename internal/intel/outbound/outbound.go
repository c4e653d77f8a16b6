// Package outbound is the way to every address that somebody wrote into a
// setting: feeds, webhooks, servers of peers.
//
// It takes URLs and gives answers of bounded size, or an http.Client that goes
// the same way. Invariant: no address inside (loopback, private, link-local,
// carrier-grade, documentation, multicast, and those of IPv6 that carry such a
// one) is connected to, whatever a name resolves to, whenever it does and
// wherever an answer redirects to, unless the owner allowed that very host by
// name. A name is resolved once for a connection and the address that was
// looked at is the one that is dialled. Limits: sizes, times and redirects are
// capped (LIMITS.md); proxies of the environment are not used.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Caps of what goes out.
const (
	MaxURL       = 2048
	MaxAllowed   = 256
	MaxRedirects = 4
	MaxAddresses = 16 // of a name that are tried
	MaxHead      = 64 << 10

	DefaultTimeout = 30 * time.Second
	DefaultMost    = 64 << 20
	dialTime       = 10 * time.Second
)

// Why nothing was asked, or an answer is not taken.
var (
	// ErrInner: the address lies inside and was not allowed by name.
	ErrInner = errors.New("it leads to an inner address")
	// ErrURL: it is no URL to go to.
	ErrURL = errors.New("it is no http or https URL")
	// ErrLarge: the answer is larger than it may be.
	ErrLarge = errors.New("the answer is too large")
	// ErrRedirect: too many redirects, or one from https to http.
	ErrRedirect = errors.New("it redirects in a way that is not followed")
)

// Config says which inner hosts may be reached. The zero value allows none.
type Config struct {
	// Allow names hosts as URLs name them: a name or an address, with or without
	// a port. Without one every port is meant.
	Allow []string
	// Lookup resolves a name; nil: the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to an address that was looked at; nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout of a whole request; 0: DefaultTimeout.
	Timeout time.Duration
}

// Guard lets requests out. It is safe for concurrent use.
type Guard struct {
	allow  []string
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	client *http.Client
}

// New makes a guard.
func New(cfg Config) (*Guard, error) {
	if len(cfg.Allow) > MaxAllowed {
		return nil, fmt.Errorf("%d allowed hosts, at most %d", len(cfg.Allow), MaxAllowed)
	}
	g := &Guard{lookup: cfg.Lookup, dial: cfg.Dial}
	for _, h := range cfg.Allow {
		if h == "" || strings.ContainsAny(h, "/@ *?#") {
			return nil, fmt.Errorf("allowed host %.60q: write a host as a URL has it, as feeds.lan or 10.0.0.5:8443", h)
		}
		g.allow = append(g.allow, fold(h))
	}
	if g.lookup == nil {
		g.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if g.dial == nil {
		g.dial = (&net.Dialer{Timeout: dialTime}).DialContext
	}
	g.client = &http.Client{
		Timeout: max(cfg.Timeout, 0),
		Transport: &http.Transport{DialContext: g.connect, MaxResponseHeaderBytes: MaxHead, TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: DefaultTimeout,
			MaxIdleConns: 16, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: g.follow,
	}
	if g.client.Timeout == 0 {
		g.client.Timeout = DefaultTimeout
	}
	return g, nil
}

// Client goes through the guard. Whoever uses it bounds what it reads.
func (g *Guard) Client() *http.Client { return g.client }

// fold writes hosts in one way.
func fold(h string) string { return strings.TrimSuffix(strings.ToLower(h), ".") }

// named reports whether the owner allowed this host by name.
func (g *Guard) named(host, port string) bool {
	h := fold(host)
	return slices.Contains(g.allow, h) || slices.Contains(g.allow, net.JoinHostPort(h, port)) || slices.Contains(g.allow, h+":"+port)
}

// Check tells what is wrong with a URL of a setting, without asking anybody:
// what a name resolves to is looked at when it is connected to.
func (g *Guard) Check(raw string) (*url.URL, error) {
	if len(raw) > MaxURL {
		return nil, fmt.Errorf("%w: it has more than %d characters", ErrURL, MaxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, ErrURL // the error of url.Parse repeats what may be a secret
	}
	return u, g.check(u)
}

func (g *Guard) check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return ErrURL
	}
	if u.User != nil {
		return fmt.Errorf("%w: give a name and password in a header and not in the URL", ErrURL)
	}
	a, literal := literalOf(u.Hostname())
	if literal && !g.named(u.Hostname(), portOf(u)) && (!a.IsValid() || Inner(a)) {
		return fmt.Errorf("%s: %w; allow the host by its name if that is meant", u.Hostname(), ErrInner)
	}
	return nil
}

// literalOf reads a host that is an address. The old ways to write one (127.1,
// 0x7f000001, 2130706433), which some resolvers take, are addresses that are
// not valid.
func literalOf(host string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.WithZone(""), true
	}
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	last = strings.TrimSuffix(last, ".")
	hex := strings.HasPrefix(strings.ToLower(last), "0x")
	return netip.Addr{}, hex || last != "" && strings.Trim(last, "0123456789") == ""
}

func portOf(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// follow looks at a redirect as at a setting. Secrets stay behind: Go leaves
// Authorization out for another host, and here every head of ours.
func (g *Guard) follow(r *http.Request, via []*http.Request) error {
	if len(via) > MaxRedirects {
		return fmt.Errorf("%w: more than %d times", ErrRedirect, MaxRedirects)
	}
	if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return fmt.Errorf("%w: from https to http", ErrRedirect)
	}
	if r.URL.Host != via[0].URL.Host {
		for name := range r.Header {
			if name != "Accept" && name != "User-Agent" {
				r.Header.Del(name)
			}
		}
	}
	return g.check(r.URL)
}

// connect resolves once, looks at every address and dials those.
func (g *Guard) connect(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	if a, literal := literalOf(host); literal {
		if a.IsValid() {
			addrs = append(addrs, a)
		}
	} else if addrs, err = g.lookup(ctx, host); err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%s: %w", host, ErrInner)
	}
	if !g.named(host, port) && slices.ContainsFunc(addrs, Inner) {
		return nil, fmt.Errorf("%s: %w; allow the host by its name if that is meant", host, ErrInner)
	}
	var last error
	for _, a := range addrs[:min(len(addrs), MaxAddresses)] {
		c, err := g.dial(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
		if err == nil {
			return c, nil
		}
		last = err
	}
	return nil, last
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do asks and reads at most so many bytes of the answer; 0: DefaultMost.
func (g *Guard) Do(r *http.Request, most int64) (*Answer, error) {
	if most <= 0 {
		most = DefaultMost
	}
	if len(r.URL.String()) > MaxURL {
		return nil, ErrURL
	}
	if err := g.check(r.URL); err != nil {
		return nil, err
	}
	res, err := g.client.Do(r)
	if err != nil {
		var ue *url.Error // repeats the URL, whose query may hold a key
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, fmt.Errorf("%s: %w", r.URL.Host, err)
	}
	defer res.Body.Close()
	if res.ContentLength > most {
		return nil, fmt.Errorf("%s: %w: %d bytes, at most %d", r.URL.Host, ErrLarge, res.ContentLength, most)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, most+1)) // what was decompressed in passing counts as it is
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.URL.Host, err)
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", r.URL.Host, ErrLarge, most)
	}
	return &Answer{res.StatusCode, res.Header, body}, nil
}
