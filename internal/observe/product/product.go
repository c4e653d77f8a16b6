// Package product tells products and their versions from what servers say of
// themselves, and what is published about a version.
//
// It takes rules/advisories.yaml and gives an immutable Set: banners and file
// names of scripts become (product, version), and a version becomes the
// advisories that name it and the day its branch was given up. Invariant: pure,
// and no version is called mended or vulnerable by anything but the data. A
// version says nothing of holes that a distribution mended under the same
// number; Version.Vendor tells when one had its hands on it. Limits: see the
// max constants; what they cut is not looked at.
package product

import (
	"slices"
	"strings"
	"time"

	"xiezhi/internal/taxonomy"
)

// maxTokens is how many products of one banner are looked at.
const maxTokens = 16

// Product is something that has versions and a history of holes.
type Product struct {
	ID         string
	Name       string
	Library    bool   // runs in the visitor's browser
	Source     string // where the facts stand
	Advisories []Advisory
	Ends       []End
	Cases      []Case
	fixed      []Version // every version that mends something, ascending
}

// Advisory is a hole that versions from From on have, up to those that mend it.
type Advisory struct {
	CVE   []string
	Harm  taxonomy.Severity
	from  Version
	fixed []repair
}

// repair is a version of a branch that mends a hole.
type repair struct {
	branch  Version
	version Version
	text    string
}

// End is the day on which a branch was given up.
type End struct {
	On     time.Time
	branch Version
	Branch string
}

// Case is an example of the data file; the test of this package runs it.
type Case struct {
	Version string
	CVE     []string // that must be named; none: that no advisory names it
	Ended   bool     // whether its branch is given up today, as far as the file knows
}

// Set is everything known about products.
type Set struct {
	list   []*Product
	byID   map[string]*Product
	tokens map[string]*Product // names in banners, lower case
	files  map[string]*Product // names of script files, lower case
}

// Products lists the products, sorted by id.
func (s *Set) Products() []*Product { return slices.Clone(s.list) }

// Product gives a product by id, nil when there is none.
func (s *Set) Product(id string) *Product { return s.byID[id] }

// Banner calls emit for every product of a Server or X-Powered-By header that
// is known and names its version: "nginx/1.14.0 (Ubuntu)", "Apache/2.4.6
// (CentOS) PHP/5.4.16". A comment that names a distribution holds for all.
func (s *Set) Banner(text string, emit func(p *Product, version string, v Version)) {
	vendor := false
	for _, word := range [...]string{"ubuntu", "debian", "centos", "red hat", "redhat", "fedora", "amazon", "suse", "rocky", "almalinux", "oracle linux", "raspbian", "freebsd"} {
		vendor = vendor || containsFold(text, word)
	}
	if rest, ok := cutFold(text, "jetty("); ok { // its own way to write it
		version, _, _ := strings.Cut(rest, ")")
		text = "jetty/" + version
	}
	for n := 0; n < maxTokens && text != ""; n++ {
		var token string
		token, text = nextToken(text)
		name, version, ok := strings.Cut(token, "/")
		if !ok {
			continue
		}
		p := s.tokens[strings.ToLower(name)]
		if p == nil {
			continue
		}
		version = strings.TrimPrefix(version, "RELEASE.")
		version = timestamp(version)
		v, ok := ParseVersion(version)
		if !ok {
			continue
		}
		v.Vendor = v.Vendor || vendor
		emit(p, version, v)
	}
}

// timestamp gives a release that is named by its time as a version.
func timestamp(s string) string {
	if len(s) == 20 && s[4] == '-' && s[10] == 'T' && s[19] == 'Z' {
		return strings.NewReplacer("-", ".", "T", ".", "Z", "").Replace(s)
	}
	return s
}

// nextToken gives the next word of a banner; what stands in brackets is none.
func nextToken(s string) (token, rest string) {
	depth := 0
	start := -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			if depth++; start >= 0 {
				return s[start:i], s[i:]
			}
		case c == ')':
			depth = max(depth-1, 0)
		case depth > 0:
		case c == ' ' || c == ';' || c == ',' || c == '\t':
			if start >= 0 {
				return s[start:i], s[i+1:]
			}
		case start < 0:
			start = i
		}
	}
	if start >= 0 {
		return s[start:], ""
	}
	return "", ""
}

// File tells a library by the name of its file and, when that names no
// version, by the folder it lies in: "jquery-1.8.3.min.js", "jquery/1.8.3" +
// "jquery.min.js". p is nil when it is none.
func (s *Set) File(folder, name string) (p *Product, version string, v Version) {
	name, ok := strings.CutSuffix(strings.ToLower(name), ".js")
	if !ok || len(name) > 96 {
		return nil, "", v
	}
	for cut := true; cut; {
		cut = false
		for _, end := range [...]string{".min", ".slim", ".umd", ".global", ".prod", ".bundle", ".full", "-min"} {
			var ok bool
			if name, ok = strings.CutSuffix(name, end); ok {
				cut = true
			}
		}
	}
	if p = s.files[name]; p != nil { // the folder has the version
		folder = folder[strings.LastIndexByte(folder, '@')+1:]
		if v, ok = ParseVersion(folder); ok && v.n >= 2 && !v.Vendor {
			return p, strings.TrimPrefix(folder, "v"), v
		}
		return nil, "", v
	}
	for i := 1; i+1 < len(name); i++ {
		if c := name[i]; (c == '-' || c == '.' || c == '@') && (digit(name[i+1]) || name[i+1] == 'v') {
			if p = s.files[name[:i]]; p != nil {
				if v, ok = ParseVersion(name[i+1:]); ok && v.n >= 2 && !v.Vendor {
					return p, strings.TrimPrefix(name[i+1:], "v"), v
				}
				return nil, "", v
			}
		}
	}
	return nil, "", v
}

func containsFold(s, lower string) bool {
	for i := 0; i+len(lower) <= len(s); i++ {
		if _, ok := cutFold(s[i:], lower); ok {
			return true
		}
	}
	return false
}
