package taxii

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"xiezhi/internal/intel/feed"
)

func compare(a, b Shared) int {
	return cmp.Or(cmp.Compare(a.Added, b.Added), cmp.Compare(a.Row.Type, b.Row.Type), strings.Compare(a.Row.Value, b.Row.Value))
}

// Collection is what may be read together.
type Collection struct {
	ID, Title, About string
	// Shared gives what is in it, by time of addition, and a number that differs
	// when that did.
	Shared func() ([]Shared, uint64)
}

// Reader is somebody who asks.
type Reader struct {
	May func(collection string) bool
}

// Config of a server.
type Config struct {
	Who         string // the owner, as objects name it
	Contact     string
	Collections []Collection
	// Admit says who asks, nil for nobody who may.
	Admit func(*http.Request) *Reader
}

// Server serves below /taxii2/.
type Server struct {
	cfg Config
	mux *http.ServeMux

	mu   sync.Mutex
	made map[string]*made // by collection
}

// made is what a collection holds as objects.
type made struct {
	version uint64
	list    []entry
}

// entry is one object and its place.
type entry struct {
	object feed.Object
	added  int64
}

const root = "/taxii2/api/"

// NewServer makes one.
func NewServer(cfg Config) *Server {
	s := &Server{cfg: cfg, mux: http.NewServeMux(), made: map[string]*made{}}
	for pattern, h := range map[string]func(w http.ResponseWriter, r *http.Request, who *Reader){
		"/taxii2/{$}":                                     s.discovery,
		root + "{$}":                                      s.root,
		root + "collections/{$}":                          s.collections,
		root + "collections/{c}/{$}":                      s.collection,
		root + "collections/{c}/manifest/{$}":             s.manifest,
		root + "collections/{c}/objects/{$}":              s.objects,
		root + "collections/{c}/objects/{o}/{$}":          s.objects,
		root + "collections/{c}/objects/{o}/versions/{$}": s.versions,
	} {
		s.mux.HandleFunc(pattern, s.guarded(h))
	}
	s.mux.HandleFunc("/", s.guarded(func(w http.ResponseWriter, _ *http.Request, _ *Reader) {
		fault(w, http.StatusNotFound, "there is nothing here")
	}))
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// guarded lets nobody in without a token, and answers only in the form that is
// asked for.
func (s *Server) guarded(h func(http.ResponseWriter, *http.Request, *Reader)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		who := s.cfg.Admit(r)
		switch {
		case who == nil:
			w.Header().Set("WWW-Authenticate", `Basic realm="taxii", charset="UTF-8", Bearer realm="taxii"`)
			fault(w, http.StatusUnauthorized, "a token is needed: as the password, or as a bearer")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			if r.Method == http.MethodPost || r.Method == http.MethodDelete {
				fault(w, http.StatusForbidden, "collections here are only read")
				return
			}
			fault(w, http.StatusMethodNotAllowed, "collections here are only read")
		case !accepts(r.Header.Values("Accept")):
			fault(w, http.StatusNotAcceptable, "this server speaks "+MediaType)
		case r.Header.Get("Range") != "":
			fault(w, http.StatusRequestedRangeNotSatisfiable, "TAXII 2.1 turns pages by limit and next, not by ranges")
		default:
			h(w, r, who)
		}
	}
}

// accepts reports whether one of the forms asked for is ours.
func accepts(heads []string) bool {
	if len(heads) == 0 {
		return true
	}
	for one := range strings.SplitSeq(strings.Join(heads, ","), ",") {
		t, params, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(one, " ", "")), ";")
		if t != "application/taxii+json" && t != "application/*" && t != "*/*" {
			continue
		}
		good := true
		for p := range strings.SplitSeq(params, ";") {
			if v, ok := strings.CutPrefix(p, "version="); ok {
				good = strings.Trim(v, `"`) == "2.1"
			}
		}
		if good {
			return true
		}
	}
	return false
}

