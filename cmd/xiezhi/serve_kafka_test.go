//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestServeFromKafka: what stands in a topic is judged once, by services that
// take over from each other.
func TestServeFromKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "traffic"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const entries = 120
	produce := func(from, to int) {
		t.Helper()
		for n := from; n < to; n++ {
			text := fmt.Sprintf(`{"_client":{"ip":"198.51.100.%d","port":40000},"_server":{"ip":"192.0.2.1","port":80},"startedDateTime":"2026-01-02T03:%02d:%02d.%03dZ","time":3,`+
				`"request":{"method":"GET","url":"http://shop.example.com/orders/%d","httpVersion":"HTTP/1.1","headers":[{"name":"Host","value":"shop.example.com"}]},`+
				`"response":{"status":200,"httpVersion":"HTTP/1.1","headers":[],"content":{"size":2,"mimeType":"application/json","text":"{}"}}}`, n%7+1, n/60, n%60, n, 1000+n)
			if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "traffic", Value: []byte(text)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	data := filepath.Join(t.TempDir(), "data")
	args := []string{"--kafka", strings.Join(cluster.ListenAddrs(), ","), "--kafka-topic", "traffic", "--metrics", "127.0.0.1:0"}
	produce(0, entries/2)
	s := startServe(t, data, args...)
	analysed(t, s, entries/2)
	s.end()
	produce(entries/2, entries)
	s = startServe(t, data, args...)
	analysed(t, s, entries)
	s.end()
	if count, _, rows := wasFound(t, data); count != entries || rows != entries {
		t.Errorf("%d exchanges and %d rows of %d entries", count, rows, entries)
	}
}

// analysed waits until so many exchanges are.
func analysed(t *testing.T, s *served, n int) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(200 * time.Millisecond) {
		_, url, _ := strings.Cut(s.log.String(), "metrics at ")
		url, _, ended := strings.Cut(url, "\n")
		if !ended {
			continue
		}
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err, s.log)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil && strings.Contains(string(b), fmt.Sprintf("xiezhi_exchanges_analysed_total %d\n", n)) {
			return
		}
	}
	t.Fatalf("it did not analyse %d exchanges: %s", n, s.log)
}
