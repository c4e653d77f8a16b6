package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/exchange"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
)

// Names of what Write leaves in the folder.
const (
	TrafficDir = "traffic"
	ConfigFile = "config.yaml"
	TruthFile  = "truth.json"
	LabelsFile = "labels.jsonl.zst"
)

// Write generates the traffic into a folder: traffic/2022-01.harl.zst and so on,
// config.yaml for analyze, truth.json, labels.jsonl.zst. The folder must not
// hold a play already.
func Write(ctx context.Context, cfg Config, dir string) (*truth.Truth, error) {
	return WriteFrom(dir, func(sink stage.Sink) (*truth.Truth, error) { return Play(ctx, cfg, sink) })
}

// WriteFrom writes what any play of the lab gives, in the same files.
func WriteFrom(dir string, play func(stage.Sink) (*truth.Truth, error)) (*truth.Truth, error) {
	if _, err := os.Stat(filepath.Join(dir, TruthFile)); err == nil {
		return nil, fmt.Errorf("%s: holds a play already; name an empty folder", dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, TrafficDir), 0o755); err != nil {
		return nil, err
	}
	w := &writer{dir: dir}
	labels, err := create(filepath.Join(dir, LabelsFile))
	if err != nil {
		return nil, err
	}
	defer labels.discard()
	defer func() { w.file.discard() }()
	lines := json.NewEncoder(labels)
	lines.SetEscapeHTML(false)
	t, err := play(func(e *stage.Event) error {
		if err := w.add(e); err != nil {
			return err
		}
		return lines.Encode(truth.LabelOf(e))
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.file.Close(), labels.Close()); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), configYAML(t), 0o644); err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, err
	}
	return t, os.WriteFile(filepath.Join(dir, TruthFile), append(out, '\n'), 0o644)
}

// configYAML tells analyze which hosts are which site.
func configYAML(t *truth.Truth) []byte {
	var b strings.Builder
	b.WriteString("# Sites of the lab, for xiezhi analyze --config.\ntime_zone: Asia/Shanghai\nsites:\n")
	for _, s := range t.Sites {
		fmt.Fprintf(&b, "  - name: %s\n    hosts: [%s]\n    industry: %s\n    time_zone: %s\n", s.Name, s.Host, s.Industry, s.TimeZone)
	}
	return []byte(b.String())
}

// writer cuts the traffic into months.
type writer struct {
	dir   string
	month string
	file  *packed
	enc   exchange.HAREncoder
	buf   []byte
}

func (w *writer) add(e *stage.Event) error {
	if m := time.Unix(0, e.Exchange.Start).In(Zone()).Format("2006-01"); m != w.month {
		if err := w.file.Close(); err != nil {
			return err
		}
		f, err := create(filepath.Join(w.dir, TrafficDir, m+".harl.zst"))
		if err != nil {
			return err
		}
		w.month, w.file = m, f
	}
	w.buf = append(w.enc.Append(w.buf[:0], e.Exchange), '\n')
	_, err := w.file.Write(w.buf)
	return err
}

// packed is a compressed file. A nil one is closed already.
type packed struct {
	*bufio.Writer
	z *zstd.Encoder
	f *os.File
}

func create(name string) (*packed, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	// One goroutine: the bytes must not depend on the machine.
	z, err := zstd.NewWriter(f, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &packed{bufio.NewWriterSize(z, 1<<16), z, f}, nil
}

// Close completes the file.
func (p *packed) Close() error {
	if p == nil || p.f == nil {
		return nil
	}
	f := p.f
	p.f = nil
	return errors.Join(p.Flush(), p.z.Close(), f.Close())
}

// discard lets go of a file that a failed play leaves behind.
func (p *packed) discard() {
	if p != nil && p.f != nil {
		p.z.Reset(io.Discard)
		_ = p.z.Close()
		_ = p.f.Close()
		p.f = nil
	}
}
