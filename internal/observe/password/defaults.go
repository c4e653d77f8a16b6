package password

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
)

const (
	defaultsFile = "defaults.yaml"
	maxProducts  = 255
)

// defaults holds the pairs of account and password that products are shipped
// with, and the names that administrators' accounts have.
type defaults struct {
	products   []string
	pairs      map[string]map[string]uint8 // account in lower case → password → 1 + product
	privileged map[string]bool
	passwords  []string // all of them, for the lists
}

func loadDefaults(fsys fs.FS) (*defaults, error) {
	b, err := fs.ReadFile(fsys, defaultsFile)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Privileged []string `yaml:"privileged"`
		Products   []struct {
			ID    string   `yaml:"id"`
			Pairs []string `yaml:"pairs"`
		} `yaml:"products"`
	}
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", defaultsFile, err)
	}
	if len(doc.Products) == 0 || len(doc.Products) > maxProducts || len(doc.Privileged) == 0 {
		return nil, fmt.Errorf("%s: %d products, %d privileged names; needs both and at most %d products", defaultsFile, len(doc.Products), len(doc.Privileged), maxProducts)
	}
	d := &defaults{pairs: map[string]map[string]uint8{}, privileged: map[string]bool{}}
	for _, name := range doc.Privileged {
		d.privileged[strings.ToLower(name)] = true
	}
	for i, p := range doc.Products {
		if p.ID == "" || len(p.Pairs) == 0 {
			return nil, fmt.Errorf("%s: product %q needs an id and pairs", defaultsFile, p.ID)
		}
		d.products = append(d.products, p.ID)
		for _, pair := range p.Pairs {
			account, pw, ok := strings.Cut(pair, "/")
			if !ok || account == "" || pw == "" {
				return nil, fmt.Errorf("%s: product %q: pair %q is not account/password", defaultsFile, p.ID, pair)
			}
			account = strings.ToLower(account)
			d.passwords = append(d.passwords, pw)
			if d.pairs[account] == nil {
				d.pairs[account] = map[string]uint8{}
			}
			// the first product wins: what many share stands at the end
			if d.pairs[account][pw] == 0 {
				d.pairs[account][pw] = uint8(i + 1)
			}
		}
	}
	return d, nil
}

const maxAccountName = 32

// look says whether the account is an administrator's by its name, and of
// which product the pair is the factory setting: 1 + its number, 0 none.
func (d *defaults) look(c Context, pw []byte) (privileged bool, product uint8) {
	account := c.Account
	if len(account) == 0 {
		account = c.Email
	}
	if len(account) == 0 || len(account) > maxAccountName {
		return false, 0
	}
	var buf [maxAccountName]byte
	name := lower(buf[:0], account)
	product = d.pairs[string(name)][string(pw)]
	if i := bytes.IndexByte(name, '@'); i > 0 {
		name = name[:i] // admin@example.com
	}
	return d.privileged[string(name)], product
}

// Product names the product of Assessment.Default; "" for 0.
func (a *Assessor) Product(n uint8) string {
	if n == 0 || int(n) > len(a.defaults.products) {
		return ""
	}
	return a.defaults.products[n-1]
}