func fault(w http.ResponseWriter, status int, title string) {
	answerAs(w, status, map[string]string{"title": title, "http_status": strconv.Itoa(status)})
}

func answerAs(w http.ResponseWriter, status int, x any) {
	w.Header().Set("Content-Type", MediaType)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(x) // who asked is gone
}

func (s *Server) discovery(w http.ResponseWriter, r *http.Request, _ *Reader) {
	answerAs(w, http.StatusOK, map[string]any{"title": "Xiezhi", "description": "what " + s.cfg.Who + " knows of those who attack its APIs", "contact": s.cfg.Contact, "default": base(r) + root, "api_roots": []string{base(r) + root}})
}

func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Server) root(w http.ResponseWriter, _ *http.Request, _ *Reader) {
	answerAs(w, http.StatusOK, map[string]any{"title": s.cfg.Who, "versions": []string{MediaType}, "max_content_length": 1})
}

func about(c *Collection) map[string]any {
	return map[string]any{"id": c.ID, "title": c.Title, "description": c.About, "can_read": true, "can_write": false, "media_types": []string{STIXType}}
}

func (s *Server) collections(w http.ResponseWriter, _ *http.Request, who *Reader) {
	list := []any{}
	for i := range s.cfg.Collections {
		if c := &s.cfg.Collections[i]; who.May(c.ID) {
			list = append(list, about(c))
		}
	}
	answerAs(w, http.StatusOK, map[string]any{"collections": list})
}

// named finds the collection of a request. One that may not be read is not there.
func (s *Server) named(w http.ResponseWriter, r *http.Request, who *Reader) *Collection {
	i := slices.IndexFunc(s.cfg.Collections, func(c Collection) bool { return c.ID == r.PathValue("c") })
	if i < 0 || !who.May(s.cfg.Collections[i].ID) {
		fault(w, http.StatusNotFound, "there is no such collection")
		return nil
	}
	return &s.cfg.Collections[i]
}

func (s *Server) collection(w http.ResponseWriter, r *http.Request, who *Reader) {
	if c := s.named(w, r, who); c != nil {
		answerAs(w, http.StatusOK, about(c))
	}
}

// entries gives the objects of a collection by time of addition.
func (s *Server) entries(c *Collection) []entry {
	shared, version := c.Shared()
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.made[c.ID]; m != nil && m.version == version {
		return m.list
	}
	m := &made{version: version}
	for i := range shared {
		x := &shared[i]
		for _, o := range feed.ObjectsOf(&x.Row, feed.Out{Who: s.cfg.Who}, x.Revoked) {
			if o.Type == "identity" && i > 0 {
				continue // once is enough
			}
			m.list = append(m.list, entry{o, x.Added})
		}
	}
	slices.SortStableFunc(m.list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.added, b.added), strings.Compare(a.object.ID, b.object.ID))
	})
	s.made[c.ID] = m
	return m.list
}

// page is what a request asks for of a list.
type page struct {
	list []entry
	more bool
	next string
}

// envelope is what holds a page; one without anything is empty.
func (p *page) envelope() map[string]any {
	out := map[string]any{}
	if p.more {
		out["more"], out["next"] = true, p.next
	}
	return out
}

