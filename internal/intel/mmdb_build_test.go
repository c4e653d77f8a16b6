package intel

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// mmdbOf writes an MMDB file of an IPv6 tree with records of 28 bits, for
// tests: the format's own description is all that it follows. IPv4 networks
// stand under ::/96.
func mmdbOf(nets map[string]map[string]any) []byte {
	type node struct {
		kids [2]*node
		data int // offset + 1
	}
	root, data := &node{}, &bytes.Buffer{}
	for text, rec := range nets {
		p := netip.MustParsePrefix(text)
		at := data.Len() + 1
		mmdbValue(data, rec)
		b, bits := p.Addr().As16(), p.Bits()
		if p.Addr().Is4() {
			b, bits = [16]byte{}, bits+96
			v4 := p.Addr().As4()
			copy(b[12:], v4[:])
		}
		n := root
		for i := range bits {
			bit := b[i/8] >> (7 - i%8) & 1
			if n.kids[bit] == nil {
				n.kids[bit] = &node{}
			}
			n = n.kids[bit]
		}
		n.data = at
	}
	var order []*node
	number := map[*node]int{}
	var walk func(*node)
	walk = func(n *node) {
		if n == nil || n.data > 0 {
			return
		}
		number[n] = len(order)
		order = append(order, n)
		walk(n.kids[0])
		walk(n.kids[1])
	}
	walk(root)
	count := len(order)
	value := func(n *node) uint32 {
		switch {
		case n == nil:
			return uint32(count)
		case n.data > 0:
			return uint32(count + 16 + n.data - 1)
		}
		return uint32(number[n])
	}
	out := &bytes.Buffer{}
	for _, n := range order {
		l, r := value(n.kids[0]), value(n.kids[1])
		out.Write([]byte{byte(l >> 16), byte(l >> 8), byte(l), byte(l>>24)<<4 | byte(r>>24), byte(r >> 16), byte(r >> 8), byte(r)})
	}
	out.Write(make([]byte, 16))
	out.Write(data.Bytes())
	out.WriteString("\xab\xcd\xefMaxMind.com")
	mmdbValue(out, map[string]any{
		"node_count": uint32(count), "record_size": uint16(28), "ip_version": uint16(6), "database_type": "Test", "languages": []any{"en"},
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1_700_000_000), "description": map[string]any{"en": "test"},
	})
	return out.Bytes()
}

func mmdbValue(b *bytes.Buffer, v any) {
	head := func(kind, size int) {
		ext := 0
		if kind > 7 {
			ext, kind = kind-7, 0
		}
		if size >= 29 {
			b.WriteByte(byte(kind<<5 | 29))
		} else {
			b.WriteByte(byte(kind<<5 | size))
		}
		if ext > 0 {
			b.WriteByte(byte(ext))
		}
		if size >= 29 {
			b.WriteByte(byte(size - 29))
		}
	}
	switch v := v.(type) {
	case string:
		head(2, len(v))
		b.WriteString(v)
	case uint16:
		head(5, 2)
		_ = binary.Write(b, binary.BigEndian, v)
	case uint32:
		head(6, 4)
		_ = binary.Write(b, binary.BigEndian, v)
	case uint64:
		head(9, 8)
		_ = binary.Write(b, binary.BigEndian, v)
	case bool:
		n := 0
		if v {
			n = 1
		}
		head(14, n)
	case []any:
		head(11, len(v))
		for _, x := range v {
			mmdbValue(b, x)
		}
	case map[string]any:
		head(7, len(v))
		for k, x := range v {
			mmdbValue(b, k)
			mmdbValue(b, x)
		}
	}
}
