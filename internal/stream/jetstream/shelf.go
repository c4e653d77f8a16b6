package jetstream

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

// Shelf is where members of a cluster leave states for each other: an object
// store of the servers with what is left, and a bucket that says which of it is
// the newest under a name. What is put there has to be sealed by whoever puts
// it.
//
// A state appears whole or not at all. Nobody puts one over that of a later
// epoch: a member that was stopped while it held a partition cannot undo what
// the next holder left. The one before is kept, too.
type Shelf struct {
	b       *Bus
	objects jetstream.ObjectStore
	names   jetstream.KeyValue
}

// ErrLater: a later holder has left a state.
var ErrLater = errors.New("a later holder has left a state")

const (
	// shelfTime bounds a state's way to or from the servers.
	shelfTime = 5 * time.Minute
	// pieceTime bounds the wait for the acknowledgement of a piece on that way:
	// one that was lost with a server is not acknowledged any more, and who
	// leaves the state judges nothing meanwhile.
	pieceTime = 2 * callTimeout
	pieceSize = 64 << 10
)

// left is what stands under a name.
type left struct {
	Epoch  uint64 `json:"epoch"`
	Object string `json:"object"`
	Before string `json:"before,omitempty"`
}

// Shelf opens the shelf of a cluster, and makes it if need be.
func (b *Bus) Shelf(ctx context.Context) (*Shelf, error) {
	l, err := b.current()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*callTimeout)
	defer cancel()
	s := &Shelf{b: b}
	objects, err := jetstream.New(l.write.nc, jetstream.WithDefaultTimeout(pieceTime))
	if err != nil {
		return nil, err
	}
	for {
		s.objects, err = objects.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: b.prefix + "_states", Description: "Xiezhi: sealed states of judges", Storage: jetstream.FileStorage, Replicas: max(b.replicas, 1),
		})
		if err == nil {
			s.names, err = l.write.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: b.prefix + "_shelf", Description: "Xiezhi: which state is the newest", History: 1, Storage: jetstream.FileStorage, Replicas: max(b.replicas, 1), MaxValueSize: 1024,
			})
		}
		switch {
		case err == nil:
			return s, nil
		case !transient(err) || !wait(ctx, retryWait):
			return nil, b.told("make the shelf of states in", err)
		}
	}
}

// Put leaves a state under a name, as of an epoch.
func (s *Shelf) Put(ctx context.Context, name string, epoch uint64, r io.Reader) error {
	if err := s.b.begin(); err != nil {
		return err
	}
	defer s.b.going.Done()
	ctx, cancel := context.WithCancel(ctx) // one with a deadline would have no bound for each piece
	defer cancel()
	defer time.AfterFunc(shelfTime, cancel).Stop()
	defer context.AfterFunc(s.b.ctx, cancel)()
	var id [8]byte
	if _, err := io.ReadFull(s.b.cfg.Random, id[:]); err != nil {
		return err
	}
	object := fmt.Sprintf("%s.%d.%s", name, epoch, hex.EncodeToString(id[:]))
	if _, err := s.objects.Put(ctx, jetstream.ObjectMeta{Name: object, Opts: &jetstream.ObjectMetaOptions{ChunkSize: pieceSize}}, r); err != nil {
		return s.b.told("leave a state at", err)
	}
	old, err := s.point(ctx, name, left{Epoch: epoch, Object: object})
	if err != nil {
		s.drop(ctx, object)
		return err
	}
	if old.Before != "" {
		s.drop(ctx, old.Before)
	}
	return nil
}

// point lets a name stand for a state, and gives what stood there.
func (s *Shelf) point(ctx context.Context, name string, next left) (old left, err error) {
	for {
		old, rev, err := s.look(ctx, name)
		switch {
		case errors.Is(err, stream.ErrNothing):
			err = nil
		case err == nil && old.Epoch > next.Epoch:
			return old, ErrLater
		case err == nil:
			next.Before = old.Object
		}
		if err == nil {
			var text []byte
			if text, err = json.Marshal(next); err != nil {
				return old, err
			}
			if rev == 0 {
				_, err = s.names.Create(ctx, name, text)
			} else {
				_, err = s.names.Update(ctx, name, text, rev)
			}
		}
		again := errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) || err != nil && transient(err)
		if !again || !wait(ctx, retryWait) {
			return old, s.b.told("leave a state at", err)
		}
	}
}

func (s *Shelf) look(ctx context.Context, name string) (l left, rev uint64, err error) {
	e, err := s.names.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return l, 0, stream.ErrNothing
	}
	if err != nil {
		return l, 0, err
	}
	if err := json.Unmarshal(e.Value(), &l); err != nil || l.Object == "" {
		return l, e.Revision(), fmt.Errorf("%w: what stands under %s", stream.ErrDamaged, name)
	}
	return l, e.Revision(), nil
}

// drop lets go of an object; one that stays costs room only.
func (s *Shelf) drop(ctx context.Context, object string) {
	if err := s.objects.Delete(ctx, object); err != nil && ctx.Err() == nil {
		s.b.cfg.Log.Debug("an old state could not be deleted", "state", object, "error", err)
	}
}

// Get gives the newest state under a name to read, or the one before when that
// cannot be read. read starts anew when it is called a second time.
func (s *Shelf) Get(ctx context.Context, name string, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, shelfTime)
	defer cancel()
	defer context.AfterFunc(s.b.ctx, cancel)()
	l, _, err := s.look(ctx, name)
	for err != nil && transient(err) && wait(ctx, retryWait) {
		l, _, err = s.look(ctx, name)
	}
	if err != nil {
		return s.b.told("look for a state at", err)
	}
	var all error
	for _, object := range []string{l.Object, l.Before} {
		if object == "" {
			continue
		}
		err := s.get(ctx, object, read)
		if err == nil {
			if all != nil {
				s.b.cfg.Log.Warn("the newest state could not be read; the one before it is used", "state", strings.TrimSuffix(object, "."), "why", all)
			}
			return nil
		}
		all = errors.Join(all, err)
	}
	return all
}

func (s *Shelf) get(ctx context.Context, object string, read func(io.Reader) error) error {
	r, err := s.objects.Get(ctx, object)
	for err != nil && transient(err) && wait(ctx, retryWait) {
		r, err = s.objects.Get(ctx, object)
	}
	if err != nil {
		return s.b.told("read a state from", err)
	}
	err = read(r)
	return errors.Join(err, r.Close())
}
