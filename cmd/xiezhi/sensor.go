package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/engine"
	"xiezhi/internal/source/sensor"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/buffer"
	"xiezhi/internal/stream/uplink"
)

// sensorFlags are those of sensor, beside those of the sources.
type sensorFlags struct {
	to                       []string
	name, tokenFile, ca      string
	cert, certKey            string
	data, keyFile            string
	configFile, site         string
	packs, rulesData, protos []string
	workers                  int
	bytes                    int64
	sync                     bool
	live                     *liveFlags
}

func (a *app) sensor() *cobra.Command {
	f := &sensorFlags{live: newLiveFlags()}
	c := &cobra.Command{
		Use:   "sensor",
		Short: "Watch traffic at the edge and send what is observed to a service",
		Long: `Takes traffic from the sources that are named, observes it, and sends what was
observed to xiezhi serve --sensors. No exchange leaves the machine: observations
do, sealed under the installation's key, which the sensor needs from the centre.
While the centre cannot be reached everything goes on: what was observed is kept
in the data folder, encrypted, and sent when the link is back. At --buffer-bytes
the oldest is thrown away and counted. Killed at any moment, it loses nothing
that it acknowledged, and nothing is judged twice.

An interrupt (Ctrl-C) or SIGTERM ends it in order.`,
		Example: `  xiezhi sensor --to https://centre:8610 --token-file token --key key --data /var/lib/xiezhi --live eth1
  xiezhi sensor --to http://127.0.0.1:8610 --key key --name edge-1 --data edge --listen 127.0.0.1:8600`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), a) },
	}
	fs := c.Flags()
	fs.StringArrayVar(&f.to, "to", nil, "`URL` of the service's --sensors, as https://HOST:PORT; repeated, they are tried in turn")
	fs.StringVar(&f.name, "name", "", "`NAME` by which the service knows the sensor, that of its token (default: the host's)")
	fs.StringVar(&f.tokenFile, "token-file", "", "`FILE` with the sensor's token")
	fs.StringVar(&f.ca, "to-ca", "", "believe a service whose certificate is signed by one of those in `FILE` (PEM; default: the system's)")
	fs.StringVar(&f.cert, "to-cert", "", "the sensor's own certificate chain for the service in `FILE` (PEM)")
	fs.StringVar(&f.certKey, "to-cert-key", "", "private key of that certificate in `FILE` (PEM)")
	fs.StringVar(&f.data, "data", "", "data `FOLDER` with the buffer (default: xiezhi/sensor in the state folder)")
	fs.StringVar(&f.keyFile, "key", "", "`FILE` with the installation's key, a copy of the service's; it is not made here")
	fs.StringVar(&f.configFile, "config", "", "configuration `FILE`, that of the service")
	fs.StringArrayVar(&f.packs, "rules", nil, "rule pack or CrowdSec scenario, `FILE` or folder; may be repeated")
	fs.StringArrayVar(&f.rulesData, "rules-data", nil, "`FOLDER` with the data files of scenarios; may be repeated")
	fs.StringArrayVar(&f.protos, "proto", nil, "descriptor set `FILE` of gRPC services; may be repeated")
	fs.StringVar(&f.site, "site", "", "everything is of the site of this `NAME`")
	fs.IntVar(&f.workers, "workers", 0, "observers (default: one per core)")
	fs.Int64Var(&f.bytes, "buffer-bytes", buffer.DefaultBytes, "`BYTES` that the buffer may take on the disk")
	fs.BoolVar(&f.sync, "sync", false, "acknowledge only what has reached the disk: also safe against loss of power, slower")
	f.live.register(fs)
	_ = fs.MarkHidden("for")
	return c
}

