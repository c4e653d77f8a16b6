package observe

import (
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/observe/jsonleaf"
)

// Verdict is what a small answer says by yes or no. {"registered":true} and
// {"registered":false} have one status, one code, no message and one schema;
// only the value tells them apart.
type Verdict struct {
	Hash  uint64       // over the paths and values of the fields; of the one that tells of an account alone, if there is one; 0: no verdict
	Field string       // path of that field, else of the first; empty when the answer is the bare value
	Yes   bool         // its value
	Says  MessageClass // SaysRegistered or SaysNotRegistered by its name; 0 when the name says neither
}

const (
	maxVerdictLeaves = 16 // leaves of an answer that is small
	maxVerdicts      = 3  // yes or no fields of an answer that is a verdict; more describe something
	maxVerdictValue  = 5  // bytes of the longest word for yes or no
)

// verdictField is one yes or no of the answer being read.
type verdictField struct {
	hash  uint64
	field *fieldEntry
	yes   bool
}

type verdicts struct {
	leaves int
	n      int
	list   [maxVerdicts]verdictField
	over   bool
}

// verdictLeaf takes a leaf whose value may be yes or no.
func (o *Observer) verdictLeaf(path uint64, f *fieldEntry, k jsonleaf.Kind, v []byte) {
	r := &o.response.verdicts
	if r.leaves > maxVerdictLeaves || r.over || f.code != 0 && f.verdict == 0 && !o.cfg.Names.verdictCodes.exact[f.normal] || o.walker.InArray() {
		return
	}
	var yes bool
	switch {
	case k == jsonleaf.Bool:
		yes = v[0] == 't'
	case k == jsonleaf.Int && len(v) == 1 && v[0]>>1 == '0'>>1 && f.traits&traitIdentifier == 0:
		yes = v[0] == '1'
	case k == jsonleaf.String && (f.message == 0 || f.message&weakMessage != 0):
		var buf [maxVerdictValue]byte
		w := lower(buf[:0], v)
		if yes = o.cfg.Names.yes[string(w)]; !yes && !o.cfg.Names.no[string(w)] {
			return
		}
	default:
		return
	}
	if r.n == maxVerdicts {
		if f.verdict == 0 {
			r.over = true
			return
		}
		r.n-- // a field that tells is worth more than one that does not
	}
	bit := uint64(1)
	if yes {
		bit = 2
	}
	r.list[r.n] = verdictField{mix(path^bit, shapeSeed), f, yes}
	r.n++
}

// takeVerdict reports what the answer says by yes or no.
func (o *Observer) takeVerdict() {
	r := &o.response.verdicts
	if o.o.RespKind == BodyText && r.leaves == 0 {
		o.bareVerdict()
		return
	}
	if r.n == 0 || r.leaves > maxVerdictLeaves || o.o.Records > 0 {
		return
	}
	var first *verdictField
	hash := uint64(0)
	for i := range r.list[:r.n] {
		x := &r.list[i]
		if o.response.codeField != "" && x.field.name == o.response.codeField {
			continue // it is the code
		}
		if x.field.verdict != 0 {
			v := Verdict{Hash: max(x.hash, 1), Field: x.field.name, Yes: x.yes, Says: SaysNotRegistered}
			if x.yes == (x.field.verdict > 0) {
				v.Says = SaysRegistered
			}
			o.o.Verdict = v
			return
		}
		if first == nil {
			first = x
		}
		hash += x.hash
	}
	if first != nil && !r.over {
		o.o.Verdict = Verdict{Hash: max(hash, 1), Field: first.field.name, Yes: first.yes}
	}
}

// bareVerdict takes an answer that is yes or no and nothing else.
func (o *Observer) bareVerdict() {
	v := o.response.msg
	if len(v) == 0 || len(v) > maxVerdictValue {
		return
	}
	var buf [maxVerdictValue]byte
	w := lower(buf[:0], v)
	switch {
	case o.cfg.Names.yes[string(w)]:
		o.o.Verdict = Verdict{Hash: mix(2, shapeSeed), Yes: true}
	case o.cfg.Names.no[string(w)]:
		o.o.Verdict = Verdict{Hash: mix(1, shapeSeed)}
	}
}

// verdictOf says what yes means under a field name: +1 the account exists, -1
// it does not, 0 neither.
func (n *Names) verdictOf(name string) int8 {
	switch {
	case n.registered.exact[name]:
		return 1
	case n.unregistered.exact[name]:
		return -1
	}
	return 0
}

type verdictsFile struct {
	Version      int                 `yaml:"version"`
	Registered   []string            `yaml:"registered"`
	Unregistered []string            `yaml:"unregistered"`
	Yes          []string            `yaml:"yes"`
	No           []string            `yaml:"no"`
	Codes        []string            `yaml:"codes"`
	Match        map[string][]string `yaml:"match"`
	Pass         []string            `yaml:"pass"`
}

// loadVerdicts reads verdicts.yaml into n.
func (n *Names) loadVerdicts(fsys fs.FS) (*verdictsFile, error) {
	const file = "verdicts.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	var f verdictsFile
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(f.Registered) == 0 || len(f.Unregistered) == 0 || len(f.Yes) == 0 || len(f.No) == 0 {
		return nil, fmt.Errorf("%s: a list is missing", file)
	}
	n.registered, n.unregistered = newMatcher(f.Registered), newMatcher(f.Unregistered)
	n.yes, n.no, n.verdictCodes = set(f.Yes), set(f.No), newMatcher(f.Codes)
	for w := range n.registered.exact {
		if n.unregistered.exact[w] {
			return nil, fmt.Errorf("%s: %q means both", file, w)
		}
	}
	return &f, nil
}
