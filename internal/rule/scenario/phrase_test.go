package scenario

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"xiezhi/internal/message"
	"xiezhi/rules"
)

// formats gives the formats that this package's sources say.
func formats(t *testing.T) []string {
	var out []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at := -1
			switch f := call.Fun.(type) {
			case *ast.Ident:
				if f.Name == "say" {
					at = 0
				}
			case *ast.SelectorExpr:
				if f.Sel.Name == "problem" || f.Sel.Name == "note" {
					at = 2
				}
			}
			if at < 0 || at >= len(call.Args) {
				return true
			}
			if s, ok := call.Args[at].(*ast.BasicLit); ok && s.Kind == token.STRING {
				if text, err := strconv.Unquote(s.Value); err == nil {
					out = append(out, text)
				}
			}
			return true
		})
	}
	return out
}

// Every reason stands in the catalogue, and there says in English what the
// source says.
func TestReasonsAreToldInBothLanguages(t *testing.T) {
	m, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	list := formats(t)
	if len(list) < 60 {
		t.Fatalf("%d formats found", len(list))
	}
	for _, f := range list {
		if f == "%s" {
			continue
		}
		p := phrase{format: f}
		for i := range strings.Count(f, "%") {
			if verb := f[nth(f, i)+1]; verb == 'd' {
				p.args = append(p.args, 70_000+i)
			} else {
				p.args = append(p.args, fmt.Sprint("x", i))
			}
		}
		got := p.text(m)
		if !m.Has("scenario." + f) {
			t.Errorf("rules/messages/scenario.yaml lacks %q", "scenario."+f)
		} else if got.En != p.Error() {
			t.Errorf("%q is told as %q", p.Error(), got.En)
		}
	}
}

// nth gives the place of a text's i-th percent sign.
func nth(s string, i int) int {
	at := strings.IndexByte(s, '%')
	for range i {
		at += 1 + strings.IndexByte(s[at+1:], '%')
	}
	return at
}

func TestReasonsInsideReasons(t *testing.T) {
	m, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	s := Load([]File{{Name: "a.yaml", Data: []byte("type: trigger\nname: a/b\nfilter: |\n  evt.Meta.http_status + 1 == 2\nlabels: {remediation: true}\n")}}, func(string, string) ([]byte, error) { return nil, errors.New("gone") })
	if len(s.Problems()) == 0 {
		t.Fatal("translated")
	}
	p := s.Problems()[0]
	got := p.Text(m)
	if got.En != p.Why || got.Zh == got.En || !strings.Contains(got.Zh, "文本") {
		t.Errorf("%q is told as %+v", p.Why, got)
	}
}
