package policy

import (
	"fmt"
	"strings"
	"time"

	"xiezhi/internal/taxonomy"
	"xiezhi/internal/yamlfile"
)

// Caps of a policy file; a larger one is refused.
const (
	MaxBytes   = 4 << 20
	MaxEntries = 10_000
	maxReason  = 1000 // bytes
)

// falsePositiveLife is how long "not a defect" holds when no end is given: code
// changes, and a verdict about it grows old.
const falsePositiveLife = 180 * 24 * time.Hour

// Parse reads a policy file strictly: an unknown field, a wrong type or an
// entry that means nothing is an error with its place. Half a policy is worse
// than none, so one bad entry refuses the file.
func Parse(name string, data []byte) (*File, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s: %d bytes are more than the %d a policy may have", name, len(data), MaxBytes)
	}
	var f File
	if err := yamlfile.Decode(name, data, &f); err != nil {
		return nil, err
	}
	if f.Version != Version {
		return nil, fmt.Errorf("%s: version: %d is not %d; begin the file with version: %d", name, f.Version, Version, Version)
	}
	if n := len(f.Public) + len(f.Approvals) + len(f.Verdicts) + len(f.Fixes) + len(f.Templates); n > MaxEntries {
		return nil, fmt.Errorf("%s: %d entries are more than the %d a policy may have", name, n, MaxEntries)
	}
	if err := checkTypes(f.DataTypes); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := checkRules(f.Rules); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i := range f.Public {
		p := &f.Public[i]
		if err := check(&p.Decision, &p.Target); err != nil {
			return nil, fmt.Errorf("%s: public[%d]: %w", name, i, err)
		}
		if p.Template == "" {
			return nil, fmt.Errorf("%s: public[%d]: template: name the API, or /** for a whole host", name, i)
		}
	}
	for i := range f.Approvals {
		p := &f.Approvals[i]
		err := check(&p.Decision, &p.Target)
		if err == nil {
			err = p.check()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: approvals[%d]: %w", name, i, err)
		}
	}
	for i := range f.Verdicts {
		v := &f.Verdicts[i]
		err := check(&v.Decision, &v.Target)
		if err == nil {
			err = v.check()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: verdicts[%d]: %w", name, i, err)
		}
	}
	for i := range f.Templates {
		t := &f.Templates[i]
		err := check(&t.Decision, &t.Target)
		if err == nil {
			err = t.check()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: templates[%d]: %w", name, i, err)
		}
	}
	if err := conflicts(f.Templates); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i := range f.Fixes {
		x := &f.Fixes[i]
		err := check(&x.Decision, &x.Target)
		if err == nil {
			err = x.Match.check()
		}
		if err == nil && x.At.IsZero() {
			err = fmt.Errorf("at: say when it was fixed; traffic after that time has to show it")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: fixes[%d]: %w", name, i, err)
		}
	}
	if len(f.Response) > MaxResponses {
		return nil, fmt.Errorf("%s: %d entries in response are more than the %d a policy may have", name, len(f.Response), MaxResponses)
	}
	for i := range f.Response {
		if err := f.Response[i].check(); err != nil {
			return nil, fmt.Errorf("%s: response[%d]: %w", name, i, err)
		}
	}
	f.Name = name
	return &f, nil
}

func check(d *Decision, t *Target) error {
	switch {
	case !d.Expires.IsZero() && !d.At.IsZero() && !d.Expires.After(d.At):
		return fmt.Errorf("expires: %s is not after at: %s", d.Expires.Format(time.RFC3339), d.At.Format(time.RFC3339))
	case len(d.Reason) > maxReason || len(d.By) > maxReason:
		return fmt.Errorf("by, reason: at most %d bytes each", maxReason)
	case t.Template != "" && t.Template[0] != '/':
		return fmt.Errorf("template: %q does not begin with /", t.Template)
	case strings.Contains(strings.TrimSuffix(t.Template, "/**"), "*") || strings.Contains(strings.TrimPrefix(t.Host, "*."), "*"):
		return fmt.Errorf("a star may stand at the end of a template (/**) and in front of a host (*.name) only")
	}
	t.Host = strings.ToLower(t.Host)
	return nil
}

func (a *Approval) check() error {
	switch a.Kind {
	case "export", "partner", "scanner":
	default:
		return fmt.Errorf("kind: %q is none of export, partner, scanner", a.Kind)
	}
	if a.Reason == "" {
		return fmt.Errorf("reason: say why this is permitted")
	}
	var err error
	if a.Clients, err = prefixes("clients", a.Networks); err != nil {
		return err
	}
	for _, k := range a.Kinds {
		if taxonomy.ClassOf[k] == "" {
			return fmt.Errorf("kinds: %q is no kind of defect", k)
		}
	}
	return nil
}

func (m *Match) check() error {
	switch {
	case m.Defect == "" && m.Kind == "":
		return fmt.Errorf("name the finding by defect: ID (as the report has it) or by its kind")
	case m.Kind != "" && taxonomy.ClassOf[m.Kind] == "":
		return fmt.Errorf("kind: %q is no kind of defect", m.Kind)
	}
	return nil
}

func (v *Verdict) check() error {
	if err := v.Match.check(); err != nil {
		return err
	}
	if v.Reason == "" {
		return fmt.Errorf("reason: a verdict needs one")
	}
	switch v.Verdict {
	case taxonomy.Established:
	case taxonomy.FalsePositive:
		v.Decision = v.Ends(falsePositiveLife)
	case taxonomy.AcceptedRisk:
		if v.Expires.IsZero() {
			return fmt.Errorf("expires: a risk is accepted until a day; give one")
		}
	default:
		return fmt.Errorf("verdict: %q is none of confirmed, accepted_risk, false_positive", v.Verdict)
	}
	return nil
}
