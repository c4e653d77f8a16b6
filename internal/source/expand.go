package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

const (
	// MaxFiles bounds how many files one call expands to.
	MaxFiles = 100_000
	maxTree  = 64 // folders deep
)

var (
	// ErrNoFiles: a folder holds nothing to read, or a pattern matches nothing.
	ErrNoFiles = errors.New("no files")
	// ErrTooManyFiles: MaxFiles was reached; the rest is left out.
	ErrTooManyFiles = fmt.Errorf("more than %d files", MaxFiles)
)

// Expand turns command-line paths into inputs: a file, a folder (recursively,
// without hidden files), a pattern as in filepath.Match, or "-" for stdin. The
// result is sorted by name and each file is in it once, stdin first; files of
// a folder are sorted too, so the order depends on names only. The error joins
// what is wrong with single paths; the inputs that are fine come with it.
func Expand(paths []string, stdin io.Reader) ([]Input, error) {
	e := expansion{names: map[string]bool{}}
	var problems []error
	useStdin := false
	for _, p := range paths {
		if p == "-" {
			useStdin = true
			continue
		}
		if err := e.add(p); err != nil {
			problems = append(problems, err)
		}
		if e.over {
			problems = append(problems, ErrTooManyFiles)
			break
		}
	}
	names := make([]string, 0, len(e.names))
	for n := range e.names {
		names = append(names, n)
	}
	sort.Strings(names)
	inputs := make([]Input, 0, len(names)+1)
	if useStdin {
		o := &once{open: func() (io.ReadCloser, error) { return Decompress(io.NopCloser(stdin)) }}
		inputs = append(inputs, Input{Name: "-", Open: o.Open, Once: true})
	}
	for _, n := range names {
		inputs = append(inputs, fileInput(n, e.names[n]))
	}
	return inputs, errors.Join(problems...)
}

func fileInput(name string, regular bool) Input {
	open := func() (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		return Decompress(f)
	}
	if !regular {
		open = (&once{open: open}).Open
	}
	return Input{Name: name, Open: open, Once: !regular}
}

type expansion struct {
	names map[string]bool // clean name → regular file
	over  bool            // MaxFiles was passed
	dirs  map[string]bool // real paths of folders entered under the current argument
}

func (e *expansion) add(p string) error {
	info, err := os.Stat(p)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(p, "*?[") {
		matches, err := filepath.Glob(p)
		if err != nil {
			return &fs.PathError{Op: "expand", Path: p, Err: err}
		}
		if len(matches) == 0 {
			return &fs.PathError{Op: "expand", Path: p, Err: ErrNoFiles}
		}
		var problems []error
		for _, m := range matches {
			if err := e.addPath(m, nil); err != nil {
				problems = append(problems, err)
			}
		}
		return errors.Join(problems...)
	}
	if err != nil {
		return err
	}
	return e.addPath(p, info)
}

func (e *expansion) addPath(p string, info fs.FileInfo) (err error) {
	if info == nil {
		if info, err = os.Stat(p); err != nil {
			return err
		}
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() && info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) == 0 {
			return &fs.PathError{Op: "open", Path: p, Err: errors.New("neither a file nor a pipe")}
		}
		if !info.Mode().IsRegular() {
			e.take(p, false) // opening a pipe waits for its writer and works once
			return nil
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		f.Close()
		e.take(p, true)
		return nil
	}
	before := len(e.names)
	e.dirs = map[string]bool{}
	problems, seen := e.walk(p, 0)
	if len(problems) == 0 && seen == 0 && len(e.names) == before {
		return &fs.PathError{Op: "read", Path: p, Err: ErrNoFiles}
	}
	return errors.Join(problems...)
}

func (e *expansion) take(p string, regular bool) {
	p = filepath.Clean(p)
	if _, known := e.names[p]; !known && len(e.names) >= MaxFiles {
		e.over = true
		return
	}
	e.names[p] = regular
}

// walk enters a folder once, so that a symbolic link to a parent ends.
func (e *expansion) walk(dir string, depth int) (problems []error, seen int) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return []error{err}, 0
	}
	if e.dirs[real] {
		return nil, 0
	}
	if depth > maxTree {
		return []error{&fs.PathError{Op: "read", Path: dir, Err: errors.New("nested too deeply")}}, 0
	}
	e.dirs[real] = true
	entries, err := readDir(dir)
	if err != nil {
		return []error{err}, 0
	}
	for _, d := range entries {
		if strings.HasPrefix(d.Name(), ".") {
			continue
		}
		if e.over {
			return problems, seen
		}
		p := filepath.Join(dir, d.Name())
		mode := d.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(p)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			mode = info.Mode().Type()
		}
		switch {
		case mode.IsDir():
			more, n := e.walk(p, depth+1)
			problems, seen = append(problems, more...), seen+n
		case mode.IsRegular():
			seen++
			e.take(p, true)
		}
		if len(problems) > 100 {
			return problems, seen
		}
	}
	return problems, seen
}

// readDir lists a folder by name, at most twice as many entries as there may
// be files, so that a folder of millions does not fill the memory.
func readDir(dir string) ([]fs.DirEntry, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(2 * MaxFiles)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	return entries, err
}
