// Package yamlfile reads the YAML files that people bring: configuration,
// policies, rule packs.
//
// It takes the name and the bytes of a file and fills a value, strictly: an
// unknown field or a wrong type is an error that names file, line and column.
// Invariant: no text makes it panic, or take time that grows with the square of
// its size. Limits: the caller caps the size, maxNested the depth; the parser is
// goccy/go-yaml, whose panics on odd texts (a tag on nothing) end here as an
// error.
package yamlfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// maxNested is how many brackets of a text may be open at once, and how many
// marks of lists and keys may stand in a row: the parser takes time that grows
// with the square of the depth. People nest a few levels; the rest is room for
// brackets in their texts.
const maxNested = 1000

// Nested reports whether a text could be nested beyond what is read.
func Nested(s []byte) bool {
	open, marks := 0, 0
	for i := range s {
		switch s[i] {
		case '[', '{':
			open++
			marks = 0
		case ']', '}':
			open = max(open-1, 0)
			marks = 0
		case '-', '?', ':':
			if i+1 == len(s) || bytes.IndexByte([]byte(" \t\r\n"), s[i+1]) >= 0 {
				marks++
			}
		case ' ', '\t', '\r', '\n':
		default:
			marks = 0
		}
		if open > maxNested || marks > maxNested {
			return true
		}
	}
	return false
}

// Decode fills into, a pointer. After an error its content means nothing.
func Decode(name string, data []byte, into any) (err error) {
	if Nested(data) {
		return fmt.Errorf("%s: it is nested deeper than the %d levels that are read", name, maxNested)
	}
	defer func() {
		if recover() != nil { // of the parser: what it says names no place in the file
			err = fmt.Errorf("%s: no YAML that can be read; look for a tag (!name) or an anchor (&name) without a value", name)
		}
	}()
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, !wide(data))))
	}
	return nil
}

// maxWide is the longest line, in bytes, of a text that an error shows a part
// of: showing takes time that grows with the square of it.
const maxWide = 1000

func wide(data []byte) bool {
	for line := range bytes.Lines(data) {
		if len(line) > maxWide {
			return true
		}
	}
	return false
}
