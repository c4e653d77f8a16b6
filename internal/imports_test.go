// Package internal_test holds the tests of the house: which package may import
// which, and that each opens with a doc comment.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors is the house from top to bottom: a package may import only packages
// above it. Rooms that do not exist yet are listed so that the order stands
// before they are built.
var floors = []string{
	"rules", "schema", "web",
	"internal/taxonomy", "internal/yamlfile", "internal/folder", "internal/message", "internal/policy", "internal/sketch", "internal/exchange", "internal/wire", "internal/source",
	"internal/redact", "internal/sensitive", "internal/observe", "internal/identity", "internal/rule", "internal/intel",
	"internal/catalog", "internal/defect", "internal/attack", "internal/judge", "internal/campaign", "internal/stream",
	"internal/store", "internal/respond", "internal/decoy", "internal/report", "internal/api", "internal/console",
	"internal/engine", "lab", "cmd",
}

// floor gives the room of a package and its height; a package in a sub-folder
// belongs to its room.
func floor(pkg string) (room string, height int) {
	for i, r := range floors {
		if pkg == r || strings.HasPrefix(pkg, r+"/") {
			return r, i
		}
	}
	return "", -1
}

func TestImportsPointUpward(t *testing.T) {
	const module = "xiezhi/"
	seen := map[string]bool{}
	walk(t, func(dir, file string) {
		pkg := strings.TrimPrefix(filepath.ToSlash(dir), "../")
		if pkg == ".." || pkg == "internal" {
			return
		}
		room, height := floor(pkg)
		if height < 0 {
			t.Errorf("%s: package %s is in no room of the house", file, pkg)
			return
		}
		seen[room] = true
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, im := range f.Imports {
			path := strings.Trim(im.Path.Value, `"`)
			if !strings.HasPrefix(path, module) {
				continue
			}
			to, h := floor(strings.TrimPrefix(path, module))
			if to == "internal/engine" && room != to && room != "cmd" && room != "lab" {
				t.Errorf("%s imports %s: only cmd and lab may", file, path)
			}
			if h > height {
				t.Errorf("%s imports %s, which lies below it in the house", file, path)
			}
		}
	})
	if len(seen) < 10 {
		t.Fatalf("looked at %d rooms only: the walk is broken", len(seen))
	}
}

func TestEveryPackageOpensWithADocComment(t *testing.T) {
	documented, packages := map[string]bool{}, []string{}
	walk(t, func(dir, file string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		if !slices.Contains(packages, dir) {
			packages = append(packages, dir)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc != nil && len(strings.TrimSpace(f.Doc.Text())) >= 80 {
			documented[dir] = true
		}
	})
	for _, p := range packages {
		if !documented[p] {
			t.Errorf("%s: no file opens with a doc comment that says what the package is, takes, gives and where it ends", p)
		}
	}
}

func walk(t *testing.T, visit func(dir, file string)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(path, ".go") {
			visit(filepath.Dir(path), path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
