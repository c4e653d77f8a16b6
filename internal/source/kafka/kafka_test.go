package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

const topic = "traffic"

func entry(n int) string {
	return fmt.Sprintf(`{"startedDateTime":"2026-01-02T03:04:05.%03dZ","time":3,"request":{"method":"GET","url":"http://shop.example.com/orders/%d","httpVersion":"HTTP/1.1","headers":[],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":0},"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"application/json","text":"{}"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":0,"wait":3,"receive":0}}`, n%1000, n)
}

func cluster(t *testing.T, partitions int32, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func client(t *testing.T, c *kfake.Cluster) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func produce(t *testing.T, cl *kgo.Client, partition int32, values ...string) {
	t.Helper()
	for _, v := range values {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// keeper is a sink that keeps targets and ids, and may refuse.
type keeper struct {
	mu      sync.Mutex
	got     []string // target and id
	sites   []string
	accept  func(n int) error
	flush   func() error
	flushed int
	enough  int
	done    context.CancelFunc
}

func (k *keeper) Accept(x *exchange.Exchange) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.accept != nil {
		if err := k.accept(len(k.got)); err != nil {
			return err
		}
	}
	k.got = append(k.got, string(x.Target)+" "+string(x.ID))
	k.sites = append(k.sites, string(x.Site))
	return nil
}

func (k *keeper) Flush() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flush != nil {
		if err := k.flush(); err != nil {
			return err
		}
	}
	k.flushed = len(k.got)
	if len(k.got) >= k.enough {
		k.done()
	}
	return nil
}

// targets are what was kept, without ids and order.
func (k *keeper) targets() []string {
	var list []string
	for _, g := range k.got {
		target, _, _ := strings.Cut(g, " ")
		list = append(list, target)
	}
	slices.Sort(list)
	return list
}

// read runs a source until the sink has enough, and gives its error otherwise.
func read(t *testing.T, c *kfake.Cluster, change func(*Config), k *keeper) (*source.Ledger, error) {
	t.Helper()
	cfg := Config{Brokers: c.ListenAddrs(), Topics: []string{topic}, Group: "xiezhi"}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	k.done = cancel
	ledger := &source.Ledger{}
	if err = s.Run(ctx, k, ledger); errors.Is(err, context.Canceled) {
		err = nil
	}
	return ledger, err
}

func wants(n ...int) []string {
	var list []string
	for _, i := range n {
		list = append(list, fmt.Sprintf("/orders/%d", i))
	}
	slices.Sort(list)
	return list
}

func upTo(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

func TestReadsAndGoesOn(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("", func(t *testing.T) { // so that the cluster ends before goroutines are counted
		c := cluster(t, 3)
		cl := client(t, c)
		for i := range 30 {
			produce(t, cl, int32(i%3), entry(i))
		}
		k := &keeper{enough: 30}
		ledger, err := read(t, c, func(c *Config) { c.Site = "shop" }, k)
		if err != nil || !slices.Equal(k.targets(), wants(upTo(30)...)) || ledger.Totals().Accepted != 30 {
			t.Fatalf("%v, %v, %+v", k.targets(), err, ledger.Totals())
		}
		if k.sites[0] != "shop" {
			t.Errorf("the site is %q", k.sites[0])
		}
		ids, at := map[string]bool{}, map[int]int{}
		for _, g := range k.got {
			var n int
			var id string
			if _, err := fmt.Sscanf(g, "/orders/%d %s", &n, &id); err != nil || ids[id] {
				t.Fatalf("%s: %v, seen before: %v", g, err, ids[id])
			}
			ids[id] = true
			if n/3 != at[n%3] {
				t.Fatalf("partition %d: %d follows %d", n%3, n/3, at[n%3])
			}
			at[n%3]++
		}
		produce(t, cl, 1, entry(100))
		k = &keeper{enough: 1}
		if _, err := read(t, c, nil, k); err != nil || !slices.Equal(k.targets(), wants(100)) {
			t.Errorf("going on it reads %v, %v", k.targets(), err)
		}
	})
}

// TestCommitsOnlyWhatIsKept: what a sink refused, or could not make sure, is
// read again, and is the same.
func TestCommitsOnlyWhatIsKept(t *testing.T) {
	c := cluster(t, 1)
	cl := client(t, c)
	produce(t, cl, 0, entry(0), entry(1)+"\n"+entry(2), entry(2))
	own := errors.New("own")
	first := &keeper{enough: 99, accept: func(n int) error {
		if n == 3 {
			return own
		}
		return nil
	}}
	if _, err := read(t, c, nil, first); !errors.Is(err, own) {
		t.Fatalf("the sink refuses: %v", err)
	}
	second := &keeper{enough: 99, flush: func() error { return own }}
	if _, err := read(t, c, nil, second); !errors.Is(err, own) || len(second.got) != 4 {
		t.Fatalf("the sink cannot make sure: %v, %v", second.got, err)
	}
	third := &keeper{enough: 4}
	if _, err := read(t, c, nil, third); err != nil || !slices.Equal(third.got, second.got) || !slices.Equal(third.got[:3], first.got) {
		t.Errorf("read first %v, then %v, then %v, %v", first.got, second.got, third.got, err)
	}
	if third.got[2] == third.got[3] {
		t.Error("two entries of one text have one id")
	}
}

func TestCountsWhatIsNoExchange(t *testing.T) {
	c := cluster(t, 1)
	produce(t, client(t, c), 0, entry(0), "{", "\xef\xbb\xbf"+entry(1)+"\r\n\n{}\n", strings.Repeat("x", 3000), "",
		strings.Replace(entry(2), "http://", "ftp://", 1), entry(3))
	k := &keeper{enough: 3}
	ledger, err := read(t, c, func(c *Config) { c.EntryLimit = 2000 }, k)
	if err != nil || !slices.Equal(k.targets(), wants(0, 1, 3)) {
		t.Fatalf("%v, %v", k.targets(), err)
	}
	totals := ledger.Totals()
	dropped := map[taxonomy.DropReason]uint64{}
	for r, n := range totals.Dropped {
		dropped[r] = n
	}
	if dropped[taxonomy.DropCorrupt] != 2 || dropped[taxonomy.DropOversize] != 1 || dropped[taxonomy.DropUnsupported] != 1 {
		t.Errorf("dropped %v", dropped)
	}
	if len(totals.Problems) != 4 || totals.Problems[1].File != topic+"/0@2" || totals.Problems[1].Line != 3 {
		t.Errorf("problems %+v", totals.Problems)
	}
}

// TestTellsOfAGap: the cluster dropped records that were not read yet.
func TestTellsOfAGap(t *testing.T) {
	c := cluster(t, 1)
	cl := client(t, c)
	produce(t, cl, 0, entry(0), entry(1))
	if _, err := read(t, c, nil, &keeper{enough: 2}); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, 0, entry(2), entry(3), entry(4), entry(5))
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 5000
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Offset = 5
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	if resp, err := req.RequestWith(t.Context(), cl); err != nil || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatal(resp, err)
	}
	k := &keeper{enough: 1}
	ledger, err := read(t, c, nil, k)
	if err != nil || !slices.Equal(k.targets(), wants(5)) {
		t.Fatalf("%v, %v", k.targets(), err)
	}
	if n := ledger.Totals().Dropped[taxonomy.DropGap]; n != 3 {
		t.Errorf("three are gone, %d are counted", n)
	}
}

