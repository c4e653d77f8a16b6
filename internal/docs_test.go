package internal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xiezhi/internal/defect/audit"
	"xiezhi/internal/engine"
)

// languages of the documents; the first is what the others are held against.
var languages = []string{"en", "zh"}

// documents are what people read: the READMEs and everything under docs.
func documents(t *testing.T) []string {
	t.Helper()
	readmes, _ := filepath.Glob("../README*.md")
	docs, _ := filepath.Glob("../docs/*/*.md")
	plugins, _ := filepath.Glob("../plugins/*/README*.md")
	if len(readmes) < 2 || len(docs) < 8 {
		t.Fatalf("found %d READMEs and %d documents: the search is broken", len(readmes), len(docs))
	}
	boards, _ := filepath.Glob("../docs/scoreboard*.md")
	return slices.Concat(readmes, docs, plugins, boards)
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// document is the structure of a Markdown file.
type document struct {
	levels []int // of its headings
	rows   []int // table rows under each heading, the first being what comes before any
	blocks []block
	prose  string // all but the blocks
}

// block is a fenced block and its language.
type block struct{ lang, text string }

func parse(text string) document {
	d := document{rows: []int{0}}
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			if inside = !inside; inside {
				d.blocks = append(d.blocks, block{lang: fence})
			}
			continue
		}
		if inside {
			d.blocks[len(d.blocks)-1].text += line + "\n"
			continue
		}
		d.prose += line + "\n"
		if n := len(line) - len(strings.TrimLeft(line, "#")); n > 0 && strings.HasPrefix(line[n:], " ") {
			d.levels = append(d.levels, n)
			d.rows = append(d.rows, 0)
		} else if strings.HasPrefix(line, "|") {
			d.rows[len(d.rows)-1]++
		}
	}
	return d
}

// commands are the lines of the shell blocks without their comments.
func (d document) commands() []string {
	var out []string
	for _, b := range d.blocks {
		if b.lang != "sh" {
			continue
		}
		for line := range strings.Lines(b.text) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out = append(out, line)
			}
		}
	}
	return out
}

func TestDocumentsHaveOneStructure(t *testing.T) {
	pairs := [][2]string{{"../README.md", "../README.zh-CN.md"}, {"../docs/scoreboard.md", "../docs/scoreboard.zh.md"}}
	plugins, _ := filepath.Glob("../plugins/*")
	if len(plugins) == 0 {
		t.Error("no plug-ins: the search is broken")
	}
	for _, p := range plugins {
		pairs = append(pairs, [2]string{p + "/README.md", p + "/README.zh-CN.md"})
	}
	for _, from := range languages {
		names, _ := filepath.Glob("../docs/" + from + "/*.md")
		for _, name := range names {
			pair := [2]string{"../docs/en/" + filepath.Base(name), "../docs/zh/" + filepath.Base(name)}
			if !slices.Contains(pairs, pair) {
				pairs = append(pairs, pair)
			}
		}
	}
	for _, p := range pairs {
		a, b := parse(read(t, p[0])), parse(read(t, p[1]))
		if !slices.Equal(a.levels, b.levels) {
			t.Errorf("%s and %s have different headings: %v, %v", p[0], p[1], a.levels, b.levels)
		}
		if !slices.Equal(a.rows, b.rows) {
			t.Errorf("%s and %s have different table rows by heading: %v, %v", p[0], p[1], a.rows, b.rows)
		}
		if x, y := a.commands(), b.commands(); !slices.Equal(x, y) {
			t.Errorf("%s and %s give different commands:\n%q\n%q", p[0], p[1], x, y)
		}
	}
}

var (
	link        = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	machinePath = regexp.MustCompile(`(^|[^\w.~-])/(work|tmp|home|root|Users|mnt|private)/|[A-Za-z]:\\`)
)

func TestDocumentsLinkToWhatExists(t *testing.T) {
	seen := 0
	for _, name := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(parse(read(t, name)).prose, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			seen++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d relative links: the search is broken", seen)
	}
}

func TestDocumentsNameNoMachine(t *testing.T) {
	for _, name := range documents(t) {
		for i, line := range strings.Split(read(t, name), "\n") {
			if m := machinePath.FindString(line); m != "" {
				t.Errorf("%s:%d names a path of some machine: %q", name, i+1, m)
			}
		}
	}
}

// limitNames collects every name that a report can hold in input.limits.
func limitNames(t *testing.T) []string {
	t.Helper()
	var names []string
	inspect(t, "judge", func(n ast.Node) {
		if c, ok := n.(*ast.CallExpr); ok && len(c.Args) == 2 {
			if f, ok := c.Fun.(*ast.Ident); ok && f.Name == "add" {
				names = append(names, literal(c.Args[0])...)
			}
		}
	})
	limitCount := func(n ast.Node) {
		c, ok := n.(*ast.CompositeLit)
		if !ok {
			return
		}
		switch typ := c.Type.(type) {
		case *ast.SelectorExpr:
			ok = typ.Sel.Name == "LimitCount"
		case *ast.Ident:
			ok = typ.Name == "LimitCount"
		default:
			ok = false
		}
		if !ok {
			return
		}
		for _, e := range c.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok && kv.Key.(*ast.Ident).Name == "What" {
				names = append(names, literal(kv.Value)...)
			}
		}
	}
	inspect(t, "engine", limitCount)
	inspect(t, "report", limitCount)
	if len(names) < 16 {
		t.Fatalf("found %q only: the search is broken", names)
	}
	for _, c := range audit.New(audit.Config{}).Counters() {
		names = append(names, "defect."+strings.TrimPrefix(c.What, "defect."))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inspect visits the source of a package.
func inspect(t *testing.T, pkg string, visit func(n ast.Node)) {
	t.Helper()
	files, _ := filepath.Glob(pkg + "/*.go")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if n != nil {
				visit(n)
			}
			return true
		})
	}
}