// paged reads what is asked for; false after a fault.
func (s *Server) paged(w http.ResponseWriter, r *http.Request, c *Collection) (p page, ok bool) {
	q := r.URL.Query()
	limit, at := DefaultPage, place{}
	if t := q.Get("limit"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 {
			fault(w, http.StatusBadRequest, "limit is a number from 1")
			return p, false
		}
		limit = min(n, MaxPage)
	}
	if t := q.Get("added_after"); t != "" {
		when, err := time.Parse(time.RFC3339Nano, t)
		if y := when.Year(); err != nil || y < 1970 || y > 2200 {
			fault(w, http.StatusBadRequest, "added_after is a time as 2026-01-02T15:04:05.000000Z")
			return p, false
		}
		at = place{when.UnixNano(), "~"} // behind every id of that time
	}
	if t := q.Get("next"); t != "" {
		var err error
		if at, err = parsePlace(t); err != nil {
			fault(w, http.StatusBadRequest, "next is what the page before gave")
			return p, false
		}
	}
	for _, e := range s.entries(c) {
		if !at.before(&e) || !matches(&e.object, q, r.PathValue("o")) {
			continue
		}
		if len(p.list) == limit {
			p.more = true
			break
		}
		p.list = append(p.list, e)
	}
	if n := len(p.list); n > 0 {
		w.Header().Set("X-TAXII-Date-Added-First", stamped(p.list[0].added))
		w.Header().Set("X-TAXII-Date-Added-Last", stamped(p.list[n-1].added))
		if p.more {
			p.next = place{p.list[n-1].added, p.list[n-1].object.ID}.String()
		}
	}
	return p, true
}

// place is the last object of a page.
type place struct {
	added int64
	id    string
}

// before reports whether an entry comes behind the place: those of one time are
// in the order of their ids.
func (p place) before(e *entry) bool {
	return e.added > p.added || e.added == p.added && e.object.ID > p.id
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.added, 10) + " " + p.id))
}

func parsePlace(s string) (p place, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return p, err
	}
	at, id, _ := strings.Cut(string(b), " ")
	p.id = id
	p.added, err = strconv.ParseInt(at, 10, 64)
	return p, err
}

// matches holds an object against match[...]: an object has one version here.
func matches(o *feed.Object, q map[string][]string, id string) bool {
	among := func(name string, is func(v string) bool) bool {
		list, ok := q["match["+name+"]"]
		if !ok {
			return true
		}
		for v := range strings.SplitSeq(strings.Join(list, ","), ",") {
			if is(v) {
				return true
			}
		}
		return false
	}
	return (id == "" || o.ID == id) &&
		among("id", func(v string) bool { return v == o.ID }) &&
		among("type", func(v string) bool { return v == o.Type }) &&
		among("spec_version", func(v string) bool { return v == "2.1" }) &&
		among("version", func(v string) bool {
			return v == "all" || v == "last" || v == "first" || v == o.Modified
		})
}

func (s *Server) objects(w http.ResponseWriter, r *http.Request, who *Reader) {
	c := s.named(w, r, who)
	if c == nil {
		return
	}
	p, ok := s.paged(w, r, c)
	if !ok {
		return
	}
	if r.PathValue("o") != "" && len(p.list) == 0 {
		fault(w, http.StatusNotFound, "there is no such object")
		return
	}
	out := p.envelope()
	if len(p.list) > 0 {
		list := make([]feed.Object, len(p.list))
		for i := range p.list {
			list[i] = p.list[i].object
		}
		out["objects"] = list
	}
	answerAs(w, http.StatusOK, out)
}

func (s *Server) manifest(w http.ResponseWriter, r *http.Request, who *Reader) {
	c := s.named(w, r, who)
	if c == nil {
		return
	}
	p, ok := s.paged(w, r, c)
	if !ok {
		return
	}
	out := p.envelope()
	list := []any{}
	for i := range p.list {
		e := &p.list[i]
		list = append(list, map[string]string{"id": e.object.ID, "date_added": stamped(e.added), "version": e.object.Modified, "media_type": STIXType})
	}
	if len(list) > 0 {
		out["objects"] = list
	}
	answerAs(w, http.StatusOK, out)
}

func (s *Server) versions(w http.ResponseWriter, r *http.Request, who *Reader) {
	c := s.named(w, r, who)
	if c == nil {
		return
	}
	p, ok := s.paged(w, r, c)
	switch {
	case !ok:
	case len(p.list) == 0:
		fault(w, http.StatusNotFound, "there is no such object")
	default:
		answerAs(w, http.StatusOK, map[string]any{"versions": []string{p.list[0].object.Modified}})
	}
}
