package judge

import (
	"cmp"
	"container/heap"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"xiezhi/internal/observe"
)

// SpillFile is a temporary file of the sorter. Close removes it.
type SpillFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// SorterConfig configures a Sorter.
type SorterConfig struct {
	Memory int                         // bytes of encoded observations kept in memory; default 16 MiB
	Create func() (SpillFile, error)   // opens a temporary file; nil: spilling is an error
	Seal   func() (cipher.AEAD, error) // cipher for spilled blocks; nil: a random-key AES-256-GCM from Random
	Random io.Reader                   // source of the spill key, required when Create is set and Seal is nil
}

const (
	defaultSortMemory = 16 << 20
	spillBlock        = 192 << 10 // bytes of one spilled block before sealing
	chunkSize         = 4 << 20   // of what is in memory; a larger batch stands alone
	spillFile         = 1 << 30   // bytes of a file after which the next spill opens another
)

// Sorter puts the observations of finished files into the judge's order: a
// bounded external merge sort. Batches may be added by any number of
// goroutines in any order; Each then gives every observation once, ordered by
// observe.Compare, as often as it is called. What it spills is encrypted with
// a key that lives only as long as the sorter.
type Sorter struct {
	cfg  SorterConfig
	aead cipher.AEAD

	mu      sync.Mutex
	memory  int
	runs    []*run // in memory, each one sorted batch
	spilled []*run // on disk
	files   []SpillFile
	sealed  uint64 // blocks sealed so far, the nonce of the next
	count   uint64
	rooms   []*room  // to encode in, one per goroutine at most
	chunks  [][]byte // what the runs in memory stand in; kept from spill to spill
	chunk   int      // the one being filled
	offset  int64    // end of the last file
}

// maxRoom is the room that an Add keeps for the next one.
const maxRoom = 4 << 20

// room is what an Add works in.
type room struct {
	order []int32
	data  []byte
}

// run is one sorted sequence of blocks.
type run struct {
	file   SpillFile // of the blocks that are on disk
	blocks []block
}

type block struct {
	data   []byte // nil when on disk
	offset int64
	size   int
	nonce  uint64
	first  orderKey
	last   orderKey
}

type orderKey struct {
	end     int64
	ordinal uint32
	seq     uint64
	part    uint8
}

func keyOf(o *observe.Observation) orderKey { return orderKey{o.End, o.Ordinal, o.Seq, o.Part} }

func (a orderKey) compare(b orderKey) int {
	switch {
	case a.end != b.end:
		return sign(a.end < b.end)
	case a.ordinal != b.ordinal:
		return sign(a.ordinal < b.ordinal)
	case a.seq != b.seq:
		return sign(a.seq < b.seq)
	case a.part != b.part:
		return sign(a.part < b.part)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// NewSorter returns an empty sorter.
func NewSorter(cfg SorterConfig) *Sorter {
	if cfg.Memory <= 0 {
		cfg.Memory = defaultSortMemory
	}
	return &Sorter{cfg: cfg}
}

// Count is the number of observations added.
func (s *Sorter) Count() uint64 { s.mu.Lock(); defer s.mu.Unlock(); return s.count }

// Spilled reports how many bytes went to disk.
func (s *Sorter) Spilled() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.spilled {
		for i := range r.blocks {
			n += int64(r.blocks[i].size)
		}
	}
	return n
}

// Add sorts and keeps a batch's observations. The batch is the caller's again
// when Add returns.
func (s *Sorter) Add(b *observe.Batch) error {
	n := b.Len()
	if n == 0 {
		return nil
	}
	w := s.borrow()
	order := w.order[:0]
	sorted := true
	for i := range n {
		order = append(order, int32(i))
		sorted = sorted && (i == 0 || observe.Compare(b.At(i-1), b.At(i)) <= 0)
	}
	if !sorted {
		slices.SortFunc(order, func(x, y int32) int { return observe.Compare(b.At(int(x)), b.At(int(y))) })
	}
	w.order, w.data = order, b.AppendEncodedOrder(w.data[:0], order)
	r := &run{blocks: []block{{size: len(w.data), first: keyOf(b.At(int(order[0]))), last: keyOf(b.At(int(order[n-1])))}}}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.blocks[0].data = s.keep(w.data)
	s.memory += len(w.data)
	if cap(w.data) <= maxRoom {
		s.rooms = append(s.rooms, w)
	}
	s.count += uint64(n)
	s.runs = append(s.runs, r)
	if s.memory <= s.cfg.Memory {
		return nil
	}
	return s.spill()
}

// keep copies an encoded batch to where it stays until the next spill.
func (s *Sorter) keep(data []byte) []byte {
	if len(data) > chunkSize {
		return slices.Clone(data)
	}
	for ; s.chunk < len(s.chunks); s.chunk++ {
		if c := &s.chunks[s.chunk]; cap(*c)-len(*c) >= len(data) {
			n := len(*c)
			*c = append(*c, data...)
			return (*c)[n:len(*c):len(*c)]
		}
	}
	c := append(make([]byte, 0, chunkSize), data...)
	s.chunks = append(s.chunks, c)
	return c[:len(c):len(c)]
}

// borrow gives a room, which Add returns.
func (s *Sorter) borrow() *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.rooms); n > 0 {
		w := s.rooms[n-1]
		s.rooms = s.rooms[:n-1]
		return w
	}
	return &room{}
}

