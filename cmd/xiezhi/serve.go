package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/api"
	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/console"
	"xiezhi/internal/console/sso"
	"xiezhi/internal/engine"
	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/bouncer"
	"xiezhi/internal/store"
	"xiezhi/internal/store/observation/duckdb"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream/jetstream"
	"xiezhi/rules"
	webfiles "xiezhi/web"
)

// serveFlags are those of serve, beside those of the sources.
type serveFlags struct {
	data, http, keyFile, configFile, policyFile string
	site, zone                                  string
	packs, rulesData, trusted, protos           []string
	workers                                     int
	noRows, sync                                bool
	hold                                        time.Duration
	streamAge, rowsAge                          time.Duration
	streamBytes                                 int64
	backup                                      string
	backupEvery                                 time.Duration
	backupKeep                                  int
	metrics                                     string
	settle                                      time.Duration // before findings are told; 0: as it is meant
	sensors                                     *sensorsWay
	cluster                                     clusterFlags
	live                                        *liveFlags
}

func (a *app) serve() *cobra.Command {
	f := &serveFlags{live: newLiveFlags()}
	f.sensors = &sensorsWay{tls: f.live.tls, tokens: f.live.tokens}
	f.live.ways = append(f.live.ways, &kafkaWay{}, f.sensors)
	c := &cobra.Command{
		Use:   "serve",
		Short: "Watch traffic for as long as it runs, keep what was found, answer over HTTP",
		Long: `Takes traffic from the sources that are named, learns APIs, audits defects and
detects attacks as analyze does, and goes on: what was found is kept in a data
folder and served over HTTP under /api/v1/ (schema/openapi.yaml). One process
holds one folder. Started again on the same folder it goes on where it was;
killed at any moment, it loses nothing that was acknowledged.

The first start prints a one-time token with which the first administrator is
made. An interrupt (Ctrl-C) or SIGTERM ends it in order.`,
		Example: `  xiezhi serve --data /var/lib/xiezhi --listen 127.0.0.1:8600
  xiezhi serve --data /var/lib/xiezhi --proxy 127.0.0.1:8080=http://127.0.0.1:3000
  xiezhi serve --data /var/lib/xiezhi --follow /var/log/nginx/access.log`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), a) },
	}
	fs := c.Flags()
	fs.StringVar(&f.data, "data", "", "data `FOLDER` (default: xiezhi/data in the state folder)")
	fs.StringVar(&f.http, "http", "127.0.0.1:8650", "serve the API at `HOST:PORT`; port 0 picks one")
	fs.StringVar(&f.keyFile, "key", "", "`FILE` with the installation's key (default: key in the data folder, created 0600)")
	fs.StringVar(&f.configFile, "config", "", "configuration `FILE`")
	fs.StringVar(&f.policyFile, "policy", "", "policy `FILE`: allow-list, approvals, verdicts, fix claims")
	fs.StringArrayVar(&f.packs, "rules", nil, "rule pack or CrowdSec scenario, `FILE` or folder; may be repeated")
	fs.StringArrayVar(&f.rulesData, "rules-data", nil, "`FOLDER` with the data files of scenarios; may be repeated")
	fs.StringArrayVar(&f.trusted, "trusted-proxy", nil, "`CIDR` of proxies whose forwarding headers are believed; may be repeated")
	fs.StringArrayVar(&f.protos, "proto", nil, "descriptor set `FILE` of gRPC services; may be repeated")
	fs.StringVar(&f.site, "site", "", "judge everything as one site of this `NAME`")
	fs.StringVar(&f.zone, "tz", "", "time `ZONE` of sites, as Asia/Shanghai")
	fs.DurationVar(&f.hold, "hold", sequence.DefaultHold, "how long traffic that is earlier than the newest is waited for; later it is counted as late")
	fs.IntVar(&f.workers, "workers", 0, "observers (default: one per core)")
	fs.BoolVar(&f.noRows, "no-rows", false, "keep no single observations")
	fs.BoolVar(&f.sync, "sync", false, "acknowledge only what has reached the disk: also safe against loss of power, slower")
	fs.DurationVar(&f.streamAge, "stream-age", jetstream.DefaultAge, "how long the stream keeps what was taken")
	fs.Int64Var(&f.streamBytes, "stream-bytes", jetstream.DefaultBytes, "`BYTES` that the stream may take on the disk")
	fs.DurationVar(&f.rowsAge, "rows-age", 30*24*time.Hour, "how long single observations are kept, in whole days")
	fs.StringVar(&f.backup, "backup", "", "make backups into `FOLDER` while it runs")
	fs.DurationVar(&f.backupEvery, "backup-every", 24*time.Hour, "how often a backup is made")
	fs.IntVar(&f.backupKeep, "backup-keep", 7, "how many backups are kept, the newest")
	fs.StringVar(&f.metrics, "metrics", "", "serve Prometheus metrics at `HOST:PORT`/metrics, to anybody who reaches it")
	fs.DurationVar(&f.settle, "settle", 0, "how long findings are left to grow before anybody is told")
	_ = fs.MarkHidden("settle")
	f.cluster.register(fs)
	f.live.register(fs)
	_ = fs.MarkHidden("for")
	return c
}

