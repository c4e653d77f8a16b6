package pcap

import (
	"bytes"
	"encoding/binary"
	"testing"

	"xiezhi/internal/source/pcap/pcaptest"
	"xiezhi/internal/taxonomy"
)

// spoil breaks the length field of the record around the middle of a file.
func spoil(img []byte, mark []byte, field int) []byte {
	b := bytes.Clone(img)
	i := bytes.Index(b[len(b)/2:], mark) + len(b)/2
	copy(b[i+field:], "\xff\xfe\xfd\xfc")
	return b
}

func TestDamageCostsItsRecordOnly(t *testing.T) {
	const conns, rounds = 8, 40
	frames := pcaptest.CrowdFrames(conns, rounds)
	var ng [][]byte
	ng = append(ng, section(binary.LittleEndian), description(binary.LittleEndian, 1, option(binary.LittleEndian, 9, []byte{9})))
	for _, f := range frames {
		ng = append(ng, enhanced(binary.LittleEndian, 0, uint64(f.TS), f.Data))
	}
	second := make([]byte, 4)
	binary.LittleEndian.PutUint32(second, uint32(frames[len(frames)/2].TS/1e9))
	for name, img := range map[string][]byte{
		"classic": spoil(pcaptest.Encode(frames), second, 8),
		"pcapng":  spoil(join(ng...), []byte{blockEnhanced, 0, 0, 0}, 4),
	} {
		got, _, totals := run(t, Config{}, bytesInput(name, img))
		if len(got) < conns*rounds*9/10 {
			t.Errorf("%s: %d of %d exchanges after one damaged record", name, len(got), conns*rounds)
		}
		if totals.Dropped[taxonomy.DropCorrupt] == 0 || len(totals.Problems) == 0 || totals.Problems[0].Offset == 0 {
			t.Errorf("%s: the damage is not counted with its offset: %v %v", name, totals.Dropped, totals.Problems)
		}
	}
}

func TestDamageEverywhereEnds(t *testing.T) {
	img := pcaptest.Encode(pcaptest.CrowdFrames(4, 10))
	for i := 24 + 64; i < len(img); i += 7 {
		img[i] ^= 0x5a
	}
	_, _, totals := run(t, Config{}, bytesInput("noise", img))
	if totals.Dropped[taxonomy.DropCorrupt] == 0 {
		t.Errorf("damage everywhere is not counted: %v", totals.Dropped)
	}
}
