// Command peers runs xiezhi and other programs over the same files, one after
// the other on one core, and prints what they took and what they found: make
// bench-peers. It is no part of the product.
//
// It takes a generated capture and access log with their truth and gives a
// table in Markdown. Every program runs several times in turns, so that a slow
// minute of the machine meets all of them, and the best run counts; time is
// the processor's. Programs that are not installed are named. Limits: what the
// programs do differs, which the last column says; a run that takes longer
// than its share of the time is stopped and told so.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is one competitor.
type program struct {
	name  string
	args  []string // of the command line; {in} and {out} stand for the input and a scratch folder
	found counter
	from  string                 // files to count in, below the scratch folder; default the output
	stdin bool                   // give it the input there
	lines int                    // give it the first so many only; 0: all
	ready func(dir string) error // what it needs in its scratch folder, made before the time runs
	does  string
}

// counter counts what a program found, line by line of its output: this
// process must stay small, since a child's memory figure starts with ours.
type counter func(line []byte, n int) int

// count adds the lines that match a pattern.
func count(pattern string) counter {
	re := regexp.MustCompile(pattern)
	return func(line []byte, n int) int {
		if m := len(re.FindAllIndex(line, -1)); m > 0 {
			return max(n, 0) + m
		}
		return n
	}
}

// number takes the number that a pattern's group captures.
func number(pattern string) counter {
	re := regexp.MustCompile(pattern)
	return func(line []byte, n int) int {
		if m := re.FindSubmatch(line); m != nil {
			if v, err := strconv.Atoi(strings.ReplaceAll(string(m[1]), ",", "")); err == nil {
				return v
			}
		}
		return n
	}
}

// longest is what one run may take.
const longest = 4 * time.Minute

func captures(xiezhi string) []program {
	cmd := func(args ...string) []string { return args }
	return []program{
		{name: "xiezhi analyze", args: cmd(xiezhi, "analyze", "--quiet", "--workers", "1", "--key", "{out}/key", "--json", "{out}/report.json", "{in}"),
			found: number(`([\d,]+) exchanges, `), does: "APIs, defects, attacks, personal data: the whole report"},
		{name: "xiezhi convert", args: cmd(xiezhi, "convert", "--quiet", "--to", "harl", "{in}"),
			found: number(`(\d+) exchanges written`), from: "stderr", does: "every exchange with its bodies as HAR lines"},
		{name: "tshark", args: cmd("tshark", "-n", "-r", "{in}", "-Y", "http.response", "-T", "fields", "-e", "http.response.code"),
			found: count(`^200`), does: "dissects and pairs; one field printed"},
		{name: "tcpflow", args: cmd("tcpflow", "-q", "-r", "{in}", "-o", "{out}/flows"),
			found: count(`HTTP/1\.1 200 `), from: "flows/*", does: "reassembles into files, parses nothing"},
		{name: "httpry", args: cmd("httpry", "-q", "-r", "{in}", "-o", "{out}/httpry.txt", "tcp port 8080"),
			found: count(`^[^#]`), from: "httpry.txt", does: "start lines of packets, two per transaction: no reassembly, bodies, pairs"},
		{name: "ngrep", args: cmd("ngrep", "-q", "-I", "{in}", "-W", "byline", "^NOTHING", "tcp port 8080"), does: "a pattern per packet, matching nothing"},
		{name: "tcpdump", args: cmd("tcpdump", "-n", "-r", "{in}", "-w", "/dev/null"), does: "reads and writes packets: the floor"},
	}
}

