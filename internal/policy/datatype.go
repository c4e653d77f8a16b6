package policy

import (
	"fmt"

	"xiezhi/internal/message"
)

// DataType is a type of sensitive data that people define: a number of theirs
// that names a person, a code word, a kind of secret. Package sensitive
// recognises it.
type DataType struct {
	ID       string       `yaml:"id"`
	Name     message.Text `yaml:"name"`
	Level    int          `yaml:"level"`   // 4 credential, 3 special, 2 personal, 1 pseudonymous
	Keys     []string     `yaml:"keys"`    // names of fields; empty: any field
	Pattern  string       `yaml:"pattern"` // RE2, on the whole value; empty: any value under the keys
	Min      int          `yaml:"min_length"`
	Max      int          `yaml:"max_length"`
	Checksum string       `yaml:"checksum"`
	Minimum  uint32       `yaml:"minimum"` // values in one field of one exchange; 0: 1 with keys, 3 without
}

const maxDataTypes = 32

// checkTypes checks what needs no knowledge of recognisers.
func checkTypes(types []DataType) error {
	if len(types) > maxDataTypes {
		return fmt.Errorf("data_types: %d are more than the %d that a file may have", len(types), maxDataTypes)
	}
	seen := map[string]bool{}
	for i := range types {
		t := &types[i]
		switch {
		case !ruleID.MatchString(t.ID):
			return fmt.Errorf("data_types[%d]: id: %q is not of the form member-number: lower-case letters, digits, - and _, at most 64", i, t.ID)
		case seen[t.ID]:
			return fmt.Errorf("data_types[%d]: id: %q is there twice", i, t.ID)
		case t.Name.Zh == "" || t.Name.En == "" || len(t.Name.Zh) > maxTitle || len(t.Name.En) > maxTitle:
			return fmt.Errorf("data_types[%d]: name: needs zh and en, at most %d bytes each", i, maxTitle)
		}
		seen[t.ID] = true
	}
	return nil
}