func (f *sensorFlags) run(ctx context.Context, a *app) (err error) {
	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	key, err := f.settings(a)
	if err != nil {
		return err
	}
	cfg, err := f.config(a, key)
	if err != nil {
		return err
	}
	var closing closers
	defer func() { err = errors.Join(err, closing.close()) }()
	f.live.outs = &outputs{stdout: a.stdout}
	if cfg.Sources, err = f.live.sources(a); err != nil {
		return err
	}
	if len(cfg.Sources) == 0 {
		return usagef("a sensor needs a source of traffic; name one with --listen, --proxy, --live, --follow or --envoy")
	}
	buf, err := buffer.Open(ctx, buffer.Config{Path: f.data, Key: key, Random: rand.Reader, Bytes: f.bytes, Always: f.sync, Log: log})
	if err != nil {
		return err
	}
	closing = append(closing, buf.Close)
	sealer, err := stream.NewSealer(rand.Reader, key)
	if err != nil {
		return err
	}
	closing = append(closing, func() error { sealer.Close(); return nil })
	link, err := f.link(sealer)
	if err != nil {
		return err
	}
	closing = append(closing, func() error { link.Close(); return nil })
	cfg.Buffer, cfg.Instance, cfg.Epoch, cfg.Link, cfg.Now, cfg.Log = buf, buf.Instance, buf.Epoch, link, time.Now, log
	s, err := engine.NewSensor(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "sensor %s sends to %s\n", f.name, strings.Join(f.to, ", "))
	defer context.AfterFunc(ctx, a.restoreSignals)()
	return s.Run(ctx)
}

// settings checks what needs nothing but the flags, and reads the key.
func (f *sensorFlags) settings(a *app) (key [32]byte, err error) {
	if len(f.to) == 0 {
		return key, usagef("a sensor sends to a service; name it with --to https://HOST:PORT")
	}
	if f.name == "" {
		if f.name, err = os.Hostname(); err != nil {
			return key, usagef("the host has no name; give the sensor one with --name")
		}
	}
	if !sensor.IsName(f.name) {
		return key, usagef("--name %q: a sensor's name has 1 to 64 letters, digits, dots, dashes or underscores", f.name)
	}
	if f.keyFile == "" {
		return key, usagef("--key is needed: a copy of the service's key file (key in its data folder)")
	}
	if _, err := os.Stat(f.keyFile); errors.Is(err, fs.ErrNotExist) {
		return key, usagef("--key %s: there is no such file; copy the key of the service there", f.keyFile)
	}
	if key, err = loadKey(f.keyFile, rand.Reader); err != nil {
		return key, err
	}
	if f.data == "" {
		name, err := a.defaultKeyFile()
		if err != nil {
			return key, err
		}
		f.data = filepath.Join(filepath.Dir(name), "sensor")
	}
	return key, nil
}

func (f *sensorFlags) config(a *app, key [32]byte) (cfg engine.SensorConfig, err error) {
	cfg = engine.SensorConfig{Name: f.name, Site: f.site, Workers: f.workers}
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.File, err = loadConfig(f.configFile); err != nil {
		return cfg, err
	}
	loaded, err := loadRules(f.packs, f.rulesData)
	if err != nil {
		return cfg, err
	}
	cfg.Packs, cfg.Hub = loaded.packs, loaded.hub
	types, err := loadDescriptors(f.protos)
	if err != nil {
		return cfg, err
	}
	if cfg.Tools, err = loadTools(key); err != nil {
		return cfg, err
	}
	cfg.Tools.Describe(types)
	if _, _, err := engine.CheckRules(cfg.Packs...); err != nil {
		return cfg, usageError{err}
	}
	zone, err := a.zone("", cfg.File)
	a.log = engine.LogConfig{Location: zone}
	return cfg, err
}

// link is the way to the service.
func (f *sensorFlags) link(sealer *stream.Sealer) (*uplink.Client, error) {
	cfg := uplink.ClientConfig{Centres: f.to, Name: f.name, Sealer: sealer}
	if f.tokenFile != "" {
		b, err := os.ReadFile(f.tokenFile)
		if err != nil {
			return nil, usagef("--token-file: %w", err)
		}
		if cfg.Token = string(bytes.TrimSpace(b)); cfg.Token == "" || strings.ContainsAny(cfg.Token, " \t\r\n") {
			return nil, usagef("--token-file %s: one token is wanted in it, and nothing else", f.tokenFile)
		}
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, usagef("--to-ca: %w", err)
		}
		if conf.RootCAs = x509.NewCertPool(); !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("--to-ca %s: %w", f.ca, errNoCertificate)
		}
	}
	if (f.cert == "") != (f.certKey == "") {
		return nil, usagef("--to-cert and --to-cert-key go together")
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.certKey)
		if err != nil {
			return nil, usagef("--to-cert %s, --to-cert-key %s: %w", f.cert, f.certKey, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	cfg.TLS = conf
	c, err := uplink.NewClient(cfg)
	if err != nil {
		return nil, usagef("--to: %w", err)
	}
	return c, nil
}
