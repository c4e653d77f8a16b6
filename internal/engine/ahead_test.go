package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"testing"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/source"
	"xiezhi/rules"
)

// crowd is HAR lines of some hosts, with the given share of them out of order.
type crowd struct {
	hosts, clients, lines int
	late                  float64 // share that ends an hour before its neighbours
	jitter                int     // seconds by which neighbours are out of order
	from                  int     // first line of the second host and later ones
	site                  bool    // every third names its site
	noClients             bool
}

func (c crowd) harl(seed uint64) []byte {
	r := mathrand.New(mathrand.NewPCG(seed, 1))
	var b bytes.Buffer
	base := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for i := range c.lines {
		at := base.Add(time.Duration(i)*time.Second + time.Duration(r.IntN(c.jitter+1))*time.Second)
		if r.Float64() < c.late {
			at = at.Add(-time.Hour)
		}
		host := "a.example"
		if i >= c.from && c.hosts > 1 {
			host = string(rune('a'+r.IntN(c.hosts))) + ".example"
		}
		more := ""
		if !c.noClients {
			more = fmt.Sprintf(`,"_client":{"ip":"198.51.100.%d"}`, 1+r.IntN(c.clients))
		}
		if c.site && i%3 == 0 {
			more += `,"_site":"named"`
		}
		status := 200
		if r.IntN(9) == 0 {
			status = 404
		}
		text := fmt.Sprintf(`{\"code\":0,\"data\":{\"id\":%d,\"phone\":\"1380013%04d\",\"city\":\"杭州\"}}`, 1000+i, r.IntN(10000))
		fmt.Fprintf(&b, `{"startedDateTime":%q,"time":5,"request":{"method":"GET","url":"http://%s/api/user/%d?page=%d","httpVersion":"HTTP/1.1","headers":[{"name":"Host","value":%q},{"name":"User-Agent","value":"Mozilla/5.0"}]},"response":{"status":%d,"httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}],"content":{"mimeType":"application/json","text":"%s"}}%s}`+"\n",
			at.Format(time.RFC3339Nano), host, r.IntN(40), r.IntN(5), host, status, text, more)
	}
	return b.Bytes()
}

// What is judged while reading is what is judged in the sorter's order: the
// same report, to the byte, whether the bet was won or lost.
func TestAheadGivesTheSameReport(t *testing.T) {
	dir := t.TempDir()
	tools, err := LoadTools(rules.FS, [32]byte{7})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		crowd
		only  string
		sites []SiteConfig
		ahead bool // the bet is won
	}{
		"one site":                     {crowd: crowd{hosts: 1, clients: 5, lines: 3000}, ahead: true},
		"neighbours out of order":      {crowd: crowd{hosts: 1, clients: 5, lines: 3000, jitter: 40}, ahead: true},
		"never a site":                 {crowd: crowd{hosts: 1, clients: 2, lines: 900}, ahead: true},
		"clients not visible":          {crowd: crowd{hosts: 1, clients: 2, lines: 900, noClients: true}, ahead: true},
		"fewer than a window":          {crowd: crowd{hosts: 1, clients: 5, lines: 30}, ahead: true},
		"one site by name":             {crowd: crowd{hosts: 1, clients: 5, lines: 1200}, only: "x", ahead: true},
		"an hour late":                 {crowd: crowd{hosts: 1, clients: 5, lines: 3000, late: 0.002}},
		"two sites":                    {crowd: crowd{hosts: 2, clients: 5, lines: 2000}},
		"a second site late":           {crowd: crowd{hosts: 2, clients: 5, lines: 3000, from: 2900}},
		"a second host, no site":       {crowd: crowd{hosts: 2, clients: 5, lines: 1500, from: 1490}, ahead: true},
		"two sites by one name":        {crowd: crowd{hosts: 2, clients: 5, lines: 2000}, only: "x"},
		"two configured hosts":         {crowd: crowd{hosts: 2, clients: 5, lines: 2000}, sites: []SiteConfig{{Name: "shop", Hosts: []string{"a.example", "b.example"}}}},
		"a configured host's name":     {crowd: crowd{hosts: 2, clients: 5, lines: 1200, from: 40}, sites: []SiteConfig{{Name: "b.example", Hosts: []string{"a.example"}}}},
		"some exchanges name the site": {crowd: crowd{hosts: 1, clients: 5, lines: 2000, site: true}, ahead: true},
	} {
		for _, workers := range []int{1, 3} {
			data := c.harl(uint64(len(name)))
			run := func(sorted bool) (report string, ahead bool) {
				cfg := AnalyzeConfig{Version: "test", Tools: tools, Workers: workers, Site: c.only, File: &FileConfig{Sites: c.sites}, Random: rand.Reader,
					Inputs: []source.Input{{Name: "x.harl", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}},
					Temp:   func() (judge.SpillFile, error) { return os.CreateTemp(dir, "spill-*") }, sorted: sorted, judged: func(x bool) { ahead = x }}
				res, err := Analyze(context.Background(), cfg)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if res.Report.Input.Analysed != uint64(c.lines) {
					t.Fatalf("%s: %d analysed, want %d", name, res.Report.Input.Analysed, c.lines)
				}
				out, err := json.Marshal(res.Report)
				if err != nil {
					t.Fatal(err)
				}
				return string(out), ahead
			}
			want, plain := run(true)
			got, ahead := run(false)
			if plain {
				t.Errorf("%s: the sorter's order was not asked for", name)
			}
			if ahead != c.ahead {
				t.Errorf("%s, %d workers: judged ahead %v, want %v", name, workers, ahead, c.ahead)
			}
			if got != want {
				t.Errorf("%s, %d workers: the reports differ:\n%.600s\n%.600s", name, workers, got, want)
			}
		}
	}
}

// TestLostBatchBlocksNobody: while a batch is late, all others are kept for
// after it. When it turns out to be lost, or what comes before it gives up,
// nobody may go on waiting for an empty one.
func TestLostBatchBlocksNobody(t *testing.T) {
	for name, end := range map[string]func(a *ahead, late *observe.Batch){
		"lost":     func(a *ahead, _ *observe.Batch) { a.lose(0) },
		"given up": func(a *ahead, late *observe.Batch) { a.giveUp(); a.in <- numbered{0, late} },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAhead(nil, 1)
			late := <-a.free
			given := make(chan struct{})
			go func() {
				defer close(given)
				b := &observe.Batch{}
				for n := range cap(a.free) - 1 {
					b = a.give(uint64(n)+1, b)
				}
			}()
			for len(a.free) > 0 { // until the last has to wait, or nearly
				time.Sleep(time.Millisecond)
			}
			end(a, late)
			select {
			case <-given:
			case <-time.After(10 * time.Second):
				t.Fatal("a worker waits for ever")
			}
			a.stop()
		})
	}
}
