package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"xiezhi/internal/source"
	"xiezhi/internal/source/proxy"
)

// proxyWay puts reverse proxies before applications.
type proxyWay struct {
	tls  *tlsFlags
	list []string
	gate proxy.Gate // nil: everything passes; set before open
}

func (p *proxyWay) flag() string { return "proxy" }

func (p *proxyWay) register(f *pflag.FlagSet) {
	f.StringArrayVar(&p.list, p.flag(), nil, "listen as a reverse proxy, as `ADDR=URL`: 127.0.0.1:8080=http://127.0.0.1:3000; h2c:// speaks HTTP/2 without TLS (repeatable)")
}

func (p *proxyWay) open(a *app) ([]source.Source, error) {
	if len(p.list) == 0 {
		return nil, nil
	}
	secure, err := p.tls.config()
	if err != nil {
		return nil, err
	}
	var out []source.Source
	var listeners []net.Listener
	fail := func(err error) ([]source.Source, error) {
		for _, l := range listeners {
			_ = l.Close()
		}
		return nil, err
	}
	for _, s := range p.list {
		addr, up, err := parseProxy(s)
		if err != nil {
			return fail(err)
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fail(fmt.Errorf("--proxy: cannot listen on %s: %w", addr, err))
		}
		listeners = append(listeners, l)
		fmt.Fprintf(a.stderr, "proxy: %s -> %s\n", l.Addr(), up)
		out = append(out, proxy.New(proxy.Config{Listener: l, TLS: secure, Upstream: up, Gate: p.gate, Log: slog.New(slog.NewTextHandler(a.stderr, nil))}))
	}
	return out, nil
}

// parseProxy reads ADDR=URL.
func parseProxy(s string) (addr string, up *url.URL, err error) {
	addr, raw, ok := strings.Cut(s, "=")
	if !ok {
		return "", nil, usagef("--proxy %q: write it as ADDR=URL, such as 127.0.0.1:8080=http://127.0.0.1:3000", s)
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return "", nil, usagef("--proxy %q: %q is no address with a port", s, addr)
	}
	up, err = url.Parse(raw)
	if err != nil || up.Host == "" || up.Scheme != "http" && up.Scheme != "https" && up.Scheme != "h2c" {
		return "", nil, usagef("--proxy %q: the upstream must be an http, https or h2c URL", s)
	}
	if up.User != nil {
		return "", nil, usagef("--proxy: an upstream with a user name and password is not supported")
	}
	return addr, up, nil
}
