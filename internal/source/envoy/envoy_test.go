package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	logdata "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	extmode "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	als "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/sensor"
	"xiezhi/internal/taxonomy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gather keeps copies of exchanges.
type gather struct {
	mu    sync.Mutex
	batch exchange.Batch
	block chan struct{} // not nil: Accept waits for it
	fail  error
}

func (g *gather) Accept(x *exchange.Exchange) error {
	if g.block != nil {
		<-g.block
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		return g.fail
	}
	g.batch.Append(x)
	return nil
}

func (g *gather) len() int { g.mu.Lock(); defer g.mu.Unlock(); return g.batch.Len() }

// running is a source with a client that speaks as Envoy does.
type running struct {
	t      *testing.T
	s      *Source
	sink   *gather
	ledger *source.Ledger
	conn   *grpc.ClientConn
	end    context.CancelFunc
	done   chan error
	once   sync.Once
}

func run(t *testing.T, cfg Config, sink *gather) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = l
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, s: New(cfg), sink: sink, ledger: &source.Ledger{}, end: cancel, done: make(chan error, 1)}
	go func() { r.done <- r.s.Run(ctx, sink, r.ledger) }()
	if r.conn, err = grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// stop ends the source and gives what Run returned.
func (r *running) stop() (err error) {
	r.once.Do(func() {
		r.end()
		select {
		case err = <-r.done:
		case <-time.After(20 * time.Second):
			r.t.Error("Run does not end")
		}
		_ = r.conn.Close()
	})
	return err
}

func (r *running) process() extproc.ExternalProcessor_ProcessClient {
	r.t.Helper()
	c, err := extproc.NewExternalProcessorClient(r.conn).Process(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// wait waits until n exchanges have come.
func (r *running) wait(n int) {
	r.t.Helper()
	for range 500 {
		if r.sink.len() >= n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("%d exchanges, want %d", r.sink.len(), n)
}

// headers makes a header map of "name: value" lines.
func headers(lines ...string) *corev3.HeaderMap {
	m := &corev3.HeaderMap{}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		m.Headers = append(m.Headers, &corev3.HeaderValue{Key: name, RawValue: []byte(value)})
	}
	return m
}

type request2 = extproc.ProcessingRequest

func ask(end bool, lines ...string) *request2 {
	lines = append([]string{":method: POST", ":path: /api/login?a=1", ":authority: shop.example", ":scheme: https", "content-type: application/json"}, lines...)
	return &request2{Request: &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: &extproc.HttpHeaders{Headers: headers(lines...), EndOfStream: end}}}
}

func answer(end bool, lines ...string) *request2 {
	lines = append([]string{":status: 200", "content-type: application/json"}, lines...)
	return &request2{Request: &extproc.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extproc.HttpHeaders{Headers: headers(lines...), EndOfStream: end}}}
}

func askBody(end bool, s string) *request2 {
	return &request2{Request: &extproc.ProcessingRequest_RequestBody{RequestBody: &extproc.HttpBody{Body: []byte(s), EndOfStream: end}}}
}

func answerBody(end bool, s string) *request2 {
	return &request2{Request: &extproc.ProcessingRequest_ResponseBody{ResponseBody: &extproc.HttpBody{Body: []byte(s), EndOfStream: end}}}
}

func answerTrailers(lines ...string) *request2 {
	return &request2{Request: &extproc.ProcessingRequest_ResponseTrailers{ResponseTrailers: &extproc.HttpTrailers{Trailers: headers(lines...)}}}
}

// modes puts the configuration into the first message, as Envoy does.
func modes(r *request2, req, resp extmode.ProcessingMode_BodySendMode) *request2 {
	r.ProtocolConfig = &extproc.ProtocolConfiguration{RequestBodyMode: req, ResponseBodyMode: resp}
	return r
}

// told is what a test looks at of an exchange.
func told(x *exchange.Exchange) string {
	return fmt.Sprintf("%s %s%s %d req=%q(%d,-%d) resp=%q(%d,-%d) trailers=%d caps=%09b", x.Method, x.Host, x.Target, x.Status,
		x.Request.Body, x.Request.BodySize, x.Request.Truncated, x.Response.Body, x.Response.BodySize, x.Response.Truncated, len(x.Response.Trailer), x.Caps)
}

