package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"xiezhi/internal/engine"
	"xiezhi/internal/observe/protobuf"
	"xiezhi/internal/source"
	"xiezhi/rules"
)

// calls writes calls of gRPC as HAR lines.
type calls struct {
	out bytes.Buffer
	at  time.Time
	n   int
}

// call adds one; fields are the strings of the request's fields 1, 2 and so on.
func (c *calls) call(ip, path string, status int, msg string, answer []byte, fields ...string) {
	var b []byte
	for i, v := range fields {
		b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(i+1), protowire.BytesType), v)
	}
	frame := func(b []byte) string {
		if b == nil {
			return ""
		}
		return base64.StdEncoding.EncodeToString(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...))
	}
	c.n++
	fmt.Fprintf(&c.out, `{"startedDateTime":%q,"time":3,"_client":{"ip":%q,"port":%d},"_server":{"ip":"10.0.0.5","port":50051},"request":{"method":"POST","url":"http://shop.example%s","httpVersion":"HTTP/2.0","headers":[{"name":"content-type","value":"application/grpc"},{"name":"user-agent","value":"grpc-java-okhttp/1.60"}],"postData":{"mimeType":"application/grpc","encoding":"base64","text":%q}},"response":{"status":200,"httpVersion":"HTTP/2.0","headers":[{"name":"content-type","value":"application/grpc"}],"_trailers":[{"name":"grpc-status","value":"%d"},{"name":"grpc-message","value":%q}],"content":{"mimeType":"application/grpc","encoding":"base64","text":%q}}}`+"\n",
		c.at.Format(time.RFC3339Nano), ip, 1024+c.n%60000, path, frame(b), status, msg, frame(answer))
	c.at = c.at.Add(300 * time.Millisecond)
}

// TestGRPCAttacks: calls that fail with HTTP status 200 are the failures that
// detectors look for, and methods that do not exist are no APIs.
func TestGRPCAttacks(t *testing.T) {
	raw, err := os.ReadFile("../../cmd/xiezhi/testdata/proto/shop.pb")
	if err != nil {
		t.Fatal(err)
	}
	types := &protobuf.Schema{}
	if err := types.Add(raw); err != nil {
		t.Fatal(err)
	}
	const login, find = "/shop.v1.Customers/Login", "/shop.v1.Customers/Find"
	token := func(i int) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), fmt.Sprintf("tok-8f7e6d5c4b3a2918%06d", i))
	}
	c := &calls{at: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	for i := range 120 { // people log in, look around, and mistype now and then
		ip := fmt.Sprintf("198.51.100.%d", i%40+1)
		if i%15 == 0 {
			c.call(ip, login, 16, "wrong password", nil, fmt.Sprintf("user%02d", i%40), "Typo-9kQ!")
		}
		c.call(ip, login, 0, "", token(i), fmt.Sprintf("user%02d", i%40), fmt.Sprintf("Mr7#kQ-%04d", i%40))
		c.call(ip, find, 0, "", []byte{}, "tea")
		c.at = c.at.Add(20 * time.Second)
	}
	for i := range 400 { // one guesses one account's password
		c.call("203.0.113.7", login, 16, "wrong password", nil, "user07", fmt.Sprintf("guess%04d", i))
	}
	for i := range 300 { // another asks for services that are not there
		c.call("203.0.113.99", fmt.Sprintf("/internal.v%d.Admin%d/List", i%3, i), 12, "unknown service", nil, "x")
	}
	tools, err := engine.LoadTools(rules.FS, [32]byte{7})
	if err != nil {
		t.Fatal(err)
	}
	tools.Describe(types)
	res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "test", Tools: tools, Workers: 2, Random: rand.Reader, Inputs: []source.Input{input("calls.harl", c.out.Bytes())}})
	if err != nil {
		t.Fatal(err)
	}
	var apis, attacks []string
	for _, a := range res.Report.APIs {
		apis = append(apis, a.Template)
	}
	for _, a := range res.Report.Attacks {
		attacks = append(attacks, fmt.Sprint(a.Kind, " ", a.Verdict, " from ", a.Actors.IPs))
	}
	if got := strings.Join(apis, " "); got != find+" "+login && got != login+" "+find {
		t.Errorf("APIs %s", got)
	}
	for _, want := range []string{"brute_force confirmed from [203.0.113.7]", "vulnerability_scan"} {
		if !strings.Contains(strings.Join(attacks, "; "), want) {
			t.Errorf("no %s among %q", want, attacks)
		}
	}
	for _, a := range res.Report.Attacks {
		for _, ip := range a.Actors.IPs {
			if strings.HasPrefix(ip, "198.51.100.") {
				t.Errorf("%s blames %s", a.Kind, ip)
			}
		}
	}
}
