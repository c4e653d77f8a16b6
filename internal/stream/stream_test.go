package stream

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestPartitionStays: what is on disks was put there by this hash.
func TestPartitionStays(t *testing.T) {
	got := ""
	for _, key := range []string{"", "a", "shop.example.com", "10.0.0.1:443 shop.example.com", "10.0.0.2:443 shop.example.com", "支付"} {
		got += fmt.Sprint(Partition(key, 16), Partition(key, 1), Partition(key, 7), " ")
	}
	if want := "14 0 6 8 0 3 2 0 1 12 0 5 15 0 6 12 0 5 "; got != want {
		t.Errorf("partitions are %q, they were %q", got, want)
	}
}

func TestPartitionsAreEven(t *testing.T) {
	const keys = 16_000
	counts := make([]int, 16)
	for i := range keys {
		counts[Partition(fmt.Sprintf("10.0.%d.%d:443 host-%d.example.com", i>>8, i&255, i), len(counts))]++
	}
	for p, n := range counts { // mean 1000, deviation 31
		if n < 850 || n > 1150 {
			t.Errorf("partition %d got %d of %d keys", p, n, keys)
		}
	}
}

func TestCheck(t *testing.T) {
	for what, b := range map[string]Batch{
		"partition below": {Partition: -1, ID: "a", Data: []byte{1}},
		"partition above": {Partition: 16, ID: "a", Data: []byte{1}},
		"no id":           {Data: []byte{1}},
		"long id":         {ID: strings.Repeat("a", MaxID+1), Data: []byte{1}},
		"id with space":   {ID: "a b", Data: []byte{1}},
		"id of two lines": {ID: "a\r\nNats-Rollup:all", Data: []byte{1}},
		"id not ASCII":    {ID: "é", Data: []byte{1}},
		"no data":         {ID: "a"},
		"large":           {ID: "a", Data: make([]byte, MaxData+1)},
	} {
		if err := b.Check(16); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b := Batch{Partition: 15, ID: strings.Repeat("~", MaxID), Data: make([]byte, MaxData)}
	if err := b.Check(16); err != nil {
		t.Errorf("the largest batch: %v", err)
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, ErrFull},
		{&os.PathError{Op: "write", Path: "x", Err: syscall.EROFS}, ErrReadOnly},
		{os.ErrPermission, ErrReadOnly},
		{os.ErrClosed, os.ErrClosed},
	} {
		err := Explain("open", "/x", c.err)
		var f *Fault
		if !errors.Is(err, c.want) || !errors.As(err, &f) || f.Do == "" || !strings.Contains(err.Error(), "/x") {
			t.Errorf("%v is told as %v", c.err, err)
		}
		if again := Explain("close", "/y", err); again != err {
			t.Errorf("told twice: %v", again)
		}
	}
	if Explain("open", "/x", nil) != nil {
		t.Error("nothing is told as something")
	}
}
