package stream

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"time"
)

// Holding is the right to be the one who judges a partition, until it ends.
type Holding struct {
	Partition int
	// Epoch goes up with every taking of the partition, by whomever: what is
	// written on the strength of a holding can be refused when a later epoch
	// wrote before.
	Epoch uint64
	// Held ends when the right does. From then on another may hold it.
	Held context.Context
	// Until is when the right ends unless it is renewed, by the clock of this
	// process. It says what Held is late to say when the process was stopped.
	Until func() time.Time
}

// Share says who of the members is to hold each partition: rendezvous hashing
// by which none gets more than its part, rounded up. It depends on nothing but
// the names and the number of partitions, whatever the order of the names.
func Share(members []string, partitions int) []string {
	members = slices.Clone(members)
	slices.Sort(members)
	members = slices.Compact(members)
	owners := make([]string, partitions)
	if len(members) == 0 {
		return owners
	}
	type bid struct {
		score             uint64
		partition, member int
	}
	bids := make([]bid, 0, partitions*len(members))
	for m, name := range members {
		for p := range partitions {
			bids = append(bids, bid{score(name, p), p, m})
		}
	}
	// The highest bids first, so that a member that goes or comes moves little
	// but its own.
	slices.SortFunc(bids, func(a, b bid) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.partition, b.partition), cmp.Compare(a.member, b.member))
	})
	most := (partitions + len(members) - 1) / len(members)
	load := make([]int, len(members))
	for _, b := range bids {
		if owners[b.partition] == "" && load[b.member] < most {
			owners[b.partition] = members[b.member]
			load[b.member]++
		}
	}
	return owners
}

func score(member string, partition int) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range binary.BigEndian.AppendUint32([]byte(member+"\x00"), uint32(partition)) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return mix(h)
}
