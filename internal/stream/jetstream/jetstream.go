// Package jetstream keeps the stream in NATS JetStream: in this process and a
// folder of its own, or on a cluster of NATS servers.
//
// It takes a Config and a Folder or a Cluster and gives a stream.Bus, one
// JetStream stream a partition. Invariants: a batch that Publish acknowledged
// outlives a SIGKILL of the process at that moment; the power may fail as well
// with Folder.Always, and on a cluster as long as most of its servers go on.
// No batch stands on a disk unsealed. Limits: MaxReadAhead a reader, Window
// batches under way, Config.Bytes and Age of what is kept; two processes never
// use one folder.
package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

const (
	// DefaultAge is how long batches are kept unless told otherwise.
	DefaultAge = 7 * 24 * time.Hour
	// DefaultBytes is how much of them.
	DefaultBytes = 16 << 30
	// DefaultDedupe is how long ids are remembered: longer than Publish and
	// whoever calls it again after an error take.
	DefaultDedupe = 5 * time.Minute
	// Window is how many batches may be under way to the stream at once;
	// further calls of Publish wait.
	Window = 32

	form          = 1 // of what is kept
	formKey       = "xiezhi_form"
	partitionsKey = "xiezhi_partitions"
	callTimeout   = 5 * time.Second
	retryWait     = 100 * time.Millisecond
)

// Config is what a Folder and a Cluster have in common.
type Config struct {
	Partitions int              // of a new stream; default stream.DefaultPartitions
	Key        [32]byte         // of the installation
	Former     [][32]byte       // keys that it had before
	Random     io.Reader        // for sealing
	Now        func() time.Time // for waiting and leases, never for what is analysed; default time.Now
	Age        time.Duration    // default DefaultAge
	Bytes      int64            // of one copy, over all partitions; default DefaultBytes
	Dedupe     time.Duration    // default DefaultDedupe
	Patience   time.Duration    // how long Publish tries while no server answers; default half of Dedupe

	Damaged func(stream.Damage) // called for each damaged batch, by any reader; may be nil
	Log     *slog.Logger        // of the server and the client; nil: nothing is logged
}

func (c *Config) fill() error {
	if c.Partitions == 0 {
		c.Partitions = stream.DefaultPartitions
	}
	if c.Partitions < 1 || c.Partitions > stream.MaxPartitions {
		return fmt.Errorf("%w: %d partitions, 1 to %d are allowed", stream.ErrRefused, c.Partitions, stream.MaxPartitions)
	}
	if c.Random == nil {
		return fmt.Errorf("%w: no randomness to seal with", stream.ErrRefused)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Age <= 0 {
		c.Age = DefaultAge
	}
	if c.Bytes <= 0 {
		c.Bytes = DefaultBytes
	}
	if c.Dedupe <= 0 {
		c.Dedupe = DefaultDedupe
	}
	c.Dedupe = min(c.Dedupe, c.Age)
	if c.Patience <= 0 {
		c.Patience = c.Dedupe / 2
	}
	if c.Damaged == nil {
		c.Damaged = func(stream.Damage) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Bus is a stream.Bus on JetStream.
type Bus struct {
	cfg      Config
	where    string // folder or servers, for errors
	prefix   string
	replicas int // on a cluster
	dial     func() (*link, error)
	sealer   *stream.Sealer
	rooms    sync.Pool // *[]byte of sealed batches
	window   chan struct{}
	room     *room // nil: on a cluster, where it is the servers' to watch
	folder   io.Closer
	parts    []part
	trim     trimmer

	ctx   context.Context // ends with Close
	end   context.CancelFunc
	over  chan struct{}  // closed when Close is through
	going sync.WaitGroup // calls of Publish and what runs by itself

	mu      sync.Mutex // guards the following
	link    *link
	renewed time.Time // when a server in this process was last started anew
	closed  bool
}

type part struct {
	name    string
	subject string
	damaged atomic.Uint64
}

var _ stream.Bus = (*Bus)(nil)

// open fills in what both kinds share; the link is there.
func (b *Bus) open(ctx context.Context, config func(jetstream.StreamConfig) jetstream.StreamConfig) error {
	var err error
	if b.sealer, err = stream.NewSealer(b.cfg.Random, b.cfg.Key, b.cfg.Former...); err != nil {
		return err
	}
	b.rooms.New = func() any { return new([]byte) }
	b.over = make(chan struct{})
	b.window = make(chan struct{}, Window)
	b.ctx, b.end = context.WithCancel(context.Background())
	if b.cfg.Partitions, err = b.kept(ctx); err != nil {
		return err
	}
	b.parts = make([]part, b.cfg.Partitions)
	for i := range b.parts {
		p := &b.parts[i]
		p.name = b.streamName(i)
		p.subject = fmt.Sprintf("%s.batch.%03d", b.prefix, i)
		if err := b.make(ctx, config(jetstream.StreamConfig{
			Name: p.name, Subjects: []string{p.subject},
			Description: "Xiezhi: sealed batches of observations, partition " + strconv.Itoa(i),
			Metadata:    map[string]string{formKey: strconv.Itoa(form), partitionsKey: strconv.Itoa(len(b.parts))},
			Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, Storage: jetstream.FileStorage,
			MaxAge: b.cfg.Age, Duplicates: b.cfg.Dedupe, MaxMsgSize: int32(maxMessage),
			MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1, MaxConsumers: -1, Replicas: 1,
		})); err != nil {
			return err
		}
	}
	b.trim.step = max(b.cfg.Bytes/trimSteps, 1)
	return nil
}

// maxMessage is what a server sees of the largest batch: sealed, and headers.
const maxMessage = stream.MaxSealed + 1<<10

func (b *Bus) streamName(partition int) string { return fmt.Sprintf("%s_%03d", b.prefix, partition) }

// kept is how many partitions there are, or shall be if there are none yet.
func (b *Bus) kept(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s, err := b.link.read.js.Stream(ctx, b.streamName(0))
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return b.cfg.Partitions, nil
	case err != nil:
		return 0, b.fault("look for the stream", err)
	}
	meta := s.CachedInfo().Config.Metadata
	f, err := strconv.Atoi(meta[formKey])
	if err == nil && f > form {
		return 0, &stream.Fault{What: "open the stream", Where: b.where, Do: "use the version that wrote it, or a later one", Err: stream.ErrNewer}
	}
	n, err2 := strconv.Atoi(meta[partitionsKey])
	if err != nil || err2 != nil || n < 1 || n > stream.MaxPartitions {
		return 0, &stream.Fault{What: "open the stream", Where: b.where, Do: "name another folder or cluster, or move what is there away",
			Err: fmt.Errorf("%w: %s is no stream of ours", stream.ErrDamaged, b.streamName(0))}
	}
	if n != b.cfg.Partitions {
		b.cfg.Log.Warn("the stream keeps the number of partitions it was made with", "partitions", n, "asked", b.cfg.Partitions)
	}
	return n, nil
}

// make makes a stream, or gives one that is there the limits of now.
func (b *Bus) make(ctx context.Context, want jetstream.StreamConfig) error {
	ctx, cancel := context.WithTimeout(ctx, 4*callTimeout) // a cluster elects a leader first
	defer cancel()
	js := b.link.write.js
	for {
		_, err := js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			_, err = js.UpdateStream(ctx, want)
		}
		switch {
		case err == nil:
			return nil
		case !transient(err) || !wait(ctx, retryWait):
			return b.fault("make the stream "+want.Name+" in", err)
		}
	}
}

// wait waits, or gives false when ctx ends before.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// inProcess: a batch with this id is being written, by an attempt whose answer
// was not waited for.
const inProcess = 10158

// noPeers: too few servers can take a stream, as when some have only begun.
const noPeers = 10005

// transient: trying again may help.
func transient(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == 503 || api.Code == 408 || api.ErrorCode == inProcess || api.ErrorCode == noPeers
	}
	return errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrDisconnected) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrConnectionReconnecting) || errors.Is(err, nats.ErrStaleConnection)
}

