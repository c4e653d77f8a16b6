package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var listening = regexp.MustCompile(`(?m)^listening on (https?://\S+)$`)

// awaitFile waits until a file holds what matches.
func awaitFile(ts *testscript.TestScript, name string, want *regexp.Regexp) []string {
	for range 600 {
		b, _ := os.ReadFile(ts.MkAbs(name))
		if m := want.FindStringSubmatch(string(b)); m != nil {
			return m
		}
		time.Sleep(50 * time.Millisecond)
	}
	b, _ := os.ReadFile(ts.MkAbs(name))
	ts.Fatalf("%s does not come to hold %s:\n%s", name, want, b)
	return nil
}

// await waits until a file holds a pattern: await FILE PATTERN.
func await(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: await FILE PATTERN")
	}
	awaitFile(ts, args[0], regexp.MustCompile("(?m)"+args[1]))
}

// send posts a file to a collector whose standard error is in a file, and wants
// a status: send STATUS ERRFILE /path FILE [header: value]... The answer goes to
// the script's standard output.
func send(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: send STATUS ERRFILE /path FILE [header: value]...")
	}
	base := awaitFile(ts, args[1], listening)[1]
	body, err := os.ReadFile(ts.MkAbs(args[3]))
	ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, base+args[2], bytes.NewReader(body))
	ts.Check(err)
	for _, h := range args[4:] {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if fmt.Sprint(resp.StatusCode) != args[0] {
		ts.Fatalf("%s: status %d, want %s: %s", args[2], resp.StatusCode, args[0], text)
	}
	_, err = ts.Stdout().Write(text)
	ts.Check(err)
}