// maxOverlap is how many runs may cover one moment before they are merged.
// Input that is nearly in order stays far below it, and its batches go to disk
// as they are: merging would decode and encode them once more for nothing.
const maxOverlap = 48

// spill moves the runs in memory to disk.
func (s *Sorter) spill() error {
	if s.cfg.Create == nil {
		return errors.New("sort observations: the input does not fit the memory limit and no temporary folder was given")
	}
	if s.aead == nil {
		if err := s.makeKey(); err != nil {
			return err
		}
	}
	if len(s.files) == 0 || s.offset >= spillFile {
		f, err := s.cfg.Create()
		if err != nil {
			return fmt.Errorf("sort observations: open a temporary file: %w", err)
		}
		s.files, s.offset = append(s.files, f), 0
	}
	f := s.files[len(s.files)-1]
	w := spillWriter{s: s, file: f, offset: s.offset}
	if overlap(slices.Concat(s.spilled, s.runs)) <= maxOverlap {
		for _, r := range s.runs {
			b := &r.blocks[0]
			if err := w.seal(b.data, b.first, b.last); err != nil {
				return err
			}
			s.spilled = append(s.spilled, &run{file: f, blocks: w.blocks})
			w.blocks = nil
		}
	} else {
		if err := s.merge(s.runs, w.add); err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
		s.spilled = append(s.spilled, &run{file: f, blocks: w.blocks})
	}
	s.runs, s.memory, s.offset = nil, 0, w.offset
	for i := range s.chunks {
		s.chunks[i] = s.chunks[i][:0]
	}
	s.chunk = 0
	return nil
}

// overlap is the largest number of runs that cover one moment.
func overlap(runs []*run) int {
	type edge struct {
		key  orderKey
		step int
	}
	edges := make([]edge, 0, 2*len(runs))
	for _, r := range runs {
		edges = append(edges, edge{r.blocks[0].first, 1}, edge{r.blocks[len(r.blocks)-1].last, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.key.compare(b.key), cmp.Compare(b.step, a.step)) })
	most, now := 0, 0
	for _, e := range edges {
		now += e.step
		most = max(most, now)
	}
	return most
}

func (s *Sorter) makeKey() error {
	if s.cfg.Seal != nil {
		a, err := s.cfg.Seal()
		s.aead = a
		return err
	}
	var key [32]byte
	if s.cfg.Random == nil {
		return errors.New("sort observations: no randomness for the temporary key")
	}
	if _, err := io.ReadFull(s.cfg.Random, key[:]); err != nil {
		return fmt.Errorf("sort observations: make a temporary key: %w", err)
	}
	c, err := aes.NewCipher(key[:])
	if err != nil {
		return err
	}
	s.aead, err = cipher.NewGCM(c)
	return err
}

// spillWriter writes sealed blocks to one file.
type spillWriter struct {
	s      *Sorter
	file   SpillFile
	blocks []block
	offset int64
	buf    []byte

	// cutting a merged stream
	block       observe.Writer
	first, last orderKey
	plain       []byte
}

func (w *spillWriter) add(o *observe.Observation) error {
	w.last = keyOf(o)
	if w.block.Len() == 0 {
		w.first = w.last
	}
	w.block.Append(o)
	if w.block.Size() >= spillBlock {
		return w.flush()
	}
	return nil
}

func (w *spillWriter) flush() error {
	if w.block.Len() == 0 {
		return nil
	}
	w.plain = w.block.Finish(w.plain[:0])
	return w.seal(w.plain, w.first, w.last)
}

// seal encrypts one encoded block and writes it.
func (w *spillWriter) seal(data []byte, first, last orderKey) error {
	nonce := w.s.sealed
	w.s.sealed++
	w.buf = w.s.aead.Seal(w.buf[:0], nonceBytes(nonce), data, nil)
	if _, err := w.file.Write(w.buf); err != nil {
		return fmt.Errorf("sort observations: write a temporary file: %w", err)
	}
	w.blocks = append(w.blocks, block{offset: w.offset, size: len(w.buf), nonce: nonce, first: first, last: last})
	w.offset += int64(len(w.buf))
	return nil
}

