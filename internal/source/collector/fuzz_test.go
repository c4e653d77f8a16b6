package collector

import (
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source/sensor"
)

func newClaim() *claim {
	c, _ := newShares(DefaultLimits(), time.Now).begin(sensor.Sensor{Name: "s"})
	return c
}

// fuzzBody decodes a body and checks what always holds.
func fuzzBody(t *testing.T, d *decoder, f form, coding string, body []byte) {
	var b batch
	c := newClaim()
	defer c.end()
	if err := d.decode(f, coding, body, "sensor", "site", c, &b); err != nil {
		return
	}
	if b.exchanges.Len() != len(b.hashes) || b.exchanges.Len() > d.limits.Entries || len(b.rejects) > maxRejects || b.read > d.limits.Body {
		t.Fatalf("%d exchanges, %d hashes, %d rejects, %d read", b.exchanges.Len(), len(b.hashes), len(b.rejects), b.read)
	}
	for i := range b.exchanges.Len() {
		x := b.exchanges.At(i)
		if string(x.Sensor) != "sensor" || string(x.Site) != "site" || len(x.Method) == 0 {
			t.Fatalf("%+v", x)
		}
		if len(x.ID) == 0 && b.hashes[i] == (exchange.ContentHash{}) {
			t.Fatal("neither id nor hash")
		}
	}
	for _, r := range b.rejects {
		if r.Line < 1 || r.Error == "" || r.reason == "" || strings.ContainsAny(r.Error, "\x00\x1b\n") {
			t.Fatalf("%+v", r)
		}
	}
}

func FuzzHARLines(f *testing.F) {
	f.Add([]byte(line("a", "/1")+line("", "/2")+"x\n"), byte(0))
	f.Add(gzipped(f, []byte(line("a", "/1"))), byte(1))
	f.Add(zstandard(f, []byte(line("a", "/1"))), byte(2))
	d, err := newDecoder(Limits{Body: 1 << 20, Entry: 4096, Entries: 64, Memory: 1 << 22}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, coding byte) {
		fuzzBody(t, d, harl, []string{"", "gzip", "zstd"}[coding%3], body)
	})
}

func FuzzAPISIX(f *testing.F) {
	f.Add([]byte("[" + full + "," + custom + "]"))
	f.Add([]byte(full + "\n" + custom))
	f.Add([]byte(`[{"a":"}\"]"},{`))
	d, err := newDecoder(Limits{Body: 1 << 20, Entry: 4096, Entries: 64, Memory: 1 << 22}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) { fuzzBody(t, d, apisix, "", body) })
}
