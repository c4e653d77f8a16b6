package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

func TestMessagesRoundTrip(t *testing.T) {
	list := []StreamMessage{
		{Time: 1_700_000_000_123_456_789, Sent: true, Text: true, Data: []byte(`{"a":"中\n"}`), Size: 14},
		{Time: 1_700_000_001_000_000_000, Data: []byte{0, 1, 0xff}, Size: 3},
		{Time: 1_700_000_001_500_000_000, Text: true, Data: []byte("cut\xff"), Size: 5000},
		{Time: 1_700_000_001_000_000_001, Sent: true, Size: 70000},
	}
	x := &Exchange{ID: []byte("i"), Start: 1_700_000_000_000_000_000, End: 1_700_000_002_000_000_000, Caps: CapWire, Proto: 11,
		Method: []byte("GET"), Target: []byte("/ws"), Host: []byte("h"), Status: 101, Part: 7, Messages: list}
	x.Request.Unknown, x.Response.Unknown = 2, 3
	x.Request.Header = []Field{{[]byte("Host"), []byte("h")}}
	raw := (&HAREncoder{}).Append(nil, x)
	if !json.Valid(raw) {
		t.Fatalf("%s", raw)
	}
	var d HARDecoder
	var y Exchange
	if err := d.Decode(raw, &y); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if y.Part != 7 || y.Request.Unknown != 2 || y.Response.Unknown != 3 || len(y.Messages) != len(list) {
		t.Fatalf("%+v", y)
	}
	if y.Caps&(CapRequestHeaders|CapHeaderOrder|CapResponseHeaders) != 0 {
		t.Fatalf("unknown headers, yet caps %b", y.Caps)
	}
	for i, m := range y.Messages {
		w := list[i]
		if m.Time != w.Time || m.Sent != w.Sent || m.Text != w.Text || !bytes.Equal(m.Data, w.Data) || m.Size != w.Size {
			t.Errorf("message %d: want %+v, have %+v", i, w, m)
		}
	}
}

// TestChromeMessages reads a recording as Chrome writes it.
func TestChromeMessages(t *testing.T) {
	raw := []byte(`{"_initiator":{"type":"script"},"_priority":"High","_resourceType":"websocket","_webSocketMessages":[` +
		`{"type":"send","time":1581658735.6463,"opcode":1,"data":"{\"op\":\"sub\"}"},` +
		`{"type":"receive","time":1581658735.7,"opcode":1,"data":"hi"},` +
		`{"type":"receive","time":1581658736,"opcode":2,"data":"AAECAw=="},` +
		`{"type":"receive","time":1581658736.5,"opcode":2,"data":"not base64!"},` +
		`{"type":"receive","time":1581658736.5,"opcode":9,"data":"ping"}],` +
		`"cache":{},"request":{"method":"GET","url":"wss://example.com/socket?v=1","httpVersion":"HTTP/1.1","headers":[{"name":"Host","value":"example.com"}],"queryString":[],"cookies":[],"headersSize":500,"bodySize":0},` +
		`"response":{"status":101,"statusText":"Switching Protocols","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":129,"bodySize":0},` +
		`"startedDateTime":"2020-02-14T05:38:55.000Z","time":2000}`)
	var d HARDecoder
	var x Exchange
	if err := d.Decode(raw, &x); err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, m := range x.Messages {
		have = append(have, fmt.Sprintf("%d %v %v %q %d", m.Time, m.Sent, m.Text, m.Data, m.Size))
	}
	want := []string{`1581658735646300000 true true "{\"op\":\"sub\"}" 12`, `1581658735700000000 false true "hi" 2`,
		`1581658736000000000 false false "\x00\x01\x02\x03" 4`, `1581658736500000000 false false "not base64!" 11`}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Fatalf("want %s\nhave %s", want, have)
	}
	if x.Status != 101 || string(x.Target) != "/socket?v=1" || !x.Secure {
		t.Fatalf("%+v", x)
	}
}

func TestBadMessages(t *testing.T) {
	for what, s := range map[string]string{
		"no array":       `"x"`,
		"no object":      `[1]`,
		"twice":          `[{"data":"a","data":"b"}]`,
		"negative time":  `[{"time":-1}]`,
		"endless time":   `[{"time":1e300}]`,
		"opcode as text": `[{"opcode":"1"}]`,
	} {
		var d HARDecoder
		var x Exchange
		if err := d.Decode([]byte(fmt.Sprintf(minimal, `,"_webSocketMessages":`+s)), &x); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}
