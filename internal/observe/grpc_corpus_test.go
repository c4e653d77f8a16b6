package observe

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap"
)

// TestGRPCCapture reads a capture of gRPC and compares what is observed with
// what the client wrote down of its calls.
func TestGRPCCapture(t *testing.T) {
	dir := filepath.FromSlash("../../../shared/corpora/captures/h2-grpc-ws")
	truth, err := os.ReadFile(filepath.Join(dir, "grpc.client.txt"))
	if err != nil {
		t.Skipf("%s is absent", dir)
	}
	o := newObserver(t)
	var b Batch
	open := func() (io.ReadCloser, error) { return os.Open(filepath.Join(dir, "grpc.pcap")) }
	src := pcap.New([]pcap.Input{{Name: "grpc.pcap", Open: open}}, pcap.Config{})
	if err := src.Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error { o.Observe(x, &b); return nil }), &source.Ledger{}); err != nil {
		t.Fatal(err)
	}
	// the client's names of outcomes
	names := map[string]string{"": "OK", "NOT_FOUND": "NotFound", "UNAUTHENTICATED": "Unauthenticated"}
	var hello []string
	chat, features, reflected, overflow := 0, 0, false, uint32(0)
	for i := range b.Len() {
		x := b.At(i)
		overflow += x.Overflow
		switch method := x.Segments[1].Text; method {
		case "SayHello":
			hello = append(hello, names[x.Code])
			if params(x) != "1" || x.ReqKind != BodyProtobuf {
				t.Errorf("SayHello was asked with %q", params(x))
			}
		case "RouteChat":
			if chat++; x.Status != 200 || int(x.Part) != chat-1 || len(x.Leaves) != 1 {
				t.Errorf("part %d: status %d, %d leaves", x.Part, x.Status, len(x.Leaves))
			}
		case "GetFeature":
			features++
		case "ServerReflectionInfo":
			reflected = len(x.Markers) == 1 && x.Markers[0].Rule == "docs/grpc_reflection"
		default:
			t.Errorf("%s was never called", method)
		}
	}
	var want []string
	for _, line := range strings.Split(string(truth), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "SayHello" {
			want = append(want, f[2])
		}
	}
	if len(want) < 20 || strings.Join(hello, " ") != strings.Join(want, " ") {
		t.Errorf("SayHello ended with %s\nthe client says %s", hello, want)
	}
	if chat != 10 || features != 5 || !reflected || overflow != 0 {
		t.Error(fmt.Sprint(chat, " messages of RouteChat, ", features, " calls of GetFeature, reflection seen: ", reflected, ", overflow ", overflow))
	}
}
