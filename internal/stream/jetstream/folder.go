package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/folder"
	"xiezhi/internal/stream"
)

// Folder is where a stream of one process is kept.
type Folder struct {
	Path   string // of the data folder; the stream takes the folder "stream" in it
	Always bool   // flush to the disk before each acknowledgement: what was acknowledged outlives the loss of power
	Free   uint64 // bytes of the disk that are left to others; default DefaultFree
}

const (
	// DefaultFree is what the stream leaves of a disk: a server that runs out of
	// it stops, and the states of judges need room as well.
	DefaultFree = 256 << 20

	folderName  = "stream"
	lockName    = "lock"
	startWait   = time.Minute      // for a server that reads what is there
	syncEvery   = 10 * time.Second // what the power may cost without Always
	maxPending  = 256 << 20        // to one connection; readers ask for far less
	embeddedTag = "XIEZHI"
)

// Open opens the stream of a folder, with a server in this process that listens
// to nothing.
func Open(ctx context.Context, cfg Config, f Folder) (*Bus, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	path, lock, err := take(f.Path)
	if err != nil {
		return nil, err
	}
	if f.Free == 0 {
		f.Free = DefaultFree
	}
	b := &Bus{cfg: cfg, where: path, prefix: embeddedTag, folder: lock, room: newRoom(path, f.Free, cfg.Now)}
	if err := prepare(path); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	b.dial = func() (*link, error) { return embed(&b.cfg, path, f.Always) }
	if b.link, err = b.dial(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	err = b.open(ctx, func(c jetstream.StreamConfig) jetstream.StreamConfig {
		c.MaxBytes = cfg.Bytes // no more than the sum: what holds when trimming fails
		return c
	})
	if err != nil {
		b.link.close()
		if b.sealer != nil {
			b.sealer.Close()
		}
		return nil, errors.Join(err, lock.Close())
	}
	return b, nil
}

// take makes the folder and holds it.
func take(data string) (path string, lock io.Closer, err error) {
	path, err = filepath.Abs(filepath.Join(data, folderName))
	if err != nil {
		return "", nil, stream.Explain("find the folder of the stream", data, err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", nil, stream.Explain("make the folder of the stream", path, err)
	}
	name := filepath.Join(path, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", nil, stream.Explain("open the lock of the stream", name, err)
	}
	if err := folder.Lock(f); err != nil {
		who, _ := io.ReadAll(io.LimitReader(f, 20))
		_ = f.Close()
		if errors.Is(err, stream.ErrInUse) {
			do := "end that process"
			if len(who) > 0 {
				do += " (its number is " + strings.TrimSpace(string(who)) + ")"
			}
			return "", nil, &stream.Fault{What: "take the folder of the stream", Where: path, Do: do + ", or name another folder", Err: err}
		}
		return "", nil, stream.Explain("lock the folder of the stream", name, err)
	}
	// Only a help for whoever finds it taken.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return path, &held{path, f}, nil
}

// embedded is a server in this process.
type embedded struct {
	server *server.Server
	failed context.Context // ends, with the cause, when it can write no more
	end    context.CancelCauseFunc
}

func (e *embedded) stop() {
	e.end(nats.ErrConnectionClosed)
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

// embed starts a server and connects to it. One that found a file damaged knows
// by then which numbers it lost, but takes batches under some of them that it
// finds only after it was started anew; then it leaves them out. So it is.
func embed(cfg *Config, path string, always bool) (*link, error) {
	l, err := serve(cfg, path, always)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	lost, err := lostWithin(ctx, l.read.js)
	if err != nil {
		l.close()
		return nil, diskFault(path, err)
	}
	if lost == 0 {
		return l, nil
	}
	cfg.Log.Error("files of the stream are damaged", "lost", lost)
	l.close()
	return serve(cfg, path, always)
}

// lostWithin counts what the server found damaged. It tells only whoever asks
// for what was deleted as well.
func lostWithin(ctx context.Context, js jetstream.JetStream) (lost int, err error) {
	list := js.StreamNames(ctx)
	for name := range list.Name() {
		s, err := js.Stream(ctx, name)
		if err != nil {
			return 0, err
		}
		info, err := s.Info(ctx, jetstream.WithDeletedDetails(true))
		if err != nil {
			return 0, err
		}
		if info.State.Lost != nil {
			lost += len(info.State.Lost.Msgs)
		}
	}
	return lost, list.Err()
}

func serve(cfg *Config, path string, always bool) (*link, error) {
	failed, end := context.WithCancelCause(context.Background())
	s, err := server.NewServer(&server.Options{
		ServerName: embeddedTag, DontListen: true, NoSigs: true, NoLog: true, DisableJetStreamBanner: true, NoSystemAccount: true,
		JetStream: true, StoreDir: path, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: math.MaxInt64 / 2,
		SyncAlways: always, SyncInterval: syncEvery, MaxPayload: 2 << 20, MaxPending: maxPending,
	})
	if err != nil {
		end(err)
		return nil, diskFault(path, err)
	}
	s.SetLoggerV2(&logger{cfg.Log, end}, false, false, false)
	e := &embedded{s, failed, end}
	s.Start()
	if !s.ReadyForConnections(startWait) || !s.JetStreamEnabled() {
		e.end(errors.New("its server does not start"))
		e.stop()
		return nil, diskFault(path, context.Cause(failed))
	}
	l, err := connect(cfg, "", nats.InProcessServer(s), nats.NoReconnect())
	if err != nil {
		e.stop()
		return nil, diskFault(path, err)
	}
	l.server = e
	return l, nil
}

// diskFault says what an error of the server in this process means. Its errors
// are texts, of which those of the disk are known.
func diskFault(path string, err error) error {
	var known *stream.Fault
	if errors.As(err, &known) {
		return err
	}
	text := err.Error()
	for _, c := range []struct {
		text string
		err  error
		do   string
	}{
		{"no space left", stream.ErrFull, "make room on that disk; nothing that was acknowledged is lost"},
		{"disk quota exceeded", stream.ErrFull, "make room on that disk; nothing that was acknowledged is lost"},
		{"file too large", stream.ErrFull, "let files be larger there; nothing that was acknowledged is lost"},
		{"insufficient", stream.ErrFull, "make room on that disk; nothing that was acknowledged is lost"},
		{"permission denied", stream.ErrReadOnly, "give this user the right to write there, or name another folder"},
		{"read-only file system", stream.ErrReadOnly, "give this user the right to write there, or name another folder"},
	} {
		if strings.Contains(text, c.text) {
			return &stream.Fault{What: "write the stream in", Where: path, Do: c.do, Err: fmt.Errorf("%w (%w)", c.err, err)}
		}
	}
	return &stream.Fault{What: "keep the stream in", Where: path, Do: "look at the log and the disk", Err: err}
}

// room watches that the disk does not fill up: a server that meets its end
// stops writing altogether.
type room struct {
	path string
	keep uint64
	free func(path string) (uint64, error)
	now  func() time.Time

	mu    sync.Mutex
	since int       // bytes written since the last look
	at    time.Time // of the last look
	err   error
}

const (
	lookBytes = 8 << 20
	lookEvery = time.Second
)

func newRoom(path string, keep uint64, now func() time.Time) *room {
	return &room{path: path, keep: keep, free: folder.Free, now: now}
}

// check says whether n more bytes may be written.
func (r *room) check(n int) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since += n
	now := r.now()
	if r.err == nil && r.since < lookBytes && now.Sub(r.at) < lookEvery && !now.Before(r.at) {
		return nil
	}
	r.since, r.at, r.err = 0, now, nil
	free, err := r.free(r.path)
	if err != nil {
		r.err = stream.Explain("look how full the disk is at", r.path, err)
	} else if free < r.keep {
		r.err = &stream.Fault{What: "write to the stream in", Where: r.path, Do: "make room on that disk; nothing that was acknowledged is lost",
			Err: fmt.Errorf("%w: %d MiB are free, %d are left to others", stream.ErrFull, free>>20, r.keep>>20)}
	}
	return r.err
}
