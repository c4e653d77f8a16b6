package engine_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// splitCapture writes a classic little-endian capture as two files, cut in the
// middle of the packets and therefore in the middle of connections.
func splitCapture(t *testing.T, name, dir string) {
	t.Helper()
	data := inflate(t, name)
	if len(data) < 24 || binary.LittleEndian.Uint32(data) != 0xa1b2c3d4 {
		t.Fatalf("the capture is not a little-endian classic pcap")
	}
	cut := 24
	for cut < len(data)/2 {
		cut += 16 + int(binary.LittleEndian.Uint32(data[cut+8:]))
	}
	first, second := data[:cut], append(append([]byte(nil), data[:24]...), data[cut:]...)
	for i, part := range [][]byte{first, second} {
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".pcap"), part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
