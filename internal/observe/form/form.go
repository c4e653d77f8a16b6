// Package form keeps what requests and answers are made of: which fields, of
// which types and formats, under a key that is given to what is made alike.
//
// Observers put a Form into a Table when they meet its key for the first time;
// observations carry the key. So the schema of an API is the forms under the
// keys that its exchanges had, and an exchange that is made like an earlier one
// costs one comparison. Invariant: a form is a function of its key, samples are
// those of the exchanges with the lowest ranks, and at a cap the lowest keys
// stay; so a table is the same whoever filled it in whatever order. A form holds
// names of fields and words of letters only, and gives a word out (Values) when
// many clients used it in a field that holds few. Limits: MaxFields, MaxSamples,
// and the bytes that the Table allows.
package form

import (
	"cmp"
	"slices"
	"strings"
)

// Caps of one form.
const (
	MaxFields  = 512
	MaxSamples = 40
	MaxWord    = 24 // bytes of a word that is looked at
	maxWords   = 32 // words of one sample
)

// Bits is what was met at a place, types and formats together.
type Bits uint32

const (
	Word     Bits = 1 << iota // letters, "_" and "-" only, at most MaxWord bytes
	Text                      // any other text
	Empty                     // a text without a byte
	Date                      // 2006-01-02
	DateTime                  // RFC 3339
	Stamp                     // a date and time written otherwise
	UUID
	URI
	IPv4
	Int  // of up to nine digits
	Long // longer
	Float
	Bool
	Null
	Object    // without a member
	Array     // without an element
	IntText   // digits in a place that has texts only: query, form
	LongText  // more than nine of them
	FloatText // a decimal fraction there
	BoolText  // true or false there
	File      // a file of a form
	InPath    // matrix parameter
	InQuery
	InForm
	InJSON
	InBody // other formats of body
	InHeader

	Texts  = Word | Text | Empty | Date | DateTime | Stamp | UUID | URI | IPv4
	Places = InPath | InQuery | InForm | InJSON | InBody | InHeader
)

// Field is a place of a request or an answer. Path is dotted, "[]" stands for
// the elements of an array, "{}" for a key that is a value.
type Field struct {
	Path   string
	Bits   Bits
	Secret bool // a password by its name
}

// Form is what one way of asking or answering is made of.
type Form struct {
	Fields  []Field // by path
	More    int     // fields beyond MaxFields
	Samples []Sample
}

// Sample is what one exchange held where a field holds words.
type Sample struct {
	Rank   uint64 // drawn from the exchange's id
	Client uint64
	Words  []Said // by field
}

// Said is a word at a field.
type Said struct {
	Field uint16 // position in Fields
	Text  string
}

// Sort orders the fields, and keeps the first MaxFields.
func (f *Form) Sort() {
	slices.SortFunc(f.Fields, func(a, b Field) int { return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Bits, b.Bits)) })
	if n := len(f.Fields); n > MaxFields {
		f.Fields, f.More = f.Fields[:MaxFields:MaxFields], n-MaxFields
	}
}

// find gives the position of a path.
func (f *Form) find(path string) (int, bool) {
	return slices.BinarySearchFunc(f.Fields, path, func(a Field, p string) int { return strings.Compare(a.Path, p) })
}

// Position gives the position of a field.
func (f *Form) Position(path string, b Bits) (int, bool) {
	i, ok := f.find(path)
	for ; ok && i < len(f.Fields) && f.Fields[i].Path == path; i++ {
		if f.Fields[i].Bits == b {
			return i, true
		}
	}
	return 0, false
}

// Say notes a word at a field.
func (s *Sample) Say(field int, word string) {
	if len(s.Words) < maxWords {
		s.Words = append(s.Words, Said{uint16(field), word})
	}
}
