package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/store"
	"xiezhi/internal/store/backup"
	"xiezhi/internal/store/observation/duckdb"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
)

// dataParts are those of a data folder that are backed up. States come first, so
// that what stands behind them holds at least what they count. The stream is
// not among them: it is large and soon over.
func dataParts(f *store.Folder, records *sqlite.DB, rows *duckdb.DB) []backup.Part {
	parts := []backup.Part{backup.Files(f.Path(), "key", "state"), backup.One("records.db", f.Path(), records.Backup)}
	if rows != nil {
		parts = append(parts, rows.Backup)
	}
	return parts
}

func (a *app) backup() *cobra.Command {
	var data, to string
	c := &cobra.Command{
		Use:   "backup --to FILE.tar",
		Short: "Copy a data folder that no service holds",
		Long: `Copies findings, decisions, users, observations, what judges have learned and
the key into a tar with a manifest of SHA-256. A service that runs makes its own
backups: xiezhi serve --backup FOLDER. The tar holds the key: keep it as you keep
the data folder.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if to == "" {
				return usagef("backup: name the file to write with --to")
			}
			if data, err = a.dataFolder(data); err != nil {
				return err
			}
			if _, err := os.Stat(data); err != nil {
				return usagef("backup: there is no data folder %s; name it with --data", data)
			}
			folder, err := store.Take(data)
			if err != nil {
				return err
			}
			closing := closers{folder.Release}
			defer func() { err = errors.Join(err, closing.close()) }()
			key, err := loadKey(filepath.Join(folder.Path(), "key"), rand.Reader)
			if err != nil {
				return err
			}
			records, err := sqlite.Open(cmd.Context(), folder, sqlite.Config{Chain: record.NewChain(key)})
			if err != nil {
				return err
			}
			closing = append(closing, records.Close)
			rows, err := duckdb.Open(cmd.Context(), folder, duckdb.Config{})
			switch {
			case errors.Is(err, duckdb.ErrAbsent):
				rows = nil
				fmt.Fprintln(a.stderr, "this build has no DuckDB: single observations are not copied")
			case err != nil:
				return err
			default:
				closing = append(closing, rows.Close)
			}
			return writeBackup(cmd.Context(), to, time.Now(), dataParts(folder, records, rows))
		},
	}
	c.Flags().StringVar(&data, "data", "", "data `FOLDER` (default: xiezhi/data in the state folder)")
	c.Flags().StringVar(&to, "to", "", "tar `FILE` to write; it must not exist")
	return c
}

func (a *app) restore() *cobra.Command {
	var data, from string
	c := &cobra.Command{
		Use:   "restore --from FILE.tar --data FOLDER",
		Short: "Put a backup into a new data folder",
		Long: `Checks a backup against its manifest and puts it into a folder that is new or
empty. A service that is started there goes on with what was learned and found;
traffic that came after the backup is not in it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if from == "" || data == "" {
				return usagef("restore: name the backup with --from and a new data folder with --data")
			}
			info, err := os.Stat(from)
			if err != nil {
				return usagef("restore: %w", err)
			}
			var m *backup.Manifest
			if info.IsDir() {
				m, err = backup.FromFolder(cmd.Context(), from, data)
			} else {
				f, e := os.Open(from)
				if e != nil {
					return fmt.Errorf("read the backup: %w", e)
				}
				defer f.Close()
				m, err = backup.FromTar(cmd.Context(), from, f, data)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "restored %d files of %s into %s\n", len(m.Files), m.Made.UTC().Format(time.RFC3339), data)
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "new or empty data `FOLDER`")
	c.Flags().StringVar(&from, "from", "", "tar `FILE` or folder of a backup")
	return c
}

// writeBackup writes a tar that appears whole or not at all.
func writeBackup(ctx context.Context, name string, at time.Time, parts []backup.Part) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("back up to %s: %w; name another file", name, cmp.Or(err, fs.ErrExist))
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".backup-*") // readable by its owner alone
	if err != nil {
		return store.Explain("back up to", name, err)
	}
	err = backup.ToTar(ctx, name, f, at, parts...)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(store.Explain("back up to", name, err), os.Remove(f.Name()))
	}
	return nil
}

// backups makes copies of a data folder while a service uses it.
type backups struct {
	folder string
	every  time.Duration
	keep   int
	parts  []backup.Part
	log    *slog.Logger
}

const backupPrefix, backupForm = "xiezhi-", "20060102T150405Z"

// run makes one when the newest is old enough, until ctx is done. One that fails
// is told and tried again.
func (b *backups) run(ctx context.Context) {
	for {
		wait := b.every - time.Since(b.newest())
		if wait <= 0 {
			if wait = b.every; b.make(ctx) != nil {
				wait = min(b.every, time.Hour)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (b *backups) make(ctx context.Context) error {
	at := time.Now().UTC()
	name := filepath.Join(b.folder, backupPrefix+at.Format(backupForm)+".tar")
	if err := writeBackup(ctx, name, at, b.parts); err != nil {
		b.log.Error("no backup was made", "why", err)
		return err
	}
	b.log.Info("a backup was made", "file", name)
	list := b.list()
	for _, old := range list[:max(0, len(list)-b.keep)] {
		if err := os.Remove(filepath.Join(b.folder, old)); err != nil {
			b.log.Error("an old backup could not be removed", "why", err)
		}
	}
	return nil
}

// list gives the names of the backups, the oldest first.
func (b *backups) list() (out []string) {
	entries, _ := os.ReadDir(b.folder) // what cannot be read has none
	for _, e := range entries {
		if _, err := made(e.Name()); err == nil {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

func (b *backups) newest() time.Time {
	list := b.list()
	if len(list) == 0 {
		return time.Time{}
	}
	at, _ := made(list[len(list)-1]) // listed, so that it is one
	return at
}

func made(name string) (time.Time, error) {
	text, ok := strings.CutPrefix(name, backupPrefix)
	if !ok {
		return time.Time{}, fs.ErrInvalid
	}
	return time.Parse(backupForm+".tar", text)
}
