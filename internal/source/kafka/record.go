package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// run is the state of one Run.
type run struct {
	cfg     Config
	sink    source.Sink
	flusher source.Flusher // nil: the sink's acknowledgement is enough
	ledger  *source.Ledger

	dec  exchange.HARDecoder
	x    exchange.Exchange
	id   exchange.ID
	site []byte
	seq  uint64

	accepted uint64
	quality  [len(qualities)]uint64

	mu   sync.Mutex // guards the following
	next map[place]int64
}

var qualities = [...]taxonomy.Quality{taxonomy.QualityNoBodies, taxonomy.QualityNoResponses, taxonomy.QualityNoHeaderOrder, taxonomy.QualityNoTLS}

// take delivers what was polled, and returns nil when the sink will not lose it.
func (r *run) take(polled kgo.Fetches) (err error) {
	polled.EachPartition(func(f kgo.FetchTopicPartition) {
		if err != nil || len(f.Records) == 0 {
			return
		}
		at := place{f.Topic, f.Partition}
		r.gone(at, f.Records[0].Offset, &f.FetchPartition)
		for _, rec := range f.Records {
			if err = r.record(at, rec.Offset, rec.Value); err != nil {
				break
			}
			r.mu.Lock()
			r.next[at] = rec.Offset + 1
			r.mu.Unlock()
		}
		for i, n := range r.quality {
			r.ledger.Quality(qualities[i], f.Topic, n)
			r.quality[i] = 0
		}
	})
	r.ledger.AddAccepted(r.accepted)
	r.accepted = 0
	if err == nil && r.flusher != nil && polled.NumRecords() > 0 {
		err = r.flusher.Flush()
	}
	return err
}

// record delivers the entries of one record.
func (r *run) record(at place, offset int64, value []byte) error {
	r.ledger.AddBytes(int64(len(value)))
	value = bytes.TrimPrefix(value, []byte("\xef\xbb\xbf"))
	for n := int64(1); len(value) > 0; n++ {
		line := value
		if i := bytes.IndexByte(value, '\n'); i >= 0 {
			line, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case len(line) > r.cfg.EntryLimit:
			r.drop(at, offset, n, taxonomy.DropOversize, "the entry is larger than the limit")
		default:
			if err := r.entry(at, offset, n, line); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) entry(at place, offset, line int64, raw []byte) error {
	x := &r.x
	if err := r.dec.Decode(raw, x); err != nil {
		if errors.Is(err, exchange.ErrNotHTTP) {
			r.drop(at, offset, line, taxonomy.DropUnsupported, "request.url is no HTTP URL")
		} else {
			r.drop(at, offset, line, taxonomy.DropCorrupt, err.Error())
		}
		return nil
	}
	if len(x.ID) == 0 {
		// Of its place, not of its content: a record that is read again has the
		// place it had, but not the occurrence.
		r.id = exchange.HashLine(fmt.Appendf(nil, "%s\x00%d\x00%d\x00%d", at.topic, at.partition, offset, line)).ID(0)
		x.ID = r.id[:]
	}
	if r.cfg.Site != "" {
		x.Site = append(r.site[:0], r.cfg.Site...)
		r.site = x.Site
	}
	r.seq++
	x.Ordinal, x.Seq = r.cfg.Ordinal, r.seq
	if err := r.sink.Accept(x); err != nil {
		return err
	}
	r.accepted++
	for i, lacking := range [...]bool{x.Caps&(exchange.CapRequestBody|exchange.CapResponseBody) == 0, x.Status == 0,
		x.Caps&exchange.CapHeaderOrder == 0, x.Caps&exchange.CapTLS == 0} {
		if lacking {
			r.quality[i]++
		}
	}
	return nil
}

func (r *run) drop(at place, offset, line int64, reason taxonomy.DropReason, text string) {
	r.ledger.DropAt(source.Problem{File: r.name(at, offset), Offset: -1, Line: line, Reason: reason, Text: text})
}

func (r *run) name(at place, offset int64) string {
	return fmt.Sprintf("%s/%d@%d", at.topic, at.partition, offset)
}