const (
	streamed = extmode.ProcessingMode_STREAMED
	buffered = extmode.ProcessingMode_BUFFERED
	none     = extmode.ProcessingMode_NONE
	duplex   = extmode.ProcessingMode_FULL_DUPLEX_STREAMED
)

const (
	both   = exchange.CapRequestHeaders | exchange.CapRequestBody | exchange.CapResponseHeaders | exchange.CapResponseBody | exchange.CapResponse
	heads  = exchange.CapRequestHeaders | exchange.CapResponseHeaders | exchange.CapResponse
	inTest = "POST shop.example/api/login?a=1 "
)

// TestObserve sends streams as Envoy does in observability mode, tidy and
// messy ones.
func TestObserve(t *testing.T) {
	big := strings.Repeat("x", 600)
	for name, c := range map[string]struct {
		send []*request2
		stay bool // leave the stream open when all is sent
		want string
	}{
		"buffered": {[]*request2{ask(false), askBody(true, `{"a":1}`), answer(false), answerBody(true, `{"b":2}`)}, true,
			inTest + fmt.Sprintf(`200 req="{\"a\":1}"(7,-0) resp="{\"b\":2}"(7,-0) trailers=0 caps=%09b`, both)},
		"streamed": {[]*request2{modes(ask(false), streamed, streamed), askBody(false, `{"a"`), answer(false), askBody(true, `:1}`), answerBody(false, "x"), answerBody(false, ""), answerBody(false, "y"), answerTrailers("grpc-status: 5")}, true,
			inTest + fmt.Sprintf(`200 req="{\"a\":1}"(7,-0) resp="xy"(2,-0) trailers=1 caps=%09b`, both)},
		"without bodies": {[]*request2{ask(true), answer(true)}, true,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp=""(0,-0) trailers=0 caps=%09b`, both)},
		"bodies not shown": {[]*request2{modes(ask(false, "content-length: 9"), none, none), answer(false, "content-length: 70")}, false,
			inTest + fmt.Sprintf(`200 req=""(9,-0) resp=""(70,-0) trailers=0 caps=%09b`, heads)},
		"a mode that shows nothing": {[]*request2{modes(ask(false, "content-length: 9"), buffered, buffered), answer(false, "content-length: 70")}, false,
			inTest + fmt.Sprintf(`200 req=""(9,-0) resp=""(70,-0) trailers=0 caps=%09b`, heads)},
		"trailers of a body not shown": {[]*request2{modes(ask(true), none, none), answer(false), answerTrailers("grpc-status: 0")}, true,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp=""(-1,-0) trailers=1 caps=%09b`, both&^exchange.CapResponseBody)},
		"no answer": {[]*request2{modes(ask(true), streamed, streamed)}, false,
			inTest + fmt.Sprintf(`0 req=""(0,-0) resp=""(0,-0) trailers=0 caps=%09b`, both&^exchange.CapResponseHeaders)},
		"answer without a body's end": {[]*request2{ask(true), answer(false, "content-length: 10"), answerBody(false, "abc")}, false,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp="abc"(10,-7) trailers=0 caps=%09b`, both)},
		"unknown length, cut": {[]*request2{ask(true), answer(false), answerBody(false, "abc")}, false,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp="abc"(3,-1) trailers=0 caps=%09b`, both)},
		"answer before the request's body": {[]*request2{ask(false), answer(true), askBody(false, "a"), askBody(true, "b")}, true,
			inTest + fmt.Sprintf(`200 req="ab"(2,-0) resp=""(0,-0) trailers=0 caps=%09b`, both)},
		"answer first of all": {[]*request2{answer(true), ask(true)}, true,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp=""(0,-0) trailers=0 caps=%09b`, both)},
		"too long": {[]*request2{ask(true), answer(false), answerBody(false, big), answerBody(true, big)}, true,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp=%q(1200,-200) trailers=0 caps=%09b`, (big + big)[:1000], both)},
		"beyond a message": {[]*request2{ask(true), answer(false), answerBody(true, strings.Repeat("y", 5000))}, false,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp=%q(5000,-4000) trailers=0 caps=%09b`, strings.Repeat("y", 1000), both)},
		"two requests": {[]*request2{ask(true), ask(true, ":path: /other"), answer(true)}, true,
			inTest + fmt.Sprintf(`200 req=""(0,-0) resp=""(0,-0) trailers=0 caps=%09b`, both)},
		"websocket": {[]*request2{ask(false), answer(false, ":status: 101"), askBody(false, "\x81\x85...."), answerBody(false, "\x81\x01a")}, false,
			inTest + fmt.Sprintf(`101 req=""(0,-0) resp=""(0,-0) trailers=0 caps=%09b`, both)},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, Config{MaxBody: 1000, MaxMessage: 4096}, &gather{})
			c1 := r.process()
			for i, m := range c.send {
				m.ObservabilityMode = true
				if err := c1.Send(m); err != nil {
					t.Fatalf("message %d: %v", i, err)
				}
			}
			if !c.stay {
				_ = c1.CloseSend()
			}
			r.wait(1)
			if got := told(r.sink.batch.At(0)); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if err := r.stop(); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if held := r.s.held.Load(); held != 0 {
				t.Errorf("%d bytes are still held", held)
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	r := run(t, Config{}, &gather{})
	c := r.process()
	m := ask(true, "x-request-id: abc", "x-forwarded-for: 203.0.113.7")
	m.ObservabilityMode = true
	fields := map[string]any{"source.address": "198.51.100.4:4711", "destination.address": "[2001:db8::1]:443", "request.protocol": "HTTP/2", "connection.tls_version": "TLSv1.3",
		"connection.requested_server_name": "shop.example", "request.id": "id-1", "request.time": time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano), "source.port": 4711.0}
	st, err := structpb.NewStruct(fields)
	if err != nil {
		t.Fatal(err)
	}
	m.Attributes = map[string]*structpb.Struct{"envoy.filters.http.ext_proc": st}
	_ = c.Send(m)
	_ = c.Send(&request2{ObservabilityMode: true, Request: answer(true).Request})
	r.wait(1)
	x := r.sink.batch.At(0)
	got := fmt.Sprintln(x.Client, x.Server, x.Proto, string(x.TLSVersion), string(x.SNI), x.Secure, x.Caps&exchange.CapClientAddr != 0, x.End-x.Start > 59e9, len(x.ID) > 0)
	if want := "198.51.100.4:4711 [2001:db8::1]:443 20 TLSv1.3 shop.example true true true true\n"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	// without attributes the client is the one that Envoy adds to X-Forwarded-For
	c = r.process()
	for _, m := range []*request2{ask(true, "x-forwarded-for: 192.0.2.66, 203.0.113.7"), answer(true)} {
		m.ObservabilityMode = true
		_ = c.Send(m)
	}
	r.wait(2)
	if x = r.sink.batch.At(1); x.Client.String() != "203.0.113.7:0" || x.Caps&exchange.CapClientAddr != 0 {
		t.Errorf("client %v, caps %b", x.Client, x.Caps)
	}
}

// TestAnswers: without observability mode every message is answered at once,
// and nothing is changed.
func TestAnswers(t *testing.T) {
	for name, mode := range map[string]extmode.ProcessingMode_BodySendMode{"streamed": streamed, "full duplex": duplex} {
		t.Run(name, func(t *testing.T) {
			r := run(t, Config{}, &gather{})
			c := r.process()
			for i, m := range []*request2{modes(ask(false), mode, mode), askBody(false, "one"), askBody(true, "two"), answer(false), answerBody(false, "three"), answerBody(true, "")} {
				if err := c.Send(m); err != nil {
					t.Fatal(err)
				}
				got, err := c.Recv()
				if err != nil {
					t.Fatalf("message %d: %v", i, err)
				}
				var common *extproc.CommonResponse
				var sent *extproc.HttpBody
				switch m.Request.(type) {
				case *extproc.ProcessingRequest_RequestHeaders:
					common = got.GetRequestHeaders().GetResponse()
					if got.GetRequestHeaders() == nil {
						t.Fatalf("message %d: %v", i, got)
					}
				case *extproc.ProcessingRequest_ResponseHeaders:
					common = got.GetResponseHeaders().GetResponse()
					if got.GetResponseHeaders() == nil {
						t.Fatalf("message %d: %v", i, got)
					}
				case *extproc.ProcessingRequest_RequestBody:
					common, sent = got.GetRequestBody().GetResponse(), m.GetRequestBody()
					if got.GetRequestBody() == nil {
						t.Fatalf("message %d: %v", i, got)
					}
				case *extproc.ProcessingRequest_ResponseBody:
					common, sent = got.GetResponseBody().GetResponse(), m.GetResponseBody()
					if got.GetResponseBody() == nil {
						t.Fatalf("message %d: %v", i, got)
					}
				}
				if common.GetStatus() != extproc.CommonResponse_CONTINUE || common.GetHeaderMutation() != nil {
					t.Fatalf("message %d: %v", i, got)
				}
				back := common.GetBodyMutation().GetStreamedResponse()
				if want := mode == duplex && sent != nil; (back != nil) != want || want && (string(back.Body) != string(sent.Body) || back.EndOfStream != sent.EndOfStream) {
					t.Fatalf("message %d: sent back %v", i, back)
				}
			}
			_ = c.CloseSend()
			if _, err := c.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("the end: %v", err)
			}
			r.wait(1)
			if x := r.sink.batch.At(0); string(x.Request.Body) != "onetwo" || string(x.Response.Body) != "three" {
				t.Errorf("%s", told(x))
			}
		})
	}
}

func TestGRPCBodies(t *testing.T) {
	r := run(t, Config{}, &gather{})
	c := r.process()
	mode := extmode.ProcessingMode_GRPC
	end := &request2{Request: &extproc.ProcessingRequest_RequestBody{RequestBody: &extproc.HttpBody{EndOfStream: true, EndOfStreamWithoutMessage: true}}}
	for _, m := range []*request2{modes(ask(false), mode, mode), askBody(false, "abc"), askBody(false, ""), end, answer(false), answerBody(false, "de"), answerTrailers("grpc-status: 0")} {
		m.ObservabilityMode = true
		_ = c.Send(m)
	}
	r.wait(1)
	x := r.sink.batch.At(0)
	if string(x.Request.Body) != "\x00\x00\x00\x00\x03abc\x00\x00\x00\x00\x00" || string(x.Response.Body) != "\x00\x00\x00\x00\x02de" {
		t.Errorf("%s", told(x))
	}
}

func TestWhoMayCall(t *testing.T) {
	tokens, err := sensor.ParseTokens("t", []byte("edge secret-token-000001 site=shop\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Config{Tokens: tokens}, &gather{})
	c := r.process()
	if _, err := c.Recv(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("without a token: %v", err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer secret-token-000001")
	c, err = extproc.NewExternalProcessorClient(r.conn).Process(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*request2{ask(true), answer(true)} {
		m.ObservabilityMode = true
		_ = c.Send(m)
	}
	r.wait(1)
	if x := r.sink.batch.At(0); string(x.Sensor) != "edge" || string(x.Site) != "shop" {
		t.Errorf("sensor %q, site %q", x.Sensor, x.Site)
	}
	h, err := grpc_health_v1.NewHealthClient(r.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil || h.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", h, err)
	}
	if err := r.conn.Invoke(ctx, "/a.B/C", &grpc_health_v1.HealthCheckRequest{}, h); status.Code(err) != codes.Unimplemented {
		t.Errorf("another method: %v", err)
	}
	if s := r.s.Stats(); s.Refused != 1 || s.Streams != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAccessLog(t *testing.T) {
	r := run(t, Config{}, &gather{})
	c, err := als.NewAccessLogServiceClient(r.conn).StreamAccessLogs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	socket := func(ip string, port uint32) *corev3.Address {
		return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{Address: ip, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port}}}}
	}
	start := time.Date(2026, 3, 1, 8, 0, 0, 500, time.UTC)
	entry := func(change func(*logdata.HTTPAccessLogEntry)) *logdata.HTTPAccessLogEntry {
		e := &logdata.HTTPAccessLogEntry{
			CommonProperties: &logdata.AccessLogCommon{
				DownstreamRemoteAddress: socket("192.0.2.1", 1), DownstreamDirectRemoteAddress: socket("198.51.100.4", 4711), DownstreamLocalAddress: socket("10.0.0.1", 443),
				TlsProperties: &logdata.TLSProperties{TlsVersion: logdata.TLSProperties_TLSv1_3, TlsSniHostname: "shop.example"},
				StartTime:     timestamppb.New(start), TimeToLastDownstreamTxByte: durationpb.New(25 * time.Millisecond), StreamId: "s-1",
				CustomTags: map[string]string{"ja4": "t13d1516h2_8daaf6152771_b186095e22b6", "zone": "a"},
			},
			ProtocolVersion: logdata.HTTPAccessLogEntry_HTTP2,
			Request: &logdata.HTTPRequestProperties{RequestMethod: corev3.RequestMethod_PATCH, Scheme: "https", Authority: "shop.example", Path: "/new", OriginalPath: "/api/1?x=1",
				UserAgent: "curl/8", RequestBodyBytes: 5, RequestHeaders: map[string]string{"authorization": "Bearer x", "accept": "*/*"}},
			Response: &logdata.HTTPResponseProperties{ResponseCode: wrapperspb.UInt32(404), ResponseBodyBytes: 77, ResponseHeaders: map[string]string{"content-type": "application/json"}, ResponseTrailers: map[string]string{"grpc-status": "5"}},
		}
		change(e)
		return e
	}
	keep := func(*logdata.HTTPAccessLogEntry) {}
	going := func(e *logdata.HTTPAccessLogEntry) {
		e.CommonProperties.AccessLogType = logdata.AccessLogType_DownstreamPeriodic
	}
	upstream := func(e *logdata.HTTPAccessLogEntry) {
		e.CommonProperties.AccessLogType = logdata.AccessLogType_UpstreamEnd
	}
	empty := func(e *logdata.HTTPAccessLogEntry) { e.Request = nil }
	msg := &als.StreamAccessLogsMessage{LogEntries: &als.StreamAccessLogsMessage_HttpLogs{HttpLogs: &als.StreamAccessLogsMessage_HTTPAccessLogEntries{
		LogEntry: []*logdata.HTTPAccessLogEntry{entry(keep), entry(going), entry(upstream), entry(empty), entry(keep)}}}}
	if err := c.Send(msg); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CloseAndRecv(); err != nil {
		t.Fatal(err)
	}
	r.wait(2)
	_ = r.stop()
	x := r.sink.batch.At(0)
	var head []string
	for _, f := range slices.Concat(x.Request.Header, x.Response.Header, x.Response.Trailer) {
		head = append(head, string(f.Name)+"="+string(f.Value))
	}
	got := fmt.Sprintln(told(x), x.Client, x.Server, x.Proto, string(x.TLSVersion), string(x.SNI), x.Secure, x.Start == start.UnixNano(), x.End-x.Start, head, string(x.JA4))
	want := fmt.Sprintf(`PATCH shop.example/api/1?x=1 404 req=""(5,-0) resp=""(77,-0) trailers=1 caps=%09b`, exchange.CapResponse|exchange.CapClientAddr|exchange.CapTLS) +
		" 198.51.100.4:4711 10.0.0.1:443 20 TLSv1.3 shop.example true true 25000000 [accept=*/* authorization=Bearer x user-agent=curl/8 content-type=application/json grpc-status=5] t13d1516h2_8daaf6152771_b186095e22b6\n"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if a, b := x.ID, r.sink.batch.At(1).ID; string(a) == string(b) {
		t.Error("equal entries have one id")
	}
	if d := r.ledger.Totals().Dropped; d[taxonomy.DropTruncated] != 1 || r.s.Stats().Logs != 5 {
		t.Errorf("dropped %v, %+v", d, r.s.Stats())
	}
}

// TestOverload: when the sink stands still, streams are read on, bodies stop
// being copied, and then whole exchanges are left out; all of it is counted.
func TestOverload(t *testing.T) {
	sink := &gather{block: make(chan struct{})}
	r := run(t, Config{MaxQueue: 4, MaxHeld: 64 << 10, MaxBody: 32 << 10}, sink)
	const n = 40
	for range n {
		c := r.process()
		for _, m := range []*request2{ask(true), answer(false), answerBody(true, strings.Repeat("z", 30<<10))} {
			m.ObservabilityMode = true
			if err := c.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		_ = c.CloseSend()
		if _, err := c.Recv(); !errors.Is(err, io.EOF) {
			t.Fatalf("the stream of a busy source ended with %v", err)
		}
		if held := r.s.held.Load(); held > 2*64<<10 {
			t.Fatalf("%d bytes held", held)
		}
	}
	close(sink.block)
	_ = r.stop()
	got, dropped := sink.len(), r.ledger.Totals().Dropped[taxonomy.DropOverload]
	if uint64(got)+dropped != n || dropped == 0 || got < 5 {
		t.Errorf("%d given, %d dropped of %d", got, dropped, n)
	}
	if r.s.Stats().Cut == 0 {
		t.Error("no body was cut")
	}
	if held := r.s.held.Load(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// TestTooManyStreams: what is open beyond the cap is sent away in peace.
func TestTooManyStreams(t *testing.T) {
	r := run(t, Config{MaxStreams: 2}, &gather{})
	var open []extproc.ExternalProcessor_ProcessClient
	for range 2 {
		c := r.process()
		m := ask(false)
		m.ObservabilityMode = true
		_ = c.Send(m)
		open = append(open, c)
	}
	for r.s.Stats().Streams < 2 {
		time.Sleep(time.Millisecond)
	}
	c := r.process()
	m := ask(false)
	m.ObservabilityMode = true
	_ = c.Send(m)
	if _, err := c.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("observed beyond the cap: %v", err)
	}
	c = r.process() // one that waits for answers gets them
	_ = c.Send(ask(false))
	if a, err := c.Recv(); err != nil || a.GetRequestHeaders() == nil {
		t.Errorf("answered beyond the cap: %v, %v", a, err)
	}
	_ = c.CloseSend()
	for _, c := range open {
		_ = c.CloseSend()
	}
	r.wait(2)
	_ = r.stop()
	if d := r.ledger.Totals().Dropped[taxonomy.DropOverload]; d != 2 {
		t.Errorf("%d dropped", d)
	}
}

// TestIdleAndEnd: a stream that says nothing more is ended, and so are all at
// the end; what they had told is given.
func TestIdleAndEnd(t *testing.T) {
	r := run(t, Config{Idle: 50 * time.Millisecond}, &gather{})
	c := r.process()
	m := ask(true)
	m.ObservabilityMode = true
	_ = c.Send(m)
	r.wait(1)
	if _, err := c.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("an idle stream ended with %v", err)
	}
	_ = r.stop()

	r = run(t, Config{}, &gather{})
	c = r.process()
	_ = c.Send(m)
	for r.s.Stats().Streams < 1 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	_ = r.stop()
	if r.sink.len() != 1 {
		t.Errorf("%d exchanges at the end", r.sink.len())
	}
}

// TestHostile: aborted streams, junk and a sink that fails harm nobody else.
func TestHostile(t *testing.T) {
	r := run(t, Config{MaxMessage: 4096}, &gather{})
	ctx, abort := context.WithCancel(t.Context())
	c, err := extproc.NewExternalProcessorClient(r.conn).Process(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m := ask(false)
	m.ObservabilityMode = true
	_ = c.Send(m)
	for r.s.Stats().Streams < 1 {
		time.Sleep(time.Millisecond)
	}
	abort()
	r.wait(1) // what came before the abort
	// bytes that are no ProcessingRequest
	junk := &grpc_health_v1.HealthCheckRequest{Service: "x"}
	junk.ProtoReflect().SetUnknown([]byte{0x0f, 0xff})
	st, err := r.conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, pathProcess)
	if err != nil {
		t.Fatal(err)
	}
	_ = st.SendMsg(junk)
	if err := st.RecvMsg(junk); status.Code(err) != codes.InvalidArgument {
		t.Errorf("junk: %v", err)
	}
	// a chunk that is too large to be sent back whole
	c = r.process()
	for _, m := range []*request2{modes(ask(false), duplex, duplex), askBody(true, strings.Repeat("q", 10000))} {
		_ = c.Send(m)
	}
	_, _ = c.Recv()
	if _, err := c.Recv(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("too large to be sent back: %v", err)
	}
	_ = r.stop()

	sink := &gather{fail: errors.New("full")}
	r = run(t, Config{}, sink)
	for range 3 {
		c := r.process()
		for _, m := range []*request2{ask(true), answer(true)} {
			m.ObservabilityMode = true
			_ = c.Send(m)
		}
		_ = c.CloseSend()
		if _, err := c.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("a stream after the sink failed: %v", err)
		}
	}
	if err := r.stop(); err == nil || !errors.Is(err, sink.fail) {
		t.Errorf("Run: %v", err)
	}
}
