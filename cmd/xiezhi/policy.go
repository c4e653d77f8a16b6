package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/engine"
	"xiezhi/internal/policy"
)

// loadPolicy reads the policy file; no name gives none.
func loadPolicy(name string) (*policy.File, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("read the policy: %w", err)
	}
	p, err := policy.Parse(name, data)
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

func (a *app) policy() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Work with the policy file: public APIs, approvals, verdicts, fixes, rules, data types", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("policy: name what to do, as in policy check FILE")
		}}
	c.AddCommand(&cobra.Command{
		Use:   "check FILE",
		Short: "Check a policy file and name what is wrong with its place",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("policy check: name one file")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := loadPolicy(args[0])
			if err != nil {
				return err
			}
			if _, _, err := engine.CheckRules(p); err != nil {
				return usageError{err}
			}
			_, err = fmt.Fprintf(a.stderr, "%s: in order: %d public, %d approvals, %d verdicts, %d fixes, %d rules, %d data types, %d edits of templates\n", args[0], len(p.Public), len(p.Approvals), len(p.Verdicts), len(p.Fixes), len(p.Rules), len(p.DataTypes), len(p.Templates))
			if err != nil {
				return err
			}
			return a.explainEdits(p)
		},
	})
	return c
}

// explainEdits says what each edit of the catalogue does.
func (a *app) explainEdits(p *policy.File) error {
	for i := range p.Templates {
		t := &p.Templates[i]
		what := ""
		switch t.Edit {
		case policy.EditSplit:
			what = "stays an API of its own; its literals are never values"
		case policy.EditMerge:
			what = "gathers whatever stands at its parameters, but for literals that another edit names"
		case policy.EditRename:
			what = "calls its parameters so"
			if t.Title != "" {
				what = fmt.Sprintf("is called %q", t.Title)
			}
		case policy.EditRole:
			what = "has the role " + string(t.Role)
		}
		since := "from the beginning"
		if !t.At.IsZero() {
			since = "from " + t.At.Format(time.RFC3339) + " on"
		}
		if _, err := fmt.Fprintf(a.stderr, "templates[%d]: %s: %s %s, %s\n", i, t.Edit, t.Template, what, since); err != nil {
			return err
		}
	}
	return nil
}