func logs(xiezhi string) []program {
	cmd := func(args ...string) []string { return args }
	return []program{
		{name: "xiezhi analyze", args: cmd(xiezhi, "analyze", "--quiet", "--workers", "1", "--key", "{out}/key", "--json", "{out}/report.json", "{in}"),
			found: number(`([\d,]+) exchanges, `), does: "APIs, defects, attacks: the whole report"},
		{name: "goaccess", args: cmd("goaccess", "--no-global-config", "--log-format=COMBINED", "-o", "{out}/goaccess.json", "--no-progress", "-"), stdin: true,
			found: number(`"total_requests": (\d+)`), from: "goaccess.json", does: "counts by panel"},
		{name: "gawk", args: cmd("gawk", "{c[$9]++} END {for (k in c) print k, c[k]}", "{in}"), does: "counts one column"},
		{name: "xiezhi, scenarios", args: append(cmd(xiezhi, "analyze", "--quiet", "--workers", "1", "--key", "{out}/key", "--rules-data", crowdsecData(), "--json", "{out}/report.json", "{in}"), scenarioFlags()...),
			found: number(`([\d,]+) exchanges, `), ready: haveScenarios, does: "the same, and CrowdSec's base HTTP scenarios as rules"},
		{name: "crowdsec", args: cmd("crowdsec", "-c", "{out}/crowdsec/config.yaml", "-no-capi", "-dsn", "file://{in}", "-type", "nginx"), lines: crowdsecLines,
			found: count(`performed '`), from: "std*", ready: setUpCrowdSec, does: "nginx parser and base HTTP scenarios, local API on SQLite, no online API"},
		{name: "wc -l", args: cmd("wc", "-l", "{in}"), found: number(`^(\d+) `), does: "counts lines: the floor"},
	}
}

// run is what one run took.
type run struct {
	cpu, wall time.Duration
	rss       int64 // KiB
	found     int
	stopped   bool
	absent    bool // what it needs is not there
	err       error
}

func main() {
	xiezhi := flag.String("xiezhi", "bin/xiezhi", "program to measure")
	capture := flag.String("pcap", "", "generated capture")
	log := flag.String("log", "", "generated access log")
	transactions := flag.Int("transactions", 0, "that the capture holds")
	entries := flag.Int("lines", 0, "that the log holds")
	rounds := flag.Int("rounds", 3, "runs of each program; the best counts")
	budget := flag.Duration("time", 8*time.Minute, "no further round begins after this")
	core := flag.Int("core", -1, "processor to run on; -1: the last one")
	flag.Parse()
	start := time.Now()
	fmt.Printf("%s, %s\n\n", start.Format("2006-01-02 15:04"), machine())
	pin := *core
	if pin < 0 {
		pin = processors() - 1
	}
	for _, part := range []struct {
		file  string
		truth int
		what  string
		list  []program
	}{{*capture, *transactions, "transactions", captures(*xiezhi)}, {*log, *entries, "lines", logs(*xiezhi)}} {
		if part.file == "" {
			continue
		}
		if err := measure(os.Stdout, part.file, part.truth, part.what, part.list, *rounds, pin, start.Add(*budget)); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(3)
		}
	}
}

// measure runs every program in turns and prints the table.
func measure(w io.Writer, file string, truth int, what string, list []program, rounds, core int, end time.Time) error {
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := warm(file); err != nil {
		return err
	}
	best := make([]*run, len(list))
	spread := make([][2]time.Duration, len(list))
	done := 0
	for done < rounds && (done == 0 || time.Now().Before(end)) {
		for i, p := range list {
			if _, err := exec.LookPath(p.args[0]); err != nil || best[i] != nil && (best[i].stopped || best[i].absent) {
				continue
			}
			if done > 0 && best[i].cpu > 20*time.Second && time.Until(end) < 2*best[i].wall {
				continue // a slow one does not get another round at the others' cost
			}
			r := one(p, file, core)
			if best[i] == nil || r.err == nil && r.cpu < best[i].cpu {
				best[i] = r
			}
			if spread[i][0] == 0 || r.cpu < spread[i][0] {
				spread[i][0] = r.cpu
			}
			spread[i][1] = max(spread[i][1], r.cpu)
		}
		done++
	}
	fmt.Fprintf(w, "%s: %d %s, %.0f MB; %d round(s), best CPU time on one core\n\n", filepath.Base(file), truth, what, float64(st.Size())/1e6, done)
	fmt.Fprintf(w, "| program | CPU s (slowest) | k %s/s | MB/s | xiezhi analyze is | found | peak MB | does |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n", what)
	var ours time.Duration
	if best[0] != nil {
		ours = best[0].cpu
	}
	var missing []string
	for i, p := range list {
		r := best[i]
		if r == nil {
			missing = append(missing, p.args[0])
			continue
		}
		if r.absent {
			missing = append(missing, p.name+" ("+r.err.Error()+")")
			continue
		}
		if r.err != nil {
			fmt.Fprintf(w, "| %s | failed: %v | | | | | | %s |\n", p.name, r.err, p.does)
			continue
		}
		s := r.cpu.Seconds()
		more := ""
		if r.stopped {
			more = ", stopped"
		}
		given := truth // of what it was given
		if p.lines > 0 {
			given = min(truth, p.lines)
			more += fmt.Sprintf(", %d %s only", given, what)
		}
		part := float64(given) / float64(max(truth, 1))
		theirs, own := s/part, ours.Seconds()
		ratio := fmt.Sprintf("%.1f × as fast", theirs/own)
		if theirs < own {
			ratio = fmt.Sprintf("%.1f × slower", own/theirs)
		}
		if i == 0 {
			ratio = ""
		}
		found := "–"
		if r.found >= 0 {
			found = strconv.Itoa(r.found)
		}
		fmt.Fprintf(w, "| %s | %.2f (%.2f)%s | %.1f | %.0f | %s | %s | %d | %s |\n", p.name, s, spread[i][1].Seconds(), more,
			float64(given)/s/1e3, float64(st.Size())*part/s/1e6, ratio, found, r.rss>>10, p.does)
	}
	if len(missing) > 0 {
		fmt.Fprintf(w, "\nNot installed, so not measured: %s.\n", strings.Join(missing, ", "))
	}
	fmt.Fprintln(w)
	return nil
}

