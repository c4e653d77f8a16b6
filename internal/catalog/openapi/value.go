package openapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Caps of a file that is read. A file beyond one is refused with the place
// where it goes beyond.
const (
	MaxBytes = 32 << 20
	MaxDepth = 100
	MaxNodes = 2_000_000 // values, those that aliases repeat included
)

// Error is why a file is refused.
type Error struct {
	File string
	Line int // from 1; 0: the file as a whole
	What string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.What
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What)
}

// value is a value of JSON or YAML with its line.
type value struct {
	line int
	kind kind
	text string // of a scalar
	keys []string
	list []*value // members by keys, or elements
}

type kind uint8

const (
	null kind = iota
	text
	number
	boolean
	list
	mapping
)

// get gives a member, nil when there is none.
func (v *value) get(key string) *value {
	if v == nil || v.kind != mapping {
		return nil
	}
	for i, k := range v.keys {
		if k == key {
			return v.list[i]
		}
	}
	return nil
}

// str gives a member that is a text.
func (v *value) str(key string) string {
	if m := v.get(key); m != nil && m.kind == text {
		return m.text
	}
	return ""
}

// scalar gives a member that is a text or a number, as versions are written.
func (v *value) scalar(key string) string {
	if m := v.get(key); m != nil && (m.kind == text || m.kind == number) {
		return m.text
	}
	return ""
}

func (v *value) is(key string) bool {
	m := v.get(key)
	return m != nil && m.kind == boolean && m.text == "true"
}

func (v *value) elements() []*value {
	if v == nil || v.kind != list {
		return nil
	}
	return v.list
}

// parse reads JSON or YAML within the caps.
func parse(file string, data []byte) (*value, error) {
	if len(data) > MaxBytes {
		return nil, &Error{file, 0, fmt.Sprintf("larger than %d MiB", MaxBytes>>20)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, &Error{file, 0, "not in UTF-8"}
	}
	d := decoder{file: file, data: data}
	if head := bytes.TrimLeft(data, " \t\r\n"); len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		v, err := d.json()
		if err == nil {
			return v, nil
		}
		if head[0] == '{' && bytes.HasPrefix(bytes.TrimLeft(head[1:], " \t\r\n"), []byte(`"`)) {
			return nil, err
		}
	}
	return d.yaml()
}

type decoder struct {
	file  string
	data  []byte
	at    int
	line  int
	nodes int
}

func (d *decoder) fail(line int, format string, args ...any) error {
	return &Error{d.file, line, fmt.Sprintf(format, args...)}
}

// node counts a value.
func (d *decoder) node(line, depth int) error {
	if d.nodes++; d.nodes > MaxNodes {
		return d.fail(line, "more than %d values", MaxNodes)
	}
	if depth > MaxDepth {
		return d.fail(line, "nested deeper than %d", MaxDepth)
	}
	return nil
}

func (d *decoder) json() (*value, error) {
	d.at, d.line, d.nodes = 0, 1, 0
	v, err := d.jsonValue(0)
	if err != nil {
		return nil, err
	}
	if d.blank(); d.at < len(d.data) {
		return nil, d.fail(d.line, "something follows the document")
	}
	return v, nil
}

func (d *decoder) blank() {
	for d.at < len(d.data) {
		switch d.data[d.at] {
		case '\n':
			d.line++
		case ' ', '\t', '\r':
		default:
			return
		}
		d.at++
	}
}

func (d *decoder) next() byte {
	if d.blank(); d.at < len(d.data) {
		return d.data[d.at]
	}
	return 0
}

