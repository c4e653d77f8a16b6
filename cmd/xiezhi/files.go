package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/engine"
	"xiezhi/internal/redact"
	"xiezhi/internal/source"
)

// inputs turns arguments into inputs. An argument that names nothing is
// refused; the others go on.
func (a *app) inputs(args []string) ([]source.Input, []engine.Refusal) {
	var refused []engine.Refusal
	for _, arg := range args {
		if arg == "-" {
			continue
		}
		if _, err := source.Expand([]string{arg}, nil); err != nil {
			refused = append(refused, engine.Refusal{Name: arg, Err: engine.OpenError(err)})
		}
	}
	all, _ := source.Expand(args, a.stdin) // what is wrong with single paths is told above
	return all, refused
}

// totalSize is how many bytes the inputs hold on disk, for the progress bar;
// 0 when unknown.
func totalSize(inputs []source.Input) int64 {
	var n int64
	for _, in := range inputs {
		st, err := os.Stat(in.Name)
		if err != nil || !st.Mode().IsRegular() {
			return 0
		}
		if strings.HasSuffix(in.Name, ".gz") || strings.HasSuffix(in.Name, ".zst") {
			return 0
		}
		n += st.Size()
	}
	return n
}

// defaultKeyFile is the key's place in the state folder.
func (a *app) defaultKeyFile() (string, error) {
	dir := a.getenv("XDG_STATE_HOME")
	if dir == "" {
		home := a.getenv("HOME")
		if home == "" {
			return "", usagef("no state folder: set HOME or XDG_STATE_HOME, or name a key with --key FILE")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "xiezhi", "key"), nil
}

// loadKey reads the key, or creates it readable by its owner alone.
func loadKey(name string, random io.Reader) ([32]byte, error) {
	data, err := os.ReadFile(name)
	if err == nil {
		key, err := redact.ParseKey(data)
		if err != nil {
			return key, usagef("key %s: %w", name, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return [32]byte{}, fmt.Errorf("read the key: %w", err)
	}
	key, err := redact.GenerateKey(random)
	if err != nil {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return key, fmt.Errorf("create the key's folder: %w; name another place with --key FILE", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return key, fmt.Errorf("create the key: %w; name another place with --key FILE", err)
	}
	if _, err := f.Write(redact.FormatKey(key)); err != nil {
		f.Close()
		return key, fmt.Errorf("write the key: %w", err)
	}
	return key, f.Close()
}

// besideFile gives a file that a configuration names.
func besideFile(config, file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(filepath.Dir(config), file)
}

// loadConfig reads the configuration file; no name gives the defaults.
func loadConfig(name string) (*engine.FileConfig, error) {
	if name == "" {
		return &engine.FileConfig{}, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("read the configuration: %w", err)
	}
	c, err := engine.ParseConfig(name, data)
	if err != nil {
		return nil, usageError{err}
	}
	if c.SignIn != nil {
		c.SignIn.SecretFile = besideFile(name, c.SignIn.SecretFile)
	}
	for i := range c.Intel.Feeds {
		f := &c.Intel.Feeds[i]
		f.File, f.HeaderFile = besideFile(name, f.File), besideFile(name, f.HeaderFile)
	}
	open := func(file string) (io.ReadCloser, error) { return os.Open(besideFile(name, file)) }
	if err := c.LoadIntel(open); err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	if err := c.LoadSnapshot(open, time.Now().UnixNano()); err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return c, nil
}

func (a *app) config() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Work with the configuration file", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("config: name what to do, as in config check FILE")
		}}
	c.AddCommand(&cobra.Command{
		Use:   "check FILE",
		Short: "Check a configuration file and name what is wrong with its place",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("config check: name one file")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := loadConfig(args[0])
			if err == nil && c.SignIn != nil {
				if _, err = c.SignIn.Secret(); err != nil {
					err = usageError{err}
				}
			}
			if err == nil {
				_, err = openReceivers(c, args[0], a.lang, a.getenv)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stderr, "%s: in order\n", args[0])
			return err
		},
	})
	return c
}
