package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"xiezhi/internal/catalog/openapi"
	"xiezhi/internal/message"
)

// Described gives the APIs of a site as OpenAPI and drift look at them; no
// name gives those of all sites.
func (r *Report) Described(site string) []openapi.API {
	var out []openapi.API
	for i := range r.APIs {
		a := &r.APIs[i]
		if site != "" && a.Site != site {
			continue
		}
		x := openapi.API{ID: a.ID, Host: a.Host, Method: a.Method, Template: a.Template, Operation: a.Operation, Protocol: a.Protocol,
			Role: a.Role, Lifecycle: a.Lifecycle, Exposure: a.Exposure, Auth: a.Auth, Exchanges: a.Exchanges, FirstSeen: a.FirstSeen, LastSeen: a.LastSeen, Contract: a.Contract}
		for _, s := range a.Sensitive {
			x.Sensitive = append(x.Sensitive, openapi.Sensitive{Path: s.Path, Type: s.Type, In: s.In, Masked: s.Masked})
		}
		out = append(out, x)
	}
	return out
}

// Document is the description of one site.
type Document struct {
	Site string
	Name string // of its file
	Data []byte
}

// OpenAPI describes every site that has APIs, or one of them.
func (r *Report) OpenAPI(site, lang string, msgs *message.Catalog) ([]Document, error) {
	var sites []string
	for i := range r.APIs {
		if s := r.APIs[i].Site; (site == "" || s == site) && !slices.Contains(sites, s) {
			sites = append(sites, s)
		}
	}
	slices.Sort(sites)
	var out []Document
	taken := map[string]bool{}
	for _, s := range sites {
		about := msgs.Text("openapi.about", message.Args{"site": s}).In(lang)
		data, err := openapi.Export(openapi.Info{Site: s, Version: r.Version, Description: about}, r.Described(s))
		if err != nil {
			return nil, err
		}
		base := fileName(s)
		name := base
		for n := 2; taken[name]; n++ {
			name = fmt.Sprint(base, "_", n)
		}
		taken[name] = true
		out = append(out, Document{s, name + ".openapi.json", data})
	}
	return out, nil
}

// fileName makes a name of a file of the name of a site, which traffic may
// have chosen.
func fileName(site string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(site)) {
		if c-'0' < 10 || c-'a' < 26 || c == '-' || c == '.' && b.Len() > 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('_')
		}
		if b.Len() == 120 {
			break
		}
	}
	return cmp.Or(strings.TrimRight(b.String(), "."), "site")
}
