package adversary

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"xiezhi/lab/stage"
)

// library is what a tool is built with: it decides the TLS fingerprint and the
// headers that come by themselves.
type library struct {
	name, ja4 string
	before    []stage.Head // headers that come first
	after     []stage.Head
	proto     uint8
	style     stage.Style
}

func h(name, value string) stage.Head { return stage.Head{Name: name, Value: value} }

var (
	pythonRequests = library{name: "python-requests", ja4: "t13d1812h1_85036bcba153_375ca2c5e164", proto: 11,
		before: []stage.Head{h("Host", "{host}"), h("User-Agent", "{agent}"), h("Accept-Encoding", "gzip, deflate"), h("Accept", "*/*"), h("Connection", "keep-alive")},
		after:  []stage.Head{h("Content-Length", "{length}"), h("Content-Type", "{type}")}, style: stage.Style{Spaced: true}}
	aiohttp = library{name: "aiohttp", ja4: "t13d1811h1_85036bcba153_d41ae481755e", proto: 11,
		before: []stage.Head{h("Host", "{host}"), h("Accept", "*/*"), h("Accept-Encoding", "gzip, deflate"), h("User-Agent", "{agent}")},
		after:  []stage.Head{h("Content-Length", "{length}"), h("Content-Type", "{type}")}, style: stage.Style{Spaced: true}}
	goHTTP = library{name: "go-http", ja4: "t13d1312h1_f57a46bbacb6_9e7b989ebec8", proto: 11,
		before: []stage.Head{h("Host", "{host}"), h("User-Agent", "{agent}"), h("Content-Length", "{length}")},
		after:  []stage.Head{h("Content-Type", "{type}"), h("Accept-Encoding", "gzip")}, style: stage.Style{Sorted: true}}
	nodeAxios = library{name: "axios", ja4: "t13d5911h1_a33745022dd6_1f22a2ca17c4", proto: 11,
		before: []stage.Head{h("Accept", "application/json, text/plain, */*"), h("Content-Type", "{type}")},
		after:  []stage.Head{h("User-Agent", "{agent}"), h("Content-Length", "{length}"), h("Host", "{host}"), h("Connection", "close")}}
	javaClient = library{name: "httpclient", ja4: "t13d3312h1_16476d049b0b_e0fb1a7b7e4c", proto: 11,
		before: []stage.Head{h("Accept", "*/*"), h("Content-Type", "{type}")},
		after:  []stage.Head{h("Content-Length", "{length}"), h("Host", "{host}"), h("Connection", "Keep-Alive"), h("User-Agent", "{agent}"), h("Accept-Encoding", "gzip,deflate")}}
	dotNet = library{name: "dotnet", ja4: "t12d2107h1_76e208dd3e22_f7c2b1c6a9ea", proto: 11,
		before: []stage.Head{h("Content-Type", "{type}"), h("Accept", "*/*"), h("User-Agent", "{agent}")},
		after:  []stage.Head{h("Host", "{host}"), h("Content-Length", "{length}"), h("Expect", "100-continue"), h("Connection", "Keep-Alive")}}
	cloudPhone = library{name: "cloud-phone", ja4: "t13d1314h2_f57a46bbacb6_5a6f1d3c2b10", proto: 20,
		before: []stage.Head{h("User-Agent", "{agent}"), h("X-App-Version", "6.2.9"), h("X-Platform", "android")},
		after:  []stage.Head{h("Content-Type", "{type}"), h("Content-Length", "{length}"), h("Accept-Encoding", "gzip")}}
	headless = library{name: "headless", ja4: "t13d1516h2_8daaf6152771_b1ff8ab2d16f", proto: 20,
		before: []stage.Head{h("Content-Length", "{length}"), h("User-Agent", "{agent}"), h("Accept", "application/json, text/plain, */*"), h("Content-Type", "{type}")},
		after:  []stage.Head{h("Accept-Encoding", "gzip, deflate, br"), h("Accept-Language", "en-US")}}
	rawSockets = library{name: "c-client", ja4: "t12d130600_2b729b4bf6f3_9e7b989ebec8", proto: 11,
		before: []stage.Head{h("Host", "{host}"), h("User-Agent", "{agent}"), h("Content-Type", "{type}"), h("Content-Length", "{length}")},
		after:  []stage.Head{h("Connection", "Close")}}
)

// tool makes a gang's program: the library's headers around those that the
// author copied from a genuine request, in an order of the author's own.
func tool(lib library, copied ...stage.Head) func(*rand.Rand) stage.Profile {
	return func(r *rand.Rand) stage.Profile {
		mine := append([]stage.Head{h("Referer", "{referer}"), h("Origin", "{origin}")}, copied...)
		r.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
		heads := append([]stage.Head{}, lib.before...)
		heads = append(heads, mine...)
		heads = append(heads, h("Authorization", "{auth}"), h("Token", "{token}"), h("Cookie", "{cookie}"))
		p := stage.Profile{Name: lib.name, Proto: lib.proto, JA4: lib.ja4, Headers: append(heads, lib.after...), Style: lib.style}
		if !p.Style.Sorted {
			p.Style.Turn = 1 + r.IntN(3)
		}
		return p
	}
}

// with adds a constant field that the author's tool sends with every form.
func with(f func(*rand.Rand) stage.Profile, name string) func(*rand.Rand) stage.Profile {
	return func(r *rand.Rand) stage.Profile {
		p := f(r)
		p.Style.Extra = append(p.Style.Extra, stage.ExtraPart{Name: name, Value: fmt.Sprintf("%08x", r.Uint32())})
		return p
	}
}

// server is one rented machine.
func server(net, sub byte) func(*rand.Rand) infra {
	return func(r *rand.Rand) infra {
		a := netip.AddrFrom4([4]byte{net, sub, byte(r.IntN(256)), byte(1 + r.IntN(254))})
		return infra{clients: 1, address: func(int, *rand.Rand) netip.Addr { return a }}
	}
}

// block is part of a data centre's /24.
func block(net, sub byte, machines int) func(*rand.Rand) infra {
	return func(r *rand.Rand) infra {
		third := byte(r.IntN(256))
		hosts := r.Perm(254)[:machines]
		return infra{clients: machines, address: func(i int, _ *rand.Rand) netip.Addr {
			return netip.AddrFrom4([4]byte{net, sub, third, byte(1 + hosts[i%machines])})
		}}
	}
}

// proxies is a network of hijacked home lines that gives every request another
// address. The lines are those of the public, too.
func proxies(nets ...byte) func(*rand.Rand) infra {
	return func(*rand.Rand) infra {
		return infra{clients: 1, rotate: func(r *rand.Rand) netip.Addr {
			return netip.AddrFrom4([4]byte{241, nets[r.IntN(len(nets))], byte(r.IntN(256)), byte(1 + r.IntN(254))})
		}}
	}
}
