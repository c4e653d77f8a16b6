package respond

import "sync/atomic"

// Shadow holds selectors against requests whose API is known already.
type Shadow struct {
	live []*Live
	t    Table
}

// NewShadow makes one of selectors of a site.
func NewShadow(site string, list []Selector, external func(domain string, token uint64) string) *Shadow {
	s := &Shadow{t: Table{external: external, Routes: NewRoutes()}}
	for i := range list {
		s.live = append(s.live, compile(&Decision{Site: site, Selector: list[i]}, &atomic.Uint64{}))
	}
	return s
}

// Met calls use with the index of each selector that a request meets. api is the
// id of the API that it is to, empty for none.
func (s *Shadow) Met(a *Asked, api string, use func(int)) {
	m := match{t: &s.t, a: a, known: true}
	if api != "" {
		m.apis = []string{api}
	}
	for i, l := range s.live {
		if m.holds(l) {
			use(i)
		}
	}
}