func (d *decoder) jsonValue(depth int) (*value, error) {
	c := d.next()
	v := &value{line: d.line}
	if err := d.node(d.line, depth); err != nil {
		return nil, err
	}
	switch c {
	case 0:
		return nil, d.fail(d.line, "the file ends inside the document")
	case '{', '[':
		return v, d.jsonContainer(v, c, depth)
	case '"':
		s, err := d.jsonString()
		v.kind, v.text = text, s
		return v, err
	}
	from := d.at
	for d.at < len(d.data) && !bytes.ContainsRune([]byte(" \t\r\n,]}:\"{["), rune(d.data[d.at])) {
		d.at++
	}
	switch s := string(d.data[from:d.at]); s {
	case "true", "false":
		v.kind, v.text = boolean, s
	case "null":
	default:
		if _, err := strconv.ParseFloat(s, 64); err != nil && !errors.Is(err, strconv.ErrRange) || s == "" || (s[0]|0x20) >= 'a' || s[0] == '+' {
			return nil, d.fail(d.line, "%.20q is no value of JSON", s)
		}
		v.kind, v.text = number, s
	}
	return v, nil
}

func (d *decoder) jsonContainer(v *value, open byte, depth int) error {
	d.at++
	v.kind = mapping
	if open == '[' {
		v.kind = list
	}
	if d.next() == open+2 {
		d.at++
		return nil
	}
	seen := map[string]bool{}
	for {
		if open == '{' {
			if d.next() != '"' {
				return d.fail(d.line, "a name in quotes is expected")
			}
			k, err := d.jsonString()
			if err != nil {
				return err
			}
			if seen[k] {
				return d.fail(d.line, "%.40q stands twice", k)
			}
			seen[k] = true
			if d.next() != ':' {
				return d.fail(d.line, "a colon is expected")
			}
			d.at++
			v.keys = append(v.keys, k)
		}
		m, err := d.jsonValue(depth + 1)
		if err != nil {
			return err
		}
		v.list = append(v.list, m)
		switch c := d.next(); c {
		case ',':
			d.at++
		case open + 2:
			d.at++
			return nil
		case 0:
			return d.fail(d.line, "the file ends inside the document")
		default:
			return d.fail(d.line, "%q stands where a comma or the end is expected", c)
		}
	}
}

func (d *decoder) jsonString() (string, error) {
	from := d.at
	for d.at++; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; {
		case c == '\\':
			d.at++
		case c == '"':
			d.at++
			s, err := strconv.Unquote(string(d.data[from:d.at]))
			if err != nil { // JSON escapes that Go has not, a slash for one
				s = unquote(d.data[from+1 : d.at-1])
			}
			return s, nil
		case c < ' ':
			return "", d.fail(d.line, "a line ends inside a text")
		}
	}
	return "", d.fail(d.line, "the file ends inside a text")
}

// unquote resolves the escapes of JSON; what is none stays.
func unquote(b []byte) string {
	var s strings.Builder
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			s.WriteByte(b[i])
			continue
		}
		i++
		switch c := b[i]; c {
		case 'n':
			s.WriteByte('\n')
		case 't':
			s.WriteByte('\t')
		case 'r', 'b', 'f':
			s.WriteByte(' ')
		case 'u':
			if i+4 < len(b) {
				if n, err := strconv.ParseUint(string(b[i+1:i+5]), 16, 32); err == nil {
					s.WriteRune(rune(n))
					i += 4
				}
			}
		default:
			s.WriteByte(c)
		}
	}
	return s.String()
}

// yaml reads YAML. The parser descends by recursion, so a text that could be
// nested far deeper than any description is refused before it.
func (d *decoder) yaml() (v *value, err error) {
	if err := d.shallow(); err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil { // of the parser, on a text that nobody wrote by hand
			v, err = nil, &Error{d.file, 0, "no YAML that can be read"}
		}
	}()
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(d.data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, &Error{d.file, 0, "the file is empty"}
	case err != nil:
		return nil, d.syntax(err)
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, d.syntax(err)
		}
		return nil, d.fail(second.Line, "a second document begins")
	}
	d.nodes = 0
	y := yamlReader{d: d, open: map[*yaml.Node]bool{}}
	return y.value(&doc, 0)
}

// syntax gives the line that the parser names.
func (d *decoder) syntax(err error) error {
	s := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if n, _ := fmt.Sscanf(s, "line %d:", &line); n == 1 {
		s = strings.TrimSpace(s[strings.IndexByte(s, ':')+1:])
	}
	return &Error{d.file, line, "no YAML: " + cut(s)}
}

