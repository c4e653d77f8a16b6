package uplink

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/source/sensor"
	"xiezhi/internal/stream"
)

func sealer(t testing.TB, key byte) *stream.Sealer {
	t.Helper()
	s, err := stream.NewSealer(rand.Reader, [32]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, token string, key byte, centres ...string) *Client {
	t.Helper()
	c, err := NewClient(ClientConfig{Centres: centres, Name: "edge-1", Token: token, Sealer: sealer(t, key)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// centre takes batches, but for those of the ids that it is told.
type centre struct {
	got    []string
	refuse map[string]error
	clock  time.Time
}

func (c *centre) take(_ context.Context, name string, b stream.Batch) error {
	if err := c.refuse[b.ID]; err != nil {
		return err
	}
	c.got = append(c.got, fmt.Sprintf("%s %s %s", name, b.ID, b.Data))
	return nil
}

func (c *centre) serve(t *testing.T, tokens *sensor.Tokens) (*Server, string) {
	t.Helper()
	s := NewServer(ServerConfig{Tokens: tokens, Sealer: sealer(t, 1), Take: c.take, Now: func() time.Time { return c.clock }})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL
}

func TestBatchesArriveInOrder(t *testing.T) {
	tokens, err := sensor.ParseTokens("t", []byte("edge-1 secret-token-000001\nedge-2 secret-token-000002 site=x\nother secret-token-000003\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := &centre{refuse: map[string]error{"3": errors.New("no room")}, clock: time.Unix(1000, 0)}
	server, url := c.serve(t, tokens)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	up := client(t, "secret-token-000001", 1, gone.URL, url) // the first is away
	if n, err := up.Send(t.Context(), State{Buffered: 5, Oldest: 2 * time.Second, Shed: 7}); n != 0 || err != nil {
		t.Fatal("a sign of life:", n, err)
	}
	if got := server.Heard(); len(got) != 1 || got[0] != (Heard{"edge-1", c.clock, State{5, 2 * time.Second, 7}}) {
		t.Errorf("heard %+v", got)
	}
	for i := range 5 {
		if ok, err := up.Add(stream.Batch{ID: fmt.Sprint(i), Data: []byte("data")}); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if n, err := up.Send(t.Context(), State{}); n != 3 || err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("%d were taken, %v", n, err)
	}
	c.refuse = nil
	if n, err := up.Send(t.Context(), State{}); n != 5 || err != nil {
		t.Errorf("%d were taken, %v", n, err)
	}
	var want []string
	for _, i := range []int{0, 1, 2, 0, 1, 2, 3, 4} {
		want = append(want, fmt.Sprintf("edge-1 %d data", i))
	}
	if !slices.Equal(c.got, want) {
		t.Errorf("taken: %q", c.got)
	}

	for what, up := range map[string]*Client{"401": client(t, "secret-token-000009", 1, url), "another sensor": client(t, "secret-token-000003", 1, url),
		"same key": client(t, "secret-token-000001", 2, url)} {
		if _, err := up.Add(stream.Batch{ID: "x", Data: []byte("data")}); err != nil {
			t.Fatal(err)
		}
		if n, err := up.Send(t.Context(), State{}); n != 0 || !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
	// Moved to another id, a batch does not open.
	var sealed []byte
	if sealed, err = sealer(t, 1).Seal(nil, &stream.Batch{ID: "a", Data: []byte("data")}); err != nil {
		t.Fatal(err)
	}
	for what, body := range map[string][]byte{"409": appendRecord(nil, "b", sealed), "400": []byte("no batches"), "413": make([]byte, MaxBody+1)} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url+Path, bytes.NewReader(body))
		r.Header.Set(sensorHeader, "edge-1")
		r.Header.Set("Authorization", "Bearer secret-token-000001")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if fmt.Sprint(res.StatusCode) != what {
			t.Errorf("status %d, want %s", res.StatusCode, what)
		}
	}
	if len(c.got) != len(want) {
		t.Errorf("what was refused was taken: %q", c.got[len(want):])
	}
}

func TestRequestIsBounded(t *testing.T) {
	up := client(t, "", 1, "http://127.0.0.1:1")
	noise := make([]byte, stream.MaxData)
	_, _ = rand.Read(noise)
	n := 0
	for ; ; n++ {
		ok, err := up.Add(stream.Batch{ID: fmt.Sprint(n), Data: noise})
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
	}
	if len(up.body) > MaxBody || n < 4 {
		t.Errorf("%d batches in %d bytes", n, len(up.body))
	}
	for _, bad := range [][]string{nil, {"ftp://x"}, {"http://"}, {"http://a/b"}, {"http://u:p@a"}} {
		if _, err := NewClient(ClientConfig{Centres: bad, Name: "a", Sealer: sealer(t, 1)}); !errors.Is(err, stream.ErrRefused) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestServeEnds: a request that has begun comes to its end.
func TestServeEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	began, goOn := make(chan struct{}), make(chan struct{})
	s := NewServer(ServerConfig{Sealer: sealer(t, 1), Now: time.Now, Take: func(context.Context, string, stream.Batch) error {
		close(began)
		<-goOn
		return nil
	}})
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	up := client(t, "", 1, "http://"+l.Addr().String())
	if _, err := up.Add(stream.Batch{ID: "a", Data: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		n, err := up.Send(context.WithoutCancel(ctx), State{})
		if n != 1 {
			err = fmt.Errorf("%d were taken, %w", n, err)
		}
		sent <- err
	}()
	<-began
	end()
	close(goOn)
	if err := errors.Join(<-sent, <-ended); err != nil {
		t.Error(err)
	}
}

func FuzzBody(f *testing.F) {
	f.Add(appendRecord(nil, "a", []byte("sealed")))
	f.Add(appendRecord(appendRecord(nil, "a", []byte("sealed")), "b", make([]byte, 300)))
	f.Add([]byte{1, 'a', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, body []byte) {
		var again []byte
		for rest := body; len(rest) > 0; {
			id, sealed, more, err := nextRecord(rest)
			if err != nil {
				return
			}
			if id == "" || len(sealed) == 0 || len(more) >= len(rest) {
				t.Fatalf("%q, %d bytes, %d of %d are left", id, len(sealed), len(more), len(rest))
			}
			again, rest = appendRecord(again, id, sealed), more
		}
		if len(again) > len(body) {
			t.Fatalf("%d bytes of %d", len(again), len(body))
		}
	})
}
