package jetstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"xiezhi/internal/stream"
)

// TestShelf: the newest is read, or the one before; nobody puts a state over one
// of a later epoch; nothing older is kept.
func TestShelf(t *testing.T) {
	nodes := servers(t, 1)
	b, err := Dial(t.Context(), config(), Cluster{Servers: addresses(nodes), Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, err := b.Shelf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	get := func() (text string, err error) {
		err = s.Get(t.Context(), "p", func(r io.Reader) error {
			b, err := io.ReadAll(r)
			text = string(b)
			return err
		})
		return text, err
	}
	if _, err := get(); !errors.Is(err, stream.ErrNothing) {
		t.Errorf("from an empty shelf: %v", err)
	}
	large := bytes.Repeat([]byte("state "), 100_000)
	for i, epoch := range []uint64{3, 3, 5} {
		if err := s.Put(t.Context(), "p", epoch, bytes.NewReader(fmt.Append(large, i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), "p", 4, bytes.NewReader([]byte("of the past"))); !errors.Is(err, ErrLater) {
		t.Errorf("over a later epoch: %v", err)
	}
	if text, err := get(); err != nil || text != string(fmt.Append(large, 2)) {
		t.Errorf("%d bytes came back, %v", len(text), err)
	}
	list, err := s.objects.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%d states are kept, %v", len(list), err)
	}
	l, _, err := s.look(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.objects.Delete(t.Context(), l.Object); err != nil {
		t.Fatal(err)
	}
	if text, err := get(); err != nil || text != string(fmt.Append(large, 1)) {
		t.Errorf("without the newest %d bytes came back, %v", len(text), err)
	}
	refusal := errors.New("of another version")
	if err := s.Get(t.Context(), "p", func(io.Reader) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("what cannot be read: %v", err)
	}
}
