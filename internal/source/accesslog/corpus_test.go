package accesslog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

// event is what another parser made of one line.
type event struct {
	message string
	fields  map[string]string // Parsed and Enriched by name, Meta with a leading dot
}

var assertLine = regexp.MustCompile(`results\["(s01-parse|s02-enrich)"\]\["([^"]+)"\]\[(\d+)\]\.Evt\.(Parsed|Meta|Enriched)\["([^"]+)"\] == ("(?:[^"\\]|\\.)*")`)

// events reads a set's assertions, those of one stage and parser together.
func events(t *testing.T, file string) map[string][]*event {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	byIndex := map[string]map[int]*event{}
	s := bufio.NewScanner(bytes.NewReader(raw))
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		m := assertLine.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		value, err := strconv.Unquote(m[6])
		if err != nil {
			t.Fatalf("%s: %s", file, m[6])
		}
		key := m[1] + " " + m[2]
		n, _ := strconv.Atoi(m[3])
		if byIndex[key] == nil {
			byIndex[key] = map[int]*event{}
		}
		e := byIndex[key][n]
		if e == nil {
			e = &event{fields: map[string]string{}}
			byIndex[key][n] = e
		}
		switch {
		case m[4] == "Parsed" && m[5] == "message":
			e.message = value
		case m[4] == "Meta":
			e.fields["."+m[5]] = value
		default:
			e.fields[m[5]] = value
		}
	}
	out := map[string][]*event{}
	for key, es := range byIndex {
		for _, i := range slices.Sorted(maps.Keys(es)) {
			out[key] = append(out[key], es[i])
		}
	}
	return out
}

// check compares one asserted field with x. meant is false for fields that say
// nothing about HTTP or that an exchange does not hold.
func check(x *exchange.Exchange, name, want string) (meant, same bool) {
	header := func(lower string) string {
		if v := x.Request.Get(lower); v != nil {
			return string(v)
		}
		return "-"
	}
	empty := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	switch name {
	case ".source_ip", "remote_addr", "remote_ip", "clientip", "client_ip", "src_ip", "source_ip":
		return true, x.Client.Addr().String() == want
	case "client_port":
		return true, strconv.Itoa(int(x.Client.Port())) == want
	case "request", ".http_path", "http_request":
		target := string(x.Target)
		path, _, _ := strings.Cut(target, "?")
		return true, want == target || want == path || strings.HasSuffix(target, want) && strings.HasPrefix(target, "http")
	case "http_args":
		_, args, _ := strings.Cut(string(x.Target), "?")
		return true, want == args
	case "verb", ".http_verb", "http_verb":
		return true, want == string(x.Method)
	case "status", ".http_status", "response", "http_status_code":
		n, err := strconv.Atoi(want)
		return true, err == nil && n == x.Status
	case "body_bytes_sent", "bytes", "size", "bytes_read":
		if want == "-" {
			return true, x.Response.BodySize <= 0
		}
		return true, strconv.FormatInt(x.Response.BodySize, 10) == want
	case "http_user_agent", ".http_user_agent", "agent":
		return true, header("user-agent") == empty(want)
	case "http_referer", "referrer", "referer":
		return true, header("referer") == empty(want)
	case ".target_fqdn", "target_fqdn":
		host := string(x.Host)
		if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.Contains(want, ":") {
			host = host[:i]
		}
		return true, host == want
	case "http_version", "httpversion":
		v, err := strconv.ParseFloat(want, 64)
		return true, err == nil && int(v*10+0.5) == int(x.Proto)
	case "time_local", "timestamp", "accept_date", "MarshaledTime", ".timestamp":
		p := newParser(nil, nil)
		ns, ok := p.clock.any([]byte(want))
		if !ok {
			return false, false
		}
		// Some logs tell when a request came, some when it ended; and some
		// assertions know seconds only.
		near := func(t int64) bool { return distance(t, ns) < int64(time.Second) }
		return true, near(x.Start) || near(x.End)
	}
	return false, false
}

// Every field that the corpus asserts about a request has to be what we read
// from the line.
func TestCorpus(t *testing.T) {
	dir := corpus(t, "crowdsec-hub")
	index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	total, right := 0, 0
	var leftOut []string
	for _, raw := range bytes.Split(bytes.TrimSpace(index), []byte("\n")) {
		var set struct {
			Test, Log string
			LogType   string `json:"log_type"`
		}
		if err := json.Unmarshal(raw, &set); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, set.Log))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		read, blank, refused := 0, 0, map[string]int{}
		p := newParser(nil, nil)
		var x exchange.Exchange
		for _, line := range lines {
			if strings.TrimSpace(line) == "" {
				blank++
				continue
			}
			if why := p.parse([]byte(strings.TrimRight(line, "\r")), &x); why == "" {
				read++
			} else {
				refused[why]++
			}
		}
		n, m, other, malformed := 0, 0, 0, 0
		all := events(t, filepath.Join(dir, "logs", set.Test, "parser.assert"))
		for _, key := range slices.Sorted(maps.Keys(all)) {
			from := map[string]int{} // message → line to go on at
			for _, e := range all[key] {
				if e.fields[".log_type"] != "http_access-log" {
					other++
					continue
				}
				if e.fields["verb"] == "" && e.fields[".http_verb"] == "" && e.fields["http_verb"] == "" {
					malformed++ // no parser found a method in it
					continue
				}
				at := -1
				for i := from[e.message]; i < len(lines) && e.message != ""; i++ {
					if strings.HasSuffix(strings.TrimSpace(lines[i]), strings.TrimSpace(e.message)) {
						at = i
						break
					}
				}
				if at < 0 {
					t.Errorf("%s: no line for %q", set.Test, e.message)
					continue
				}
				from[e.message] = at + 1
				p.newFile()
				line := strings.TrimRight(lines[at], "\r")
				why := p.parse([]byte(line), &x)
				for _, name := range slices.Sorted(maps.Keys(e.fields)) {
					meant, same := check(&x, name, e.fields[name])
					if !meant {
						continue
					}
					m++
					if why == "" && same {
						n++
					} else {
						t.Logf("%s: %s is %q in %.300s: %s %s", set.Test, name, e.fields[name], line, why, show(&x))
					}
				}
			}
		}
		total, right = total+m, right+n
		if m > 0 {
			t.Logf("%-32s %4d/%-4d fields; %d of %d lines read %v; not compared: %d malformed requests, %d other events", set.Test, n, m, read, len(lines)-blank, refused, malformed, other)
			continue
		}
		reason := "no field is asserted"
		if other > 0 || malformed > 0 {
			reason = fmt.Sprintf("no event of an access log: %d of other logs, %d malformed requests", other, malformed)
		}
		leftOut = append(leftOut, fmt.Sprintf("%s (%s): %s; %d of %d lines read %v", set.Test, set.LogType, reason, read, len(lines)-blank, refused))
	}
	for _, s := range leftOut {
		t.Log("left out: ", s)
	}
	t.Logf("%d of %d fields, %.2f %%", right, total, 100*float64(right)/float64(total))
	if total < 1000 || float64(right) < 0.98*float64(total) {
		t.Errorf("only %d of %d fields are right", right, total)
	}
}
