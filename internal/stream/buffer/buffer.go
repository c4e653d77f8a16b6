// Package buffer keeps what a sensor has taken until its centre has it: a
// stream of one partition in a folder, encrypted, of bounded size.
//
// It takes a folder and gives a stream.Bus, from which batches are forgotten
// once they have arrived, and what numbers them: the instance of the folder,
// drawn once, and the epoch, one more with every process that opens it.
// Invariants: a batch that was acknowledged is there after a SIGKILL, until it
// is forgotten or the cap sheds it; no two batches ever have the same instance,
// epoch and number within it, also when the power took the end of the folder. Limits: at Bytes the
// oldest batches go, which a reader is told; a disk without room refuses, and
// whoever publishes waits.
package buffer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"xiezhi/internal/folder"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/jetstream"
)

// DefaultBytes is how much of the disk a buffer may take.
const DefaultBytes = 1 << 30

// Config is what a buffer is made of.
type Config struct {
	Path   string
	Key    [32]byte // of the installation
	Random io.Reader
	Bytes  int64 // 0: DefaultBytes
	Always bool  // flush to the disk before each acknowledgement
	Log    *slog.Logger
}

// Buffer is one that this process holds.
type Buffer struct {
	*jetstream.Bus
	Instance string
	Epoch    uint64
}

// begun is what is kept of the processes that opened the folder.
type begun struct {
	Instance string `json:"instance"`
	Epoch    uint64 `json:"epoch"`
}

const fileName = "sensor.json"

// Open opens the buffer of a folder, and makes it if need be.
func Open(ctx context.Context, cfg Config) (*Buffer, error) {
	if cfg.Bytes <= 0 {
		cfg.Bytes = DefaultBytes
	}
	// The stream holds the folder: nobody else counts epochs meanwhile.
	bus, err := jetstream.Open(ctx, jetstream.Config{Partitions: 1, Key: cfg.Key, Random: cfg.Random, Bytes: cfg.Bytes, Log: cfg.Log},
		jetstream.Folder{Path: cfg.Path, Always: cfg.Always})
	if err != nil {
		return nil, err
	}
	b, err := begin(filepath.Join(cfg.Path, fileName), cfg.Random)
	if err != nil {
		return nil, errors.Join(err, bus.Close())
	}
	return &Buffer{bus, b.Instance, b.Epoch}, nil
}

// begin counts a process. The count is on the disk before it is used.
func begin(name string, random io.Reader) (b begun, err error) {
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return b, folder.Explain("read", name, err)
	default:
		if err := json.Unmarshal(text, &b); err != nil || len(b.Instance) != 2*instanceBytes {
			return b, &folder.Fault{What: "read", Where: name, Do: "delete it: the sensor counts anew, and what it sent before may be judged twice", Err: folder.ErrDamaged}
		}
	}
	if b.Instance == "" {
		var id [instanceBytes]byte
		if _, err := io.ReadFull(random, id[:]); err != nil {
			return b, fmt.Errorf("name the buffer: %w", err)
		}
		b.Instance = hex.EncodeToString(id[:])
	}
	b.Epoch++
	text, err = json.Marshal(b)
	if err != nil {
		return b, err
	}
	return b, folder.Explain("write", name, replace(name, text))
}

const instanceBytes = 8

// replace writes a file so that it is whole, and on the disk, or as it was.
func replace(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), fileName+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Held is what waits to be forgotten.
func (b *Buffer) Held(ctx context.Context) (stream.Stats, error) {
	list, err := b.Stats(ctx)
	if err != nil {
		return stream.Stats{}, err
	}
	return list[0], nil
}
