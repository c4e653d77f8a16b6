package observe

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/protobuf"
	"xiezhi/internal/taxonomy"
)

// frame writes a message as gRPC frames it.
func frame(flags byte, msg string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(msg)))) + msg
}

// pb writes string fields: number, value …
func pb(pairs ...any) string {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		switch v := pairs[i+1].(type) {
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(pairs[i].(int)), protowire.BytesType), v)
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(pairs[i].(int)), protowire.VarintType), uint64(v))
		}
	}
	return string(b)
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // into memory
	_ = w.Close()
	return b.String()
}

func params(o *Observation) string {
	var list []string
	for _, p := range o.Params {
		list = append(list, p.Name)
	}
	return strings.Join(list, " ")
}

func TestFramings(t *testing.T) {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	one, two := pb(1, "13800138001", 2, 7), pb(1, "13800138002", 2, 8)
	both := frame(0, one) + frame(0, two)
	trailers := frame(frameTrailers, "grpc-status: 5\r\ngrpc-message: no%20such user\r\n")
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		ct, coding, body string
		paths            string // of the request
		seen             string // exposures of the response
		records          uint32
		status           uint16
	}{
		"unary":           {"application/grpc", "", frame(0, one), "1 2", ">1 cn_mobile 1", 0, 200},
		"with a codec":    {"application/grpc+proto", "", frame(0, one), "1 2", ">1 cn_mobile 1", 0, 200},
		"stream":          {"application/grpc", "", both, "1 2", ">1 cn_mobile 2", 2, 200},
		"gzip":            {"application/grpc", "gzip", frame(1, gzipped(one)) + frame(0, two), "1 2", ">1 cn_mobile 2", 2, 200},
		"zstd":            {"application/grpc", "zstd", frame(1, string(enc.EncodeAll([]byte(one), nil))), "1 2", ">1 cn_mobile 1", 0, 200},
		"unknown coding":  {"application/grpc", "snappy", frame(1, "\x05\x01abc") + frame(0, one), "", ">1 cn_mobile 1", 0, 200},
		"cut":             {"application/grpc", "", both[:len(both)-1], "1 2", ">1 cn_mobile 2", 2, 200},
		"web":             {"application/grpc-web+proto", "", frame(0, one) + trailers, "1 2", ">1 cn_mobile 1", 0, 404},
		"web text":        {"application/grpc-web-text", "", b64([]byte(frame(0, one))) + b64([]byte(trailers)), "1 2", ">1 cn_mobile 1", 0, 404},
		"JSON":            {"application/grpc+json", "", frame(0, `{"phone":"13800138001"}`) + frame(0, `{"phone":"13800138002"}`), "phone", ">phone cn_mobile 2", 2, 200},
		"connect unary":   {"application/proto", "", one, "1 2", ">1 cn_mobile 1", 0, 200},
		"connect stream":  {"application/connect+proto", "gzip", frame(1, gzipped(one)) + frame(2, `{"error":{"code":"permission_denied","message":"no"}}`), "1 2", ">1 cn_mobile 1", 0, 403},
		"connect JSON":    {"application/connect+json; charset=utf-8", "", frame(0, `{"phone":"13800138001"}`) + frame(2, `{}`), "phone", ">phone cn_mobile 1", 0, 200},
		"bare":            {"application/x-protobuf", "", one, "1 2", ">1 cn_mobile 1", 0, 200},
		"bare, of Google": {"application/vnd.google.protobuf; proto=a.B", "", one, "1 2", ">1 cn_mobile 1", 0, 200},
		"unnamed":         {"", "", both, "1 2", ">1 cn_mobile 2", 2, 200},
		"words":           {"application/x-protobuf", "", "no user with 13800138001\n", "", ">body cn_mobile 1", 0, 200},
		"really JSON":     {"application/x-protobuf", "", `{"phone":"13800138001"}`, "phone", ">phone cn_mobile 1", 0, 200},
		"no frame":        {"application/grpc", "", "\x40\x00\x00\x00\x01a", "", "", 0, 200},
	} {
		head := []string{"Grpc-Encoding", c.coding, "Connect-Content-Encoding", c.coding}
		if c.ct != "" {
			head = append(head, "Content-Type", c.ct)
		}
		// one question, so that the answer is in one piece
		body := c.body
		if f, _, ok := rpcType([]byte(c.ct)); ok && f != framingWebText || c.ct == "" {
			if n := 5 + int(binary.BigEndian.Uint32([]byte(body[1:5]))); n < len(body) {
				body = body[:n]
			}
		}
		x := call{method: "POST", target: "/a.B/C", head: head, body: body, respHead: head, respBody: c.body}.exchange()
		x.Proto = 20
		var b Batch
		newObserver(t).Observe(x, &b)
		if b.Len() != 1 {
			t.Errorf("%s: %d observations", name, b.Len())
		}
		o := b.At(0)
		var seen []string
		for _, e := range strings.Split(expose(o), "; ") {
			if strings.HasPrefix(e, ">") {
				seen = append(seen, e)
			}
		}
		if got := strings.Join(seen, "; "); params(o) != c.paths || got != c.seen || o.Records != c.records || o.Status != c.status {
			t.Errorf("%s: paths %q, exposures %q, %d records, status %d", name, params(o), got, o.Records, o.Status)
		}
	}
}

