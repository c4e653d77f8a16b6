package jetstream

import (
	"context"
	"crypto/rand"
	"testing"

	"go.uber.org/goleak"

	"xiezhi/internal/stream"
	"xiezhi/internal/stream/streamtest"
)

func config() Config { return Config{Key: [32]byte{1}, Random: rand.Reader} }

func TestFolderKeepsTheContract(t *testing.T) {
	defer goleak.VerifyNone(t)
	streamtest.Contract(t, streamtest.Streams{
		Open: func(folder string, partitions int) (stream.Bus, error) {
			c := config()
			c.Partitions = partitions
			return Open(context.Background(), c, Folder{Path: folder})
		},
		Drop: func(b stream.Bus, partition int, to uint64) error {
			return b.(*Bus).drop(context.Background(), partition, to)
		},
	})
}
