package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	room "xiezhi/internal/folder"
	"xiezhi/internal/message"
	"xiezhi/internal/store"
	"xiezhi/internal/store/observation/duckdb"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream/jetstream"
	"xiezhi/rules"
)

// finding is what doctor says of one part.
type finding struct {
	Part  string       `json:"part"`
	State string       `json:"state"` // ok, warning, failed
	Text  message.Text `json:"text"`
}

const (
	doctorOK      = "ok"
	doctorWarning = "warning"
	doctorFailed  = "failed"
)

func (a *app) doctor() *cobra.Command {
	var data, output string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether a data folder is sound",
		Long: `Reads every part of a data folder that no service holds: the key, records and
their audit log, the state of the judges, the stream, single observations, and
how much room the disk has. Nothing is changed, but for damaged files, which are
set aside as a start of the service would.

Exit codes: 0 all is well, 1 something is not, 3 nothing could be looked at.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "" && output != "json" {
				return usagef("-o %q is unknown: json, or nothing for text", output)
			}
			var err error
			if data, err = a.dataFolder(data); err != nil {
				return err
			}
			if _, err := os.Stat(data); err != nil {
				return usagef("doctor: there is no data folder %s; name it with --data", data)
			}
			msgs, err := message.Load(rules.FS, "messages")
			if err != nil {
				return err
			}
			d := &doctor{msgs: msgs}
			if err := d.examine(cmd.Context(), data); err != nil {
				return err
			}
			return d.tell(a, output)
		},
	}
	c.Flags().StringVar(&data, "data", "", "data `FOLDER` (default: xiezhi/data in the state folder)")
	c.Flags().StringVarP(&output, "output", "o", "", "`FORMAT` of the list: json")
	return c
}

type doctor struct {
	msgs *message.Catalog
	list []finding
}

func (d *doctor) say(part, state, id string, args message.Args) {
	d.list = append(d.list, finding{part, state, d.msgs.Text("doctor."+id, args)})
}

func (d *doctor) failed(part string, err error) {
	d.say(part, doctorFailed, "failed", message.Args{"why": err.Error()})
}

// minFree is the room below which the stream refuses.
const minFree = jetstream.DefaultFree

func (d *doctor) examine(ctx context.Context, data string) error {
	folder, err := store.Take(data)
	switch {
	case errors.Is(err, store.ErrInUse):
		d.say("folder", doctorOK, "held", nil)
		return nil
	case err != nil:
		return err
	}
	defer func() { _ = folder.Release() }()
	d.say("folder", doctorOK, "folder", nil)
	if free, err := room.Free(folder.Path()); err != nil {
		d.failed("disk", err)
	} else if free < minFree {
		d.say("disk", doctorWarning, "disk_low", message.Args{"free": free >> 30})
	} else {
		d.say("disk", doctorOK, "disk", message.Args{"free": free >> 30})
	}
	name := filepath.Join(folder.Path(), "key")
	info, err := os.Stat(name)
	if err != nil { // one is not made here: what was sealed under another would not open
		d.failed("key", err)
		return nil
	}
	key, err := loadKey(name, rand.Reader)
	switch {
	case err != nil:
		d.failed("key", err)
		return nil
	case info.Mode().Perm()&0o077 != 0:
		d.say("key", doctorWarning, "key_open", nil)
	default:
		d.say("key", doctorOK, "key", nil)
	}
	d.records(ctx, folder, key)
	d.states(folder, key)
	d.stream(ctx, folder, key)
	d.rows(ctx, folder)
	return nil
}

func (d *doctor) records(ctx context.Context, folder *store.Folder, key [32]byte) {
	records, err := sqlite.Open(ctx, folder, sqlite.Config{Chain: record.NewChain(key)})
	if err != nil {
		d.failed("records", err)
		return
	}
	head, err := records.Verify(ctx, record.Head{})
	if err = errors.Join(err, records.Close()); err != nil {
		d.failed("records", err)
		return
	}
	d.say("records", doctorOK, "records", message.Args{"n": head.Seq})
}

func (d *doctor) states(folder *store.Folder, key [32]byte) {
	files, err := state.Open(folder, key, rand.Reader)
	if err != nil {
		d.failed("state", err)
		return
	}
	passed, err := files.Load("partition-0", func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	switch {
	case errors.Is(err, state.ErrNone):
		d.say("state", doctorOK, "state_none", nil)
	case err != nil:
		d.failed("state", err)
	case passed != nil:
		d.say("state", doctorWarning, "state_before", message.Args{"why": passed.Error()})
	default:
		d.say("state", doctorOK, "state", nil)
	}
}

func (d *doctor) stream(ctx context.Context, folder *store.Folder, key [32]byte) {
	bus, err := jetstream.Open(ctx, jetstream.Config{Partitions: 1, Key: key, Random: rand.Reader}, jetstream.Folder{Path: folder.Path()})
	if err != nil {
		d.failed("stream", err)
		return
	}
	stats, err := bus.Stats(ctx)
	if err = errors.Join(err, bus.Close()); err != nil {
		d.failed("stream", err)
		return
	}
	d.say("stream", doctorOK, "stream", message.Args{"n": stats[0].Messages, "bytes": stats[0].Bytes, "last": stats[0].Last})
}

func (d *doctor) rows(ctx context.Context, folder *store.Folder) {
	db, err := duckdb.Open(ctx, folder, duckdb.Config{})
	if errors.Is(err, duckdb.ErrAbsent) {
		d.say("rows", doctorOK, "rows_absent", nil)
		return
	}
	if err != nil {
		d.failed("rows", err)
		return
	}
	r, err := db.Range(ctx)
	if err = errors.Join(err, db.Close()); err != nil {
		d.failed("rows", err)
		return
	}
	var n, bytes uint64
	for _, day := range r.Days {
		n, bytes = n+day.Rows, bytes+uint64(day.Bytes)
	}
	if len(r.Aside) > 0 {
		d.say("rows", doctorWarning, "rows_aside", message.Args{"n": len(r.Aside), "days": len(r.Days)})
		return
	}
	d.say("rows", doctorOK, "rows", message.Args{"days": len(r.Days), "n": n, "bytes": bytes})
}

func (d *doctor) tell(a *app, output string) error {
	ill := false
	for _, f := range d.list {
		ill = ill || f.State != doctorOK
	}
	if output == "json" {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(d.list); err != nil {
			return err
		}
	} else {
		marks := map[string]string{doctorOK: "✓", doctorWarning: "!", doctorFailed: "✗"}
		for _, f := range d.list {
			if _, err := fmt.Fprintln(a.stdout, marks[f.State], d.msgs.Text("doctor.line", message.Args{"part": d.msgs.Text("doctor.part."+f.Part, nil).In(a.lang), "text": f.Text.In(a.lang)}).In(a.lang)); err != nil {
				return err
			}
		}
	}
	if ill {
		return exitError{exitFindings}
	}
	return nil
}
