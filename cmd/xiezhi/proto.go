package main

import (
	"fmt"
	"io"
	"os"

	"xiezhi/internal/engine"
	"xiezhi/internal/observe/protobuf"
)

// loadDescriptors reads the files that give gRPC messages their names; nil
// when there are none.
func loadDescriptors(files []string) (*protobuf.Schema, error) {
	if len(files) == 0 {
		return nil, nil
	}
	s := &protobuf.Schema{}
	for _, name := range files {
		b, err := readAtMost(name, protobuf.MaxDescriptors)
		if err != nil {
			return nil, usagef("--proto %s: %w", name, engine.OpenError(err))
		}
		if len(b) > protobuf.MaxDescriptors {
			return nil, usagef("--proto %s: over %d MiB; give a set of your own services only", name, protobuf.MaxDescriptors>>20)
		}
		if err := s.Add(b); err != nil {
			return nil, usagef("--proto %s: %w", name, err)
		}
	}
	return s, nil
}

// readAtMost reads a file up to a byte beyond the limit.
func readAtMost(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return b, nil
}
