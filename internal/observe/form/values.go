package form

import (
	"slices"
	"strings"
)

// How often and by how many a word must have been used before it is given out,
// and how few of them a field may hold.
const (
	minSaid        = 20 // samples in which the field held a word
	minClients     = 5
	minSaidEach    = 3
	minClientsEach = 3
	maxValues      = 8
)

// Values gives the words that a field holds, sorted, from forms that have it.
// It gives none when the field held anything else, too few samples are there,
// too many words, or a word that only few used.
func Values(forms []*Form, path string) []string {
	type usage struct {
		n       int
		clients map[uint64]struct{}
	}
	said := map[string]*usage{}
	clients := map[uint64]struct{}{}
	total := 0
	for _, f := range forms {
		at, ok := f.find(path)
		if !ok {
			continue
		}
		for ; at < len(f.Fields) && f.Fields[at].Path == path; at++ {
			if x := &f.Fields[at]; x.Secret || x.Bits&^(Word|Empty|Null|Places) != 0 {
				return nil
			}
			for i := range f.Samples {
				s := &f.Samples[i]
				for _, w := range s.Words {
					if int(w.Field) != at {
						continue
					}
					u := said[w.Text]
					if u == nil {
						if len(said) >= maxValues {
							return nil
						}
						u = &usage{clients: map[uint64]struct{}{}}
						said[strings.Clone(w.Text)] = u
					}
					total++
					u.n++
					u.clients[s.Client] = struct{}{}
					clients[s.Client] = struct{}{}
				}
			}
		}
	}
	if total < minSaid || len(said) < 2 || len(clients) < minClients {
		return nil
	}
	out := make([]string, 0, len(said))
	for w, u := range said {
		if u.n < minSaidEach || len(u.clients) < minClientsEach {
			return nil
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}
