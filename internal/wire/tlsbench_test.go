package wire

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
)

// BenchmarkTLS compares the decoding of the same keep-alive sessions, 3.2 KB
// an exchange, in plaintext and under each suite. One operation is one exchange.
func BenchmarkTLS(b *testing.B) {
	const rounds = 300
	body := `{"code":0,"data":[` + strings.Repeat(`{"id":10086,"name":"item","price":19.9,"note":"returns within seven days"},`, 31) + `{}]}`
	head := "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n" +
		"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl\r\nCookie: sid=0123456789abcdef\r\n\r\n"
	ask := func(i int) string { return fmt.Sprintf("GET /api/v1/items/%d HTTP/1.1\r\n%s", i, head) }
	measure := func(name string, keys *Keys, frames []frame) {
		b.Run(name, func(b *testing.B) {
			n := 0
			d := New(Config{Keys: keys, Emit: func(*exchange.Exchange) error { n++; return nil }})
			size := 0
			for _, f := range frames {
				size += len(f.data)
			}
			b.SetBytes(int64(size / rounds))
			b.ReportAllocs()
			b.ResetTimer()
			for n < b.N {
				for _, f := range frames {
					if err := d.Packet(f.ts, LinkRaw, f.data, len(f.data)); err != nil {
						b.Fatal(err)
					}
				}
				if err := d.Flush(); err != nil {
					b.Fatal(err)
				}
			}
			if n%rounds != 0 {
				b.Fatalf("%d exchanges", n)
			}
		})
	}
	k := newTalk("10.0.0.7:41000", "10.0.0.1:80").open()
	for i := range rounds {
		k.ask(ask(i)).answer(response(body))
	}
	measure("plaintext", nil, k.close().out)
	for _, s := range forgeSuites() {
		f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443").handshake()
		for i := range rounds {
			f.say(0, ask(i)).say(1, response(body))
		}
		measure(fmt.Sprintf("%04x", s.id), f.keys(), f.bye().out)
	}
}
