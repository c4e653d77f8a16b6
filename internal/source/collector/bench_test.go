package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// typical gives n HAR lines as the plug-in for nginx sends them: a JSON answer
// of 1 KB, eight headers.
func typical(n int) []byte {
	var b bytes.Buffer
	body := strings.Repeat(`{\"id\":1,\"name\":\"王小明\",\"phone\":\"13910000001\"},`, 20)
	for i := range n {
		fmt.Fprintf(&b, `{"_id":"%032x","startedDateTime":"2026-03-01T08:00:00.123Z","time":5,"_client":{"ip":"203.0.113.7","port":4711},"_server":{"ip":"192.0.2.1","port":443},`+
			`"request":{"method":"GET","url":"https://shop.example/api/users?page=%d","httpVersion":"HTTP/1.1","headers":[{"name":"Host","value":"shop.example"},`+
			`{"name":"User-Agent","value":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"},`+
			`{"name":"Accept","value":"application/json"},{"name":"Cookie","value":"sid=0123456789abcdef"}],"bodySize":0},`+
			`"response":{"status":200,"headers":[{"name":"content-type","value":"application/json"},{"name":"content-length","value":"1000"},{"name":"cache-control","value":"no-store"},{"name":"x-request-id","value":"1"}],`+
			`"content":{"size":1000,"text":"[%s]"},"bodySize":1000}}`+"\n", i, i, body)
	}
	return b.Bytes()
}

const benchLines = 200

func perExchange(b *testing.B, bytes int) {
	b.SetBytes(int64(bytes))
	b.ReportMetric(float64(b.N)*benchLines/b.Elapsed().Seconds(), "exchanges/s")
}

// BenchmarkDecode is one body of 200 lines without the network.
func BenchmarkDecode(b *testing.B) {
	raw := typical(benchLines)
	for coding, body := range map[string][]byte{"plain": raw, "gzip": gzipped(b, raw), "zstd": zstandard(b, raw)} {
		b.Run(coding, func(b *testing.B) {
			d, err := newDecoder(DefaultLimits(), nil)
			if err != nil {
				b.Fatal(err)
			}
			var out batch
			c := newClaim()
			name := coding
			if coding == "plain" {
				name = ""
			}
			b.ReportAllocs()
			for b.Loop() {
				out.reset()
				if err := d.decode(harl, name, body, "sensor", "", c, &out); err != nil || out.exchanges.Len() != benchLines {
					b.Fatal(err, out.exchanges.Len())
				}
				c.end()
				c.own.requests++
			}
			perExchange(b, len(raw))
		})
	}
}

// BenchmarkIngest is a sender on the loopback interface that posts bodies of
// 200 lines over one connection, and a sink that takes them.
func BenchmarkIngest(b *testing.B) {
	raw := typical(benchLines)
	for name, body := range map[string][]byte{"plain": raw, "gzip": gzipped(b, raw)} {
		b.Run(name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			s, err := New(Config{Listener: l, Random: zeros{}, Now: time.Now})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error)
			go func() {
				done <- s.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { return nil }), &source.Ledger{})
			}()
			client := http.Client{Transport: &http.Transport{}}
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequest(http.MethodPost, "http://"+l.Addr().String()+"/v1/harl", bytes.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				if name != "plain" {
					r.Header.Set("Content-Encoding", name)
				}
				resp, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status)
				}
			}
			perExchange(b, len(raw))
			client.CloseIdleConnections()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				b.Fatal(err)
			}
		})
	}
}
