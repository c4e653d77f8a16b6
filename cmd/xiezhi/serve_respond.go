package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"xiezhi/internal/engine"
	"xiezhi/internal/intel"
	"xiezhi/internal/policy"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/bouncer"
	"xiezhi/internal/respond/gate"
	"xiezhi/internal/source/proxy"
)

// lateGate is a proxy's gate that comes to be after the proxy: until then
// everything passes.
type lateGate struct{ gate atomic.Pointer[gate.Gate] }

func (l *lateGate) Request(r *http.Request) proxy.Verdict {
	if g := l.gate.Load(); g != nil {
		return g.Request(r)
	}
	return proxy.Verdict{}
}

func (l *lateGate) RequestBody(r *http.Request, body []byte) proxy.Verdict {
	if g := l.gate.Load(); g != nil {
		return g.RequestBody(r, body)
	}
	return proxy.Verdict{}
}

func (l *lateGate) Response(r *http.Response) {
	if g := l.gate.Load(); g != nil {
		g.Response(r)
	}
}

// respond makes what decides about attacks and what carries it out.
func (f *serveFlags) respond(ctx context.Context, s *standing, cfg engine.ServiceConfig, key [32]byte) error {
	var p *policy.File
	if len(cfg.Policy) > 0 {
		var err error
		if p, err = policy.Parse(cfg.PolicyName, cfg.Policy); err != nil {
			return err
		}
	}
	trusted, err := engine.ParsePrefixes(cfg.File.TrustedProxies)
	if err != nil {
		return err
	}
	s.desk, err = respond.New(ctx, respond.Config{
		Store: cfg.Records, Messages: cfg.Tools.Messages, Policy: p, Shadow: s.service.Shadow, External: s.service.External, OneSite: cfg.Site,
		Guard:   respond.Guard{Own: append(own(), trusted...), Shared: sharedBy(cfg.Networks()), Never: respond.NeverOf(p)},
		Changed: func(d *respond.Decision) { s.web.DecisionChanged(d) },
		Now:     cfg.Now, Random: cfg.Random, Log: cfg.Log,
	})
	if err != nil {
		return fmt.Errorf("read what was decided: %w", err)
	}
	if s.bouncers, err = bouncer.New(ctx, bouncer.Config{Store: cfg.Records, Desk: s.desk, Now: cfg.Now}); err != nil {
		return err
	}
	g, err := gate.New(gate.Config{Table: s.desk.Table, Reader: s.service.Reader, Key: key, Now: cfg.Now})
	if err != nil {
		return err
	}
	s.gate.gate.Store(g)
	return nil
}

// own gives the addresses of this machine. One that cannot be read is none: the
// private ones are never touched anyway.
func own() (out []netip.Prefix) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				out = append(out, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
			}
		}
	}
	return out
}

// sharedBy tells exits that many people share by what is known of networks.
func sharedBy(m *intel.Map) func(netip.Prefix) bool {
	if m == nil {
		return nil
	}
	return func(p netip.Prefix) bool {
		return m.Lookup(p.Addr()).Type.Relays()
	}
}

// withOthers serves gateways, and nodes that read intelligence, beside the
// console.
func (s *standing) withOthers(pages http.Handler) http.Handler {
	taxii := s.web.TAXII()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.bouncers != nil && strings.HasPrefix(r.URL.Path, "/v1/"):
			s.bouncers.ServeHTTP(w, r)
		case taxii != nil && strings.HasPrefix(r.URL.Path, "/taxii2/"):
			taxii.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}
