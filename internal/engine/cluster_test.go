package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/source"
	"xiezhi/internal/store"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/jetstream"
	"xiezhi/rules"
)

// natsServers starts a cluster of NATS servers in this process.
func natsServers(t *testing.T, count int) []*server.Server {
	t.Helper()
	var routes []*url.URL
	var taken []net.Listener
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, l)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
	}
	for _, l := range taken {
		_ = l.Close()
	}
	list := make([]*server.Server, count)
	for i := range list {
		o := &server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 64 << 20, Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: taken[i].Addr().(*net.TCPAddr).Port, NoAdvertise: true},
		}
		s, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = s
		go s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	}
	soon(t, "the servers are a cluster", func() bool {
		for _, s := range list {
			if !s.ReadyForConnections(10*time.Millisecond) || !s.JetStreamIsCurrent() {
				return false
			}
		}
		return true
	})
	return list
}

// soon waits until something holds; told, if any, says what is in its way.
func soon(t *testing.T, what string, holds func() bool, told ...func() string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			for _, f := range told {
				t.Log(f())
			}
			t.Fatalf("after two minutes it is not so that %s", what)
		}
	}
}

// where says how far a member has come.
func (m *clusterMember) where() string {
	var b strings.Builder
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stats, err := m.cfg.Bus.Stats(ctx)
	fmt.Fprintf(&b, "the stream: %+v %v\n", stats, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	for p, s := range m.held {
		s.mu.Lock()
		fmt.Fprintf(&b, "partition %d: judged %d, waiting %v, unwritten %v, written %v ago, cost %v\n", p, s.part.seq, s.part.waits(), s.unwritten, time.Since(s.delivered), s.cost)
		s.mu.Unlock()
	}
	if g := m.gather; g != nil {
		stats, err := m.cfg.Found.Stats(ctx)
		g.mu.Lock()
		fmt.Fprintf(&b, "found: taken %d, lost %d, of %+v %v\n", g.last, g.lost, stats, err)
		g.mu.Unlock()
	}
	return b.String()
}

// cable leads to a server until it is cut.
type cable struct {
	l     net.Listener
	to    string
	mu    sync.Mutex // guards the next
	cut   bool
	conns []net.Conn
}

func cables(t *testing.T, servers []*server.Server) (list []*cable, urls []string) {
	t.Helper()
	for _, s := range servers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c := &cable{l: l, to: s.Addr().String()}
		t.Cleanup(c.sever)
		go c.run()
		list, urls = append(list, c), append(urls, "nats://"+l.Addr().String())
	}
	return list, urls
}

func (c *cable) run() {
	for {
		near, err := c.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		c.mu.Lock()
		if err != nil || c.cut {
			_ = near.Close()
			c.mu.Unlock()
			continue
		}
		c.conns = append(c.conns, near, far)
		c.mu.Unlock()
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}

// sever leaves whoever used the cable alone: it hears nothing and nobody hears
// it.
func (c *cable) sever() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	_ = c.l.Close()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// hand is a source that is fed by hand: what feed returned nil for is
// acknowledged.
type hand struct {
	in   chan []byte
	done chan error
}

func newHand() *hand { return &hand{make(chan []byte), make(chan error)} }

func (f *hand) feed(lines []byte) error {
	f.in <- lines
	return <-f.done
}

func (f *hand) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case lines := <-f.in:
			plan, err := recognise([]source.Input{{Name: "hand", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(lines)), nil }}}, Auto, LogConfig{}, nil)
			if err == nil {
				err = plan.sources[0].Run(ctx, sink, ledger)
			}
			if err == nil {
				err = sink.(source.Flusher).Flush()
			}
			f.done <- err
			if err != nil {
				return err
			}
		}
	}
}

