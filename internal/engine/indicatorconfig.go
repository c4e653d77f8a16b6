package engine

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"xiezhi/internal/intel"
	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
)

// IndicatorFile is intelligence that lies in a file:
//
//	intel:
//	  indicators:
//	    - {file: gang.jsonl, source: sister-company, role: peer, reliability: 0.8}
//	    - {file: our-exits.txt, role: negative}
//
// What a row says of its time holds by the time of the traffic; a list that says
// none is taken to speak of now, as given.
type IndicatorFile struct {
	File        string   `yaml:"file"`
	Format      string   `yaml:"format"` // default: told from the content
	Source      string   `yaml:"source"` // default: the file's name
	Role        string   `yaml:"role"`   // feed (default), own, decoy, analyst, peer, negative
	Reliability *float64 `yaml:"reliability"`
	Confidence  int      `yaml:"confidence"`
	Type        string   `yaml:"type"`
	Tags        []string `yaml:"tags"`
	Licence     string   `yaml:"licence"`
}

func (f *IndicatorFile) check(i int) error {
	where := fmt.Sprintf("intel: indicators[%d]", i)
	if f.File == "" {
		return fmt.Errorf("%s: name a file", where)
	}
	if f.Format != "" && !slices.Contains(feed.Formats(), feed.Format(f.Format)) {
		return fmt.Errorf("%s: format %q is unknown; one of %v", where, f.Format, feed.Formats())
	}
	if _, ok := indicator.ParseRole(f.Role); f.Role != "" && !ok {
		return fmt.Errorf("%s: role %q is unknown; one of feed, own, decoy, analyst, peer, negative", where, f.Role)
	}
	if _, ok := indicator.ParseType(f.Type); f.Type != "" && !ok {
		return fmt.Errorf("%s: type %q is unknown; one of %v", where, f.Type, indicator.Types())
	}
	for _, n := range f.Tags {
		if !slices.Contains(indicator.TagNames(), n) {
			return fmt.Errorf("%s: tag %q is unknown; one of %v", where, n, indicator.TagNames())
		}
	}
	if r := f.Reliability; r != nil && (*r < 0 || *r > 1) || f.Confidence < 0 || f.Confidence > 100 {
		return fmt.Errorf("%s: reliability lies between 0 and 1, confidence between 0 and 100", where)
	}
	return nil
}

// source is who says what the file holds.
func (f *IndicatorFile) source() indicator.Source {
	role, _ := indicator.ParseRole(f.Role) // checked
	s := indicator.Source{Name: f.Source, Role: role, Reliability: 0.5, Format: f.Format, Licence: f.Licence}
	if s.Name == "" {
		s.Name = filepath.Base(f.File)
	}
	if role.Ours() {
		s.Reliability = 0.95
	}
	if f.Reliability != nil {
		s.Reliability = *f.Reliability
	}
	return s
}

// LoadIndicators reads the files of intelligence. now is the clock, which
// sightings may not lie ahead of.
func LoadIndicators(files []IndicatorFile, open intel.Open, now int64) (*indicator.Set, error) {
	var set *indicator.Set
	for i := range files {
		f := &files[i]
		data, err := slurpFile(open, f.File)
		if err != nil {
			return nil, err
		}
		src := f.source()
		if src.Format == "" {
			src.Format = string(feed.Guess(f.File, data))
		}
		t, _ := indicator.ParseType(f.Type)
		r, err := feed.Decode(feed.Format(src.Format), data, feed.Options{Name: f.File, Now: now, Type: t, Tags: indicator.ParseTags(f.Tags), Confidence: uint8(f.Confidence)})
		if err != nil {
			return nil, err
		}
		src.Fetched, src.Refused = now, r.Refused
		if set, err = set.With(src, r.Rows, now); err != nil {
			return nil, fmt.Errorf("%s: %w", f.File, err)
		}
	}
	return set, nil
}

func slurpFile(open intel.Open, name string) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, feed.MaxBytes+1))
	if err == nil && len(data) > feed.MaxBytes {
		err = errors.New("the file is larger than 64 MiB; split it")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// LoadSnapshot reads the intelligence that judges of this configuration use.
func (c *FileConfig) LoadSnapshot(open intel.Open, now int64) error {
	set, err := LoadIndicators(c.Intel.Indicators, open, now)
	if err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	c.set = set
	data, err := set.Snapshot(0)
	if err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	if c.known, err = indicator.ParseSnapshot(data); err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	return nil
}

// IndicatorSet is what the files of intelligence say.
func (c *FileConfig) IndicatorSet() *indicator.Set { return c.set }
