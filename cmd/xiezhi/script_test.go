package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func codeOf(err error) (string, bool) {
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		return strconv.Itoa(ee.ExitCode()), true
	}
	return "", false
}

// gigantic writes input that is hostile by its size: gigantic KIND FILE.
func gigantic(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: gigantic field|depth|bomb FILE")
	}
	entry := func(body string) string {
		return fmt.Sprintf(`{"startedDateTime":"2026-03-01T08:00:00Z","time":1,"request":{"method":"POST","url":"http://a.example/x","httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":-1,"postData":{"mimeType":"application/json","text":%s}},"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"application/json","text":"{}"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":0,"wait":1,"receive":0}}`+"\n", body)
	}
	var out bytes.Buffer
	switch args[0] {
	case "field": // one JSON string of 100 MB
		out.WriteString(entry(`"` + strings.Repeat("a", 100<<20) + `"`))
		out.WriteString(entry(`"{}"`))
	case "depth": // a body nested a million deep
		out.WriteString(entry(strconv.Quote(strings.Repeat("[", 1<<20))))
		out.WriteString(entry(`"{}"`))
	case "bomb": // 300 MB of zeros in 300 KB
		z := gzip.NewWriter(&out)
		chunk := make([]byte, 1<<20)
		for range 300 {
			if _, err := z.Write(chunk); err != nil {
				ts.Fatalf("%v", err)
			}
		}
		if err := z.Close(); err != nil {
			ts.Fatalf("%v", err)
		}
	default:
		ts.Fatalf("gigantic %s is unknown", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o600))
}