func (f *serveFlags) run(ctx context.Context, a *app) (err error) {
	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	if f.data, err = a.dataFolder(f.data); err != nil {
		return err
	}
	if f.backup != "" && (f.backupEvery < time.Minute || f.backupKeep < 1) {
		return usagef("--backup-every takes at least 1m, --backup-keep at least 1")
	}
	if err := f.cluster.check(f); err != nil {
		return err
	}
	cfg, err := f.config(a)
	if err != nil {
		return err
	}
	var l net.Listener
	if f.cluster.console() {
		if l, err = net.Listen("tcp", f.http); err != nil {
			return fmt.Errorf("serve the API: %w; name another address with --http", err)
		}
	}
	if len(f.cluster.servers) > 0 {
		m, err := f.join(ctx, a, cfg, l, log)
		defer func() { err = errors.Join(err, m.close()) }()
		if err != nil {
			return err
		}
		return m.run(ctx, a)
	}
	s, err := f.stand(ctx, a, cfg, l, log)
	defer func() { err = errors.Join(err, s.close()) }()
	if err != nil {
		return err
	}
	s.greet(a)
	return s.run(ctx, a)
}

// standing is a service on its stores, with its API, made and not begun.
type standing struct {
	service  *engine.Service
	web      *api.API
	listener net.Listener
	desk     *respond.Desk
	bouncers *bouncer.Server
	telling  *telling // nil: nobody is told
	gate     lateGate
	known    *engine.Knowledge // nil: nothing is known of askers
	messages *message.Catalog
	provider *sso.Provider // nil: passwords only
	log      *slog.Logger
	closing  closers

	ready, ending string // what is said then; empty: nothing
}

func (s *standing) close() error { return s.closing.close() }

// stand makes what serve runs: the stores in the data folder, the service on
// them, its API at a listener, which is closed with the rest. What was made is
// given with an error, too, to be closed.
func (f *serveFlags) stand(ctx context.Context, a *app, cfg engine.ServiceConfig, l net.Listener, log *slog.Logger) (*standing, error) {
	s := &standing{listener: l, log: log, ready: "ready", ending: "ending: writing down what was found"}
	s.closing = append(s.closing, func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	var err error
	if f.live != nil {
		// Interfaces are opened with privileges, which are given up then: whatever is
		// written in the data folder belongs to the user that is left.
		a.log = engine.LogConfig{Location: cfg.Zone}
		f.live.outs = &outputs{stdout: a.stdout}
		f.live.proxy.gate = &s.gate
		if cfg.Sources, err = f.live.sources(a); err != nil {
			return s, err
		}
	}
	folder, err := store.Take(f.data)
	if err != nil {
		return s, err
	}
	s.closing = append(s.closing, folder.Release)
	if f.keyFile == "" {
		f.keyFile = filepath.Join(folder.Path(), "key")
	}
	key, err := loadKey(f.keyFile, rand.Reader)
	if err != nil {
		return s, err
	}
	if err := f.tools(&cfg, key); err != nil {
		return s, err
	}
	s.messages = cfg.Tools.Messages
	if s.provider, err = provider(cfg.File); err != nil {
		return s, err
	}
	bus, err := jetstream.Open(ctx, jetstream.Config{Partitions: 1, Key: key, Random: rand.Reader, Age: f.streamAge, Bytes: f.streamBytes, Log: log}, jetstream.Folder{Path: folder.Path(), Always: f.sync})
	if err != nil {
		return s, err
	}
	s.closing = append(s.closing, bus.Close)
	records, err := sqlite.Open(ctx, folder, sqlite.Config{Chain: record.NewChain(key), Sync: f.sync})
	if err != nil {
		return s, err
	}
	s.closing = append(s.closing, records.Close)
	if cfg.States, err = state.Open(folder, key, rand.Reader); err != nil {
		return s, err
	}
	rows, err := f.rows(ctx, folder, log)
	if err != nil {
		return s, err
	}
	if rows != nil {
		cfg.Rows = rows
		s.closing = append(s.closing, rows.Close)
	}
	cfg.Bus, cfg.Records, cfg.Now, cfg.Random, cfg.Log = bus, records, time.Now, rand.Reader, log

	sensed, closeSensed, err := f.sensors.take(key, &cfg)
	if err != nil {
		return s, err
	}
	s.closing = append(s.closing, closeSensed)
	cfg.Changed = func(list []record.Record) {
		s.desk.Consider(list)
		s.known.Consider(list)
		s.telling.consider(list)
		s.web.Changed(list)
	}
	if s.service, err = engine.NewService(ctx, cfg); err != nil {
		return s, err
	}
	sensed(s.service)
	if err := f.respond(ctx, s, cfg, key); err != nil {
		return s, err
	}
	if err := s.intelligence(ctx, cfg, key); err != nil {
		return s, err
	}
	if s.telling, err = f.tell(ctx, a, s, cfg, log); err != nil {
		return s, err
	}
	if s.web, err = f.api(ctx, a, cfg, s.service, s, l, log); err != nil {
		return s, err
	}
	if f.metrics != "" {
		m, err := serveMetrics(f.metrics, s.service.Status, a.stderr, log)
		if err != nil {
			return s, err
		}
		s.closing = append(s.closing, m)
	}
	if f.backup != "" {
		if err := os.MkdirAll(f.backup, 0o700); err != nil {
			return s, store.Explain("make the folder of backups", f.backup, err)
		}
		b := &backups{f.backup, f.backupEvery, f.backupKeep, dataParts(folder, records, rows), log}
		copying, stop := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.run(copying)
		}()
		s.closing = append(s.closing, func() error { stop(); <-ended; return nil })
	}
	return s, nil
}

