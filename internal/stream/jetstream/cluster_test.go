package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/stream"
)

// ledger is where the members of a test write what they did, as a store that
// refuses earlier epochs would.
type ledger struct {
	t  *testing.T
	mu sync.Mutex

	done    []uint64          // number of the last batch done, by partition
	ids     []map[string]bool // of all done
	epoch   []uint64
	holder  []string
	held    []context.Context
	changed []time.Time
}

func newLedger(t *testing.T, partitions int) *ledger {
	l := &ledger{t: t, done: make([]uint64, partitions), epoch: make([]uint64, partitions), holder: make([]string, partitions),
		held: make([]context.Context, partitions), changed: make([]time.Time, partitions)}
	for range partitions {
		l.ids = append(l.ids, map[string]bool{})
	}
	return l
}

// hold is a member's work: it goes on where the last one stopped.
func (l *ledger) hold(b *Bus, name string) Holder {
	return func(ctx context.Context, h stream.Holding) {
		p := h.Partition
		l.mu.Lock()
		if before := l.held[p]; before != nil && before.Err() == nil {
			l.t.Errorf("partition %d is taken by %s while %s believes to hold it", p, name, l.holder[p])
		}
		if h.Epoch <= l.epoch[p] {
			l.t.Errorf("partition %d: epoch %d follows %d", p, h.Epoch, l.epoch[p])
		}
		l.held[p], l.holder[p], l.epoch[p], l.changed[p] = h.Held, name, h.Epoch, time.Now()
		after := l.done[p]
		l.mu.Unlock()
		err := b.Read(ctx, p, after, func(m stream.Message) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.epoch[p] != h.Epoch || h.Held.Err() != nil {
				return errEnough // refused: another is further
			}
			if m.Seq != l.done[p]+1 || l.ids[p][m.ID] {
				l.t.Errorf("partition %d: %s is number %d after %d, seen before: %v", p, m.ID, m.Seq, l.done[p], l.ids[p][m.ID])
			}
			l.done[p] = m.Seq
			l.ids[p][m.ID] = true
			return nil
		})
		if !errors.Is(err, context.Canceled) && !errors.Is(err, errEnough) && !errors.Is(err, stream.ErrClosed) {
			l.t.Errorf("%s, partition %d: %v", name, p, err)
		}
	}
}

func (l *ledger) holders() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]string, len(l.holder))
	for p := range list {
		if h := l.held[p]; h != nil && h.Err() == nil {
			list[p] = l.holder[p]
		}
	}
	return list
}

