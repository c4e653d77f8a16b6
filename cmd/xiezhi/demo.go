package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"xiezhi/internal/message"
	"xiezhi/internal/source"
	"xiezhi/internal/stream/jetstream"
	"xiezhi/internal/taxonomy"
	"xiezhi/lab"
	"xiezhi/lab/show"
	"xiezhi/rules"
)

// demoFlags are those of demo.
type demoFlags struct {
	data, http, keyFile string
	until               string
	months              int
	span                time.Duration
	once, noOpen, setup bool
}

// Of the demonstration's service.
const (
	// demoHold is how long traffic is waited for. All of it comes in order from one
	// source, whatever pace it is played at, so that only answers overtake each
	// other, by less than a second; a live attack should show soon.
	demoHold = 3 * time.Second
	demoPort = 8650
	demoName = "demo" // of the administrator
	// demoVisits makes some hundred honest requests a day, and the whole year come
	// in within seconds.
	demoVisits = 1
	demoPorts  = 50 // that are tried
	// demoRows is of how many days single observations are kept. A day is a file,
	// which takes as long to make as some thousand exchanges to judge.
	demoRows = 62
	// demoMemory makes the collector work harder than serve does: what is held is
	// some 300 MB, and whoever tries a demo has a browser beside it.
	demoMemory = 512 << 20
)

func (a *app) demo() *cobra.Command {
	f := &demoFlags{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show the product at work on made-up traffic: months of history, then live",
		Long: `Starts the service of xiezhi serve on a folder of its own, plays months of
made-up traffic of ten applications through it within seconds, honest and
hostile, and goes on as it happens: a link is printed with which the console
opens. Nothing goes out to any network. Ends with Ctrl-C; unless --data names a
folder, nothing stays behind.`,
		Example: `  xiezhi demo
  xiezhi demo --once
  xiezhi demo --data demo-data --months 6`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), a) },
	}
	fs := c.Flags()
	fs.StringVar(&f.data, "data", "", "keep what is found in `FOLDER`, which has to be new (default: a temporary one)")
	fs.StringVar(&f.http, "http", "", fmt.Sprintf("serve at `HOST:PORT` (default 127.0.0.1:%d, or the next port that is free)", demoPort))
	fs.IntVar(&f.months, "months", 12, "months of history")
	fs.DurationVar(&f.span, "for", 0, "go on for so long after the history is in, as 30s (default: until interrupted)")
	fs.BoolVar(&f.once, "once", false, "end when the history is in")
	fs.BoolVar(&f.noOpen, "no-open", false, "do not open a browser")
	fs.BoolVar(&f.setup, "setup", false, "let the visitor make the first administrator, as serve does, instead of signing in")
	fs.StringVar(&f.until, "until", "", "let the history end at a `TIME` instead of now, as 2026-11-20T15:00:00+08:00, with --once")
	fs.StringVar(&f.keyFile, "key", "", "`FILE` with the key of the tokens (default: a new one)")
	return c
}