// provider is the one that the configuration file names, if any.
func provider(f *engine.FileConfig) (*sso.Provider, error) {
	if f == nil || f.SignIn == nil {
		return nil, nil
	}
	return sso.New(*f.SignIn, rand.Reader, time.Now, nil)
}

// greet says where the service answers, and how to become its administrator.
func (s *standing) greet(a *app) {
	address := s.listener.Addr()
	fmt.Fprintf(a.stderr, "serving the console at http://%s/ and the API at http://%s/api/v1/\n", address, address)
	if token := s.web.SetupToken(); token != "" {
		fmt.Fprintf(a.stderr, "nobody can sign in yet; make the first administrator with this one-time token: %s\n", token)
		fmt.Fprintf(a.stderr, "  http://%s/setup?token=%s\n", address, token)
	}
}

// say tells on standard error, unless there is nothing to tell.
func (a *app) say(text string) {
	if text != "" {
		fmt.Fprintln(a.stderr, text)
	}
}

// dataFolder gives the folder that was named, or the one in the state folder.
func (a *app) dataFolder(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	key, err := a.defaultKeyFile()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(key), "data"), nil
}

// config is what does not need the data folder.
func (f *serveFlags) config(a *app) (cfg engine.ServiceConfig, err error) {
	cfg = engine.ServiceConfig{Version: version, Site: f.site, Workers: f.workers, PolicyName: f.policyFile, Order: sequence.Config{Hold: f.hold}, RowsAge: f.rowsAge}
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.File, err = loadConfig(f.configFile); err != nil {
		return cfg, err
	}
	if cfg.File == nil {
		cfg.File = &engine.FileConfig{}
	}
	if _, err = engine.ParsePrefixes(f.trusted); err != nil {
		return cfg, usagef("--trusted-proxy: %w", err)
	}
	cfg.File.TrustedProxies = append(cfg.File.TrustedProxies, f.trusted...)
	if f.policyFile != "" {
		if _, err = loadPolicy(f.policyFile); err != nil {
			return cfg, err
		}
		if cfg.Policy, err = os.ReadFile(f.policyFile); err != nil {
			return cfg, fmt.Errorf("read the policy: %w", err)
		}
	}
	loaded, err := loadRules(f.packs, f.rulesData)
	if err != nil {
		return cfg, err
	}
	cfg.Packs, cfg.Hub = loaded.packs, loaded.hub
	cfg.Zone, err = a.zone(f.zone, cfg.File)
	return cfg, err
}

func (f *serveFlags) tools(cfg *engine.ServiceConfig, key [32]byte) (err error) {
	types, err := loadDescriptors(f.protos)
	if err != nil {
		return err
	}
	if cfg.Tools, err = loadTools(key); err != nil {
		return err
	}
	cfg.Tools.Describe(types)
	if _, _, err := engine.CheckRules(cfg.Packs...); err != nil {
		return usageError{err}
	}
	return nil
}