// literal gives the value of a string literal, nothing for anything else.
func literal(e ast.Expr) []string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		if s, err := strconv.Unquote(l.Value); err == nil {
			return []string{s}
		}
	}
	return nil
}

// constants gives the values of the constants of a type in package taxonomy.
func constants(t *testing.T, typ string) []string {
	t.Helper()
	var out []string
	inspect(t, "taxonomy", func(n ast.Node) {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return
		}
		if id, ok := v.Type.(*ast.Ident); ok && id.Name == typ {
			for _, e := range v.Values {
				out = append(out, literal(e)...)
			}
		}
	})
	if len(out) < 5 {
		t.Fatalf("%s has the constants %q only: the search is broken", typ, out)
	}
	return out
}

var limitMark = regexp.MustCompile("`limits`[:：] ?`([^`]+)`")

func TestLimitsAreDocumented(t *testing.T) {
	limits, drops, codes := limitNames(t), constants(t, "DropReason"), constants(t, "Quality")
	for _, lang := range languages {
		name := "../docs/" + lang + "/LIMITS.md"
		text := read(t, name)
		listed := map[string]bool{}
		for _, m := range limitMark.FindAllStringSubmatch(text, -1) {
			listed[m[1]] = true
		}
		for _, l := range limits {
			if !listed[l] {
				t.Errorf("%s does not say what the limit %q is", name, l)
			}
			delete(listed, l)
		}
		for l := range listed {
			if l != "名称" && l != "name" {
				t.Errorf("%s describes the limit %q, which nothing reports", name, l)
			}
		}
		for _, id := range slices.Concat(drops, codes) {
			if !strings.Contains(text, "\n| `"+id+"` | ") {
				t.Errorf("%s has no row for %q", name, id)
			}
		}
	}
}

var (
	testRow  = regexp.MustCompile("(?m)^\\| P(\\d+) \\| `([^`]+)` \\| (.*) \\|$")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

func TestPromisesNameTestsThatExist(t *testing.T) {
	var first [][]string
	for _, lang := range languages {
		name := "../docs/" + lang + "/PROMISES.md"
		text := read(t, name)
		for p := range 11 {
			if !strings.Contains(text, fmt.Sprintf("\n| P%d ", p+1)) {
				t.Errorf("%s does not speak of P%d", name, p+1)
			}
		}
		rows := testRow.FindAllStringSubmatch(text, -1)
		if len(rows) < 30 {
			t.Fatalf("%s: %d rows of tests: the search is broken", name, len(rows))
		}
		if first == nil {
			first = rows
		} else if !slices.EqualFunc(first, rows, slices.Equal) {
			t.Errorf("%s names other tests than its English twin", name)
		}
		for _, r := range rows {
			have := testsOf(t, "../"+r[2])
			for _, want := range strings.Split(r[3], ", ") {
				if !have[want] {
					t.Errorf("%s: P%s names %s in %s, which is not there", name, r[1], want, r[2])
				}
			}
		}
	}
}

// testsOf gives the tests and fuzz targets of a package's folder.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	have := map[string]bool{}
	files, _ := filepath.Glob(dir + "/*_test.go")
	for _, name := range files {
		for _, m := range testFunc.FindAllStringSubmatch(read(t, name), -1) {
			have[m[1]] = true
		}
	}
	return have
}

var flagDefinition = regexp.MustCompile(`Flags\(\)\.\w+Var\(&[\w.]+, "([\w-]+)"|\bf\.\w+Var\(&[\w.]+, "([\w-]+)"`)

func TestUsageIsComplete(t *testing.T) {
	flags := map[string]bool{}
	files, _ := filepath.Glob("../cmd/xiezhi/*.go")
	for _, name := range files {
		for _, m := range flagDefinition.FindAllStringSubmatch(read(t, name), -1) {
			flags[m[1]+m[2]] = true
		}
	}
	if len(flags) < 12 {
		t.Fatalf("found the flags %v only: the search is broken", flags)
	}
	for _, lang := range languages {
		name := "../docs/" + lang + "/USAGE.md"
		text := read(t, name)
		for f := range flags {
			if !strings.Contains(text, "`--"+f) {
				t.Errorf("%s does not explain --%s", name, f)
			}
		}
		examples := 0
		for _, b := range parse(text).blocks {
			if b.lang != "yaml" || strings.HasPrefix(b.text, "version:") { // a policy, which internal/policy tests
				continue
			}
			examples++
			if _, err := engine.ParseConfig(name, []byte(b.text)); err != nil {
				t.Errorf("the example configuration is refused: %v", err)
			}
		}
		if examples != 2 {
			t.Errorf("%s: %d example configurations, expected 2", name, examples)
		}
	}
}
