package respond

import (
	"slices"
	"strings"

	"xiezhi/internal/observe"
)

// MaxRoutes bounds the APIs that a table of routes knows; further ones are no
// API to it, so that decisions about them are not carried out.
const MaxRoutes = 50_000

// Routes says which API a request is to, as far as records know: words before
// parameters. It is what the catalogue of the site taught, without its learning.
type Routes struct {
	hosts map[place]*step
	sites map[string][]string // of a host: several while it becomes known
	n     int
	left  int
}

type place struct{ site, host string }

type step struct {
	words map[string]*step
	any   *step
	ends  map[string][]string // ids by method, or method and operation
}

// NewRoutes makes an empty table.
func NewRoutes() *Routes { return &Routes{hosts: map[place]*step{}, sites: map[string][]string{}} }

// Add teaches an API of a site.
func (r *Routes) Add(site string, a API) {
	if r.n >= MaxRoutes {
		r.left++
		return
	}
	r.n++
	if !slices.Contains(r.sites[a.Host], site) {
		r.sites[a.Host] = append(r.sites[a.Host], site)
	}
	at := r.hosts[place{site, a.Host}]
	if at == nil {
		at = &step{}
		r.hosts[place{site, a.Host}] = at
	}
	path, operation, called := strings.Cut(a.Template, "#")
	for _, w := range strings.Split(strings.Trim(path, "/"), "/") {
		if w == "" {
			continue
		}
		next := at.any
		if parameter := w[0] == '{' && w[len(w)-1] == '}'; !parameter {
			next = at.words[w]
		} else {
			w = ""
		}
		if next == nil {
			next = &step{}
			if w == "" {
				at.any = next
			} else {
				if at.words == nil {
					at.words = map[string]*step{}
				}
				at.words[w] = next
			}
		}
		at = next
	}
	key := a.Method
	if called {
		key += "#" + operation
	}
	if at.ends == nil {
		at.ends = map[string][]string{}
	}
	if !slices.Contains(at.ends[key], a.ID) {
		at.ends[key] = append(at.ends[key], a.ID)
	}
}

// Sites gives the sites that a host's requests may be judged as: its own name
// where nobody knows more.
func (r *Routes) Sites(host string) []string {
	if s, ok := r.sites[host]; ok {
		return s
	}
	return []string{host}
}

// Left is how many APIs found no room.
func (r *Routes) Left() int { return r.left }

// Of gives the ids of a site's APIs that a request may be to: more than one only
// where records name two alike.
func (r *Routes) Of(site string, a *Asked) []string {
	at := r.hosts[place{site, a.Host}]
	if at == nil {
		return nil
	}
	budget := 256
	return at.find(a, a.Segments, &budget)
}

func (s *step) find(a *Asked, rest []observe.Segment, budget *int) []string {
	for len(rest) > 0 && rest[0].Class == observe.ClassEmpty && rest[0].Sensitive == 0 {
		rest = rest[1:]
	}
	if *budget--; *budget < 0 {
		return nil
	}
	if len(rest) == 0 {
		return s.end(a)
	}
	if rest[0].Text != "" {
		if next := s.words[rest[0].Text]; next != nil {
			if ids := next.find(a, rest[1:], budget); ids != nil {
				return ids
			}
		}
	}
	if s.any != nil {
		return s.any.find(a, rest[1:], budget)
	}
	return nil
}

func (s *step) end(a *Asked) []string {
	method := a.Method
	if method == "HEAD" {
		method = "GET"
	}
	for _, op := range [2]string{a.Root, a.Operation} {
		if op != "" {
			if ids := s.ends[method+"#"+op]; ids != nil {
				return ids
			}
		}
	}
	return s.ends[method]
}
