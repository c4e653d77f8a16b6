package jetstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"xiezhi/internal/stream"
	"xiezhi/internal/stream/streamtest"
)

// servers starts a cluster in this process, on ports of the loopback.
func servers(t *testing.T, count int, change ...func(*server.Options)) []*server.Server {
	t.Helper()
	var routes []*url.URL
	var taken []net.Listener // all, before one is used
	ports := make([]int, count)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		taken = append(taken, l)
	}
	for _, l := range taken {
		_ = l.Close()
	}
	list := make([]*server.Server, count)
	options := make([]*server.Options, count)
	for i := range list {
		options[i] = &server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 64 << 20,
		}
		if count > 1 {
			options[i].Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]}
			options[i].Routes = routes
		}
	}
	for _, c := range change {
		for _, o := range options {
			c(o)
		}
	}
	return start(t, list, options)
}

func start(t *testing.T, list []*server.Server, options []*server.Options) []*server.Server {
	t.Helper()
	for i := range list {
		s, err := server.NewServer(options[i])
		if err != nil {
			t.Fatal(err)
		}
		list[i] = s
		go s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	}
	eventually(t, "the servers are a cluster", func() bool {
		for _, s := range list {
			if !s.ReadyForConnections(10*time.Millisecond) || len(list) > 1 && !s.JetStreamIsCurrent() {
				return false
			}
		}
		return true
	})
	return list
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

func addresses(list []*server.Server) (urls []string) {
	for _, s := range list {
		urls = append(urls, s.ClientURL())
	}
	return urls
}

func TestServerOfOthersKeepsTheContract(t *testing.T) {
	s := servers(t, 1)
	// The contract's folders are names of streams on the one server.
	names := map[string]string{}
	streamtest.Contract(t, streamtest.Streams{
		Open: func(folder string, partitions int) (stream.Bus, error) {
			if names[folder] == "" {
				names[folder] = fmt.Sprint("T", len(names))
			}
			c := config()
			c.Partitions = partitions
			return Dial(context.Background(), c, Cluster{Servers: addresses(s), Replicas: 1, Name: names[folder]})
		},
		Drop: func(b stream.Bus, partition int, to uint64) error {
			return b.(*Bus).drop(context.Background(), partition, to)
		},
	})
}

func TestServersThatAreAway(t *testing.T) {
	defer goleak.VerifyNone(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	_, err = Dial(t.Context(), config(), Cluster{Servers: []string{"nats://" + l.Addr().String()}})
	var f *stream.Fault
	if !errors.Is(err, stream.ErrAway) || !errors.As(err, &f) || f.Where == "" || f.Do == "" {
		t.Errorf("nobody is there: %v", err)
	}
	for what, c := range map[string]Cluster{
		"no servers": {}, "name": {Servers: []string{"x"}, Name: "a.b"}, "replicas": {Servers: []string{"x"}, Replicas: 9},
	} {
		if _, err := Dial(t.Context(), config(), c); !errors.Is(err, stream.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestServersThatAskForAPassword: a wrong one is told as such, and told to nobody.
func TestServersThatAskForAPassword(t *testing.T) {
	s := servers(t, 1, func(o *server.Options) { o.Username, o.Password = "xiezhi", "right-7f3a" })
	at := func(password string) Cluster {
		return Cluster{Servers: []string{"nats://xiezhi:" + password + "@" + s[0].Addr().String()}, Replicas: 1}
	}
	_, err := Dial(t.Context(), config(), at("wrong-7f3a"))
	var f *stream.Fault
	if !errors.As(err, &f) || errors.Is(err, stream.ErrAway) || !strings.Contains(f.Do, "rights") || !strings.Contains(f.Where, s[0].Addr().String()) {
		t.Errorf("with a wrong password: %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "7f3a") {
		t.Errorf("the password is told: %v", err)
	}
	b, err := Dial(t.Context(), config(), at("right-7f3a"))
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, 0, "a", []byte{1})
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	missing := at("right-7f3a")
	missing.Credentials = "/nonexistent/user.creds"
	if _, err := Dial(t.Context(), config(), missing); !errors.As(err, &f) || !strings.Contains(err.Error(), "user.creds") {
		t.Errorf("without the credentials file: %v", err)
	}
}

// TestServerThatComesBack: whoever writes and reads notices nothing but time.
func TestServerThatComesBack(t *testing.T) {
	var kept *server.Options
	s := servers(t, 1, func(o *server.Options) { kept = o })
	kept.Port = s[0].Addr().(*net.TCPAddr).Port // the same again
	b, err := Dial(t.Context(), config(), Cluster{Servers: addresses(s), Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	publish(t, b, 0, "0", []byte{1})
	got := make(chan stream.Message, 10)
	reading := make(chan error, 1)
	go func() {
		reading <- b.Read(t.Context(), 0, 0, func(m stream.Message) error { got <- m; return nil })
	}()
	<-got
	s[0].Shutdown()
	s[0].WaitForShutdown()
	written := make(chan error, 1)
	go func() { written <- b.Publish(t.Context(), stream.Batch{ID: "1", Data: []byte{2}}) }()
	select {
	case err := <-written:
		t.Fatalf("with no server: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	start(t, make([]*server.Server, 1), []*server.Options{kept})
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-got:
		if m.ID != "1" || m.Seq != 2 {
			t.Errorf("%s with number %d came", m.ID, m.Seq)
		}
	case err := <-reading:
		t.Fatalf("reading ended with %v", err)
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
}
