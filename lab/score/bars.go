package score

import "fmt"

// Bars are what a report must reach. A zero bar asks for nothing.
type Bars struct {
	Figures              bool
	Precision, Recall    float64 // of every kind
	Purity, Completeness float64 // of campaigns, by requests and by attacks
	Defects              float64
}

// Below lists what is below its bar. Bars about exchanges are not held against
// a result that did not compare them.
func (r *Result) Below(b Bars) []string {
	var out []string
	low := func(what string, got, bar float64) {
		if got < bar {
			out = append(out, fmt.Sprintf("%s %.4f, bar %.4f", what, got, bar))
		}
	}
	if b.Figures {
		for _, f := range r.Figures {
			if !f.Equal {
				out = append(out, fmt.Sprintf("%s differs from the truth in %d cells", f.Name, len(f.Differences)))
			}
		}
	}
	if e := r.Exchanges; e != nil {
		for _, k := range e.Kinds {
			low("precision of "+k.Kind, k.Precision, b.Precision)
			if k.Truth > 0 {
				low("recall of "+k.Kind, k.Recall, b.Recall)
			}
		}
		low("purity of campaigns by requests", e.ByRequests.Purity, b.Purity)
		low("completeness of campaigns by requests", e.ByRequests.Completeness, b.Completeness)
		low("purity of campaigns by attacks", e.ByAttacks.Purity, b.Purity)
		low("completeness of campaigns by attacks", e.ByAttacks.Completeness, b.Completeness)
	}
	low("defects found", r.Defects.Recall(), b.Defects)
	return out
}
