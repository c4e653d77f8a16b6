// Package stream is the bus between those who observe and those who judge: an
// ordered log in partitions that keeps batches of observations for a while.
//
// It takes batches, opaque bytes with an id, and gives them to any number of
// readers in the order of their partition, from any place that is still kept.
// Invariants: a batch whose Publish returned nil is read by everyone who reads
// on, once, in one order that never changes; what retention or damage took from
// a reader is told to it, never passed over in silence; nothing of a batch but
// its partition and id stands on a disk in the clear. Limits: MaxData a batch,
// MaxPartitions; order holds within a partition only. How long a batch is kept,
// and what a crash may cost, is the implementation's to say (see jetstream).
package stream

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// DefaultPartitions is how many partitions a new folder gets.
	DefaultPartitions = 16
	// MaxPartitions bounds them: each costs memory and a file.
	MaxPartitions = 256
	// MaxData is the largest batch. Sealed and with its headers it stays within
	// the 1 MiB that a NATS server takes unless told otherwise.
	MaxData = 1<<20 - 4<<10
	// MaxID is the longest id of a batch in bytes.
	MaxID = 128
)

// What a Publish or a Read may end with, beside the context's error and faults
// of folders and servers.
var (
	ErrClosed  = errors.New("the stream is closed")
	ErrRefused = errors.New("refused")
	// ErrNothing: members left no state under that name.
	ErrNothing = errors.New("nothing was left under that name")
)

// Batch is what is published. Its id makes sending it again harmless: within
// the time in which the stream remembers ids, a batch with the id of one that
// its partition keeps is not stored again. An id stands in the
// clear, so that it must tell nothing: a sensor's name and a number.
type Batch struct {
	Partition int
	ID        string // 1 to MaxID printable ASCII characters without spaces
	Data      []byte // 1 to MaxData bytes
}

// Check says whether a stream of that many partitions takes the batch.
func (b *Batch) Check(partitions int) error {
	switch {
	case b.Partition < 0 || b.Partition >= partitions:
		return CheckPartition(b.Partition, partitions)
	case len(b.ID) == 0 || len(b.ID) > MaxID:
		return fmt.Errorf("%w: an id of %d bytes, 1 to %d are allowed", ErrRefused, len(b.ID), MaxID)
	case len(b.Data) == 0 || len(b.Data) > MaxData:
		return fmt.Errorf("%w: %d bytes of data, 1 to %d are allowed", ErrRefused, len(b.Data), MaxData)
	}
	for i := range len(b.ID) {
		if b.ID[i] <= ' ' || b.ID[i] > '~' {
			return fmt.Errorf("%w: its id holds the byte %#x, printable ASCII without spaces is allowed", ErrRefused, b.ID[i])
		}
	}
	return nil
}

// CheckPartition says whether a stream of that many partitions has this one.
func CheckPartition(partition, partitions int) error {
	if partition < 0 || partition >= partitions {
		return fmt.Errorf("%w: there is no partition %d, they go from 0 to %d", ErrRefused, partition, partitions-1)
	}
	return nil
}

// Message is a batch as it is read.
type Message struct {
	Partition int
	Seq       uint64 // from 1, one more with every batch of the partition
	ID        string
	Data      []byte    // valid only during the call
	At        time.Time // when the stream took it, by the clock of whoever keeps it
}

// Bus is a stream. It is safe for concurrent use.
type Bus interface {
	// Partitions is how many there are. It was fixed when the stream was made.
	Partitions() int

	// Partition is where what has this key belongs; the same for every member,
	// today and later.
	Partition(key string) int

	// Publish writes a batch. Nil means written and acknowledged; the batch is
	// then read even if the process is killed at once. After an error it may
	// have been written or not: send it again under the same id. When too much
	// is under way Publish waits, as long as ctx lets it.
	// The batch is the caller's again when it returns.
	Publish(ctx context.Context, b Batch) error

	// Read calls fn with every batch of a partition that follows number after,
	// one by one in order, then with what comes, until ctx is done or fn fails,
	// and returns that error. 0 is before the first. The next call of fn waits
	// for this one; what is read ahead meanwhile is bounded.
	//
	// It ends with a *Gap where batches are missing, and with *Behind if the
	// stream ends before after. A batch that cannot be opened is told to whoever
	// opened the stream, counted, and left out: the numbers show it.
	Read(ctx context.Context, partition int, after uint64, fn func(Message) error) error

	// Same holds what somebody remembers of the last batch it read against the
	// stream: *Behind when the stream ends before, or has given the number to
	// another batch since it lost its end; nil when the batch is the same, or no
	// longer kept. Whoever goes on from a number it kept asks before it reads,
	// as by then others may have written over the numbers that were lost.
	Same(ctx context.Context, partition int, seq uint64, id string) error

	// Stats tells of each partition, in their order.
	Stats(ctx context.Context) ([]Stats, error)

	// Close ends every Publish and Read with ErrClosed and lets the folder go.
	Close() error
}

// Stats is what a partition holds.
type Stats struct {
	Partition   int
	First, Last uint64 // numbers of the batches kept; First is Last+1 when there are none
	Messages    uint64
	Bytes       uint64 // on disk, of one copy
	Damaged     uint64 // met by readers of this process so far
}

// Gap is the error of a Read from which batches are gone: retention dropped
// them, or the disk lost them. Read again with After Next-1 to go on behind it.
type Gap struct {
	Partition int
	After     uint64 // the last number before it
	Next      uint64 // the first number behind it
}

// Missing is how many batches are gone.
func (g *Gap) Missing() uint64 { return g.Next - g.After - 1 }

func (g *Gap) Error() string {
	return fmt.Sprintf("%d batches of partition %d, after number %d, are no longer kept", g.Missing(), g.Partition, g.After)
}

// Behind is the error of a Read that begins after the end of the stream: the
// stream is another one than that which was read, or lost its end with the
// power. Numbers up to After will be given to other batches, or were already.
type Behind struct {
	Partition int
	After     uint64 // where reading was to go on
	Last      uint64 // number of the last batch that is there
	Found     string // id of the batch that has number After now, if there is one
}

func (b *Behind) Error() string {
	if b.Found != "" {
		return fmt.Sprintf("number %d of partition %d is %s now, another batch than was read from it once", b.After, b.Partition, b.Found)
	}
	return fmt.Sprintf("partition %d ends with number %d, before number %d that was read from it once", b.Partition, b.Last, b.After)
}

// Damage is a batch that could not be opened: changed on its way or on the
// disk, moved to another place, or sealed with a key that is not known here.
type Damage struct {
	Partition int
	Seq       uint64
	ID        string // as it stands there; empty when there is none
	Err       error
}

// Partition gives a key its partition of n: the top of FNV-1a of 64 bits,
// mixed as MurmurHash3 does, scaled to n. What is kept depends on it, so that it
// never changes.
func Partition(key string, n int) int {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return int(mix(h) >> 32 * uint64(n) >> 32)
}

func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
