package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"xiezhi/internal/source/pcap/pcaptest"
)

// tlsCapture records a session over TLS: tlscapture CAPTURE KEYLOG.
func tlsCapture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: tlscapture CAPTURE KEYLOG")
	}
	var list []*http.Request
	for i := range 4 {
		r, err := http.NewRequest("POST", fmt.Sprintf("https://shop.example/api/users/%d", i), strings.NewReader(`{"phone":"13800138001"}`))
		ts.Check(err)
		r.Header.Set("Content-Type", "application/json")
		list = append(list, r)
	}
	frames, log, err := pcaptest.Secure("10.0.0.7:41000", "10.0.0.1:443", list, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, r.Body)
	}), nil)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pcaptest.Encode(frames), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), log, 0o600))
}

// noSecrets looks for the secrets of a key log in files, and in what the last
// command said: nosecrets KEYLOG FILE...
func noSecrets(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: nosecrets KEYLOG FILE...")
	}
	said := map[string]string{"stdout": ts.ReadFile("stdout"), "stderr": ts.ReadFile("stderr")}
	for _, name := range args[1:] {
		said[name] = ts.ReadFile(name)
	}
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		n++
		for name, text := range said {
			if bytes.Contains([]byte(strings.ToLower(text)), []byte(fields[2][:32])) {
				ts.Fatalf("%s holds a secret of line %d", name, n)
			}
		}
	}
	if n == 0 {
		ts.Fatalf("%s holds no secret", args[0])
	}
}
