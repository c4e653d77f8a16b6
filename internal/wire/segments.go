package wire

// segment is payload that arrived before its turn.
type segment struct {
	seq, ack uint32
	n        uint32 // length on the wire; data may be shorter when the capture cut it
	packet   uint32 // the flow's packet count when it arrived
	ts       int64
	age      int64
	data     []byte
}

const maxSpareSegments = 1024

func (d *Decoder) newSegment(seq, ack uint32, p []byte, n, packet uint32) *segment {
	var s *segment
	if l := len(d.segFree); l > 0 {
		s, d.segFree = d.segFree[l-1], d.segFree[:l-1]
	} else {
		s = &segment{}
	}
	s.seq, s.ack, s.n, s.ts, s.age, s.packet = seq, ack, n, d.now, d.clock, packet
	s.data = append(s.data[:0], p[:min(len(p), int(n))]...)
	d.ahead += int64(n)
	return s
}

func (d *Decoder) freeSegment(s *segment) {
	d.ahead -= int64(s.n)
	if len(d.segFree) < maxSpareSegments && cap(s.data) <= 1<<14 {
		d.segFree = append(d.segFree, s)
	}
}

// insert files the parts of [seq, seq+n) that no held segment covers: bytes
// that arrived first win, as they do when segments come in order.
func (d *Decoder) insert(f *flow, h *half, seq, ack uint32, p []byte, n uint32) {
	end := seq + n
	part := func(from, to uint32) *segment {
		var q []byte
		if off := int(from - seq); off < len(p) {
			q = p[off:]
		}
		h.segBytes += int(to - from)
		return d.newSegment(from, ack, q, to-from, f.packets)
	}
	if l := len(h.segs); l == 0 || int32(seq-(h.segs[l-1].seq+h.segs[l-1].n)) >= 0 {
		h.segs = append(h.segs, part(seq, end))
		return
	}
	at := seq
	fresh := false
	for i := 0; i < len(h.segs) && int32(end-at) > 0; i++ {
		s := h.segs[i]
		if int32(s.seq+s.n-at) <= 0 {
			continue
		}
		if int32(s.seq-at) > 0 {
			to := s.seq
			if int32(end-to) < 0 {
				to = end
			}
			h.segs = append(h.segs, nil)
			copy(h.segs[i+1:], h.segs[i:])
			h.segs[i] = part(at, to)
			fresh = true
			i++
		}
		if int32(s.seq+s.n-at) > 0 {
			at = s.seq + s.n
		}
	}
	if int32(end-at) > 0 {
		h.segs = append(h.segs, part(at, end))
		fresh = true
	}
	if !fresh {
		d.stats.Duplicates++
	}
}
