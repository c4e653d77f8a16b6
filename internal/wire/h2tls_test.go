package wire

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHTTP2OverTLSWithLosses: HTTP/2 agreed by ALPN, whose secrets are known, is what it
// is in plaintext.
func TestHTTP2OverTLSWithLosses(t *testing.T) {
	open, secret := new(http.Protocols), new(http.Protocols)
	open.SetUnencryptedHTTP2(true)
	secret.SetHTTP2(true)
	order := func(list []got) []got {
		slices.SortStableFunc(list, func(a, b got) int {
			return strings.Compare(a.Method+a.Target+a.ReqHead, b.Method+b.Target+b.ReqHead)
		})
		return list
	}
	plain, _ := decode(t, Config{}, LinkRaw, inPlain(t, open).frames("10.0.0.1:443", 1448))
	want := order(alike(plain))
	if len(want) != 6 || want[0].Proto != 20 || want[0].H2 == "" {
		t.Fatalf("%+v", want)
	}
	s := overTLS(t, secret, func(c, s *tls.Config) {})
	for _, mss := range []int{1448, 9000, 7} {
		have, d := decode(t, Config{Keys: s.keys()}, LinkRaw, s.frames("10.0.0.1:443", mss))
		for _, x := range have {
			if !x.Secure || x.SNI != "shop.example" || x.JA4 == "" {
				t.Fatalf("%+v", x)
			}
		}
		if diff := cmp.Diff(want, order(alike(have))); diff != "" {
			t.Fatalf("mss %d, plaintext - TLS +:\n%s", mss, diff)
		}
		if st := d.Stats(); st.HTTP2 != 1 || st.H2Errors+st.H2Lost+st.H2Unknown+st.Dropped() != 0 {
			t.Fatalf("%+v", st)
		}
	}
	// Without a packet: some body is cut, nothing is wrong.
	frames := s.frames("10.0.0.1:443", 1448)
	for i := 8; i < len(frames); i += 7 {
		have, _ := decode(t, Config{Keys: s.keys()}, LinkRaw, slices.Delete(slices.Clone(frames), i, i+1))
		for _, x := range have {
			j := slices.IndexFunc(want, func(w got) bool { return w.Method == x.Method && w.Target == x.Target })
			if j < 0 || x.Status != 0 && (x.Status != want[j].Status || !strings.HasPrefix(want[j].Resp, x.Resp)) || !strings.HasPrefix(want[j].Req, x.Req) {
				t.Fatalf("without packet %d: %+v", i, x)
			}
		}
	}
}
