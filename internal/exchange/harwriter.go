package exchange

import "io"

// HARWriter writes a complete .har document entry by entry.
type HARWriter struct {
	w       io.Writer
	enc     HAREncoder
	buf     []byte
	entries int64
	err     error
}

// NewHARWriter names the program that writes. limit caps decoded bodies as in
// HAREncoder. Nothing is written before the first call.
func NewHARWriter(w io.Writer, creator, version string, limit int) *HARWriter {
	h := &HARWriter{w: w, enc: HAREncoder{Limit: limit}}
	h.buf = appendMember(h.buf, `{"log":{"version":"1.2","creator":{"name":`, []byte(creator))
	h.buf = appendMember(h.buf, `,"version":`, []byte(version))
	h.buf = append(h.buf, `},"pages":[],"entries":[`...)
	return h
}

// Write adds one entry. An error is final.
func (h *HARWriter) Write(x *Exchange) error {
	if h.entries > 0 {
		h.buf = append(h.buf, ',')
	}
	h.entries++
	h.buf = h.enc.Append(append(h.buf, '\n'), x)
	return h.flush()
}

// Close completes the document; it does not close the writer below.
func (h *HARWriter) Close() error {
	h.buf = append(h.buf, "\n]}}\n"...)
	return h.flush()
}

func (h *HARWriter) flush() error {
	if h.err == nil {
		_, h.err = h.w.Write(h.buf)
	}
	h.buf = h.buf[:0]
	return h.err
}
