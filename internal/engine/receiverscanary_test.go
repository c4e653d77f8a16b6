package engine_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/message"
	"xiezhi/internal/respond/notify"
	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
	"xiezhi/internal/respond/siem"
	stored "xiezhi/internal/store/record"
)

// toldOf gives what a service's findings become as notifications and as records
// of a SIEM, in every format.
func toldOf(t *testing.T, records stored.Store, texts *message.Catalog) map[string][]byte {
	t.Helper()
	var mu sync.Mutex
	var hooks strings.Builder
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		hooks.Write(b)
	}))
	defer hook.Close()
	guard, err := outbound.New(outbound.Config{Allow: []string{hook.Listener.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	tools := channel.Tools{Guard: guard, Now: time.Now, Getenv: os.Getenv, Read: os.ReadFile}
	people := notify.FileConfig{Channels: []notify.ChannelConfig{{Name: "zh", Config: channel.Config{Type: channel.Webhook, URL: hook.URL, Lang: "zh"}, Burst: 100}}}
	channels, err := people.Open(tools, "zh")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var soc siem.FileConfig
	for _, format := range []string{siem.OCSF, siem.ECS, siem.CEF} {
		soc.Targets = append(soc.Targets, siem.Target{Name: format, Format: format, Transport: siem.File, Path: filepath.Join(folder, format)})
	}
	targets, err := soc.Open(tools, "en")
	if err != nil {
		t.Fatal(err)
	}
	lanes, err := notify.Lanes(channels, texts, "", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	box, err := outbox.Open(t.Context(), outbox.Config{Store: records, Now: time.Now, Random: rand.Reader, Lanes: append(lanes, siem.Lanes(targets)...)})
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := outbox.NewLedger(t.Context(), records, "people")
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Begin(t.Context(), time.Now()); err != nil { // all that is there is news
		t.Fatal(err)
	}
	watch, err := notify.New(t.Context(), notify.Config{Store: records, Box: box, Messages: texts, Channels: channels, Now: time.Now, Seen: func() time.Time { return time.Unix(0, 0) }, Settle: time.Nanosecond,
		Surge: func(context.Context) (notify.Surge, error) { return notify.Surge{On: true, Requests: 99}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	export, err := siem.New(t.Context(), siem.Config{Store: records, Box: box, Messages: texts, Targets: targets, Version: "v", Now: time.Now, Settle: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := watch.Turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := export.Turn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		if box.Step(t.Context()) {
			break
		}
	}
	mu.Lock()
	defer mu.Unlock()
	out := map[string][]byte{"notifications": []byte(hooks.String())}
	for _, x := range soc.Targets {
		if out[x.Format], err = os.ReadFile(x.Path); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range out {
		if len(b) < 200 {
			t.Errorf("%s are %d bytes: nothing was told", name, len(b))
		}
	}
	return out
}
