// Package tail follows access logs and files of HAR lines as they grow.
//
// It takes paths and patterns and gives one exchange per line, as accesslog and
// har do from whole files, with the same ids. Files are looked at every so
// often: that works on every file system, network mounts and container volumes
// included, where notifications do not, and costs one stat per file. A line
// counts once its end is written. Renamed files are read to their end, copied
// and truncated ones go on in the copy, new ones that match are taken up,
// compressed ones are left alone. Files that came and were rotated while nobody
// looked are known by their names, the followed one's with a number or date.
//
// A checkpoint says how far each file was delivered, by device, inode and a
// hash of its first bytes. It is written after the sink acknowledged and, where
// the sink can, flushed what comes before; so after a kill at any moment every
// line is delivered at least once, and one that is delivered twice has the same
// id both times, as long as fewer than 1 MiB of equal lines lie between.
// Invariants: lines of one file are delivered in order; every line is
// accepted, dropped under one reason with its byte offset, or left for the next
// run. Limits: 1 024 files; lines of 1 MiB, HAR lines of 8 MiB; what a program
// writes between the copy and the cut of copytruncate is lost, as for everyone.
package tail

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/accesslog"
	"xiezhi/internal/taxonomy"
)

const (
	maxFiles  = 1024
	maxEntry  = 8 << 20   // a HAR line
	chunk     = 256 << 10 // what one read takes
	turn      = 4 << 20   // what is read of one file before the next has its turn
	headSize  = 1024      // first bytes of a file that tell it from others
	primeSize = 1 << 20   // read again before a checkpoint, to know equal lines
	maxHeld   = 4 << 20   // lines that a checkpoint waits for the end of one in pieces
)

// Config of the source.
type Config struct {
	Paths      []string         // files, or patterns as in filepath.Match
	Log        accesslog.Config // how lines of access logs are read
	Checkpoint string           // file that remembers how far was read; "" for none
	Every      time.Duration    // between two looks; 0 means 250 ms
	Linger     time.Duration    // a file that was renamed is watched this long for more; 0 means 30 s
}

// Source follows files.
type Source struct {
	cfg   Config
	files map[identity]*file
	start []mark    // of the checkpoint that was read
	saved time.Time // when that was written
	last  []byte    // the checkpoint to be written
	over  bool      // there are more files than can be followed
	often bool      // write the checkpoint at every look, in tests

	denied map[string]bool // files that could not be opened

	sink   source.Sink
	ledger *source.Ledger
	dec    exchange.HARDecoder
	x      exchange.Exchange
	seen   exchange.Occurrences
	id     exchange.ID
	seq    uint64
	buf    []byte

	accepted uint64
}

// New reads the checkpoint, if there is one; no other file is opened before
// Run. The errors are about patterns, the log format and the checkpoint.
func New(cfg Config) (*Source, error) {
	if cfg.Every <= 0 {
		cfg.Every = 250 * time.Millisecond
	}
	if cfg.Linger <= 0 {
		cfg.Linger = 30 * time.Second
	}
	s := &Source{cfg: cfg, files: map[identity]*file{}, denied: map[string]bool{}, buf: make([]byte, chunk)}
	s.cfg.Paths = nil
	for _, p := range cfg.Paths {
		if _, err := filepath.Match(p, ""); err != nil {
			return nil, err
		}
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		s.cfg.Paths = append(s.cfg.Paths, abs)
	}
	if _, err := accesslog.NewLines(cfg.Log); err != nil {
		return nil, err
	}
	var err error
	if cfg.Checkpoint != "" {
		if info, err := os.Stat(cfg.Checkpoint); err == nil {
			s.saved = info.ModTime()
		}
		s.start, err = loadCheckpoint(cfg.Checkpoint)
	}
	return s, err
}

// Run follows until ctx is done. The checkpoint is written now and then if the
// sink is a Flusher; otherwise Save writes it when the caller has made safe
// what came of it.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	s.sink, s.ledger = sink, ledger
	defer s.closeFiles()
	if err := s.resume(); err != nil {
		return err
	}
	looks := time.NewTicker(s.cfg.Every)
	defer looks.Stop()
	dirty, saved := false, time.Time{}
	for {
		progress, err := s.look(ctx)
		if err != nil {
			return err
		}
		dirty = dirty || progress
		if now := time.Now(); dirty && (s.often || now.Sub(saved) >= time.Second) {
			if err := s.acknowledged(); err != nil {
				return err
			}
			dirty, saved = false, now
		}
		select {
		case <-ctx.Done():
			return s.end(ctx)
		case <-looks.C:
		}
	}
}

// look takes up new files and reads what has come, file by file in turns, until
// none has more.
func (s *Source) look(ctx context.Context) (progress bool, err error) {
	s.find()
	for more := true; more && ctx.Err() == nil; {
		more = false
		for _, f := range s.inOrder() {
			grown, left, err := s.read(f)
			if err != nil {
				return progress, err
			}
			progress = progress || grown
			more = more || left
			if err := s.retire(f, grown); err != nil {
				return progress, err
			}
		}
	}
	return progress, nil
}

// end delivers what is there when the run ends, up to a turn of each file.
// Without a checkpoint a last line that lacks its end counts as one: nobody
// will come back for it.
func (s *Source) end(ctx context.Context) error {
	s.find()
	for _, f := range s.inOrder() {
		_, left, err := s.read(f)
		if err != nil {
			return err
		}
		if s.cfg.Checkpoint != "" {
			continue
		}
		if left {
			s.note(f.name, taxonomy.DropTruncated, "the run ended before the end of the file")
		} else if err := s.lastLine(f); err != nil {
			return err
		}
	}
	if err := s.acknowledged(); err != nil {
		return err
	}
	return ctx.Err()
}

// acknowledged writes the checkpoint if the sink can make safe what it took.
func (s *Source) acknowledged() error {
	if s.cfg.Checkpoint != "" {
		s.last = s.remember()
	}
	f, ok := s.sink.(source.Flusher)
	if !ok {
		return nil
	}
	if err := f.Flush(); err != nil {
		return err
	}
	return s.Save()
}

// Save writes the checkpoint of what was delivered when Run ended or last
// looked. Without a checkpoint file it does nothing.
func (s *Source) Save() error {
	if s.cfg.Checkpoint == "" || s.last == nil {
		return nil
	}
	return writeCheckpoint(s.cfg.Checkpoint, s.last)
}

// deliver hands over the exchange of a line.
func (s *Source) deliver(h exchange.ContentHash) error {
	x := &s.x
	if len(x.ID) == 0 {
		s.id = h.ID(s.seen.Next(h))
		x.ID = s.id[:]
	}
	s.seq++
	x.Ordinal, x.Seq = s.cfg.Log.Ordinal, s.seq
	if err := s.sink.Accept(x); err != nil {
		return err
	}
	s.accepted++
	return nil
}

// count passes the counters on.
func (s *Source) count(bytes int64) {
	s.ledger.AddBytes(bytes)
	s.ledger.AddAccepted(s.accepted)
	s.accepted = 0
}

func (s *Source) drop(f *file, at int64, reason taxonomy.DropReason, text string) {
	s.ledger.DropAt(source.Problem{File: f.name, Offset: at, Reason: reason, Text: text})
}

func (s *Source) note(name string, reason taxonomy.DropReason, text string) {
	s.ledger.Note(source.Problem{File: name, Offset: -1, Reason: reason, Text: text})
}

// errUnsupported: the system does not tell files apart by device and inode.
var errUnsupported = errors.New("following files needs a Unix system")