// rows opens the store of single observations. A build without it says so and
// serves all the same.
func (f *serveFlags) rows(ctx context.Context, folder *store.Folder, log *slog.Logger) (*duckdb.DB, error) {
	if f.noRows {
		return nil, nil
	}
	db, err := duckdb.Open(ctx, folder, duckdb.Config{Threads: min(2, runtime.GOMAXPROCS(0))})
	if errors.Is(err, duckdb.ErrAbsent) {
		log.Warn("single observations are not kept", "why", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

func (f *serveFlags) api(ctx context.Context, a *app, cfg engine.ServiceConfig, s judges, at *standing, l net.Listener, log *slog.Logger) (*api.API, error) {
	address, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return nil, err
	}
	c := api.Config{
		Store: cfg.Records, Messages: cfg.Tools.Messages, Version: version, Rules: rules.Version, Lang: a.lang, Log: log,
		Plain: address.Addr().IsLoopback(), Now: time.Now, Random: rand.Reader,
		Decide: func(ctx context.Context, d api.Decision) error {
			err := s.Decide(ctx, d.ID, d.By, d.Site, d.Entry, d.Ends)
			if errors.Is(err, engine.ErrRefused) {
				return fmt.Errorf("%w: %w", api.ErrRefused, err)
			}
			return err
		},
		Status: s.Status, Observations: cfg.Rows, Networks: cfg.Networks(),
		OwnRules: func() (list []policy.Rule) {
			for _, p := range cfg.Packs {
				list = append(list, p.Rules...)
			}
			return list
		},
		TestRules: func(p *policy.File) error {
			_, _, err := engine.CheckRules(p)
			return err
		},
	}
	if one, ok := s.(*engine.Service); ok { // which holds the traffic and the judges itself
		c.Input, c.Seen, c.TryRules, c.Hunt = one.Input, one.Now, one.DryRun, hunter(one)
	}
	if at != nil {
		c.Desk, c.Bouncers, c.Gate = at.desk, at.bouncers, at.gate.gate.Load()
		c.Library = at.known.Library
		c.Notifier = at.telling.notifier()
	}
	return api.New(ctx, c)
}

// judges are what the API asks and tells.
type judges interface {
	Decide(ctx context.Context, id, by, site string, e policy.Entry, ends bool) error
	Status(ctx context.Context) v1.Status
}

// closeTime is how long requests that have begun may take at the end.
const closeTime = 5 * time.Second

// run runs the service and its API until ctx is done or one fails.
func (s *standing) run(ctx context.Context, a *app) error { return s.runWith(ctx, a, s.service) }

// worker is what is served.
type worker interface {
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

func (s *standing) runWith(ctx context.Context, a *app, w worker) error {
	run, stop := context.WithCancel(ctx)
	defer stop()
	pages, err := console.New(console.Config{API: s.web, Files: webfiles.Dist(), Messages: s.messages, Lang: a.lang, Log: s.log, SSO: s.provider,
		Vouch: func(ctx context.Context, p sso.Person) (string, error) {
			return s.web.Vouch(ctx, p.Subject, p.Name, v1.Role(p.Role))
		}})
	if err != nil {
		return err
	}
	server := api.Server(s.withOthers(pages), s.log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	background := make(chan struct{})
	go func() {
		defer close(background)
		s.web.Run(run)
	}()
	responding := make(chan struct{})
	go func() {
		defer close(responding)
		if s.desk != nil {
			s.desk.Run(run)
		}
	}()
	knowing := make(chan struct{})
	go func() {
		defer close(knowing)
		if s.known != nil {
			s.known.Run(run)
		}
	}()
	told := make(chan struct{})
	go func() {
		defer close(told)
		s.telling.run(run)
	}()
	judged := make(chan error, 1)
	go func() { judged <- w.Run(run) }()
	go func() {
		select {
		case <-w.Ready():
			a.say(s.ready)
		case <-run.Done():
		}
	}()
	select {
	case <-ctx.Done():
		a.restoreSignals() // the second interrupt ends the program
		a.say(s.ending)
	case err = <-judged:
		judged <- nil
	case err = <-served:
		served <- http.ErrServerClosed
	}
	stop()
	if e := <-judged; err == nil {
		err = e
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if e := server.Shutdown(ending); e != nil {
		_ = server.Close() // streams of events do not end by themselves
	}
	<-background
	<-responding
	<-knowing
	<-told
	if e := <-served; err == nil && !errors.Is(e, http.ErrServerClosed) {
		err = e
	}
	return err
}

// closers are closed last first.
type closers []func() error

func (c closers) close() (err error) {
	for i := len(c) - 1; i >= 0; i-- {
		err = errors.Join(err, c[i]())
	}
	return err
}
