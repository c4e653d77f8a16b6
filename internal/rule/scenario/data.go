package scenario

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// dataFile is a list that scenarios look into.
type dataFile struct {
	kind   string // string, regexp, map
	lines  []string
	at     []int // line of each, in the file
	regex  *patterns
	table  *lookup
	err    error
	unread bool // it could not be read
}

// files reads the data files of a scenario.
func (l *loader) files(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		l.problem(n.Line, "data", "a list of files")
		return
	}
	for _, item := range n.Content {
		dest := find(item, "dest_file")
		if dest == nil {
			l.problem(item.Line, "data", "an entry needs dest_file")
			continue
		}
		kind := "string"
		if t := find(item, "type"); t != nil {
			kind = t.Value
		}
		d := l.load(dest.Value, kind)
		if d.err != nil {
			if u := find(item, "source_url"); u != nil && d.unread {
				l.problem(dest.Line, dest.Value, "%s; it is published at %s", d.err, short(u.Value))
				continue
			}
			l.problem(dest.Line, dest.Value, "%s", d.err)
		}
	}
}

// load reads a data file once for each scenario file that lists it, or again if
// it is listed as of another kind.
func (l *loader) load(name, kind string) *dataFile {
	key := l.file_ + "\x00" + name
	if d := l.data[key]; d != nil && d.kind == kind {
		return d
	}
	d := &dataFile{kind: kind}
	l.data[key] = d
	if strings.ContainsAny(name, "/\\") || name == "" || name == "." || name == ".." {
		d.err = say("the name of a data file is no path")
		return d
	}
	raw, err := []byte(nil), error(nil)
	if l.open == nil {
		err = say("no data files are at hand")
	} else {
		raw, err = l.open(l.file_, name)
	}
	if err != nil {
		d.err, d.unread = say("cannot be read: %s", err), true
		return d
	}
	if l.sum += len(raw); l.sum > MaxDataTotal {
		d.err = say("more than the %d bytes that the data files of one run may have", MaxDataTotal)
		return d
	}
	if d.err = d.read(raw); d.err == nil {
		d.err = d.compile(kind)
	}
	return d
}

// read splits a file into lines; blank ones and comments are left out, as
// CrowdSec leaves them out.
func (d *dataFile) read(raw []byte) error {
	if len(raw) > MaxDataBytes {
		return say("%d bytes are more than the %d a data file may have", len(raw), MaxDataBytes)
	}
	n := 0
	for line := range bytes.Lines(raw) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(line) == 0 || line[0] == '#':
			continue
		case len(line) > MaxDataLine:
			return say("line %d is longer than %d bytes", n, MaxDataLine)
		case len(d.lines) == MaxDataLines:
			return say("more than %d lines", MaxDataLines)
		case !utf8.Valid(line):
			return say("line %d is no UTF-8", n)
		}
		d.lines = append(d.lines, string(line))
		d.at = append(d.at, n)
	}
	return nil
}

func (d *dataFile) compile(kind string) error {
	switch kind {
	case "string":
		return nil
	case "regexp", "re2_regexp":
		p, at, err := newPatterns(d.lines)
		if err != nil {
			return say("line %d: %s", d.at[at], err)
		}
		d.regex = p
		return nil
	case "map":
		t, at, err := newLookup(d.lines)
		if err != nil {
			return say("line %d: %s", d.at[at], err)
		}
		d.table = t
		return nil
	}
	return say("a data file of type %q is not translated", short(kind))
}

// compilePattern compiles one regular expression within bounds.
func compilePattern(s string) (*regexp.Regexp, error) {
	if len(s) > MaxPattern {
		return nil, say("a pattern of %d bytes, at most %d", len(s), MaxPattern)
	}
	return regexp.Compile(s)
}