// run fills a service with made-up traffic.
func (f *demoFlags) run(ctx context.Context, a *app) (err error) {
	begun := time.Now()
	if a.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(demoMemory)
	}
	play := show.Config{Seed: 1, Until: begun, Months: f.months, Visits: demoVisits, Clock: time.Now}
	if f.until != "" {
		if !f.once {
			return usagef("--until is for --once: what is live is of now")
		}
		if play.Until, err = parseTime(f.until, lab.Zone()); err != nil {
			return usagef("--until: %w", err)
		}
	}
	if f.once {
		play.Clock = nil
	}
	sw, err := show.New(play)
	if err != nil {
		return usagef("--%w", err)
	}
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		return err
	}
	folder, err := f.folder()
	if err != nil {
		return err
	}
	if f.data == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	l, err := f.listen()
	if err != nil {
		return err
	}
	sf := &serveFlags{data: folder, keyFile: f.keyFile, hold: demoHold, streamAge: jetstream.DefaultAge, streamBytes: jetstream.DefaultBytes}
	cfg, err := sf.config(a)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if cfg.File, err = sw.Config(); err == nil {
		cfg.Zone, err = time.LoadLocation(cfg.File.TimeZone)
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	cfg.Sources = []source.Source{sw}
	cfg.RowsSince = play.Until.AddDate(0, 0, -demoRows)
	s, err := sf.stand(ctx, a, cfg, l, slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	defer func() { err = errors.Join(err, s.close()) }()
	if err != nil {
		return err
	}
	d := &demo{app: a, flags: f, play: sw, until: play.Until, stand: s, begun: begun, msgs: msgs}
	s.ready, s.ending = "", d.text("demo.ending", nil)
	if f.once {
		s.ending = ""
	}
	return d.run(ctx)
}

// folder is where the service keeps what it finds.
func (f *demoFlags) folder() (string, error) {
	if f.data == "" {
		dir, err := os.MkdirTemp("", "xiezhi-demo-")
		if err != nil {
			return "", fmt.Errorf("make a temporary folder: %w; name one with --data", err)
		}
		return dir, nil
	}
	list, err := os.ReadDir(f.data)
	if err == nil && len(list) > 0 {
		return "", usagef("--data %s: holds something already; name a new folder, or look at an old demo with xiezhi serve --data %s", f.data, f.data)
	}
	return f.data, nil
}

// listen takes the address that was named, or the first port that is free.
func (f *demoFlags) listen() (l net.Listener, err error) {
	if f.http != "" {
		if l, err = net.Listen("tcp", f.http); err != nil {
			return nil, fmt.Errorf("serve the demo: %w; name another address with --http", err)
		}
		return l, nil
	}
	for port := demoPort; port < demoPort+demoPorts; port++ {
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("serve the demo: %w; name an address with --http", err)
}

// demo is the running demonstration.
type demo struct {
	app   *app
	flags *demoFlags
	play  *show.Show
	until time.Time
	stand *standing
	begun time.Time
	msgs  *message.Catalog

	password string // of the administrator; empty: the visitor makes one
}

func (d *demo) text(id string, args message.Args) string {
	return d.msgs.Text(id, args).In(d.app.lang)
}

func (d *demo) say(id string, args message.Args) { fmt.Fprintln(d.app.stdout, d.text(id, args)) }

// links gives the link to begin with, and says how to sign in later.
func (d *demo) links(ctx context.Context) (link, again string, err error) {
	base := "http://" + d.stand.listener.Addr().String()
	if d.flags.setup {
		return base + "/setup?token=" + d.stand.web.SetupToken(), "", nil
	}
	d.password = rand.Text()[:16]
	id, err := d.stand.web.FirstAdministrator(ctx, demoName, d.password)
	if err != nil {
		return "", "", err
	}
	token, err := d.stand.web.Invite(ctx, id)
	if err != nil {
		return "", "", err
	}
	return base + "/enter?token=" + token, d.text("demo.again", message.Args{"link": base + "/login", "name": demoName, "password": d.password}), nil
}

func (d *demo) run(ctx context.Context) error {
	link, again, err := d.links(ctx)
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	defer stop()
	var served error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		served = d.stand.run(work, d.app)
	}()
	d.say("demo.made_up", nil)
	d.say("demo.link", message.Args{"link": link})
	if again != "" {
		fmt.Fprintln(d.app.stdout, again)
	}
	if !d.flags.noOpen && !d.flags.once {
		d.open(context.WithoutCancel(ctx), link) // the browser may stay
	}
	err = d.history(work, ended)
	if err == nil && !d.flags.once {
		d.settle(work, ended)
		d.live(ended)
	}
	interrupted := ctx.Err() != nil
	stop()
	<-ended
	switch {
	case served != nil:
		return served
	case interrupted:
	case err != nil:
		return err
	case d.flags.once:
		d.summary()
	}
	return nil
}

// history waits until the history is in, and lets the organisation's people
// decide.
func (d *demo) history(ctx context.Context, ended <-chan struct{}) error {
	if !d.fill(ended) {
		return nil
	}
	_, n := d.play.Progress()
	d.say("demo.filled", message.Args{"months": d.flags.months, "n": n, "sites": len(d.stand.service.Report().Sites), "seconds": int(time.Since(d.begun).Seconds() + .5)})
	if d.password == "" {
		return nil
	}
	if err := d.people(ctx); err != nil {
		return fmt.Errorf("let people decide in the demo: %w", err)
	}
	return nil
}

// live says what was found and lets traffic go on.
func (d *demo) live(ended <-chan struct{}) {
	select {
	case <-ended:
		return
	default:
	}
	d.summary()
	d.say("demo.live", nil)
	var over <-chan time.Time
	if d.flags.span > 0 {
		t := time.NewTimer(d.flags.span)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
	case <-ended:
	}
}

// fill waits until the history is judged and written down, and shows how far it
// is. It reports whether it came to that.
func (d *demo) fill(ended <-chan struct{}) bool {
	b := d.app.bar(false, 1000)
	defer b.clear()
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ended:
			return false
		case <-t.C:
		}
		share, n := d.play.Progress()
		b.steps(int64(share*1000), d.text("demo.filling", message.Args{"share": fmt.Sprintf("%3.0f%%", share*100), "n": n}))
		if d.judged() {
			return true
		}
	}
}

