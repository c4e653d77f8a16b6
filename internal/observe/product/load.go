package product

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/taxonomy"
	"xiezhi/internal/yamlfile"
)

type document struct {
	Products map[string]productDoc `yaml:"products"`
}

type productDoc struct {
	Name       string        `yaml:"name"`
	Kind       string        `yaml:"kind"`   // server, language, application, library
	Banner     []string      `yaml:"banner"` // names in Server and X-Powered-By
	Files      []string      `yaml:"files"`  // names of script files, without version and ending
	Source     string        `yaml:"source"`
	Advisories []advisoryDoc `yaml:"advisories"`
	Ends       []endDoc      `yaml:"ends"`
	Cases      []caseDoc     `yaml:"cases"`
}

// advisoryDoc: fixed lists the mending versions, ascending. One holds for its
// branch (the version without its last number, or what stands in front of it:
// "2 2.5.4"), the last for everything after it.
type advisoryDoc struct {
	CVE   []string `yaml:"cve"`
	From  string   `yaml:"from"`
	Fixed []string `yaml:"fixed"`
	Harm  string   `yaml:"harm"`
}

type endDoc struct {
	Branch string `yaml:"branch"`
	On     string `yaml:"on"`
}

type caseDoc struct {
	Version string   `yaml:"version"`
	CVE     []string `yaml:"cve"`
	Ended   bool     `yaml:"ended"`
}

var (
	cveName = regexp.MustCompile(`^CVE-(?:199|20\d)\d-\d{4,7}$`)
	harms   = map[string]taxonomy.Severity{"moderate": taxonomy.Moderate, "elevated": taxonomy.Elevated, "high": taxonomy.High, "critical": taxonomy.Critical}
)

// Load reads advisories.yaml.
func Load(fsys fs.FS) (*Set, error) {
	const file = "advisories.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	return Parse(file, b)
}

// Parse reads a document of products; what is wrong is named with its product.
func Parse(file string, data []byte) (*Set, error) {
	var doc document
	if err := yamlfile.Decode(file, data, &doc); err != nil {
		return nil, err
	}
	s := &Set{byID: map[string]*Product{}, tokens: map[string]*Product{}, files: map[string]*Product{}}
	for id, d := range doc.Products {
		p, err := d.product(id)
		if err != nil {
			return nil, fmt.Errorf("%s: product %q: %w", file, id, err)
		}
		s.list, s.byID[id] = append(s.list, p), p
		for where, names := range map[*map[string]*Product][]string{&s.tokens: d.Banner, &s.files: d.Files} {
			for _, n := range names {
				if n == "" || n != strings.ToLower(n) || (*where)[n] != nil {
					return nil, fmt.Errorf("%s: product %q: the name %q is empty, not lower case, or another product's", file, id, n)
				}
				(*where)[n] = p
			}
		}
	}
	slices.SortFunc(s.list, func(a, b *Product) int { return strings.Compare(a.ID, b.ID) })
	return s, nil
}

func (d *productDoc) product(id string) (*Product, error) {
	p := &Product{ID: id, Name: d.Name, Library: d.Kind == "library", Source: d.Source}
	switch {
	case d.Name == "" || !strings.HasPrefix(d.Source, "https://"):
		return nil, fmt.Errorf("needs a name and an https source")
	case !slices.Contains([]string{"server", "language", "application", "library"}, d.Kind):
		return nil, fmt.Errorf("kind: %q is unknown", d.Kind)
	case len(d.Advisories)+len(d.Ends) == 0:
		return nil, fmt.Errorf("needs an advisory or an end")
	}
	for _, a := range d.Advisories {
		x, err := a.advisory()
		if err != nil {
			return nil, fmt.Errorf("advisory %v: %w", a.CVE, err)
		}
		for _, f := range x.fixed {
			p.fixed = append(p.fixed, f.version)
		}
		p.Advisories = append(p.Advisories, x)
	}
	slices.SortFunc(p.fixed, func(a, b Version) int { return a.Compare(&b) })
	for _, e := range d.Ends {
		on, err := time.Parse(time.DateOnly, e.On)
		if err != nil {
			return nil, fmt.Errorf("end of %q: %w", e.Branch, err)
		}
		v, ok := ParseVersion(e.Branch)
		if !ok {
			return nil, fmt.Errorf("end: %q is no branch", e.Branch)
		}
		p.Ends = append(p.Ends, End{On: on, branch: v, Branch: e.Branch})
	}
	for _, c := range d.Cases {
		p.Cases = append(p.Cases, Case(c))
	}
	return p, nil
}

func (d *advisoryDoc) advisory() (x Advisory, err error) {
	x = Advisory{CVE: d.CVE, Harm: harms[d.Harm]}
	ok := true
	if d.From != "" {
		x.from, ok = ParseVersion(d.From)
	}
	switch {
	case !ok:
		return x, fmt.Errorf("from: %q is no version", d.From)
	case len(d.CVE) == 0 || len(d.Fixed) == 0 || x.Harm == taxonomy.Unrated:
		return x, fmt.Errorf("needs cve, fixed and harm")
	}
	for _, c := range d.CVE {
		if !cveName.MatchString(c) {
			return x, fmt.Errorf("cve: %q", c)
		}
	}
	for _, text := range d.Fixed {
		branch, version, named := strings.Cut(text, " ")
		if !named {
			version = text
		}
		v, ok := ParseVersion(version)
		if !ok {
			return x, fmt.Errorf("fixed: %q is no version", text)
		}
		r := repair{branch: v.branch(), version: v, text: version}
		if named {
			if r.branch, ok = ParseVersion(branch); !ok || !v.under(&r.branch) {
				return x, fmt.Errorf("fixed: %q: %q is no branch of it", text, branch)
			}
		}
		if n := len(x.fixed); n > 0 && x.fixed[n-1].version.Compare(&v) >= 0 {
			return x, fmt.Errorf("fixed: %q is not in ascending order", text)
		}
		x.fixed = append(x.fixed, r)
	}
	return x, nil
}
