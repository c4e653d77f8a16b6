package observe

import (
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/observe/jsonleaf"
)

// internalRule is what rules/internals.yaml says about fields of one kind.
type internalRule struct {
	kind  InternalKind
	names matcher
	value internalValue
}

// internalValue says which values count: a field may be there and say nothing.
type internalValue uint8

const (
	valueFlag    internalValue = iota + 1 // boolean, number or word
	valueAddress                          // holds a private address
	valueSQL                              // a statement
	valueText                             // text, object or array of any size
	valueAmount                           // a number
	valueBoolean
	valueTrace // frames of a call stack
)

var internalValues = map[string]internalValue{"flag": valueFlag, "address": valueAddress, "sql": valueSQL, "text": valueText, "amount": valueAmount, "boolean": valueBoolean, "trace": valueTrace}

func loadInternals(fsys fs.FS) (rules []internalRule, cases [][2][]string, err error) {
	const file = "internals.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, nil, err
	}
	var doc struct {
		Kinds []struct {
			Kind  string   `yaml:"kind"`
			Value string   `yaml:"value"`
			Names []string `yaml:"names"`
			Match []string `yaml:"match"`
			Pass  []string `yaml:"pass"`
		} `yaml:"kinds"`
	}
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, d := range doc.Kinds {
		r := internalRule{names: newMatcher(d.Names), value: internalValues[d.Value]}
		for k := InternalPrivilege; k < internalKinds; k++ {
			if k.String() == d.Kind {
				r.kind = k
			}
		}
		if r.kind == 0 || r.value == 0 || len(d.Names) == 0 {
			return nil, nil, fmt.Errorf("%s: kind %q: needs a known kind, a known value and names", file, d.Kind)
		}
		rules = append(rules, r)
		cases = append(cases, [2][]string{d.Match, d.Pass})
	}
	return rules, cases, nil
}

// internalOf gives 1 + the rule for a normalised field name, 0 for none.
func (n *Names) internalOf(name string) uint8 {
	for i := range n.internals {
		if n.internals[i].names.has(name) {
			return uint8(i + 1)
		}
	}
	return 0
}

// internalLeaf counts a value of a field that is for the inside only.
func (o *Observer) internalLeaf(f *fieldEntry, k jsonleaf.Kind, v []byte) {
	r := &o.cfg.Names.internals[f.internal-1]
	if !r.value.counts(k, v) {
		return
	}
	list := o.out.internals.open()
	for i := range list {
		if list[i].Kind == r.kind && list[i].Path == f.name {
			list[i].Count++
			return
		}
	}
	if len(list) >= MaxInternals {
		o.over(1)
		return
	}
	o.out.internals.add(Internal{Path: f.name, Kind: r.kind, Count: 1})
}

func (t internalValue) counts(k jsonleaf.Kind, v []byte) bool {
	switch k {
	case jsonleaf.Null, jsonleaf.EmptyArray, jsonleaf.EmptyObject:
		return false
	case jsonleaf.Bool:
		return t == valueFlag || t == valueBoolean
	case jsonleaf.Int, jsonleaf.Float:
		return t == valueFlag || t == valueAmount
	}
	v = trimSpace(v)
	switch t {
	case valueFlag:
		return len(v) > 0 && len(v) <= 48
	case valueText:
		return len(v) > 1 && !switchWord(v)
	case valueTrace:
		return frames(v)
	case valueAddress:
		return holdsPrivateAddress(v)
	case valueSQL:
		return statement(v)
	case valueAmount:
		return len(v) > 0 && len(v) <= 24 && number(v)
	}
	return false
}

// switchWord reports whether a text only says yes or no.
func switchWord(v []byte) bool {
	var buf [8]byte
	if len(v) > len(buf) {
		return false
	}
	switch string(lower(buf[:0], v)) {
	case "true", "false", "on", "off", "yes", "no", "none", "null", "disabled", "enabled":
		return true
	}
	return false
}

// frames reports whether a text names places in a program.
func frames(v []byte) bool {
	s := string(v[:min(len(v), 512)])
	for _, mark := range [...]string{".java:", ".kt:", ".scala:", ".py\", line ", ".js:", ".ts:", ".go:", ".php(", ".php:", ".rb:", ".cs:line ", ".rs:", "(Native Method)"} {
		if contains(s, mark) {
			return true
		}
	}
	return false
}

// holdsPrivateAddress looks for an IPv4 address of RFC 1918 in a text.
func holdsPrivateAddress(v []byte) bool {
	for i := 0; i < len(v) && i < 256; i++ {
		if v[i]-'0' > 9 || i > 0 && (v[i-1]-'0' <= 9 || v[i-1] == '.') {
			continue
		}
		var octets [4]int
		at, n := i, 0
		for n < 4 {
			digits, value := 0, 0
			for at < len(v) && v[at]-'0' <= 9 && digits < 4 {
				value = value*10 + int(v[at]-'0')
				at++
				digits++
			}
			if digits == 0 || digits > 3 || value > 255 {
				break
			}
			octets[n] = value
			if n++; n < 4 {
				if at >= len(v) || v[at] != '.' {
					break
				}
				at++
			}
		}
		if n == 4 && (at == len(v) || v[at] != '.') &&
			(octets[0] == 10 || octets[0] == 192 && octets[1] == 168 || octets[0] == 172 && octets[1]&0xf0 == 16) {
			return true
		}
	}
	return false
}

// statement reports whether a text is an SQL statement: its verb first and the
// word that must follow it later.
func statement(v []byte) bool {
	var buf [160]byte
	s := string(lower(buf[:0], v[:min(len(v), len(buf))]))
	for _, w := range [...][2]string{{"select ", " from "}, {"insert into ", " values"}, {"update ", " set "}, {"delete from ", ""}, {"insert into ", " select "}} {
		if len(s) > len(w[0]) && s[:len(w[0])] == w[0] && contains(s[len(w[0]):], w[1]) {
			return true
		}
	}
	return false
}

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}
