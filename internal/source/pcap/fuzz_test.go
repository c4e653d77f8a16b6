package pcap

import (
	"encoding/binary"
	"testing"
)

func fuzzFormat(f *testing.F, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
		f.Add(s[:len(s)-5])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, totals := run(t, Config{}, bytesInput("fuzz", b))
		if totals.Bytes > int64(len(b)) {
			t.Fatalf("%d bytes read of %d", totals.Bytes, len(b))
		}
	})
}

// FuzzClassic: any bytes as a classic capture.
func FuzzClassic(f *testing.F) {
	fuzzFormat(f, classicFile(one(), binary.LittleEndian, false, 1), classicFile(one()[:4], binary.BigEndian, true, 101))
}

// FuzzNextGen: any bytes as a pcapng capture.
func FuzzNextGen(f *testing.F) {
	for _, o := range []order{binary.LittleEndian, binary.BigEndian} {
		b := join(section(o), description(o, 1, option(o, 9, []byte{0x8a}), option(o, 14, make([]byte, 8))))
		for _, p := range one() {
			b = append(b, enhanced(o, 0, uint64(p.TS/1000), p.Data)...)
		}
		f.Add(b)
		f.Add(join(b, dsb(o, secretsTLS, []byte("CLIENT_RANDOM 00 00\n"))))
	}
	fuzzFormat(f, join(section(binary.LittleEndian), description(binary.LittleEndian, 1), block(binary.LittleEndian, blockSimple, make([]byte, 64))))
}
