package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap"
	"xiezhi/internal/taxonomy"
)

// capture gives the exchanges of a recorded capture.
func capture(t testing.TB) *exchange.Batch {
	t.Helper()
	dir := "../../../shared/corpora/captures/vampi"
	file := filepath.Join(dir, "vampi.pcap.zst")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("%s is absent", dir)
	}
	open := func() (io.ReadCloser, error) {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		r, err := zstd.NewReader(f)
		if err != nil {
			return nil, err
		}
		return r.IOReadCloser(), nil
	}
	b := &exchange.Batch{}
	err := pcap.New([]pcap.Input{{Name: "vampi", Open: open}}, pcap.Config{}).Run(context.Background(),
		source.SinkFunc(func(x *exchange.Exchange) error { b.Append(x); return nil }), &source.Ledger{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCapture holds observations of real traffic against what its plaintext
// says.
func TestCapture(t *testing.T) {
	in := capture(t)
	o := newObserver(t)
	var b Batch
	var logins, failed, issued, owned, foreign, tagged, leaks int
	tags := map[uint32]bool{}
	for i := range in.Len() {
		x := in.At(i)
		b.Reset()
		o.Observe(x, &b)
		ob := b.At(0)
		var req map[string]any
		_ = json.Unmarshal(x.Request.Body, &req) // what is no JSON names no account
		enc := b.AppendEncoded(nil)
		for _, field := range []string{"password", "email"} {
			if v, ok := req[field].(string); ok && len(v) >= 8 && strings.ContainsAny(v, "0123456789@") && bytes.Contains(enc, []byte(v)) {
				if leaks++; leaks < 4 {
					t.Errorf("%s of exchange %d is in its observation", field, i)
				}
			}
		}
		if ob.HeaderOrder == 0 || ob.Agent == 0 && x.Request.Get("user-agent") != nil {
			t.Fatalf("exchange %d has no header order or agent", i)
		}
		user, _ := req["username"].(string)
		pw, _ := req["password"].(string)
		if bytes.HasSuffix(x.Target, []byte("/login")) && user != "" && pw != "" {
			logins++
			if len(ob.Passwords) != 1 || len(ob.Accounts) == 0 || ob.Accounts[0].Token == 0 {
				t.Errorf("login %d: passwords %d, accounts %d", i, len(ob.Passwords), len(ob.Accounts))
				continue
			}
			tags[ob.Passwords[0].Tag] = true
			switch {
			case ob.CodeSays < 0:
				failed++
				if ob.MessageSays&(SaysWrongSecret|SaysNotRegistered|SaysBadPair|SaysInvalid) == 0 {
					t.Errorf("login %d failed, %q says nothing", i, ob.Message)
				}
			case ob.CodeSays > 0:
				if len(ob.Issued) == 1 && ob.Issued[0].Account == ob.Accounts[0].Token {
					issued++
				}
			}
		}
		for _, c := range ob.Credentials {
			for _, l := range ob.Leaves {
				if l.Path == "owner" && c.Account != 0 {
					if l.Token == c.Account {
						owned++
					} else {
						foreign++
					}
				}
			}
		}
		for _, e := range ob.Exposures {
			if e.Type == taxonomy.SensPassword && e.Response {
				for _, tag := range e.Tags {
					if tags[tag] {
						tagged++
					}
				}
			}
		}
	}
	t.Logf("%d exchanges: %d logins, %d failed, %d issued a token of their account; %d owned objects, %d foreign; %d shown passwords were submitted", in.Len(), logins, failed, issued, owned, foreign, tagged)
	if in.Len() != 7680 || logins < 500 || failed < 100 || issued < 20 || owned < 100 || foreign < 10 || tagged == 0 || leaks > 0 {
		t.Error("the capture holds more than was observed")
	}
}

func BenchmarkCapture(b *testing.B) {
	in := capture(b)
	o := newObserver(b)
	var out Batch
	total := int64(0)
	for i := range in.Len() {
		total += size(in.At(i))
	}
	b.SetBytes(total)
	b.ReportAllocs()
	for b.Loop() {
		for i := range in.Len() {
			if i%256 == 0 {
				out.Reset()
			}
			o.Observe(in.At(i), &out)
		}
	}
	b.ReportMetric(float64(b.N)*float64(in.Len())/b.Elapsed().Seconds(), "exchanges/s")
}
