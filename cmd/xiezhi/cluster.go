package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/engine"
	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/jetstream"
)

// clusterFlags make serve a member of a cluster.
type clusterFlags struct {
	servers, roles  []string
	member          string
	credentials, ca string
	replicas        int
	partitions      int
	lease           time.Duration
}

func (c *clusterFlags) register(f *pflag.FlagSet) {
	f.StringSliceVar(&c.servers, "nats", nil, "be a member of a cluster over the NATS servers at these `URLS`, with commas")
	f.StringSliceVar(&c.roles, "roles", []string{"sense", "judge", "console"}, "what this member does: `ROLES` of sense, judge, console; for --nats")
	f.StringVar(&c.member, "member", "", "`NAME` that no other member has (default: the host's); for --nats")
	f.StringVar(&c.credentials, "nats-credentials", "", "`FILE` with the NATS user's credentials")
	f.StringVar(&c.ca, "nats-ca", "", "believe NATS servers whose certificate is signed by one of those in `FILE` (PEM), and speak TLS")
	f.IntVar(&c.replicas, "nats-replicas", 3, "on how many NATS servers everything is kept")
	f.IntVar(&c.partitions, "partitions", stream.DefaultPartitions, "parts that the judges share, fixed when the first member begins; for --nats")
	f.DurationVar(&c.lease, "lease", jetstream.DefaultLease, "how long a member that is silent is believed to live, the same for all; for --nats")
}

// console reports whether the API is served.
func (c *clusterFlags) console() bool {
	return len(c.servers) == 0 || slices.Contains(c.roles, "console")
}

// check says what does not go together.
func (c *clusterFlags) check(f *serveFlags) error {
	if len(c.servers) == 0 {
		return nil
	}
	for _, r := range c.roles {
		if !slices.Contains([]string{"sense", "judge", "console"}, r) {
			return usagef("--roles: %q is none; there are sense, judge and console", r)
		}
	}
	if f.backup != "" {
		return usagef("--backup is for a service of one process: the states of a cluster are on its NATS servers")
	}
	if f.keyFile == "" {
		return usagef("--nats needs --key: every member has a copy of the same key file")
	}
	if _, err := os.Stat(f.keyFile); errors.Is(err, fs.ErrNotExist) && !c.console() {
		return usagef("--key %s: there is no such file; the member with the console makes one, give each other a copy", f.keyFile)
	}
	if c.member == "" {
		name, err := os.Hostname()
		if err != nil {
			return usagef("the host has no name; give the member one with --member")
		}
		c.member, _, _ = strings.Cut(name, ".")
	}
	return nil
}

// foundStream is how the stream is called on which judges tell what they found.
const foundStream = "XIEZHI-FOUND"

// member is a member of a cluster; standing without a console has no web.
type member struct {
	standing
	cluster *engine.Cluster
	console bool
}