// warm reads the file, so that nobody pays for the disk.
func warm(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

// one runs p once.
func one(p program, file string, core int) *run {
	dir, err := os.MkdirTemp("", "peers-*")
	if err != nil {
		return &run{err: err}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Mkdir(filepath.Join(dir, "flows"), 0o755); err != nil {
		return &run{err: err}
	}
	if p.ready != nil {
		if err := p.ready(dir); err != nil {
			return &run{absent: true, err: err}
		}
	}
	if p.lines > 0 {
		if file, err = head(file, dir, p.lines); err != nil {
			return &run{err: err}
		}
	}
	var args []string
	for _, a := range p.args {
		args = append(args, strings.ReplaceAll(strings.ReplaceAll(a, "{out}", dir), "{in}", file))
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	name, rest := args[0], args[1:]
	if _, err := exec.LookPath("taskset"); err == nil {
		name, rest = "taskset", append([]string{"-c", strconv.Itoa(core)}, args...)
	}
	cmd := exec.CommandContext(ctx, name, rest...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "LC_ALL=C", "SOURCE_DATE_EPOCH=")
	// The output goes to a file: a reader of a pipe would be a second core.
	out, err := os.Create(filepath.Join(dir, "stdout"))
	if err != nil {
		return &run{err: err}
	}
	defer out.Close()
	cmd.Stdout = out
	talk, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		return &run{err: err}
	}
	defer talk.Close()
	cmd.Stderr = talk
	if p.stdin {
		in, err := os.Open(file)
		if err != nil {
			return &run{err: err}
		}
		defer in.Close()
		cmd.Stdin = in
	}
	begin := time.Now()
	err = cmd.Run()
	r := &run{wall: time.Since(begin), found: -1}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
		r.rss = u.Maxrss
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		r.stopped = true
		return r
	case errors.As(err, &exit) && exit.ExitCode() == 1 && oneIsFine(p.name): // findings; nothing matched
	case err != nil:
		said, _ := os.ReadFile(talk.Name())
		r.err = fmt.Errorf("%w: %.200s", err, said)
		return r
	}
	if p.found == nil {
		return r
	}
	from := p.from
	if from == "" {
		from = "stdout"
	}
	files, _ := filepath.Glob(filepath.Join(dir, from))
	for _, name := range files {
		if err := each(name, func(line []byte) { r.found = p.found(line, r.found) }); err != nil {
			r.err = err
		}
	}
	return r
}

// oneIsFine reports whether exit code 1 of a program is no failure.
func oneIsFine(name string) bool { return strings.HasPrefix(name, "xiezhi") || name == "ngrep" }

// each reads a file by lines; of a longer one, by pieces.
func each(name string, f func(line []byte)) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			f(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func processors() int {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return 1
	}
	return max(1, bytes.Count(b, []byte("\nprocessor"))+1)
}

func machine() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	name := "unknown processor"
	if m := regexp.MustCompile(`model name\s*:\s*(.*)`).FindSubmatch(b); m != nil {
		name = string(m[1])
	}
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%d × %s, load %s", processors(), name, strings.Join(strings.Fields(string(load))[:min(3, len(strings.Fields(string(load))))], " "))
}
