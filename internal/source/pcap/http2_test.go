package pcap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// nghttp is what a transcript of nghttp says of one stream.
type nghttp struct {
	req, resp []string // header lines, pseudo headers too, in order
	reqSize   int
	respSize  int
}

func (x nghttp) String() string {
	return fmt.Sprintf("%q %q %d %d", x.req, x.resp, x.reqSize, x.respSize)
}

var (
	sendFrame = regexp.MustCompile(`^\[ *[\d.]+\] send (HEADERS|DATA) frame <length=(\d+), flags=\w+, stream_id=(\d+)>`)
	recvField = regexp.MustCompile(`^\[ *[\d.]+\] recv \(stream_id=(\d+)\) (.*)$`)
	recvData  = regexp.MustCompile(`^\[ *[\d.]+\] recv DATA frame <length=(\d+), flags=\w+, stream_id=(\d+)>`)
	fieldLine = regexp.MustCompile(`^          (:?[a-z][-a-z0-9]*: .*)$`)
)

// transcript reads what nghttp printed: its streams, by connection.
func transcript(t *testing.T, path string) (streams []*nghttp, rest string) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var open map[string]*nghttp
	var sending *nghttp
	at := func(id string) *nghttp {
		if open[id] == nil {
			open[id] = &nghttp{}
			streams = append(streams, open[id])
		}
		return open[id]
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		line := s.Text()
		if m := fieldLine.FindStringSubmatch(line); m != nil && sending != nil {
			sending.req = append(sending.req, m[1])
			continue
		}
		if !strings.HasPrefix(line, "  ") {
			sending = nil
		}
		if strings.HasSuffix(line, "] Connected") {
			open = map[string]*nghttp{}
		} else if m := sendFrame.FindStringSubmatch(line); m != nil {
			sending = at(m[3])
			if m[1] == "DATA" {
				sending.reqSize += number(m[2])
			}
		} else if m := recvField.FindStringSubmatch(line); m != nil {
			x := at(m[1])
			x.resp = append(x.resp, m[2])
		} else if m := recvData.FindStringSubmatch(line); m != nil {
			at(m[2]).respSize += number(m[1])
		}
	}
	return streams, string(b)
}

// asNghttp writes an exchange as the transcript does. Pseudo headers stand
// where nghttp puts them.
func asNghttp(g *taken) nghttp {
	x := nghttp{reqSize: int(g.ReqSize), respSize: int(g.RespSize)}
	x.req = append([]string{":method: " + g.Method, ":path: " + g.Target, ":scheme: http", ":authority: " + g.Host}, headLines(g.ReqHead)...)
	x.resp = append([]string{":status: " + strconv.Itoa(g.Status)}, headLines(g.RespHead)...)
	return x
}

func headLines(head string) []string {
	return strings.Split(strings.TrimSuffix(head, "\n"), "\n")
}