// fault says what an error of a server or the disk under it means.
func (b *Bus) fault(what string, err error) error {
	var known *stream.Fault
	switch {
	case err == nil || errors.As(err, &known) || errors.Is(err, stream.ErrNothing) || errors.Is(err, ErrLater):
		return err
	case transient(err):
		do := "see whether the servers run and most of them reach each other"
		if b.room != nil {
			do = "look at the log for what the disk said"
		}
		return &stream.Fault{What: what, Where: b.where, Do: do, Err: fmt.Errorf("%w (%w)", stream.ErrAway, err)}
	}
	return &stream.Fault{What: what, Where: b.where, Do: "look at the log of the stream's server", Err: err}
}

func (b *Bus) Partitions() int { return len(b.parts) }

func (b *Bus) Partition(key string) int { return stream.Partition(key, len(b.parts)) }

// current is the link of now.
func (b *Bus) current() (*link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, stream.ErrClosed
	}
	return b.link, nil
}

// begin counts a call in, unless the stream is closed.
func (b *Bus) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return stream.ErrClosed
	}
	b.going.Add(1)
	return nil
}

func (b *Bus) Stats(ctx context.Context) ([]stream.Stats, error) {
	infos, err := b.infos(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]stream.Stats, len(infos))
	for i, s := range infos {
		list[i] = stream.Stats{Partition: i, First: first(s), Last: s.LastSeq, Messages: s.Msgs, Bytes: s.Bytes, Damaged: b.parts[i].damaged.Load()}
	}
	return list, nil
}

// first is the number of the first batch kept, of the next one if there is none.
func first(s jetstream.StreamState) uint64 {
	if s.Msgs == 0 {
		return s.LastSeq + 1
	}
	return s.FirstSeq
}

func (b *Bus) infos(ctx context.Context) ([]jetstream.StreamState, error) {
	list := make([]jetstream.StreamState, len(b.parts))
	for i := range b.parts {
		s, err := b.info(ctx, i)
		if err != nil {
			return nil, err
		}
		list[i] = s
	}
	return list, nil
}

func (b *Bus) info(ctx context.Context, partition int) (jetstream.StreamState, error) {
	l, err := b.current()
	if err != nil {
		return jetstream.StreamState{}, err
	}
	var state jetstream.StreamState
	err = l.read.on(ctx, func(ctx context.Context) error {
		s, err := l.read.js.Stream(ctx, b.parts[partition].name)
		if err == nil {
			state = s.CachedInfo().State
		}
		return err
	})
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return state, b.told("ask about the stream", err)
}

// told is what a caller is told of an error.
func (b *Bus) told(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case b.ctx.Err() != nil:
		return stream.ErrClosed
	case errors.Is(err, context.Canceled):
		return err
	}
	return b.fault(what, err)
}

func (b *Bus) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		<-b.over
		return nil
	}
	b.closed = true
	l := b.link
	b.mu.Unlock()
	defer close(b.over)
	b.end()
	b.going.Wait()
	l.close()
	b.sealer.Close()
	return b.folder.Close()
}
