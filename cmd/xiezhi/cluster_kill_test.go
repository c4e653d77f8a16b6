//go:build unix

package main

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsCluster starts NATS servers in this process.
func natsCluster(t *testing.T, count int) (list []*server.Server, urls string) {
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
	var all []string
	for i := range count {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 64 << 20, Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: taken[i].Addr().(*net.TCPAddr).Port},
		})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
		go s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		ready := true
		for _, s := range list {
			ready = ready && s.ReadyForConnections(10*time.Millisecond) && s.JetStreamIsCurrent()
		}
		if ready {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the servers do not become a cluster")
		}
	}
	for _, s := range list {
		all = append(all, s.ClientURL())
	}
	return list, strings.Join(all, ",")
}

// TestMembersKilled: three members in processes of their own over three NATS
// servers. A judge is killed with SIGKILL, and with it the server that leads the
// cluster; later the console is, and starts again. Every exchange that was
// acknowledged is judged once and its row kept once.
func TestMembersKilled(t *testing.T) {
	lines := killLines(t)
	servers, urls := natsCluster(t, 3)
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if _, err := loadKey(key, rand.Reader); err != nil {
		t.Fatal(err)
	}
	member := func(name, roles string, args ...string) []string {
		return append([]string{"serve", "--nats", urls, "--roles", roles, "--member", name, "--key", key, "--data", filepath.Join(dir, name),
			"--partitions", "6", "--lease", "2s", "--hold", "1s"}, args...)
	}
	a, said := begin(t, member("a", "sense,judge", "--listen", "127.0.0.1:0"), "listening on ", "ready")
	a.collector = said[0]
	b, _ := begin(t, member("b", "judge"), "ready")
	console := member("c", "judge,console", "--http", "127.0.0.1:0")
	c, _ := begin(t, console, "ready")

	total := uint64(0)
	feed := func(from, to int) {
		for at := from; at < to; at += 200 {
			for i := range 3 { // the same traffic of three applications
				var chunk [][]byte
				for _, line := range lines[at:min(at+200, to)] {
					chunk = append(chunk, []byte(strings.Replace(string(line), `{`, fmt.Sprintf(`{"_site":"app-%d",`, i), 1)))
				}
				for n := range chunk {
					chunk[n] = []byte(strings.Replace(string(chunk[n]), `"_id":"`, fmt.Sprintf(`"_id":"%d-`, i), 1))
				}
				if err := a.feed(chunk); err != nil {
					t.Fatal(err, a.log)
				}
				total += uint64(len(chunk))
			}
		}
	}
	feed(0, 1000)
	_ = b.cmd.Process.Kill()
	_, _ = b.cmd.Process.Wait()
	for _, s := range servers {
		if s.JetStreamIsLeader() {
			s.Shutdown()
			break
		}
	}
	feed(1000, 2000)
	_ = c.cmd.Process.Kill()
	_, _ = c.cmd.Process.Wait()
	feed(2000, 2600)
	c, _ = begin(t, console, "ready")
	feed(2600, 3000)
	time.Sleep(8 * time.Second)
	a.end()
	time.Sleep(4 * time.Second)
	c.end()

	count, _, rows := wasFound(t, filepath.Join(dir, "c"))
	if count != total || rows != total {
		t.Errorf("%d exchanges were acknowledged, %d are judged, %d rows", total, count, rows)
		for name, s := range map[string]*served{"a": a, "c": c} {
			t.Log(name, s.log)
		}
	}
}
