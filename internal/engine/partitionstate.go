package engine

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"xiezhi/internal/campaign"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/judge"
	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/judge/snapshot"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/policy"
	"xiezhi/internal/store/observation"
)

// partitionState is what a partition is, but for its judges, as plain data.
type partitionState struct {
	Seq       uint64
	ID        string
	Base      uint64
	Row       observation.Position
	At        int64 // ns
	Tally     tally
	Gaps      uint64
	Damaged   uint64
	Passed    int64
	Files     []policyText
	Decisions []*decision // in the order in which they were made
	Informed  bool        // judges were told what is known while they ran
	Known     []byte      // the snapshot that they were told last

	Order   sequence.OrderState
	Sensors map[string]*sensed
	Clocks  map[string]*siteClock
	Late    uint64

	Hosts    map[string]*hostCount
	Held     []heldBlock
	Open     []byte // encoded batch, empty: none
	From     int64
	Now      int64
	Refused  uint64
	Admitted map[string]bool

	Sites    []string // of the judges, in order
	Births   map[string]int
	First    int64
	Last     int64
	Count    uint64
	Folded   uint64
	Overflow uint64
	Next     int64
}

func (p *partition) state() *partitionState {
	a, b := p.admit, p.bench
	return &partitionState{
		Seq: p.seq, ID: p.id, Base: p.base, Row: p.row, At: p.at.UnixNano(), Tally: p.tally, Gaps: p.gaps, Damaged: p.damaged, Passed: p.passed, Files: p.files, Decisions: p.bench.decisions, Informed: p.bench.informed, Known: p.snapshot,
		Order: p.order.State(), Sensors: p.sensors, Clocks: b.clocks, Late: b.late,
		Hosts: a.hosts, Held: a.held, Open: a.unfinished(), From: a.from, Now: a.now, Refused: a.refused, Admitted: b.namer.admitted,
		Sites: b.order, Births: b.births, First: b.first, Last: b.last, Count: b.count, Folded: b.folded, Overflow: b.overflow, Next: b.nextCross,
	}
}

// unfinished gives the end of what is held, and leaves it as it is.
func (a *admit) unfinished() []byte {
	if a.open.Len() == 0 {
		return nil
	}
	data := a.open.Finish(nil)
	a.each(data, a.open.Append)
	return data
}

// roots are what is saved beside the judges.
func (p *partition) roots(st *partitionState) []any { return []any{st, p.bench.crossings, p.forms} }

func partitionCodec(roots []any) (*snapshot.Codec, error) { return snapshot.New(roots, nil) }

// save writes the partition so that restored goes on from it.
func (p *partition) save(w io.Writer) error {
	roots := p.roots(p.state())
	c, err := partitionCodec(roots)
	if err != nil {
		return err
	}
	out := &pieces{w: w}
	if err := errors.Join(c.Save(out, roots...), out.end()); err != nil {
		return err
	}
	for _, name := range p.bench.order {
		if err := errors.Join(p.bench.judges[name].Save(out), out.end()); err != nil {
			return fmt.Errorf("the judge of %s: %w", name, err)
		}
	}
	return nil
}

// restore makes a new partition what the saved one was. After an error it is of
// no use.
func (p *partition) restore(r io.Reader, cfg sequence.Config) error {
	st := &partitionState{}
	crossings, forms := campaign.NewCrossings(), form.NewTable(0)
	p.bench.crossings, p.forms = crossings, forms
	roots := p.roots(st)
	c, err := partitionCodec(roots)
	if err != nil {
		return err
	}
	in := &piecesReader{r: bufio.NewReaderSize(r, 1<<16)}
	if err := c.Restore(in, roots...); err != nil {
		return err
	}
	if err := in.next(); err != nil {
		return err
	}
	if p.order, err = sequence.RestoreOrder(cfg, st.Order); err != nil {
		return err
	}
	p.seq, p.id, p.base, p.row, p.at, p.tally, p.gaps, p.damaged, p.passed, p.files = st.Seq, st.ID, st.Base, st.Row, time.Unix(0, st.At), st.Tally, st.Gaps, st.Damaged, st.Passed, st.Files
	a, b := p.admit, p.bench
	p.sensors, b.clocks, b.late = st.Sensors, st.Clocks, st.Late
	a.hosts, a.held, a.from, a.now, a.refused, b.namer.admitted = st.Hosts, st.Held, st.From, st.Now, st.Refused, st.Admitted
	for _, h := range a.held {
		a.size += len(h.Data)
	}
	if len(st.Open) > 0 {
		a.each(st.Open, a.open.Append)
	}
	b.births, b.first, b.last, b.count, b.folded, b.overflow, b.nextCross = st.Births, st.First, st.Last, st.Count, st.Folded, st.Overflow, st.Next
	for _, t := range p.files {
		f, err := policy.Parse(t.Name, t.Text)
		if err != nil {
			return err
		}
		b.files = append(b.files, f)
	}
	for _, d := range st.Decisions {
		p.decisions[d.ID] = d
	}
	b.decisions = st.Decisions
	if st.Informed {
		if b.known, err = indicator.ParseSnapshot(st.Known); err != nil {
			return err
		}
		b.informed, p.snapshot = true, st.Known
	}
	for _, name := range st.Sites {
		name = strings.Clone(name)
		j, err := judge.Restore(b.config(name, b.births[name]), in)
		if err != nil {
			return fmt.Errorf("the judge of %s: %w", name, err)
		}
		if err := in.next(); err != nil {
			return err
		}
		b.judges[name] = j
		b.order = append(b.order, name)
	}
	return nil
}

// pieces lets several snapshots stand in one file: each is a run of pieces, a
// length before every one, and ends with an empty piece.
type pieces struct{ w io.Writer }

func (p *pieces) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(b)))
	if _, err := p.w.Write(n[:]); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

func (p *pieces) end() error {
	_, err := p.w.Write(make([]byte, 4))
	return err
}

// piecesReader reads one run of pieces, then, after next, the following one.
type piecesReader struct {
	r    io.Reader
	left uint32
	done bool
}

func (p *piecesReader) Read(b []byte) (int, error) {
	for p.left == 0 {
		if p.done {
			return 0, io.EOF
		}
		var n [4]byte
		if _, err := io.ReadFull(p.r, n[:]); err != nil {
			return 0, errors.Join(snapshot.ErrDamaged, err)
		}
		p.left = binary.LittleEndian.Uint32(n[:])
		p.done = p.left == 0
	}
	n, err := p.r.Read(b[:min(len(b), int(p.left))])
	p.left -= uint32(n)
	return n, err
}

// next goes to the following run. What was not read of this one means that it
// is not what was saved.
func (p *piecesReader) next() error {
	var rest [1]byte
	if n, err := p.Read(rest[:]); n != 0 || !errors.Is(err, io.EOF) {
		return errors.Join(snapshot.ErrDamaged, err)
	}
	p.done = false
	return nil
}
