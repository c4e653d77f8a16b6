package wire

import "bytes"

type sniffed uint8

const (
	sniffMore sniffed = iota
	sniffRequest
	sniffResponse
	sniffTLS
	sniffHTTP2
	sniffSettings // what an HTTP/2 server sends first
	sniffSSH
	sniffOther
)

// sniff says what a stream is by its first bytes.
func sniff(b []byte) sniffed {
	if b[0] == 22 {
		switch {
		case len(b) < 3:
			return sniffMore
		case tlsRecord(b):
			return sniffTLS
		}
		return sniffOther
	}
	if b[0] == 0 {
		return h2Opens(b)
	}
	for _, p := range [...]struct {
		prefix string
		is     sniffed
	}{{"HTTP/1.", sniffResponse}, {h2Preface, sniffHTTP2}, {"SSH-", sniffSSH}} {
		if n := min(len(b), len(p.prefix)); string(b[:n]) == p.prefix[:n] {
			if n < len(p.prefix) {
				return sniffMore
			}
			return p.is
		}
	}
	n := tokenLen(b[:min(len(b), maxMethod+1)])
	if n == 0 || n > maxMethod || n < len(b) && b[n] != ' ' {
		return sniffOther
	}
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		for _, c := range b[n:] {
			if c < ' ' && c != '\t' && c != '\r' {
				return sniffOther
			}
		}
		if len(b) > maxHead {
			return sniffOther
		}
		return sniffMore
	}
	line := b[:i]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	var h head
	if h.requestLine(line, 0) {
		return sniffRequest
	}
	return sniffOther
}

func tlsRecord(b []byte) bool {
	return len(b) >= 3 && b[0] >= 20 && b[0] <= 24 && b[1] == 3 && b[2] <= 4
}

// helloStart reports the first bytes of a record with a ClientHello.
func helloStart(b []byte) bool {
	return len(b) >= 11 && b[0] == recordHandshake && plausibleRecord(b) && b[5] == msgClientHello && b[9] == 3 && b[10] <= 3
}

// begin recognises what a stream is. Bytes stay in the message until that is
// known, however few come at a time.
func (d *Decoder) begin(f *flow, dir int, b []byte) []byte {
	h := &f.h[dir]
	if !h.syn {
		// The beginning is not in the capture; only an unmistakable head
		// at the start of a segment counts.
		h.state = sResync
		if d.regain(f, dir, b) {
			return b
		}
		return nil
	}
	if f.cli == int8(1-dir) && f.await != nil && f.await.proto == 9 {
		h.state = sHead
		return b
	}
	if f.protocol != "" && f.h2 == nil {
		h.state = sOpaque // the other side has told
		return nil
	}
	m := h.cur
	if m == nil {
		for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
			b = b[1:]
		}
		if len(b) == 0 {
			return nil
		}
		m = d.newMessage()
		h.cur = m
	}
	src, old := b, len(m.buf)
	if old > 0 {
		m.buf = append(m.buf, b[:min(len(b), maxHead+1-old)]...)
		src = m.buf
	}
	is := sniff(src)
	m.buf = m.buf[:old]
	switch is {
	case sniffMore:
		m.buf = append(m.buf, b...)
		d.kept += int64(len(b))
		m.last = d.ts
		return nil
	case sniffRequest, sniffResponse:
		client := int8(dir)
		if is == sniffResponse {
			client = int8(1 - dir)
		}
		if f.cli < 0 || f.cli == client || f.ordinal == 0 && f.h[1-dir].state == sStart && f.h[1-dir].cur == nil {
			f.cli = client
			h.state = sHead
			return b
		}
	case sniffTLS:
		if dir != f.server() {
			if f.ordinal == 0 {
				f.cli = int8(dir)
			}
			h.cur = nil
			d.startTLS(f, dir, m.buf[:old], b)
			d.freeMessage(m)
			return nil
		}
		f.protocol, f.why = "tls", blindMidway
	case sniffHTTP2, sniffSettings:
		client := int8(dir)
		if is == sniffSettings {
			client = int8(1 - dir)
		}
		if f.cli < 0 || f.cli == client || f.h2 == nil && f.ordinal == 0 && f.h[1-dir].state == sStart && f.h[1-dir].cur == nil {
			f.cli = client
			h.state, h.cur = sH2, nil
			d.startH2(f).fromStart(dir, is == sniffHTTP2)
			first := m.buf // what was held back
			d.kept -= int64(len(first))
			m.buf = nil
			d.inH2(f, dir, first, true)
			m.buf = first[:0]
			d.freeMessage(m)
			return b
		}
	case sniffSSH:
		f.protocol = "ssh"
	}
	h.state, h.cur = sOpaque, nil
	d.freeMessage(m)
	return nil
}