// join makes a member. What was made is given with an error, too, to be closed.
func (f *serveFlags) join(ctx context.Context, a *app, service engine.ServiceConfig, l net.Listener, log *slog.Logger) (*member, error) {
	cfg := engine.ClusterConfig{ServiceConfig: service, Member: f.cluster.member}
	has := func(role string) bool { return slices.Contains(f.cluster.roles, role) }
	cfg.Roles = engine.Roles{Sense: has("sense"), Judge: has("judge"), Console: has("console")}
	if n := len(service.File.Notifications.Channels) + len(service.File.SIEM.Targets); n > 0 {
		log.Warn("members of a cluster tell nobody of findings yet; what the configuration says of notifications and siem is not used", "receivers", n)
	}
	m := &member{standing: standing{listener: l, log: log, ready: "ready", ending: "ending: handing over"}, console: cfg.Roles.Console}
	m.closing = append(m.closing, func() error {
		if l == nil {
			return nil
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	var err error
	if cfg.Roles.Sense {
		a.log = engine.LogConfig{Location: cfg.Zone}
		f.live.outs = &outputs{stdout: a.stdout}
		if cfg.Sources, err = f.live.sources(a); err != nil {
			return m, err
		}
	}
	folder, err := store.Take(f.data)
	if err != nil {
		return m, err
	}
	m.closing = append(m.closing, folder.Release)
	key, err := loadKey(f.keyFile, rand.Reader)
	if err != nil {
		return m, err
	}
	if err := f.tools(&cfg.ServiceConfig, key); err != nil {
		return m, err
	}
	m.messages = cfg.Tools.Messages
	if m.provider, err = provider(cfg.File); err != nil {
		return m, err
	}
	if cfg.Files, err = state.Open(folder, key, rand.Reader); err != nil {
		return m, err
	}
	cfg.Now, cfg.Random, cfg.Log = time.Now, rand.Reader, log
	if err := f.streams(ctx, m, &cfg, key); err != nil {
		return m, err
	}
	if cfg.Roles.Console {
		records, err := sqlite.Open(ctx, folder, sqlite.Config{Chain: record.NewChain(key), Sync: f.sync})
		if err != nil {
			return m, err
		}
		m.closing = append(m.closing, records.Close)
		cfg.Records = records
		rows, err := f.rows(ctx, folder, log)
		if err != nil {
			return m, err
		}
		if rows != nil {
			cfg.Rows = rows
			m.closing = append(m.closing, rows.Close)
		}
		cfg.Changed = func(list []record.Record) { m.web.Changed(list) }
	}
	sensed, closeSensed, err := f.sensors.take(key, &cfg.ServiceConfig)
	if err != nil {
		return m, err
	}
	m.closing = append(m.closing, closeSensed)
	if in := &cfg.File.Intel; len(in.Feeds) > 0 || !in.Share.Off() {
		log.Warn("members of a cluster read no feeds and share nothing yet; the files of intel.indicators are used")
	}
	if m.cluster, err = engine.NewCluster(ctx, cfg); err != nil {
		return m, err
	}
	sensed(m.cluster)
	if m.console {
		if m.web, err = f.api(ctx, a, cfg.ServiceConfig, m.cluster, nil, l, log); err != nil {
			return m, err
		}
		m.greet(a)
	}
	if f.metrics != "" {
		stop, err := serveMetrics(f.metrics, m.cluster.Status, a.stderr, log)
		if err != nil {
			return m, err
		}
		m.closing = append(m.closing, stop)
	}
	fmt.Fprintf(a.stderr, "member %s: %s\n", f.cluster.member, strings.Join(f.cluster.roles, ", "))
	return m, nil
}

// streams opens what the members share.
func (f *serveFlags) streams(ctx context.Context, m *member, cfg *engine.ClusterConfig, key [32]byte) error {
	c := &f.cluster
	at := jetstream.Cluster{Servers: c.servers, Credentials: c.credentials, Replicas: c.replicas}
	if c.ca != "" {
		pem, err := os.ReadFile(c.ca)
		if err != nil {
			return usagef("--nats-ca: %w", err)
		}
		at.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
		if !at.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return usagef("--nats-ca %s: %w", c.ca, errNoCertificate)
		}
	}
	conf := jetstream.Config{Partitions: c.partitions, Key: key, Random: rand.Reader, Age: f.streamAge, Bytes: f.streamBytes, Log: m.log}
	bus, err := jetstream.Dial(ctx, conf, at)
	if err != nil {
		return err
	}
	m.closing = append(m.closing, bus.Close)
	conf.Partitions, at.Name = 1, foundStream
	found, err := jetstream.Dial(ctx, conf, at)
	if err != nil {
		return err
	}
	m.closing = append(m.closing, found.Close)
	cfg.Bus, cfg.Found = bus, found
	if cfg.Roles.Judge {
		if cfg.Shelf, err = bus.Shelf(ctx); err != nil {
			return err
		}
		cfg.Join = func(ctx context.Context, hold func(context.Context, stream.Holding)) (engine.Membership, error) {
			return bus.Join(ctx, c.member, c.lease, hold)
		}
	}
	return nil
}

// run does the member's work, and serves its API if it has one.
func (m *member) run(ctx context.Context, a *app) error {
	if m.console {
		return m.runWith(ctx, a, m.cluster)
	}
	defer context.AfterFunc(ctx, func() { a.restoreSignals(); a.say(m.ending) })()
	go func() {
		select {
		case <-m.cluster.Ready():
			a.say(m.ready)
		case <-ctx.Done():
		}
	}()
	return m.cluster.Run(ctx)
}
