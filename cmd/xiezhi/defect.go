package main

import (
	"strings"

	"github.com/spf13/cobra"

	"xiezhi/internal/report"
)

func (a *app) defect() *cobra.Command {
	c := &cobra.Command{Use: "defect", Short: "List defects, show one with its evidence and advice", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("defect: name what to do, as in defect list --report run.json")
		}}
	c.AddCommand(a.defectList(), a.defectShow())
	return c
}

// byID gives the APIs of a report by their ids.
func byID(r *report.Report) map[string]*report.API {
	out := make(map[string]*report.API, len(r.APIs))
	for i := range r.APIs {
		out[r.APIs[i].ID] = &r.APIs[i]
	}
	return out
}

func (a *app) defectList() *cobra.Command {
	var f apiFlags
	var all bool
	c := &cobra.Command{
		Use:     "list [--report RUN.json | FILE|DIR|GLOB|- ...]",
		Short:   "List the defects of a report or of traffic, the gravest first",
		Example: "  xiezhi defect list --report run.json\n  xiezhi defect list --all -o json --report run.json",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		r, msgs, failed, err := a.apis(cmd, &f, args, nil)
		if err != nil {
			return err
		}
		apis, list := byID(r), []report.Defect{}
		for _, d := range r.Defects {
			if x := apis[d.API]; (all || !d.Closed()) && (f.site == "" || x != nil && x.Site == f.site) {
				list = append(list, d)
			}
		}
		if f.output == "json" {
			err = a.printJSON(list)
		} else {
			err = report.DefectList(a.stdout, list, apis, a.lang, msgs)
		}
		return done(err, failed)
	}
	f.register(c, true)
	c.Flags().BoolVar(&all, "all", false, "list what is fixed, accepted or false, too")
	return c
}

func (a *app) defectShow() *cobra.Command {
	var f apiFlags
	c := &cobra.Command{
		Use:     "show ID [--report RUN.json | FILE|DIR|GLOB|- ...]",
		Short:   "Show one defect: why it is one, how it is rated, what to do, what became of it",
		Example: "  xiezhi defect show 3f2a9c0d11e8b7aa --report run.json",
		Args:    someArgs("defect show: name a defect by its id; defect list gives it"),
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		r, msgs, failed, err := a.apis(cmd, &f, args[1:], nil)
		if err != nil {
			return err
		}
		apis := byID(r)
		for i := range r.Defects {
			d := &r.Defects[i]
			if x := apis[d.API]; !strings.EqualFold(d.ID, args[0]) || f.site != "" && (x == nil || x.Site != f.site) {
				continue
			}
			if f.output == "json" {
				return done(a.printJSON(d), failed)
			}
			return done(report.DefectDetail(a.stdout, d, apis[d.API], a.lang, msgs), failed)
		}
		return usagef("defect show: no defect is %q; defect list gives ids", args[0])
	}
	f.register(c, true)
	return c
}