func nonceBytes(n uint64) []byte {
	var b [12]byte
	binary.BigEndian.PutUint64(b[4:], n)
	return b[:]
}

// Each calls fn for every observation in order. o is valid only during the
// call. Each may be called again after it returned.
func (s *Sorter) Each(fn func(o *observe.Observation) error) error {
	s.mu.Lock()
	runs := slices.Concat(s.spilled, s.runs)
	s.mu.Unlock()
	return s.merge(runs, fn)
}

// Close removes the temporary files.
func (s *Sorter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	s.runs, s.spilled, s.files, s.memory, s.chunks, s.rooms = nil, nil, nil, 0, nil, nil
	return errors.Join(errs...)
}

// merge merges sorted runs. A run is opened only when its first key is due, so
// that input which is nearly in order keeps few blocks decoded; the next ones are
// decoded meanwhile.
func (s *Sorter) merge(runs []*run, fn func(o *observe.Observation) error) error {
	waiting := slices.Clone(runs)
	slices.SortStableFunc(waiting, func(a, b *run) int { return a.blocks[0].first.compare(b.blocks[0].first) })
	l := newLoader(s, waiting)
	defer l.stop()
	var open cursorHeap
	for len(waiting) > 0 || len(open) > 0 {
		for len(waiting) > 0 && (len(open) == 0 || waiting[0].blocks[0].first.compare(open[0].key) <= 0) {
			waiting = waiting[1:]
			c := <-l.ready
			if c.err != nil {
				return c.err
			}
			heap.Push(&open, c)
		}
		c := open[0]
		if err := fn(c.batch.At(c.at)); err != nil {
			return err
		}
		c.at++
		if c.at < c.batch.Len() {
			c.key = keyOf(c.batch.At(c.at))
			if len(open) > 1 {
				heap.Fix(&open, 0)
			}
			continue
		}
		if c.next < len(c.run.blocks) {
			if err := c.load(s); err != nil {
				return err
			}
			heap.Fix(&open, 0)
			continue
		}
		heap.Pop(&open)
		l.give(c)
	}
	return nil
}

// loader opens runs in their order, ahead of the merge by aheadRuns.
type loader struct {
	ready chan *cursor
	free  chan *cursor
	quit  chan struct{}
	done  chan struct{}
}

const (
	aheadRuns    = 2
	spareCursors = 2 * aheadRuns // kept for the next runs: a cursor grows to the size of a run once
)

func newLoader(s *Sorter, runs []*run) *loader {
	l := &loader{ready: make(chan *cursor, aheadRuns-1), free: make(chan *cursor, spareCursors), quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for _, r := range runs {
			c := &cursor{}
			select {
			case c = <-l.free:
			default:
			}
			c.run, c.next = r, 0
			c.err = c.load(s)
			select {
			case l.ready <- c:
			case <-l.quit:
				return
			}
		}
	}()
	return l
}

// give returns a cursor for use with another run.
func (l *loader) give(c *cursor) {
	c.run = nil
	select {
	case l.free <- c:
	default:
	}
}

func (l *loader) stop() {
	close(l.quit)
	<-l.done
}

// cursor reads one run block by block.
type cursor struct {
	run   *run
	next  int // next block
	batch observe.Batch
	at    int
	key   orderKey
	buf   []byte
	plain []byte
	err   error // of loading ahead
}

func (c *cursor) load(s *Sorter) error {
	b := &c.run.blocks[c.next]
	data := b.data
	if data == nil {
		c.buf = slices.Grow(c.buf[:0], b.size)[:b.size]
		if _, err := c.run.file.ReadAt(c.buf, b.offset); err != nil {
			return fmt.Errorf("sort observations: read a temporary file: %w", err)
		}
		var err error
		if c.plain, err = s.aead.Open(c.plain[:0], nonceBytes(b.nonce), c.buf, nil); err != nil {
			return fmt.Errorf("sort observations: a temporary file was changed: %w", err)
		}
		data = c.plain
	}
	c.next++
	c.batch.Reset()
	if err := c.batch.Decode(data); err != nil {
		return fmt.Errorf("sort observations: %w", err)
	}
	c.at = 0
	c.key = keyOf(c.batch.At(0))
	return nil
}

type cursorHeap []*cursor

func (h cursorHeap) Len() int           { return len(h) }
func (h cursorHeap) Less(i, j int) bool { return h[i].key.compare(h[j].key) < 0 }
func (h cursorHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *cursorHeap) Push(x any)        { *h = append(*h, x.(*cursor)) }
func (h *cursorHeap) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}