// TestHTTP2Capture compares the capture with what its clients wrote down:
// nghttp every header and body size, curl and h2load their totals.
func TestHTTP2Capture(t *testing.T) {
	dir := corpora(t, "captures", "h2-grpc-ws")
	streams, text := transcript(t, filepath.Join(dir, "h2c.client.txt"))
	got, s, totals := run(t, Config{}, fileInput(filepath.Join(dir, "h2c.pcap")))
	var want, have []string
	for _, x := range streams {
		want = append(want, x.String())
	}
	loaded, size, curl, unanswered := 0, int64(0), 0, 0
	for i := range got {
		g := &got[i]
		if g.ReqCut+g.RespCut != 0 || int64(len(g.RespBody)) != g.RespSize {
			t.Errorf("cut: %+v", g)
		}
		switch {
		case strings.Contains(g.ReqHead, "user-agent: h2load"):
			if g.Status == 200 && g.Proto == 20 {
				loaded++
				size += g.RespSize
			}
		case strings.Contains(g.ReqHead, "user-agent: curl"):
			if g.Status == 200 && g.Proto == 20 {
				curl++
			}
		case g.Proto == 11:
			// The Upgrade that was not understood: "total=1, processed=0".
			if g.Status == 0 && g.Target == "/api/users/3" && strings.Contains(text, "total=1, processed=0") {
				unanswered++
			}
		default:
			have = append(have, asNghttp(g).String())
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if len(want) != 5 || !slices.Equal(want, have) {
		t.Errorf("nghttp\nwant %.3000s\nhave %.3000s", strings.Join(want, "\n     "), strings.Join(have, "\n     "))
	}
	if !strings.Contains(text, fmt.Sprintf("%d succeeded, 0 failed", loaded)) || !strings.Contains(text, fmt.Sprintf("(%d) data", size)) || loaded != 200 {
		t.Errorf("h2load: %d streams, %d bytes of data", loaded, size)
	}
	if !strings.Contains(text, "\n2 200\n") || curl != 1 || unanswered != 1 || len(got) != 207 {
		t.Errorf("curl %d, unanswered %d, all %d", curl, unanswered, len(got))
	}
	if st := s.Stats(); st.Dropped() != 0 || st.H2Errors != 0 || st.H2Unknown != 0 || totals.Accepted != 207 {
		t.Errorf("%+v %+v", st, totals)
	}
}

// TestGRPCCapture compares calls and outcomes with what the client printed.
func TestGRPCCapture(t *testing.T) {
	dir := corpora(t, "captures", "h2-grpc-ws")
	b, err := os.ReadFile(filepath.Join(dir, "grpc.client.txt"))
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{"OK": "0", "<nil>": "0", "NotFound": "5", "Unauthenticated": "16"}
	var want, services []string
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		switch w := strings.Fields(line); {
		case len(w) == 3:
			want = append(want, "/helloworld.Greeter/"+w[0]+" "+codes[w[2]])
		case len(w) == 2:
			want = append(want, "/routeguide.RouteGuide/"+w[0]+" "+codes[w[1]])
		default:
			services = append(services, line)
		}
	}
	got, s, _ := run(t, Config{}, fileInput(filepath.Join(dir, "grpc.pcap")))
	var have []string
	features, reflected := 0, ""
	for i := range got {
		g := &got[i]
		trailer := g.RespTrailer + g.RespHead // without a body the head is the trailer
		_, status, _ := strings.Cut(trailer, "grpc-status: ")
		status, _, _ = strings.Cut(status, "\n")
		switch {
		case strings.HasSuffix(g.Target, "/GetFeature"):
			if status == "0" {
				features++
			}
		case strings.HasSuffix(g.Target, "/ServerReflectionInfo"):
			reflected = g.RespBody
		default:
			have = append(have, g.Target+" "+status)
		}
		if g.Method != "POST" || g.Status != 200 || g.Host != "10.78.0.1:50051" || g.ReqCut+g.RespCut != 0 {
			t.Errorf("%+v", g)
		}
	}
	if !slices.Equal(want, have) || len(want) != 24 {
		t.Errorf("want %q\nhave %q", want, have)
	}
	for _, name := range services {
		if !strings.Contains(reflected, name) {
			t.Errorf("reflection without %s: %q", name, reflected)
		}
	}
	if features != 5 || len(services) != 4 || len(got) != 30 {
		t.Errorf("%d features, %d services, %d exchanges", features, len(services), len(got))
	}
	if st := s.Stats(); st.Dropped() != 0 || st.H2Errors+st.H2Unknown+st.H2Lost != 0 {
		t.Errorf("%+v", st)
	}
	// Each stream of the chat has its ten messages; the compressed call is so.
	for i := range got {
		g := &got[i]
		if strings.HasSuffix(g.Target, "/RouteChat") {
			for n := range 10 {
				note := fmt.Sprintf("\x12\x05note%d", n)
				if !strings.Contains(g.ReqBody, note) || !strings.Contains(g.RespBody, note) {
					t.Errorf("no message %d: %q %q", n, g.ReqBody, g.RespBody)
				}
			}
		}
		if strings.Contains(g.ReqHead, "grpc-encoding: gzip") {
			z, err := gzip.NewReader(strings.NewReader(g.ReqBody[5:]))
			if err != nil {
				t.Fatal(err)
			}
			if m, err := io.ReadAll(z); err != nil || !bytes.Contains(m, []byte("gzip")) && len(m) == 0 {
				t.Errorf("%q %v", m, err)
			}
		}
	}
}

// TestWebSocketCapture: two connections of twelve messages each way, the second
// compressed; every text message is echoed, of a binary one its length.
func TestWebSocketCapture(t *testing.T) {
	dir := corpora(t, "captures", "h2-grpc-ws")
	got, s, _ := run(t, Config{}, fileInput(filepath.Join(dir, "websocket.pcap")))
	if len(got) != 2 || got[0].Messages != got[1].Messages {
		t.Fatalf("%d exchanges", len(got))
	}
	var want strings.Builder
	for i := range 12 {
		n := 200
		if i == 8 {
			n = 70000
		}
		if i%4 == 0 {
			fmt.Fprintf(&want, "true false %d %s\n", n, make([]byte, n))
			echo := fmt.Sprintf(`{"echo": %d}`, n)
			fmt.Fprintf(&want, "false true %d %s\n", len(echo), echo)
			continue
		}
		text := fmt.Sprintf(`{"type":"msg","id":%d,"phone":"13800138000"}`, i)
		echo := fmt.Sprintf(`{"echo": %q}`, text)
		fmt.Fprintf(&want, "true true %d %s\nfalse true %d %s\n", len(text), text, len(echo), echo)
	}
	if got[0].Messages != want.String() {
		t.Fatalf("want %.2000q\nhave %.2000q", want.String(), got[0].Messages)
	}
	for _, g := range got {
		if g.Status != 101 || g.Target != "/chat?token=abc123" || strings.Contains(g.RespHead, "permessage-deflate") != (g.Client == "10.78.0.2:37462") {
			t.Errorf("%+v", g)
		}
	}
	if st := s.Stats(); st.WSMessages != 48 || st.WSLost+st.WSErrors != 0 || st.WebSockets != 2 || st.Dropped() != 0 {
		t.Errorf("%+v", st)
	}
}

// TestZeekWebSockets compares messages with the frames that Zeek saw.
func TestZeekWebSockets(t *testing.T) {
	dir := corpora(t, "zeek-http")
	b, err := os.ReadFile(filepath.Join(dir, "baseline", "scripts.base.protocols.websocket.events", "out"))
	if err != nil {
		t.Fatal(err)
	}
	want, file := map[string][]string{}, ""
	size := map[string]int{} // of the message being sent, by direction
	for _, line := range strings.Split(string(b), "\n") {
		w := strings.Split(line, ", ")
		switch {
		case strings.HasSuffix(line, ".pcap"):
			file = line
			want[file] = nil
		case w[0] == "websocket_frame" && len(w) > 10 && w[8] != "close" && w[8] != "ping" && w[8] != "pong":
			n, err := strconv.Atoi(w[10])
			if err != nil {
				t.Fatal(line)
			}
			size[w[2]] += n
		case w[0] == "websocket_message" && (w[4] == "text" || w[4] == "binary"):
			want[file] = append(want[file], fmt.Sprintf("%v %v %d", w[2] == "T", w[4] == "text", size[w[2]]))
			size[w[2]] = 0
		}
	}
	messages := 0
	for file, want := range want {
		var have []string
		s := New([]Input{fileInput(filepath.Join(dir, "traces", "websocket", file))}, Config{})
		if err := s.Run(t.Context(), source.SinkFunc(func(x *exchange.Exchange) error {
			for _, m := range x.Messages {
				have = append(have, fmt.Sprintf("%v %v %d", m.Sent, m.Text, m.Size))
			}
			return nil
		}), &source.Ledger{}); err != nil {
			t.Fatal(err)
		}
		messages += len(have)
		if st := s.Stats(); !slices.Equal(want, have) || st.WSErrors+st.WSLost != 0 {
			t.Errorf("%s: %+v\nwant %q\nhave %q", file, st, want, have)
		}
	}
	if len(want) != 5 || messages != 24 {
		t.Errorf("%d traces, %d messages", len(want), messages)
	}
}
