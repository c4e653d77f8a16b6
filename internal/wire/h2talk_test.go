package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Side writes what one end of an HTTP/2 connection sends, with x/net's
// framer and encoder.
type h2Side struct {
	bytes.Buffer
	fr    *http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
}

func newH2Side() *h2Side {
	s := &h2Side{}
	s.fr = http2.NewFramer(&s.Buffer, nil)
	s.fr.AllowIllegalWrites = true
	s.enc = hpack.NewEncoder(&s.block)
	return s
}

// take gives what was written since the last call.
func (s *h2Side) take() string {
	out := s.String()
	s.Reset()
	return out
}

// fields encodes "name: value" pairs.
func (s *h2Side) fields(lines ...string) []byte {
	s.block.Reset()
	for _, l := range lines {
		i := strings.Index(l[1:], ": ") + 1
		if err := s.enc.WriteField(hpack.HeaderField{Name: l[:i], Value: l[i+2:]}); err != nil {
			panic(err)
		}
	}
	return bytes.Clone(s.block.Bytes())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *h2Side) headers(id uint32, end bool, lines ...string) *h2Side {
	must(s.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: s.fields(lines...), EndStream: end, EndHeaders: true}))
	return s
}

func (s *h2Side) get(id uint32, path string) *h2Side {
	return s.headers(id, true, ":method: GET", ":scheme: http", ":path: "+path, ":authority: h.example", "user-agent: test")
}

func (s *h2Side) post(id uint32, path, body string) *h2Side {
	s.headers(id, false, ":method: POST", ":scheme: http", ":path: "+path, ":authority: h.example", "content-type: text/plain")
	return s.data(id, true, body)
}

func (s *h2Side) ok(id uint32, body string) *h2Side {
	s.headers(id, false, ":status: 200", "content-type: text/plain", "server: test")
	return s.data(id, true, body)
}

func (s *h2Side) data(id uint32, end bool, body string) *h2Side {
	must(s.fr.WriteData(id, end, []byte(body)))
	return s
}

func (s *h2Side) settings(list ...http2.Setting) *h2Side {
	must(s.fr.WriteSettings(list...))
	return s
}

// h2Talk is a connection with its preface and settings done.
func h2Talk() (k *talk, c, s *h2Side) {
	k, c, s = plainTalk().open(), newH2Side(), newH2Side()
	c.WriteString(http2.ClientPreface)
	c.settings(http2.Setting{ID: http2.SettingEnablePush, Val: 1}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535})
	must(c.fr.WriteWindowUpdate(0, 1000))
	k.ask(c.take())
	s.settings()
	must(s.fr.WriteSettingsAck())
	k.answer(s.take())
	must(c.fr.WriteSettingsAck())
	return k, c, s
}

func h2Lines(g []got) (out []string) {
	for _, x := range g {
		out = append(out, fmt.Sprintf("%s %s %s %d %q %q", x.Method, x.Target, x.Host, x.Status, x.Req, x.Resp))
	}
	return out
}

func wantLines(t *testing.T, g []got, want ...string) {
	t.Helper()
	if have := h2Lines(g); fmt.Sprint(have) != fmt.Sprint(want) {
		t.Fatalf("\nwant %q\nhave %q", want, have)
	}
}