// TestClusterLosesNothing kills the server that leads the stream and a member
// while batches come.
func TestClusterLosesNothing(t *testing.T) {
	const parts, lease = 4, 3 * time.Second
	nodes := servers(t, 3)
	dial := func() *Bus {
		c := config()
		c.Partitions = parts
		b, err := Dial(t.Context(), c, Cluster{Servers: addresses(nodes)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	source := dial()
	l := newLedger(t, parts)
	buses, members := map[string]*Bus{}, map[string]*Member{}
	for _, name := range []string{"a", "b", "c"} {
		b := dial()
		m, err := b.Join(t.Context(), name, lease, l.hold(b, name))
		if err != nil {
			t.Fatal(err)
		}
		buses[name], members[name] = b, m
	}
	want := fmt.Sprint(stream.Share([]string{"a", "b", "c"}, parts))
	eventually(t, "the partitions are shared", func() bool { return fmt.Sprint(l.holders()) == want })

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	acked := make([][]string, parts)
	for p := range parts {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("s%d/%d", p, i)
				if err := source.Publish(t.Context(), stream.Batch{Partition: p, ID: id, Data: noise(uint64(i), 4000)}); err != nil {
					t.Errorf("%s: %v", id, err)
					return
				}
				acked[p] = append(acked[p], id)
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	eventually(t, "all partitions are read", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.done[0] > 20 && l.done[1] > 20 && l.done[2] > 20 && l.done[3] > 20
	})
	s, err := source.link.read.js.Stream(t.Context(), source.parts[0].name)
	if err != nil {
		t.Fatal(err)
	}
	leader := s.CachedInfo().Cluster.Leader
	dead := l.holders()[0]
	t.Logf("%s leads partition 0, %s holds it; both are killed", leader, dead)
	killed := time.Now()
	for _, n := range nodes {
		if n.Name() == leader {
			n.Shutdown()
		}
	}
	// A member that is killed says nothing more, and does not leave.
	buses[dead].link.write.nc.Close()
	buses[dead].link.read.nc.Close()
	var rest []string
	for name := range members {
		if name != dead {
			rest = append(rest, name)
		}
	}
	want = fmt.Sprint(stream.Share(rest, parts))
	eventually(t, "the others share the partitions", func() bool { return fmt.Sprint(l.holders()) == want })
	at := append([]uint64(nil), l.done...)
	eventually(t, "the others go on with all partitions", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for p := range parts {
			if l.done[p] < at[p]+20 {
				return false
			}
		}
		return true
	})
	// Seconds in truth; the bound is for machines that do much else.
	if took := time.Since(killed); took > 45*time.Second {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("all partitions go on after %v", took.Round(10*time.Millisecond))
	}
	stop()
	wg.Wait()
	eventually(t, "all that was acknowledged is read", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for p := range parts {
			if int(l.done[p]) < len(acked[p]) {
				return false
			}
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	total := 0
	for p := range parts {
		for _, id := range acked[p] {
			if !l.ids[p][id] {
				t.Errorf("%s was acknowledged and is gone", id)
			}
		}
		if len(l.ids[p]) != len(acked[p]) {
			t.Errorf("partition %d: %d were acknowledged, %d are read", p, len(acked[p]), len(l.ids[p]))
		}
		total += len(acked[p])
	}
	t.Logf("%d batches", total)
}

// TestMembersHandOver: who comes gets its share while the others save, who
// leaves gives it away at once, and a name is taken once.
func TestMembersHandOver(t *testing.T) {
	const parts, lease = 6, 2 * time.Second
	nodes := servers(t, 1)
	l := newLedger(t, parts)
	join := func(name string) (*Bus, *Member) {
		c := config()
		c.Partitions = parts
		b, err := Dial(t.Context(), c, Cluster{Servers: addresses(nodes), Replicas: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		work := l.hold(b, name)
		m, err := b.Join(t.Context(), name, lease, func(ctx context.Context, h stream.Holding) {
			work(ctx, h)
			// Saving takes longer than a lease; the right is renewed meanwhile.
			if wait(h.Held, lease+lease/2); h.Held.Err() != nil && b.ctx.Err() == nil {
				t.Errorf("%s lost partition %d while it saved", name, h.Partition)
			}
			if until := h.Until(); b.ctx.Err() == nil && !time.Now().Before(until) {
				t.Errorf("%s: the right ended at %v", name, until)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return b, m
	}
	shared := func(names ...string) {
		want := fmt.Sprint(stream.Share(names, parts))
		eventually(t, fmt.Sprint("the partitions are shared by ", names), func() bool { return fmt.Sprint(l.holders()) == want })
	}
	a, first := join("a")
	shared("a")
	_, second := join("b")
	shared("a", "b")
	if got := fmt.Sprint(first.Members()); got != "[a b]" && got != "[b a]" {
		t.Errorf("the members are %s", got)
	}
	if _, err := a.Join(t.Context(), "b", lease, l.hold(a, "b")); !errors.Is(err, errNameTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := a.Join(t.Context(), "x.y", lease, nil); !errors.Is(err, stream.ErrRefused) {
		t.Errorf("a name that is none: %v", err)
	}
	if err := second.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := second.Partitions(); len(left) != 0 {
		t.Errorf("a member that left holds %v", left)
	}
	shared("a")
	if n := len(first.Partitions()); n != parts {
		t.Errorf("who is alone holds %d partitions", n)
	}
}
