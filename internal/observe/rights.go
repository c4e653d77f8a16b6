package observe

import (
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/sketch"
)

// Right is a property of an account that its owner is not to set, in a request
// or in an answer: a role, a level, a balance. Its value is a token.
type Right struct {
	Path     string
	Key      uint64 // of the property's name in any spelling, wherever it stands
	Token    uint64
	Shape    string
	Response bool
	Record   uint32 // of the response: as in Leaf
}

func loadRights(fsys fs.FS) (names matcher, match, pass []string, err error) {
	const file = "rights.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return names, nil, nil, err
	}
	var doc struct {
		Names []string `yaml:"names"`
		Match []string `yaml:"match"`
		Pass  []string `yaml:"pass"`
	}
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return names, nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.Names) == 0 {
		return names, nil, nil, fmt.Errorf("%s: names is empty; give at least one", file)
	}
	return newMatcher(doc.Names), doc.Match, doc.Pass, nil
}

// maxRight is how long the value of such a property is at most.
const maxRight = 64

// rightLeaf keeps the value of a property that is a right.
func (o *Observer) rightLeaf(f *fieldEntry, k ValueType, response bool, v []byte) {
	if len(v) == 0 || len(v) > maxRight || k == TypeNull || k == TypeNone {
		return
	}
	list := o.out.rights.open()
	if len(list) >= MaxRights {
		o.over(1)
		return
	}
	r := Right{Path: f.name, Key: sketch.HashString(f.normal), Token: o.foldToken(v), Response: response}
	if k == TypeBool {
		r.Shape = o.word(v)
	} else {
		r.Shape = o.shapeOf(v)
	}
	if response {
		r.Record = o.walker.Record()
	}
	o.out.rights.add(r)
}

// jsonRight is rightLeaf for a leaf of an answer.
func (o *Observer) jsonRight(f *fieldEntry, k jsonleaf.Kind, v []byte) {
	switch k {
	case jsonleaf.Null, jsonleaf.EmptyArray, jsonleaf.EmptyObject:
		return
	}
	if k == jsonleaf.String && sensitive.Masked(v) {
		return
	}
	o.rightLeaf(f, valueType(k), true, v)
}
