package pcap

import (
	"bytes"
	"context"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap/pcaptest"
)

// TestShop reads the capture that measurements use: every transaction is
// found, whole, and the same configuration gives the same bytes.
func TestShop(t *testing.T) {
	var img, again bytes.Buffer
	cfg := pcaptest.Shop{Transactions: 1500, Keep: 20, Seed: 7}
	sum, err := cfg.Write(&img)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Write(&again); err != nil || !bytes.Equal(img.Bytes(), again.Bytes()) {
		t.Fatalf("the same configuration gave other bytes (%v)", err)
	}
	if sum.Transactions != 1500 || sum.Bytes != int64(img.Len()) || sum.Connections < 20 {
		t.Fatalf("%+v of %d bytes", sum, img.Len())
	}
	n, posts, closed := 0, 0, 0
	var size int64
	s := New([]Input{bytesInput("shop", img.Bytes())}, Config{})
	err = s.Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error {
		n++
		size += x.Response.BodySize
		if x.Status != 200 || x.Request.Truncated != 0 || x.Response.Truncated != 0 || x.Response.Body[len(x.Response.Body)-1] != '}' {
			t.Fatalf("%s %s: %d, %q", x.Method, x.Target, x.Status, x.Response.Body)
		}
		if string(x.Method) == "POST" {
			posts++
		}
		if string(x.Request.Get("connection")) == "close" {
			closed++
		}
		return nil
	}), &source.Ledger{})
	if err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if n != sum.Transactions || int(st.Packets) != sum.Packets || int(st.Flows) != sum.Connections || st.Dropped() != 0 || st.OutOfOrder != 0 {
		t.Fatalf("%d transactions of %+v, %+v", n, sum, st)
	}
	if mean := size / int64(n); posts < n/4 || posts > n/3 || closed != sum.Connections || mean < 2000 || mean > 2600 {
		t.Fatalf("%d posts, %d closing, bodies of %d bytes on average", posts, closed, mean)
	}
}
