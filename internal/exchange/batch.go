package exchange

// Batch holds copies of exchanges, so that they may cross goroutines and
// outlive the sink's call. It is reused: after Reset no append allocates until
// a batch is larger than any before it. A batch has no cap of its own; its
// owner hands it on when Len or Bytes says it is full.
type Batch struct {
	items  []Exchange
	fields []Field // header and trailer fields of all items
	msgs   []StreamMessage
	bytes  []byte // every byte of all items
	spill  int64  // bytes in chunks that were outgrown
}

// Append copies x.
func (b *Batch) Append(x *Exchange) {
	if need := x.bytes(); cap(b.bytes)-len(b.bytes) < need {
		// Earlier items keep pointing into the old chunk; the new one is large
		// enough that the next round fits into one.
		b.spill += int64(len(b.bytes))
		b.bytes = make([]byte, 0, max(need, 2*cap(b.bytes), int(min(b.spill, 1<<30))))
	}
	if need := len(x.Request.Header) + len(x.Response.Header) + len(x.Request.Trailer) + len(x.Response.Trailer); cap(b.fields)-len(b.fields) < need {
		b.fields = make([]Field, 0, max(need, 2*cap(b.fields)))
	}
	b.items = append(b.items, *x)
	y := &b.items[len(b.items)-1]
	for _, s := range y.slices() {
		*s = b.copy(*s)
	}
	y.Request.Header = b.copyFields(x.Request.Header)
	y.Response.Header = b.copyFields(x.Response.Header)
	y.Request.Trailer = b.copyFields(x.Request.Trailer)
	y.Response.Trailer = b.copyFields(x.Response.Trailer)
	y.Messages = b.copyMessages(x.Messages)
}

func (b *Batch) copyMessages(list []StreamMessage) []StreamMessage {
	if len(list) == 0 {
		return nil
	}
	n := len(b.msgs)
	for _, m := range list {
		m.Data = b.copy(m.Data)
		b.msgs = append(b.msgs, m)
	}
	return b.msgs[n:len(b.msgs):len(b.msgs)]
}

func (b *Batch) copy(s []byte) []byte {
	if len(s) == 0 {
		return nil
	}
	n := len(b.bytes)
	b.bytes = append(b.bytes, s...)
	return b.bytes[n:len(b.bytes):len(b.bytes)]
}

func (b *Batch) copyFields(h []Field) []Field {
	if len(h) == 0 {
		return nil
	}
	n := len(b.fields)
	for i := range h {
		b.fields = append(b.fields, Field{b.copy(h[i].Name), b.copy(h[i].Value)})
	}
	return b.fields[n:len(b.fields):len(b.fields)]
}

// slices lists the byte slices of x outside of header fields. The array keeps
// Append free of allocation.
func (x *Exchange) slices() [13]*[]byte {
	return [13]*[]byte{&x.ID, &x.Site, &x.Sensor, &x.JA4, &x.SNI, &x.TLSVersion, &x.H2,
		&x.Method, &x.Target, &x.Host, &x.Reason, &x.Request.Body, &x.Response.Body}
}

func (x *Exchange) bytes() int {
	n := 0
	for _, s := range x.slices() {
		n += len(*s)
	}
	for _, h := range [4][]Field{x.Request.Header, x.Response.Header, x.Request.Trailer, x.Response.Trailer} {
		for i := range h {
			n += len(h[i].Name) + len(h[i].Value)
		}
	}
	for i := range x.Messages {
		n += len(x.Messages[i].Data)
	}
	return n
}

// Len is the number of exchanges.
func (b *Batch) Len() int { return len(b.items) }

// At gives the i-th exchange, valid until Reset.
func (b *Batch) At(i int) *Exchange { return &b.items[i] }

// Bytes is the size of what was copied.
func (b *Batch) Bytes() int64 { return b.spill + int64(len(b.bytes)) }

// Reset empties the batch for reuse. A room beyond 64 MiB is given back, so
// that one giant exchange does not stay in memory for ever.
func (b *Batch) Reset() {
	const keep = 64 << 20
	clear(b.items)
	clear(b.fields)
	clear(b.msgs)
	b.items, b.fields, b.msgs, b.bytes, b.spill = b.items[:0], b.fields[:0], b.msgs[:0], b.bytes[:0], 0
	if cap(b.bytes) > keep {
		b.bytes = nil
	}
}
