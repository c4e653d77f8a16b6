package pcap

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"xiezhi/internal/source/pcap/pcaptest"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

// secure records three requests over TLS.
func secure(t testing.TB, port int, cfg func(c, s *tls.Config)) ([]pcaptest.Frame, []byte) {
	t.Helper()
	var list []*http.Request
	for i := range 3 {
		r, err := http.NewRequest("POST", fmt.Sprintf("https://shop.example/api/%d", i), strings.NewReader(strings.Repeat("x", i*900)))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	frames, log, err := pcaptest.Secure(fmt.Sprintf("10.0.0.7:%d", port), "10.0.0.1:443", list, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		fmt.Fprintf(w, "end of %s", r.URL.Path)
	}), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return frames, log
}

// dsb is a Decryption Secrets Block.
func dsb(o order, kind uint32, log []byte) []byte {
	return block(o, blockSecrets, append(o.AppendUint32(o.AppendUint32(nil, kind), uint32(len(log))), log...))
}

func packets(o order, frames []pcaptest.Frame) (b []byte) {
	for _, f := range frames {
		b = append(b, enhanced(o, 0, uint64(f.TS/1000), f.Data)...)
	}
	return b
}

// TestSecretsBlocks: secrets serve all captures of a run, wherever they stand.
func TestSecretsBlocks(t *testing.T) {
	for name, o := range map[string]order{"little": binary.LittleEndian, "big": binary.BigEndian} {
		frames, log := secure(t, 41000, nil)
		half := len(frames) / 2
		ng := func(parts ...[]byte) []byte {
			return join(append([][]byte{section(o), description(o, 1)}, parts...)...)
		}
		all, sec := packets(o, frames), dsb(o, secretsTLS, log)
		for where, inputs := range map[string][]Input{
			"before":             {bytesInput("a", ng(sec, all))},
			"behind":             {bytesInput("a", ng(all, sec))},
			"in the middle":      {bytesInput("a", ng(packets(o, frames[:half]), sec, packets(o, frames[half:])))},
			"in another capture": {bytesInput("a", ng(all)), bytesInput("b", ng(sec))},
			"split capture":      {bytesInput("a", ng(packets(o, frames[:half]))), bytesInput("b", ng(packets(o, frames[half:]), sec))},
			"for a classic file": {bytesInput("a", pcaptest.Encode(frames)), bytesInput("b", ng(sec))},
			"stream, before":     {once("-", ng(sec, all))},
			"stream, behind":     {once("-", ng(all, sec))},
			"in two halves":      {bytesInput("a", ng(dsb(o, secretsTLS, log[:bytes.IndexByte(log, '\n')+1]), all, dsb(o, secretsTLS, log[bytes.IndexByte(log, '\n')+1:])))},
			"beside others":      {bytesInput("a", ng(dsb(o, 0x57474b4c, []byte("LOCAL_STATIC_PRIVATE_KEY = x")), sec, all))},
		} {
			got, s, _ := run(t, Config{}, inputs...)
			if len(got) != 3 || got[2].RespBody != strings.Repeat("x", 1800)+"end of /api/2" || s.Stats().Decrypted != 1 {
				t.Errorf("%s, %s: %d exchanges, %+v, %+v", name, where, len(got), s.Stats(), s.Blind())
			}
		}
		// Without them, and with damage.
		for where, b := range map[string][]byte{
			"none":           ng(all),
			"another's":      ng(dsb(o, secretsTLS, bytes.ReplaceAll(log, []byte(" 0"), []byte(" 1"))[:80]), all),
			"longer inside":  ng(block(o, blockSecrets, o.AppendUint32(o.AppendUint32(nil, secretsTLS), 1<<30)), all),
			"too short":      ng(block(o, blockSecrets, []byte{1, 2, 3, 4}), all),
			"nothing inside": ng(dsb(o, secretsTLS, nil), all),
		} {
			got, s, _ := run(t, Config{}, bytesInput("a", b))
			bl := s.Blind()
			if len(got) != 0 || len(bl) != 1 || bl[0].Reason != "no_key" {
				t.Errorf("%s, %s: %d exchanges, %+v", name, where, len(got), bl)
			}
		}
	}
}

func once(name string, b []byte) Input {
	in := bytesInput(name, b)
	in.Stream = true
	return in
}

// TestKeysOfALog: a key log does what a block does; the ledger says how many
// connections were opened and why the others were not.
func TestKeysOfALog(t *testing.T) {
	a, log := secure(t, 41000, func(_, s *tls.Config) { s.MaxVersion = tls.VersionTLS12 })
	b, _ := secure(t, 41001, nil)
	keys := wire.NewKeys()
	keys.AddLog(log)
	got, _, totals := run(t, Config{Wire: wire.Config{Keys: keys}}, bytesInput("a", pcaptest.Encode(a)), bytesInput("b", pcaptest.Encode(b)))
	if len(got) != 3 {
		t.Fatalf("%d exchanges", len(got))
	}
	var blind string
	for k, n := range totals.Quality {
		switch k.Code {
		case taxonomy.QualityDecrypted:
			if n != 1 {
				t.Errorf("%d connections were decrypted", n)
			}
		case taxonomy.QualityEncrypted:
			blind = k.Detail
		}
	}
	if blind != "10.0.0.1:443 sni=shop.example reason=no_key" {
		t.Errorf("%q", blind)
	}
}