// TestGRPCStreams: what a client streams is asked for message by message.
func TestGRPCStreams(t *testing.T) {
	msgs := func(n int, v string) (s string) {
		for i := range n {
			s += frame(0, pb(1, fmt.Sprintf(v, i)))
		}
		return s
	}
	const phone, name = "1380013%04d", "person-%d"
	for what, c := range map[string]struct {
		req, resp string
		want      []string // id, parameters, exposures
		over      uint32
	}{
		"server streams": {msgs(1, name), msgs(3, phone), []string{"id-1 1 >1 cn_mobile 3"}, 0},
		"client streams": {msgs(3, phone), msgs(1, "done %d"), []string{"id-1 1 <1 cn_mobile 1", "id-1~1 1 <1 cn_mobile 1", "id-1~2 1 <1 cn_mobile 1"}, 0},
		"both":           {msgs(2, name), msgs(2, phone), []string{"id-1 1 >1 cn_mobile 1", "id-1~1 1 >1 cn_mobile 1"}, 0},
		"more answers":   {msgs(2, name), msgs(4, phone), []string{"id-1 1 >1 cn_mobile 1", "id-1~1 1 >1 cn_mobile 3"}, 0},
		"fewer answers":  {msgs(3, name), msgs(2, phone), []string{"id-1 1 >1 cn_mobile 1", "id-1~1 1 >1 cn_mobile 1", "id-1~2 1 "}, 0},
		"no answer":      {msgs(2, name), "", []string{"id-1 1 ", "id-1~1 1 "}, 0},
		"too many":       {msgs(MaxParts+5, name), "", nil, 5},
	} {
		var b Batch
		newObserver(t).Observe(call{method: "POST", target: "/a.B/C", head: typed("application/grpc"), body: c.req, respHead: append(typed("application/grpc"), "grpc-status", "7"), respBody: c.resp}.exchange(), &b)
		var got []string
		for i := range b.Len() {
			o := b.At(i)
			got = append(got, fmt.Sprintf("%s %s %s", o.ID, params(o), expose(o)))
			if o.Status != 403 || int(o.Part) != i {
				t.Errorf("%s: part %d has number %d and status %d", what, i, o.Part, o.Status)
			}
		}
		if c.want != nil && !slices.Equal(got, c.want) || c.want == nil && len(got) != MaxParts || b.At(0).Overflow != c.over {
			t.Errorf("%s: %q, overflow %d", what, got, b.At(0).Overflow)
		}
	}
}

func TestGRPCOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		head, trailer string // name:value lines
		body          string
		status        uint16
		code, message string
		says          MessageClass
	}{
		"fine":          {"", "grpc-status:0", frame(0, pb(1, "hi")), 200, "", "", 0},
		"trailers only": {"grpc-status:5\ngrpc-message:user%20%22bob%22 not found", "", "", 404, "NOT_FOUND", `user "{}" not found`, SaysNotFound | SaysNotRegistered},
		"in trailers":   {"", "grpc-status:16\ngrpc-message:token expired", "", 401, "UNAUTHENTICATED", "token expired", SaysUnauthorized},
		"denied":        {"", "Grpc-Status:7", "", 403, "PERMISSION_DENIED", "", 0},
		"exhausted":     {"", "grpc-status:8", "", 429, "RESOURCE_EXHAUSTED", "", 0},
		"no method":     {"", "grpc-status:12", "", 404, "UNIMPLEMENTED", "", 0},
		"invalid":       {"", "grpc-status:3", "", 400, "INVALID_ARGUMENT", "", 0},
		"broken":        {"", "grpc-status:13", "", 500, "INTERNAL", "", 0},
		"late":          {"", "grpc-status:4", "", 504, "DEADLINE_EXCEEDED", "", 0},
		"odd":           {"", "grpc-status:99", "", 500, "UNKNOWN", "", 0},
		"no number":     {"", "grpc-status:x", "", 500, "UNKNOWN", "", 0},
		"after all":     {"grpc-status:0", "grpc-status:14", "", 503, "UNAVAILABLE", "", 0},
		"none":          {"", "", frame(0, pb(1, "hi")), 200, "", "", 0},
	} {
		x := call{method: "POST", target: "/a.B/C", head: typed("application/grpc"), body: frame(0, pb(1, "bob")), respHead: typed("application/grpc"), respBody: c.body}.exchange()
		fields := func(s string) (list []exchange.Field) {
			for _, l := range strings.Split(s, "\n") {
				if n, v, ok := strings.Cut(l, ":"); ok {
					list = append(list, exchange.Field{Name: []byte(n), Value: []byte(v)})
				}
			}
			return list
		}
		x.Response.Header = append(x.Response.Header, fields(c.head)...)
		x.Response.Trailer = fields(c.trailer)
		var b Batch
		newObserver(t).Observe(x, &b)
		o := b.At(0)
		if o.Status != c.status || o.Code != c.code || o.Message != c.message || o.MessageSays&c.says != c.says || (o.CodeSays < 0) != (c.code != "") {
			t.Errorf("%s: status %d, code %q (%d), message %q says %b", name, o.Status, o.Code, o.CodeSays, o.Message, o.MessageSays)
		}
	}
}

// TestNamesOfDescriptors: with descriptors the rules that go by names work.
func TestNamesOfDescriptors(t *testing.T) {
	var set descriptorpb.FileDescriptorSet
	if err := prototext.Unmarshal([]byte(`file { name: "u.proto" package: "user.v1" syntax: "proto3"
		message_type { name: "LoginRequest"
			field { name: "user_name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } field { name: "password" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } }
		message_type { name: "LoginReply"
			field { name: "access_token" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } field { name: "real_name" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } }
		service { name: "UserService" method { name: "Login" input_type: ".user.v1.LoginRequest" output_type: ".user.v1.LoginReply" } } }`), &set); err != nil {
		t.Fatal(err)
	}
	raw, err := proto.Marshal(&set)
	if err != nil {
		t.Fatal(err)
	}
	cfg := newConfig(t)
	cfg.Protobuf = &protobuf.Schema{}
	if err := cfg.Protobuf.Add(raw); err != nil {
		t.Fatal(err)
	}
	ob, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	ob.Observe(call{method: "POST", target: "/user.v1.UserService/Login", head: typed("application/grpc"), body: frame(0, pb(1, "alice", 2, "123456")),
		respHead: typed("application/grpc"), respBody: frame(0, pb(1, "tok-8f7e6d5c4b3a29180716", 2, "欧阳金明"))}.exchange(), &b)
	o := b.At(0)
	if params(o) != "userName password" || len(o.Passwords) != 1 || o.Passwords[0].Name != "password" || len(o.Accounts) != 1 || len(o.Issued) != 1 {
		t.Errorf("params %q, passwords %+v, accounts %+v, issued %+v", params(o), o.Passwords, o.Accounts, o.Issued)
	}
	if !strings.Contains(expose(o), ">realName person_name 1") {
		t.Errorf("exposures %q", expose(o))
	}
}