// judged reports whether the whole history is in what was written down last.
func (d *demo) judged() bool {
	select {
	case <-d.play.Filled():
	default:
		return false
	}
	r := d.stand.service.Report()
	return r != nil && r.Input.Last != nil && !r.Input.Last.Before(d.play.Last())
}

// settle waits until what people decided is in what was written down.
func (d *demo) settle(ctx context.Context, ended <-chan struct{}) {
	before, ticks := d.stand.service.Report(), time.NewTicker(100*time.Millisecond)
	defer ticks.Stop()
	for range 100 {
		select {
		case <-ended:
			return
		case <-ticks.C:
		}
		if d.stand.service.Status(ctx).Stream.Figures["behind"] > 0 {
			before = d.stand.service.Report()
		} else if d.stand.service.Report() != before {
			return
		}
	}
}

// summary says what was found, and what to do next.
func (d *demo) summary() {
	r := d.stand.service.Report()
	open, severe, fixed, back := 0, 0, 0, 0
	for i := range r.Defects {
		switch x := &r.Defects[i]; {
		case x.Status == string(taxonomy.Fixed):
			fixed++
		case x.Closed():
		default:
			open++
			if x.Severity == taxonomy.Critical.String() || x.Severity == taxonomy.High.String() {
				severe++
			}
			if x.Status == string(taxonomy.Regressed) {
				back++
			}
		}
	}
	d.say("demo.found", message.Args{"apis": len(r.APIs), "defects": open, "severe": severe, "fixed": fixed, "back": back, "attacks": len(r.Attacks), "campaigns": len(r.Campaigns)})
	d.say("demo.own", nil)
	if d.flags.data != "" {
		d.say("demo.kept", message.Args{"folder": d.flags.data})
	}
}

// open shows the link in a browser, where somebody sits before a screen.
func (d *demo) open(ctx context.Context, link string) {
	f, ok := d.app.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return
	}
	var name string
	var args []string
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler"}
	default:
		if d.app.getenv("DISPLAY") == "" && d.app.getenv("WAYLAND_DISPLAY") == "" {
			return
		}
		name = "xdg-open"
	}
	cmd := exec.CommandContext(ctx, name, append(args, link)...)
	if cmd.Start() == nil { // the link is printed all the same
		go func() { _ = cmd.Wait() }()
	}
}
