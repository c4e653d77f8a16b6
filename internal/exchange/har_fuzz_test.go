package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// oracle reads the members that matter with encoding/json.
type oracle struct {
	Request struct {
		Method, URL string
		Headers     []struct{ Name, Value string }
		PostData    *struct{ Text, Encoding string }
	}
	Response *struct {
		Status  float64
		Content *struct{ Text, Encoding string }
	}
}

// foldedKeys reports members that encoding/json, which ignores case, would
// read and we do not.
func foldedKeys(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			switch k {
			case "request", "response", "method", "url", "headers", "name", "value", "postData", "text", "encoding", "status", "content":
			default:
				for _, known := range []string{"request", "response", "method", "url", "headers", "name", "value", "postData", "text", "encoding", "status", "content"} {
					if strings.EqualFold(k, known) {
						return true
					}
				}
			}
			if foldedKeys(e) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if foldedKeys(e) {
				return true
			}
		}
	}
	return false
}

func FuzzHAREntry(f *testing.F) {
	var enc HAREncoder
	f.Add(enc.Append(nil, &Exchange{ID: []byte("i"), Method: []byte("GET"), Target: []byte("/\xff"), Host: []byte("h"), Status: 200, Caps: CapWire,
		Request: Message{Header: []Field{{[]byte("Host"), []byte("h")}}}, Response: Message{Body: []byte("\xff\x00")}}))
	f.Add([]byte(fmt.Sprintf(minimal, `,"_client":{"ip":"1.2.3.4","port":1,"tls":{"ja4":"x"},"h2":"y"},"_truncated":{"request":1}`)))
	f.Add([]byte(fmt.Sprintf(minimal, `,"_part":2,"_webSocketMessages":[{"type":"send","time":1700000000.123456789,"opcode":1,"data":"\u00e9"},{"type":"receive","time":1.5e9,"opcode":2,"data":"AAE=","_size":9},{"type":"error","opcode":-1}]`)))
	f.Add([]byte(fmt.Sprintf(minimal, `,"response":{"status":101,"_unknownHeaders":3}`)))
	f.Add([]byte(fmt.Sprintf(minimal, `,"response":{"status":2e2,"content":{"size":1,"text":"\u0041\n"}}`)))
	f.Add([]byte(`{"request":{"postData":{"params":[{"name":"a","value":"b"}]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d HARDecoder
		x := new(Exchange)
		err := d.Decode(raw, x)
		h, hashErr := d.Hash(raw)
		if !json.Valid(raw) {
			if err == nil || hashErr == nil {
				t.Fatalf("no JSON, but decode says %v, hash %v", err, hashErr)
			}
			return
		}
		if hashErr == nil {
			var pretty bytes.Buffer
			if json.Indent(&pretty, raw, " ", "\t") == nil {
				if h2, err := d.Hash(pretty.Bytes()); err != nil || h != h2 {
					t.Fatalf("pretty-printing changes the hash (%v)", err)
				}
			}
		}
		if err != nil {
			return
		}
		first := plain(x)
		// Encoding and decoding again must work and settle.
		var enc HAREncoder
		once := enc.Append(nil, x)
		if !json.Valid(once) {
			t.Fatalf("encoder wrote no JSON: %q", once)
		}
		if err := d.Decode(once, x); err != nil {
			t.Fatalf("%v in own %q", err, once)
		}
		if string(x.Method) != string(first.Method) || x.Start != first.Start || x.End != first.End || x.Status != first.Status ||
			!bytes.Equal(x.Request.Body, first.Request.Body) || !bytes.Equal(x.Response.Body, first.Response.Body) && first.Caps&CapResponseBody != 0 {
			t.Fatalf("changed by a round trip: %q", once)
		}
		// encoding/json reads the same.
		var v any
		if json.Unmarshal(raw, &v) != nil || foldedKeys(v) || bytes.Contains(bytes.ToLower(raw), []byte(`\ud`)) || bytes.Contains(raw, []byte("\xef\xbf\xbd")) {
			return
		}
		var o oracle
		if json.Unmarshal(raw, &o) != nil {
			return // wider in numbers than we, narrower in nulls
		}
		text := func(b []byte) string { return strings.ToValidUTF8(string(b), "\ufffd") }
		norm := func(s string) string { // runs of U+FFFD as ToValidUTF8 writes them
			for strings.Contains(s, "\ufffd\ufffd") {
				s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
			}
			return s
		}
		if norm(o.Request.Method) != text(first.Method) || len(o.Request.Headers) != len(first.Request.Header) {
			t.Fatalf("method %q or headers %v differ", o.Request.Method, o.Request.Headers)
		}
		for i, h := range o.Request.Headers {
			if norm(h.Name) != text(first.Request.Header[i].Name) || norm(h.Value) != text(first.Request.Header[i].Value) {
				t.Fatalf("header %d differs", i)
			}
		}
		if o.Response != nil && first.Status != 0 {
			if int(o.Response.Status) != first.Status {
				t.Fatalf("status %v", o.Response.Status)
			}
			if c := o.Response.Content; c != nil && c.Encoding == "" && norm(c.Text) != text(first.Response.Body) {
				t.Fatal("response body differs")
			}
		}
	})
}

// benchEntry is a typical API exchange of about 3 KB.
func benchEntry() *Exchange {
	x := &Exchange{ID: []byte("0123456789abcdef0123456789abcdef"), Start: 1648771200123456789, End: 1648771200223456789, Proto: 11, Method: []byte("POST"),
		Target: []byte("/api/v1/orders?page=2&size=20"), Host: []byte("shop.example"), Status: 200, Caps: CapWire}
	for i := range 11 {
		x.Request.Header = append(x.Request.Header, Field{[]byte(fmt.Sprintf("X-Header-%d", i)), []byte(strings.Repeat("v", 40))})
	}
	x.Request.Header = append(x.Request.Header, Field{[]byte("Host"), x.Host})
	x.Request.Body = []byte(`{"page":2,"size":20,"filter":{"city":"杭州"}}`)
	x.Response.Header = x.Request.Header[:6]
	x.Response.Body = []byte("[" + strings.Repeat(`{"id":12345,"name":"张三","city":"杭州"},`, 40) + "null]")
	return x
}

func BenchmarkDecode(b *testing.B) {
	var enc HAREncoder
	raw := enc.Append(nil, benchEntry())
	var d HARDecoder
	x := new(Exchange)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(raw, x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeEncodingJSON(b *testing.B) {
	var enc HAREncoder
	raw := enc.Append(nil, benchEntry())
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		var o oracle
		if err := json.Unmarshal(raw, &o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	var enc HAREncoder
	raw := enc.Append(nil, benchEntry())
	var d HARDecoder
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Hash(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	var enc HAREncoder
	x := benchEntry()
	buf := enc.Append(nil, x)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = enc.Append(buf[:0], x)
	}
}

func BenchmarkBatch(b *testing.B) {
	x := benchEntry()
	var batch Batch
	b.SetBytes(int64(x.bytes()))
	b.ReportAllocs()
	for b.Loop() {
		if batch.Append(x); batch.Bytes() > 256<<10 {
			batch.Reset()
		}
	}
}

func TestSteadyStateAllocs(t *testing.T) {
	var enc HAREncoder
	var d HARDecoder
	var batch Batch
	x, y := benchEntry(), new(Exchange)
	raw := enc.Append(nil, x)
	buf := append([]byte(nil), raw...)
	for name, f := range map[string]func(){
		"decode": func() { _ = d.Decode(raw, y) },
		"hash":   func() { _, _ = d.Hash(raw) },
		"encode": func() { buf = enc.Append(buf[:0], x) },
		"batch": func() {
			batch.Reset()
			for range 50 {
				batch.Append(x)
			}
		},
	} {
		f()
		for range 12 { // the batch doubles its room until one round fits
			f()
		}
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
