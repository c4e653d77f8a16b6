package engine_test

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/report"
)

// logDay writes n lines in three dialects: a shop's API and somebody who reads
// one order after the other without a session.
func logDay(day, n int) string {
	var b strings.Builder
	at := time.Date(2026, 3, 1+day, 8, 0, 0, 0, time.UTC)
	for i := range n {
		t := at.Add(time.Duration(i) * time.Second)
		ip, id := fmt.Sprintf("198.51.100.%d", 1+i%7), 1000+i
		if i%3 == 0 {
			ip = "203.0.113.9"
		}
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, `%s - - [%s] "GET /api/orders/%d HTTP/1.1" 200 512 "-" "python-requests/2.31"`+"\n", ip, t.Format("02/Jan/2006:15:04:05 -0700"), id)
		case 1:
			fmt.Fprintf(&b, `{"level":"info","ts":%d,"msg":"handled request","request":{"remote_ip":"%s","proto":"HTTP/1.1","method":"GET","host":"shop.example","uri":"/api/orders/%d"},"size":512,"status":200}`+"\n", t.Unix(), ip, id)
		case 2:
			fmt.Fprintf(&b, `[%s] "GET /api/orders/%d HTTP/1.1" 200 - 0 512 0 0 "%s" "curl/8" "id" "shop.example" "10.0.0.1:80"`+"\n", t.Format("2006-01-02T15:04:05.000Z"), id, ip)
		default:
			fmt.Fprintf(&b, `%s [error] 12#12: *1 open() failed, client: %s, request: "GET / HTTP/1.1"`+"\n", t.Format("2006/01/02 15:04:05"), ip)
		}
	}
	return b.String()
}

// Rotated logs, one of them compressed, give the same findings whatever their
// names and therefore the order they are read in.
func TestRotatedLogsInAnyOrder(t *testing.T) {
	days := []string{logDay(0, 400), logDay(1, 400), logDay(2, 400)}
	var first []byte
	for _, names := range [][3]string{{"access.log.2.gz", "access.log.1", "access.log"}, {"a.log.gz", "b.log", "c.log"}, {"m.log.gz", "z.log", "a.log"}} {
		dir := t.TempDir()
		for i, name := range names {
			f, err := os.Create(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, ".gz") {
				z := gzip.NewWriter(f)
				if _, err := z.Write([]byte(days[i])); err != nil {
					t.Fatal(err)
				}
				if err := z.Close(); err != nil {
					t.Fatal(err)
				}
			} else if _, err := f.WriteString(days[i]); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		rep, attributed := run(t, engine.AnalyzeConfig{Workers: 2}, filepath.Join(dir, "*"))
		if rep.Input.Exchanges != 1200 || len(rep.Input.Dropped) != 1 || rep.Input.Dropped[0].Count != 300 || len(rep.APIs) == 0 {
			t.Fatalf("%v: %d exchanges, %d APIs", names, rep.Input.Exchanges, len(rep.APIs))
		}
		rep.Input = report.Input{} // it names the files
		b := append(marshal(t, rep), attributed...)
		if first == nil {
			first = b
		} else if string(b) != string(first) {
			t.Errorf("%v: another report: %s", names, firstDifference(first, b))
		}
	}
}