func TestGRPCSignaturesAndReflection(t *testing.T) {
	o := observe(t, call{method: "POST", target: "/a.B/C", head: typed("application/grpc"), body: frame(0, pb(1, "1' union select password from users--"))})
	if len(o.Signatures) == 0 {
		t.Error("an attack in a message is not seen")
	}
	list := frame(0, pb(1, "", 6, pb(1, pb(1, "grpc.reflection.v1.ServerReflection"), 1, pb(1, "helloworld.Greeter"))))
	const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	o = observe(t, call{method: "POST", target: path, head: typed("application/grpc"), body: frame(0, pb(7, "*")), respHead: typed("application/grpc"), respBody: list})
	if len(o.Markers) != 1 || o.Markers[0].Rule != "docs/grpc_reflection" {
		t.Errorf("markers %+v", o.Markers)
	}
}

// TestGRPCBomb: what one compressed message becomes counts for all of a body.
func TestGRPCBomb(t *testing.T) {
	bomb := gzipped(pb(1, strings.Repeat("a", 8<<20)))
	body := strings.Repeat(frame(1, bomb), 20)
	ob := newObserver(t)
	var b Batch
	ob.Observe(call{method: "POST", target: "/a.B/C", head: append(typed("application/grpc"), "grpc-encoding", "gzip"), body: body}.exchange(), &b)
	if o := b.At(0); o.Overflow == 0 || cap(ob.read.rpc.buf) > 16<<20 {
		t.Errorf("overflow %d, room %d", o.Overflow, cap(ob.read.rpc.buf))
	}
	many := strings.Repeat(frame(0, ""), maxFrames+10)
	b.Reset()
	ob.Observe(call{method: "POST", target: "/a.B/C", head: typed("application/grpc"), body: many}.exchange(), &b)
	if o := b.At(0); o.Overflow == 0 {
		t.Error("the messages beyond the cap are not counted")
	}
}

// FuzzGRPC: no bytes of any framing crash or hang the observer, and equal
// bytes give equal observations.
func FuzzGRPC(f *testing.F) {
	one := pb(1, "13800138001", 2, 7)
	f.Add("application/grpc", "gzip", frame(1, gzipped(one))+frame(0, one))
	f.Add("application/grpc-web-text", "", base64.StdEncoding.EncodeToString([]byte(frame(0, one)+frame(0x80, "grpc-status: 5\r\n"))))
	f.Add("application/connect+json", "", frame(0, `{"a":[1]}`)+frame(2, `{"error":{"code":"not_found"}}`))
	f.Add("application/x-protobuf", "", one)
	o := newObserver(f)
	f.Fuzz(func(t *testing.T, ct, coding, body string) {
		x := call{method: "POST", target: "/a.B/C", head: []string{"content-type", ct, "grpc-encoding", coding}, body: body,
			respHead: []string{"content-type", ct, "grpc-encoding", coding}, respBody: body}.exchange()
		x.Proto = 20
		var a, b Batch
		o.Observe(x, &a)
		o.Observe(x, &b)
		if !bytes.Equal(a.AppendEncoded(nil), b.AppendEncoded(nil)) {
			t.Fatal("observed twice, told twice differently")
		}
	})
}

func BenchmarkGRPC(b *testing.B) {
	var reply strings.Builder
	for range 20 {
		reply.WriteString(pb(1, pb(1, "customer name", 2, "13800138000", 3, 17)))
	}
	x := call{method: "POST", target: "/shop.v1.Orders/List", head: typed("application/grpc"), body: frame(0, pb(1, "alice", 2, 20)),
		respHead: typed("application/grpc"), respBody: frame(0, reply.String())}.exchange()
	x.Response.Trailer = []exchange.Field{{Name: []byte("grpc-status"), Value: []byte("0")}}
	o := newObserver(b)
	var out Batch
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		o.Observe(x, &out)
	}
	if out.At(0).Exposures[0].Type != taxonomy.SensCNMobile {
		b.Fatal("nothing was seen")
	}
}
