// Package yamlfile reads the YAML files that people bring: configuration,
// policies, rule packs.
//
// It takes the name and the bytes of a file and fills a value, strictly: an
// unknown field or a wrong type is an error that names file, line and column.
// Invariant: no text makes it panic. Limits: the caller caps the size; the
// parser is goccy/go-yaml, whose panics on odd texts (a tag on nothing)
// end here as an error.
package yamlfile

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// Decode fills into, a pointer. After an error its content means nothing.
func Decode(name string, data []byte, into any) (err error) {
	defer func() {
		if recover() != nil { // of the parser: what it says names no place in the file
			err = fmt.Errorf("%s: no YAML that can be read; look for a tag (!name) or an anchor (&name) without a value", name)
		}
	}()
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return nil
}
