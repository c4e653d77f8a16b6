package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"xiezhi/internal/api"
	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/engine"
	"xiezhi/internal/message"
	"xiezhi/internal/respond/notify"
	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
	"xiezhi/internal/respond/siem"
	"xiezhi/internal/store/record"
)

// receivers are the channels and SIEM targets that a configuration names, with
// their secrets read.
type receivers struct {
	channels []notify.Opened
	targets  []siem.Opened
	texts    *message.Catalog
	public   string
}

// openReceivers reads secrets and looks at URLs. Files are looked for beside the
// configuration file.
func openReceivers(c *engine.FileConfig, name, lang string, getenv func(string) string) (*receivers, error) {
	t := channel.Tools{Now: time.Now, Getenv: getenv, Read: func(file string) ([]byte, error) { return os.ReadFile(besideFile(name, file)) }}
	r := &receivers{public: strings.TrimSuffix(c.PublicURL(), "/")}
	var err error
	if r.channels, err = c.Notifications.Open(t, lang); err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	own := c.SIEM
	own.Targets = append([]siem.Target(nil), own.Targets...)
	for i := range own.Targets {
		own.Targets[i].Path = besideFile(name, own.Targets[i].Path)
		if host, err := os.Hostname(); err == nil && own.Targets[i].Address != "" {
			own.Targets[i].Host = cmp.Or(own.Targets[i].Host, host)
		}
	}
	if r.targets, err = own.Open(t, lang); err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return r, nil
}

// test sends a test message to one; found is false when there is none of the
// name.
func (r *receivers) test(ctx context.Context, name string) (found bool, err error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return true, err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for i := range r.channels {
		if r.channels[i].Name == name {
			return true, notify.Test(ctx, &r.channels[i], r.texts, r.public, "msg_"+hex.EncodeToString(id), time.Now())
		}
	}
	for i := range r.targets {
		if r.targets[i].Name == name {
			return true, r.targets[i].Test(ctx, r.texts, version, hex.EncodeToString(id), time.Now())
		}
	}
	return false, nil
}

func (r *receivers) names() (out []string) {
	for i := range r.channels {
		out = append(out, r.channels[i].Name)
	}
	for i := range r.targets {
		out = append(out, r.targets[i].Name)
	}
	return out
}

// telling is what tells findings while a service runs.
type telling struct {
	receivers *receivers
	box       *outbox.Box
	watch     *notify.Watch // nil: there are no channels
	export    *siem.Export  // nil: there are no targets
}

// tell makes what tells findings, unless the configuration names nobody.
func (f *serveFlags) tell(ctx context.Context, a *app, s *standing, cfg engine.ServiceConfig, log *slog.Logger) (*telling, error) {
	r, err := openReceivers(cfg.File, f.configFile, a.lang, a.getenv)
	if err != nil {
		return nil, err
	}
	r.texts = cfg.Tools.Messages
	if len(r.names()) == 0 {
		return nil, nil
	}
	lanes, err := notify.Lanes(r.channels, r.texts, r.public, cfg.Zone)
	if err != nil {
		return nil, err
	}
	t := &telling{receivers: r}
	if t.box, err = outbox.Open(ctx, outbox.Config{Store: cfg.Records, Now: cfg.Now, Random: cfg.Random, Log: log, Lanes: append(lanes, siem.Lanes(r.targets)...)}); err != nil {
		return nil, err
	}
	if len(r.channels) > 0 {
		t.watch, err = notify.New(ctx, notify.Config{Store: cfg.Records, Box: t.box, Messages: r.texts, Channels: r.channels, Zone: cfg.Zone, Now: cfg.Now, Log: log, Settle: f.settle,
			Seen: func() time.Time { return cmp.Or(s.service.Now(), cfg.Now()) },
			Surge: func(ctx context.Context) (notify.Surge, error) {
				x, err := s.web.Surge(ctx)
				return notify.Surge{On: x.Surge, From: x.From, Requests: uint64(max(x.Requests, 0)), Usual: x.Reference}, err
			},
			Parts: func(ctx context.Context) []notify.Part { return partsOf(s.service.Status(ctx)) }})
		if err != nil {
			return nil, err
		}
	}
	if len(r.targets) > 0 {
		t.export, err = siem.New(ctx, siem.Config{Store: cfg.Records, Box: t.box, Messages: r.texts, Targets: r.targets, Version: version, Public: r.public, Now: cfg.Now, Log: log, Settle: f.settle})
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// partsOf says of every part how it is. Those that warm up are in order, and so
// are those that are off.
func partsOf(s v1.Status) (out []notify.Part) {
	add := func(list []v1.Part, sites bool) {
		for i := range list {
			p := &list[i]
			out = append(out, notify.Part{Name: p.Name, Site: sites && p.Name != "order", Bad: p.State == v1.PartStateDegraded || p.State == v1.PartStateFailing, Failing: p.State == v1.PartStateFailing, Text: p.Text})
		}
	}
	add(s.Sources, false)
	add([]v1.Part{s.Stream}, false)
	add(s.Judges, true)
	add(s.Stores, false)
	return out
}

// consider takes records that were written; t may be nil.
func (t *telling) consider(list []record.Record) {
	if t == nil {
		return
	}
	if t.watch != nil {
		t.watch.Consider(list)
	}
	if t.export != nil {
		t.export.Consider(list)
	}
}

// run tells until ctx is done; t may be nil.
func (t *telling) run(ctx context.Context) {
	if t == nil {
		return
	}
	var all sync.WaitGroup
	all.Go(func() { t.box.Run(ctx) })
	if t.watch != nil {
		all.Go(func() { t.watch.Run(ctx) })
	}
	if t.export != nil {
		all.Go(func() { t.export.Run(ctx) })
	}
	all.Wait()
}

// notifier is what the API knows of it; t may be nil.
func (t *telling) notifier() *api.Notifier {
	if t == nil {
		return nil
	}
	n := &api.Notifier{Box: t.box, Public: t.receivers.public, Test: func(ctx context.Context, name string) error {
		_, err := t.receivers.test(ctx, name)
		return err
	}}
	for _, x := range t.receivers.channels {
		n.Receivers = append(n.Receivers, api.Receiver{Name: x.Name, Type: x.Type, Host: x.Host(), Lang: x.Lang})
	}
	for i := range t.receivers.targets {
		x := &t.receivers.targets[i]
		n.Receivers = append(n.Receivers, api.Receiver{Name: x.Name, Type: x.Format + "/" + x.Transport, Host: x.Host(), Lang: x.Lang, SIEM: true})
	}
	return n
}
