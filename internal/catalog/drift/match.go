package drift

import (
	"strings"

	"xiezhi/internal/catalog/openapi"
)

// operation is an operation of a file under one of the paths where it may
// stand.
type operation struct {
	spec *openapi.Spec
	*openapi.Operation
	at int // position among all operations
}

// tree finds the operation that a template belongs to. Names of parameters do
// not matter: {id} is {user_id}.
type tree struct {
	words map[string]*tree
	mixed []mixed // segments that hold a parameter and more
	param *tree
	ends  map[string]*operation // by method
}

type mixed struct {
	before, after string
	to            *tree
}

func (t *tree) add(segs []string, method string, o *operation) {
	for _, s := range segs {
		t = t.child(s)
	}
	if t.ends == nil {
		t.ends = map[string]*operation{}
	}
	if t.ends[method] == nil {
		t.ends[method] = o
	}
}

func (t *tree) child(s string) *tree {
	open, end := strings.IndexByte(s, '{'), strings.LastIndexByte(s, '}')
	switch {
	case open < 0 || end < open:
		if t.words == nil {
			t.words = map[string]*tree{}
		}
		if t.words[s] == nil {
			t.words[s] = &tree{}
		}
		return t.words[s]
	case open == 0 && end == len(s)-1:
		if t.param == nil {
			t.param = &tree{}
		}
		return t.param
	}
	before, after := s[:open], s[end+1:]
	for i := range t.mixed {
		if m := &t.mixed[i]; m.before == before && m.after == after {
			return m.to
		}
	}
	t.mixed = append(t.mixed, mixed{before, after, &tree{}})
	return t.mixed[len(t.mixed)-1].to
}

// found is a match with how good it is: the sum over the segments, a word that
// is a word being worth most.
type found struct {
	op    *operation
	score int
}

// What a pair of segments is worth.
const (
	wordIsWord   = 8
	paramIsParam = 6
	mixedIsAlike = 5
	wordIsValue  = 2 // a word learned from traffic may be a value of the parameter
	paramIsWord  = 0 // and a parameter may stand for words of the file
)

// maxVisits bounds one search.
const maxVisits = 4096

func (t *tree) find(segs []string, method string) (best found) {
	visits := maxVisits
	best.score = -1
	t.search(segs, method, 0, &visits, &best)
	return best
}

func (t *tree) search(segs []string, method string, score int, visits *int, best *found) {
	if *visits--; *visits < 0 {
		return
	}
	if len(segs) == 0 {
		if o := t.ends[method]; o != nil && (score > best.score || score == best.score && o.at < best.op.at) {
			best.op, best.score = o, score
		}
		return
	}
	s, rest := segs[0], segs[1:]
	open, end := strings.IndexByte(s, '{'), strings.LastIndexByte(s, '}')
	isParam := open >= 0 && end > open
	if !isParam {
		if n := t.words[s]; n != nil {
			n.search(rest, method, score+wordIsWord, visits, best)
		}
		for i := range t.mixed {
			m := &t.mixed[i]
			if len(s) > len(m.before)+len(m.after) && strings.HasPrefix(s, m.before) && strings.HasSuffix(s, m.after) {
				m.to.search(rest, method, score+wordIsValue, visits, best)
			}
		}
		if t.param != nil {
			t.param.search(rest, method, score+wordIsValue, visits, best)
		}
		return
	}
	whole := open == 0 && end == len(s)-1
	if t.param != nil {
		t.param.search(rest, method, score+paramIsParam, visits, best)
	}
	for i := range t.mixed {
		m := &t.mixed[i]
		if whole || s[:open] == m.before && s[end+1:] == m.after {
			m.to.search(rest, method, score+mixedIsAlike, visits, best)
		}
	}
	if whole {
		for _, n := range t.words {
			n.search(rest, method, score+paramIsWord, visits, best)
		}
	}
}

// segments splits a path; empty segments do not distinguish.
func segments(path string) []string {
	out := make([]string, 0, 8)
	for _, s := range strings.Split(path, "/") {
		if s == "" {
			continue
		}
		// a verb behind the resource is a segment of the catalogue's, too
		if i := strings.LastIndexByte(s, ':'); i > 0 && s[i-1] == '}' {
			out = append(out, s[:i], s[i:])
			continue
		}
		out = append(out, s)
	}
	return out
}