// maxOpen is how many brackets may be open, and how many levels begin on one
// line, before the parser is asked. Brackets in prose count, too.
const (
	maxOpen   = 5000
	maxNested = 2 * MaxDepth
)

func (d *decoder) shallow() error {
	open, line := 0, 1
	indent, run := true, 0
	for i, c := range d.data {
		switch {
		case c == '\n':
			line++
			indent, run = true, 0
		case c == '[' || c == '{':
			if open++; open > maxOpen {
				return d.fail(line, "more than %d brackets are open", maxOpen)
			}
		case c == ']' || c == '}':
			open = max(open-1, 0)
		case indent && (c == '-' || c == '?' || c == ':') && i+1 < len(d.data) && (d.data[i+1] == ' ' || d.data[i+1] == '\n' || d.data[i+1] == '\t'):
			if run++; run > maxNested {
				return d.fail(line, "nested deeper than %d", MaxDepth)
			}
		case indent && c != ' ' && c != '\t':
			indent = false
		}
	}
	return nil
}

// yamlReader turns the parser's tree into values.
type yamlReader struct {
	d    *decoder
	open map[*yaml.Node]bool // that aliases being read lead to
}

func (y *yamlReader) value(n *yaml.Node, depth int) (*value, error) {
	if err := y.d.node(n.Line, depth); err != nil {
		return nil, err
	}
	v := &value{line: n.Line}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) != 1 {
			return nil, &Error{y.d.file, 0, "the file is empty"}
		}
		return y.value(n.Content[0], depth)
	case yaml.AliasNode:
		if n.Alias == nil || y.open[n.Alias] {
			return nil, y.d.fail(n.Line, "the alias *%.40s leads to itself", n.Value)
		}
		y.open[n.Alias] = true
		defer delete(y.open, n.Alias)
		return y.value(n.Alias, depth+1)
	case yaml.MappingNode:
		v.kind = mapping
		if n.Anchor != "" {
			y.open[n] = true
			defer delete(y.open, n)
		}
		return v, y.members(v, n.Content, depth)
	case yaml.SequenceNode:
		v.kind = list
		if n.Anchor != "" {
			y.open[n] = true
			defer delete(y.open, n)
		}
		for _, e := range n.Content {
			m, err := y.value(e, depth+1)
			if err != nil {
				return nil, err
			}
			v.list = append(v.list, m)
		}
		return v, nil
	}
	v.text = n.Value
	switch n.ShortTag() {
	case "!!null":
		v.text = ""
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			v.text = strconv.FormatBool(b)
		}
		v.kind = boolean
	case "!!int", "!!float":
		v.kind = number
	default: // a date without quotes is a text here
		v.kind = text
	}
	return v, nil
}

// members reads the pairs of a mapping. A name that stands twice is refused; a
// merged one gives way.
func (y *yamlReader) members(v *value, pairs []*yaml.Node, depth int) error {
	seen := map[string]bool{}
	var merged []*value
	for i := 0; i+1 < len(pairs); i += 2 {
		k := pairs[i]
		x, err := y.value(pairs[i+1], depth+1)
		if err != nil {
			return err
		}
		if k.ShortTag() == "!!merge" {
			merged = append(append(merged, x.elements()...), x)
			continue
		}
		if k.Kind != yaml.ScalarNode {
			return y.d.fail(k.Line, "a name is expected")
		}
		if seen[k.Value] {
			return y.d.fail(k.Line, "%.40q stands twice", k.Value)
		}
		seen[k.Value] = true
		if pairs[i+1].Kind != yaml.AliasNode {
			x.line = k.Line
		}
		v.keys, v.list = append(v.keys, k.Value), append(v.list, x)
	}
	for _, m := range merged {
		for i, name := range m.keys {
			if !seen[name] && m.kind == mapping {
				seen[name] = true
				v.keys, v.list = append(v.keys, name), append(v.list, m.list[i])
			}
		}
	}
	return nil
}