// clusterTraffic is the capture as that of several sites which fall into
// partitions of their own.
func clusterTraffic(t *testing.T, sites []string, most int) (lines map[string][][]byte) {
	t.Helper()
	in, err := source.Expand([]string{vampiCapture}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := Convert(t.Context(), ConvertConfig{Inputs: in, To: HARL}, &out); err != nil {
		t.Fatal(err)
	}
	lines = map[string][][]byte{}
	for line := range bytes.Lines(out.Bytes()) {
		var entry map[string]json.RawMessage
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		id := strings.Trim(string(entry["_id"]), `"`)
		for _, site := range sites {
			if len(lines[site]) == most {
				continue
			}
			entry["_site"], entry["_id"] = json.RawMessage(`"`+site+`"`), json.RawMessage(`"`+site+"-"+id+`"`)
			b, err := json.Marshal(entry)
			if err != nil {
				t.Fatal(err)
			}
			lines[site] = append(lines[site], append(b, '\n'))
		}
	}
	return lines
}

// clusterMember is a member of the test's cluster.
type clusterMember struct {
	*Cluster
	cables  []*cable
	records *sqlite.DB
	rows    *observationtest.Model
	end     func() error
}

const clusterLease = 6 * time.Second

func (h *hall) member(name string, roles Roles, servers []*server.Server, partitions int, sources ...source.Source) *clusterMember {
	h.t.Helper()
	t := h.t
	m := &clusterMember{}
	var urls []string
	m.cables, urls = cables(t, servers)
	log := slog.New(slog.NewTextHandler(testLog{t, name}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	jc := jetstream.Config{Partitions: partitions, Key: [32]byte{1, 2, 3}, Random: rand.Reader, Log: log}
	bus, err := jetstream.Dial(t.Context(), jc, jetstream.Cluster{Servers: urls})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	jc.Partitions = 1
	tell, err := jetstream.Dial(t.Context(), jc, jetstream.Cluster{Servers: urls, Name: "XIEZHI-FOUND"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tell.Close() })
	folder, err := store.Take(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Release() })
	cfg := ClusterConfig{Roles: roles, Member: name, Found: tell}
	cfg.ServiceConfig = ServiceConfig{Version: "test", Tools: h.tools, Workers: 2, Sources: sources, Bus: bus, Now: time.Now, Random: rand.Reader, Log: log,
		Order: sequence.Config{Hold: time.Second}, SaveEvery: 2 * time.Second, DeliverEvery: time.Second}
	if cfg.Files, err = state.Open(folder, [32]byte{1, 2, 3}, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if roles.Console {
		if m.records, err = sqlite.Open(t.Context(), folder, sqlite.Config{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.records.Close() })
		m.rows = observationtest.NewModel()
		cfg.Records, cfg.Rows = m.records, m.rows
	}
	if roles.Judge {
		if cfg.Shelf, err = bus.Shelf(t.Context()); err != nil {
			t.Fatal(err)
		}
		cfg.Join = func(ctx context.Context, hold func(context.Context, stream.Holding)) (Membership, error) {
			return bus.Join(ctx, name, clusterLease, hold)
		}
	}
	if m.Cluster, err = NewCluster(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	m.end = func() error { cancel(); return <-done }
	<-m.Ready()
	return m
}

// testLog writes what members say into the test's log, as long as it runs.
type testLog struct {
	t    *testing.T
	name string
}

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil {
		_, text, _ := strings.Cut(string(p), "level=")
		l.t.Log(l.name, strings.TrimSpace(text))
	}
	return len(p), nil
}

// leader gives the name of the server that leads the stream of a partition.
func leader(t *testing.T, servers []*server.Server, partition int) string {
	t.Helper()
	nc, err := nats.Connect(servers[0].ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), fmt.Sprintf("XIEZHI_%03d", partition))
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().Cluster.Leader
}

// exchangesOf sums what the records say was judged.
func exchangesOf(r *report.Report) (n uint64) {
	for _, s := range r.Sites {
		n += s.Exchanges
	}
	return n
}

func keptReport(t *testing.T, m *clusterMember) *report.Report {
	t.Helper()
	r, cut, bad, err := kept.Report(t.Context(), m.records, "test", rules.Version)
	if err != nil || bad != 0 || len(cut) != 0 {
		t.Fatal(err, bad, cut)
	}
	return r
}

// TestClusterLosesNothing: three servers, three members. During load the server
// that leads a stream dies, and so does, for all others, the member that judges
// it. What was acknowledged is judged once, in order, and what is found of each
// site is what is found without a cluster.
func TestClusterLosesNothing(t *testing.T) {
	const partitions = 6
	h := newHall(t)
	var sites []string // one for each member
	members := []string{"a", "b", "c"}
	owners := stream.Share(members, partitions)
	for i := 0; len(sites) < len(members); i++ {
		name := fmt.Sprintf("shop-%d", i)
		if owners[stream.Partition(name, partitions)] == members[len(sites)] {
			sites = append(sites, name)
		}
	}
	lines := clusterTraffic(t, sites, 3000)
	var names []string
	total := uint64(0)
	for _, site := range sites {
		name := filepath.Join(t.TempDir(), site+".harl")
		if err := os.WriteFile(name, bytes.Join(lines[site], nil), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		total += uint64(len(lines[site]))
	}
	want := h.analysed(names...)
	if len(want.Sites) != len(sites) || len(want.Defects) < 15 || len(want.Attacks) < 3 {
		t.Fatalf("%d sites, %d defects, %d attacks", len(want.Sites), len(want.Defects), len(want.Attacks))
	}

	servers := natsServers(t, 3)
	src := newHand()
	began := time.Now()
	a := h.member("a", Roles{Sense: true, Judge: true}, servers, partitions, src)
	b := h.member("b", Roles{Judge: true}, servers, partitions)
	c := h.member("c", Roles{Judge: true, Console: true}, servers, partitions)
	soon(t, "the partitions are shared", func() bool {
		n := len(a.Partitions()) + len(b.Partitions()) + len(c.Partitions())
		return n == partitions && len(b.Partitions()) > 0
	})
	t.Logf("the cluster stands after %v", time.Since(began).Round(time.Millisecond))

	acknowledged := 0
	next := map[string]int{}
	feed := func(until int) {
		for next[sites[0]] < until {
			var chunk []byte
			for _, site := range sites {
				to := min(next[site]+100, until, len(lines[site]))
				for _, line := range lines[site][next[site]:to] {
					chunk = append(chunk, line...)
					acknowledged++
				}
				next[site] = to
			}
			if err := src.feed(chunk); err != nil {
				t.Error(err)
				return
			}
		}
	}
	feed(1000)
	soon(t, "something is found", func() bool { return exchangesOf(keptReport(t, c)) > 0 })

	busy := stream.Partition(sites[1], partitions)
	lead := leader(t, servers, busy)
	t.Logf("%s leads partition %d, b judges %v; both are cut off", lead, busy, b.Partitions())
	killed := time.Now()
	for _, s := range servers {
		if s.Name() == lead {
			s.Shutdown()
		}
	}
	for _, line := range b.cables {
		line.sever()
	}
	fed := make(chan struct{})
	go func() { defer close(fed); feed(len(lines[sites[0]])) }()
	soon(t, "the others have taken over", func() bool {
		held := slices.Concat(a.Partitions(), c.Partitions())
		slices.Sort(held)
		return len(slices.Compact(held)) == partitions && judgingAll(a, c, partitions)
	})
	took := time.Since(killed)
	t.Logf("the others have taken over after %v", took.Round(time.Millisecond))
	if took > 60*time.Second { // seconds in truth; the bound is for machines that do much else
		t.Errorf("it took %v", took)
	}
	<-fed
	soon(t, "everything is judged", func() bool { return exchangesOf(keptReport(t, c)) >= total }, a.where, c.where)
	time.Sleep(2 * time.Second) // what would come twice has time to come
	if err := a.end(); err != nil {
		t.Error("a:", err)
	}
	if err := c.end(); err != nil {
		t.Error("c:", err)
	}
	t.Logf("all is over after %v", time.Since(began).Round(time.Millisecond))

	r := keptReport(t, c)
	if n := exchangesOf(r); n != total || uint64(acknowledged) != total {
		t.Errorf("%d exchanges were acknowledged, %d are judged, of %d", acknowledged, n, total)
	}
	for _, site := range sites {
		sameFindings(t, siteFindings(r, site), siteFindings(want, site))
	}
	days, err := c.rows.Range(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := uint64(0)
	for _, d := range days.Days {
		rows += uint64(d.Rows)
	}
	if rows != total {
		t.Errorf("%d rows of %d exchanges", rows, total)
	}
}

// judgingAll reports whether two members judge all partitions between them.
func judgingAll(a, c *clusterMember, partitions int) bool {
	n := 0
	for _, m := range []*clusterMember{a, c} {
		m.mu.Lock()
		n += len(m.held)
		m.mu.Unlock()
	}
	return n == partitions
}

// siteFindings is what was found of a site.
func siteFindings(r *report.Report, site string) []byte {
	apis := map[string]bool{}
	var out []any
	for _, s := range r.Sites {
		if s.Name == site {
			out = append(out, s)
		}
	}
	for _, a := range r.APIs {
		if a.Site == site {
			apis[a.ID] = true
			out = append(out, a)
		}
	}
	for _, d := range r.Defects {
		if apis[d.API] || d.Site == site {
			out = append(out, d)
		}
	}
	for _, a := range r.Attacks {
		if a.Site == site {
			out = append(out, a)
		}
	}
	b, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		panic(err)
	}
	return b
}
