package logtest

import (
	"bytes"
	"testing"
)

// TestWrite checks that the log is what its configuration says: so many lines,
// the same for the same seed, another for another.
func TestWrite(t *testing.T) {
	write := func(cfg Config) []byte {
		var b bytes.Buffer
		if err := Write(&b, cfg); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, cfg := range []Config{{Lines: 3000, Seed: 1}, {Lines: 3000, Seed: 1, High: true}, {Lines: 3000, Seed: 1, Attacks: true, Rate: 1}} {
		a := write(cfg)
		if n := bytes.Count(a, []byte("\n")); n != cfg.Lines {
			t.Errorf("%+v: %d lines", cfg, n)
		}
		if !bytes.Equal(a, write(cfg)) {
			t.Errorf("%+v: not the same twice", cfg)
		}
		cfg.Seed++
		if bytes.Equal(a, write(cfg)) {
			t.Errorf("%+v: the seed does not matter", cfg)
		}
	}
}
