package score

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print writes the result for people.
func (r *Result) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FIGURE\tEQUAL\tDIFFERENCES (truth, report)")
	for _, f := range r.Figures {
		var cells []string
		for _, d := range f.Differences {
			cells = append(cells, fmt.Sprintf("%s %d %d", d.Cell, d.Want, d.Got))
		}
		fmt.Fprintf(w, "%s\t%v\t%s\n", f.Name, f.Equal, strings.Join(cells, ", "))
	}
	if e := r.Exchanges; e != nil {
		fmt.Fprintln(w, "\nKIND\tEXCHANGES\tRIGHT\tWRONG\tPRECISION\tRECALL")
		for _, k := range e.Kinds {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.4f\t%.4f\n", k.Kind, k.Truth, k.Right, k.Wrong, k.Precision, k.Recall)
		}
		fmt.Fprintf(w, "\nhonest exchanges attributed\t%d\n", e.HonestAttributed)
		fmt.Fprintf(w, "attacks found\t%d of %d\n", e.Found, e.Of)
		fmt.Fprintf(w, "campaigns, by requests\tpurity %.4f\tcompleteness %.4f\n", e.ByRequests.Purity, e.ByRequests.Completeness)
		fmt.Fprintf(w, "campaigns, by attacks\tpurity %.4f\tcompleteness %.4f\n", e.ByAttacks.Purity, e.ByAttacks.Completeness)
		if len(e.Attacks) > 0 {
			fmt.Fprintln(w, "\nATTACK NOT WHOLLY RIGHT\tREQUESTS\tMISSED\tPIECES\tAS")
		}
		for _, a := range e.Attacks {
			var as []string
			for _, k := range slices.Sorted(maps.Keys(a.As)) {
				as = append(as, fmt.Sprintf("%s %d", k, a.As[k]))
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", a.ID, a.Requests, a.Missed, a.Pieces, strings.Join(as, ", "))
		}
	} else {
		fmt.Fprintln(w, "\nexchanges and campaigns\tnot compared: they need --attributed and --labels")
	}
	fmt.Fprintf(w, "\ndefects found\t%d of %d\n", r.Defects.Found, r.Defects.Seeded)
	for _, m := range r.Defects.Missed {
		fmt.Fprintf(w, "  missed\t%s\n", m)
	}
	for _, m := range r.Defects.Others {
		fmt.Fprintf(w, "  not seeded\t%s\n", m)
	}
	return w.Flush()
}
