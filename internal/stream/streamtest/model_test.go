package streamtest

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"xiezhi/internal/stream"
)

// TestModel: what the contract asks can be had. The folders of the model live
// as long as the test.
func TestModel(t *testing.T) {
	defer goleak.VerifyNone(t)
	models := map[string]*Model{}
	Contract(t, Streams{
		Open: func(folder string, partitions int) (stream.Bus, error) {
			m := models[folder]
			if m == nil {
				m = NewModel(partitions, time.Now)
				models[folder] = m
			}
			m.mu.Lock()
			m.closed = false
			m.mu.Unlock()
			return m, nil
		},
		Drop: func(b stream.Bus, partition int, to uint64) error {
			b.(*Model).Drop(partition, to)
			return nil
		},
	})
}
