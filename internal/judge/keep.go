package judge

import (
	"io"
	"reflect"

	"xiezhi/internal/judge/snapshot"
	"xiezhi/internal/message"
	"xiezhi/internal/rule/scenario"
)

// codec gives what saves and restores judges of this configuration.
func (j *Judge) codec() (*snapshot.Codec, error) {
	out := []snapshot.External{
		{Name: "messages", Pointer: j.cfg.Messages},
		{Name: "zone", Pointer: j.cfg.Site.Location},
		{Name: "scenarios", Pointer: j.cfg.Scenarios},
		{Name: "scenario", Pointer: (*scenario.Rule)(nil)}, // the type is external, whatever is loaded
	}
	for _, r := range j.cfg.Scenarios.Rules() {
		out = append(out, snapshot.External{Name: "scenario " + r.Name, Pointer: r})
	}
	return snapshot.New(j.parts(), out, held...)
}

// held is what reasons hold to fill texts with.
var held = []reflect.Type{
	reflect.TypeFor[string](), reflect.TypeFor[message.Text](), reflect.TypeFor[float64](),
	reflect.TypeFor[int](), reflect.TypeFor[int64](), reflect.TypeFor[uint64](), reflect.TypeFor[uint32](),
}

// parts are what is made anew before a state is restored into it.
func (j *Judge) parts() []any {
	return append([]any{j, j.identity, j.catalog, j.attacks}, j.auditor.Parts()...)
}

// Save writes the state of the judge, from which Restore goes on.
func (j *Judge) Save(w io.Writer) error {
	c, err := j.codec()
	if err != nil {
		return err
	}
	return c.Save(w, j.parts()...)
}

// Restore gives a judge that goes on where the saved one stood. cfg is what
// that one was configured by; decisions that traffic had not reached are the
// saved ones.
func Restore(cfg Config, r io.Reader) (*Judge, error) {
	j := New(cfg)
	c, err := j.codec()
	if err != nil {
		return nil, err
	}
	if err := c.Restore(r, j.parts()...); err != nil {
		return nil, err
	}
	return j, nil
}

// Config gives what the judge was made of.
func (j *Judge) Config() Config { return j.cfg }
