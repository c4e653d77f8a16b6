package observe

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap"
)

func TestLook(t *testing.T) {
	file := os.Getenv("OBSERVE_PCAP")
	if file == "" {
		t.Skip("OBSERVE_PCAP names no capture")
	}
	o := newObserver(t)
	seen := map[string]int{}
	n := 0
	src := pcap.New([]pcap.Input{{Name: file, Open: func() (io.ReadCloser, error) { return os.Open(file) }}}, pcap.Config{})
	var b Batch
	err := src.Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error {
		n++
		b.Reset()
		o.Observe(x, &b)
		ob := b.At(0)
		k := fmt.Sprint(ob.Method, len(ob.Segments), ob.Status, ob.Message)
		if len(ob.Segments) > 0 {
			k += ob.Segments[0].Text + ob.Segments[len(ob.Segments)-1].Text[:min(3, len(ob.Segments[len(ob.Segments)-1].Text))]
		}
		if seen[k]++; seen[k] == 3 && len(seen) < 400 && n%1 == 0 {
			t.Logf("%s %s%s -> %d code=%q/%q(%d) msg=%q says=%b schema=%x rec=%d over=%d agent=%s/%v ho=%x ps=%x", ob.Method, ob.Host, x.Target, ob.Status, ob.Code, ob.CodeField, ob.CodeSays, ob.Message, ob.MessageSays, ob.Schema, ob.Records, ob.Overflow, ob.AgentFamily, ob.AgentTool, ob.HeaderOrder, ob.ParamShape)
			t.Logf("    seg=%+v", ob.Segments)
			t.Logf("    params=%+v acc=%+v pw=%+v", ob.Params, ob.Accounts, ob.Passwords)
			for _, c := range ob.Credentials {
				t.Logf("    cred=%+v jwt=%+v", c, c.JWT)
			}
			for _, c := range ob.Issued {
				t.Logf("    issued=%+v jwt=%+v", c, c.JWT)
			}
			for i, e := range ob.Exposures {
				if i < 6 {
					e.Subjects = e.Subjects[:min(2, len(e.Subjects))]
					t.Logf("    expo=%+v", e)
				}
			}
			t.Logf("    leaves(%d)=%+v sig=%+v mark=%+v banner=%q loc=%q", len(ob.Leaves), ob.Leaves[:min(6, len(ob.Leaves))], ob.Signatures, ob.Markers, ob.ServerBanner, ob.Location)
		}
		return nil
	}), &source.Ledger{})
	t.Log(n, len(seen), err)
}