// TestGroupSharesATopic: one comes while another reads; nothing is left out,
// and what is read twice has one id.
func TestGroupSharesATopic(t *testing.T) {
	c := cluster(t, 4)
	cl := client(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	sinks := []*keeper{{enough: 1 << 30}, {enough: 1 << 30}}
	run := func(k *keeper) {
		s, err := New(Config{Brokers: c.ListenAddrs(), Topics: []string{topic}, Group: "xiezhi"})
		if err != nil {
			t.Error(err)
			return
		}
		if err := s.Run(ctx, k, &source.Ledger{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	ids := func() map[string]string {
		ids := map[string]string{}
		for _, k := range sinks {
			k.mu.Lock()
			for _, g := range k.got[:k.flushed] {
				target, id, _ := strings.Cut(g, " ")
				if old := ids[target]; old != "" && old != id {
					t.Errorf("%s has the ids %s and %s", target, old, id)
				}
				ids[target] = id
			}
			k.mu.Unlock()
		}
		return ids
	}
	wg.Go(func() { run(sinks[0]) })
	count, both := 0, false
	for ; !both && ctx.Err() == nil; count++ {
		if count == 100 {
			wg.Go(func() { run(sinks[1]) })
		}
		produce(t, cl, int32(count%4), entry(count))
		sinks[1].mu.Lock()
		both = sinks[1].flushed > 20
		sinks[1].mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	for len(ids()) < count && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	wg.Wait()
	if got := ids(); len(got) != count || !both {
		t.Errorf("%d of %d were read, by both: %v", len(got), count, both)
	}
	t.Logf("%d records, %d and %d read", count, len(sinks[0].got), len(sinks[1].got))
}

func TestAuthenticates(t *testing.T) {
	c := cluster(t, 1, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "reader", "right"))
	with := func(password string) func(*Config) {
		return func(c *Config) { c.Mechanism, c.User, c.Password = ScramSHA256, "reader", password }
	}
	_, err := read(t, c, with("wrong"), &keeper{enough: 1})
	if err == nil || !strings.Contains(err.Error(), c.ListenAddrs()[0]) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong password: %v", err)
	}
	s, err := New(Config{Brokers: c.ListenAddrs(), Topics: []string{topic}, Group: "g", Mechanism: ScramSHA256, User: "reader", Password: "right"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Run(ctx, &keeper{}, &source.Ledger{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with the right password: %v", err)
	}
}

func TestTellsWhatIsWrong(t *testing.T) {
	for what, cfg := range map[string]Config{
		"brokers":   {Topics: []string{topic}, Group: "g"},
		"topics":    {Brokers: []string{"b:9092"}, Group: "g"},
		"group":     {Brokers: []string{"b:9092"}, Topics: []string{topic}},
		"mechanism": {Brokers: []string{"b:9092"}, Topics: []string{topic}, Group: "g", Mechanism: "magic"},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	s, err := New(Config{Brokers: []string{l.Addr().String()}, Topics: []string{topic}, Group: "g"})
	if err != nil {
		t.Fatal(err)
	}
	s.greeting = 300 * time.Millisecond
	if err := s.Run(t.Context(), &keeper{}, &source.Ledger{}); err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "see whether") {
		t.Errorf("nobody is there: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(entry(1)))
	f.Add([]byte("\xef\xbb\xbf" + entry(1) + "\r\n" + entry(2)))
	f.Add([]byte("{}\n{"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, value []byte) {
		n := uint64(0)
		r := &run{cfg: Config{EntryLimit: 1 << 20}, ledger: &source.Ledger{}, next: map[place]int64{}, sink: source.SinkFunc(func(x *exchange.Exchange) error {
			if len(x.ID) == 0 || len(x.Method) == 0 {
				t.Errorf("an exchange without an id or method")
			}
			n++
			return nil
		})}
		if err := r.record(place{topic, 1}, 7, value); err != nil {
			t.Fatal(err)
		}
		lines := uint64(0)
		for line := range strings.Lines(strings.TrimPrefix(string(value), "\xef\xbb\xbf")) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
		dropped := uint64(0)
		for _, k := range r.ledger.Totals().Dropped {
			dropped += k
		}
		if n != r.accepted || n+dropped != lines {
			t.Errorf("of %d lines %d were accepted and %d dropped", lines, n, dropped)
		}
	})
}
