package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"xiezhi/internal/engine"
	"xiezhi/internal/source"
)

// The report says which map was used and how much of the traffic is on none.
func TestNetworksInTheReport(t *testing.T) {
	var lines bytes.Buffer
	for i := range 60 {
		ip := []string{"8.8.8.8", "10.0.0.7", "198.51.100.9"}[i%3]
		fmt.Fprintf(&lines, `{"startedDateTime":"2026-01-02T03:04:%02d.000Z","time":5,"request":{"method":"GET","url":"https://shop.example.com/list","httpVersion":"HTTP/1.1","headers":[],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":0},"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"application/json","text":"{}"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":1,"wait":3,"receive":1},"_client":{"ip":%q}}`+"\n", i, ip)
	}
	for text, want := range map[string]string{
		"{}":                          "base 0",
		"intel: {base_map: false}":    " 20",
		"intel: {base_map: true}":     "base 0",
		"intel: {lists: [{file: x}]}": "error",
		"intel: {base_map: false, lists: [{file: x, country: CN}]}": "list 20",
	} {
		file, err := engine.ParseConfig("c.yaml", []byte(text))
		if err == nil {
			err = file.LoadIntel(func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("198.51.100.0/24\n")), nil })
		}
		if err != nil {
			if want != "error" {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		r := analyse(t, engine.AnalyzeConfig{File: file, Inputs: []source.Input{input("networks.harl", lines.Bytes())}})
		got, unknown := "", uint64(0)
		for _, s := range r.Input.Networks {
			for _, x := range s.Sources {
				got += x.Kind
			}
			if len(s.Snapshot) != 16 {
				t.Errorf("%s: snapshot %q", text, s.Snapshot)
			}
		}
		for _, q := range r.Input.Quality {
			if q.Code == "network_unknown" {
				unknown = q.Count
			}
		}
		if got := fmt.Sprint(got, " ", unknown); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
