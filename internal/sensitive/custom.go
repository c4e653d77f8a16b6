package sensitive

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"xiezhi/internal/taxonomy"
)

// Caps of types that people define.
const (
	MaxCustom       = 4 * taxonomy.CustomPerLevel
	maxCustomKeys   = 64
	maxCustomKey    = 64  // bytes
	maxPattern      = 256 // bytes
	maxProgram      = 1000
	maxCustomValue  = 256 // bytes of a value that a pattern sees
	minKeyless      = 4   // bytes of a value that only a pattern knows
	customConfident = 90
	customDoubtful  = 40 // fewer than the type's minimum: no evidence
)

// CustomType is a type of data that people define. Keys or a pattern make it
// known; a checksum confirms.
type CustomType struct {
	ID       string
	Level    int      // 1 to 4
	Keys     []string // names of fields; empty: any field
	Pattern  string   // RE2, on the whole value; empty: any value under the keys
	Min, Max int      // bytes of a value; 0: as the pattern has it
	Checksum string   // one of Checksums; empty: none
	Minimum  uint32   // values in one field of one exchange; 0: 1 with keys, 3 without
}

// Custom recognises types that people define. It is immutable.
type Custom struct {
	types   []customType
	keyless []int
	keys    map[string]Hint
}

type customType struct {
	CustomType
	typ     taxonomy.Sensitive
	pattern *regexp.Regexp
	valid   func([]byte) bool
}

// hintCustom is the first hint of a type that people defined.
const hintCustom = Hint(128)

// checksums are the algorithms to choose from. Blanks and dashes do not count.
var checksums = map[string]func(d []byte) bool{
	"luhn":     func(d []byte) bool { return len(d) > 1 && allDigits(d) && luhn(d) },
	"mod11_2":  mod112,
	"mod97_10": mod9710,
	"gs1":      gs1,
}

// Checksums lists the names of checksums.
func Checksums() []string { return []string{"luhn", "mod11_2", "mod97_10", "gs1"} }

// NewCustom compiles types; normal is how names of fields are compared.
func NewCustom(types []CustomType, normal func(string) string) (*Custom, error) {
	if len(types) == 0 {
		return nil, nil
	}
	c := &Custom{keys: map[string]Hint{}}
	var used [5]int
	for i, t := range types {
		x, err := t.compile()
		if err != nil {
			return nil, fmt.Errorf("data type %s: %w", t.ID, err)
		}
		if used[t.Level] == taxonomy.CustomPerLevel {
			return nil, fmt.Errorf("data type %s: there are %d of level %d already", t.ID, used[t.Level], t.Level)
		}
		x.typ = taxonomy.CustomSensitive(t.Level, used[t.Level])
		used[t.Level]++
		c.types = append(c.types, x)
		for _, k := range t.Keys {
			k = normal(k)
			if h, dup := c.keys[k]; dup && int(h-hintCustom) != i {
				return nil, fmt.Errorf("data type %s: keys: %q is a key of %s", t.ID, k, types[h-hintCustom].ID)
			}
			c.keys[k] = hintCustom + Hint(i)
		}
		if len(t.Keys) == 0 {
			c.keyless = append(c.keyless, i)
		}
	}
	return c, nil
}

func (t CustomType) compile() (x customType, err error) {
	x = customType{CustomType: t, valid: checksums[t.Checksum]}
	switch {
	case t.Level < 1 || t.Level > 4:
		return x, fmt.Errorf("level: %d is not from 1 to 4", t.Level)
	case len(t.Keys) == 0 && t.Pattern == "":
		return x, errors.New("needs keys, a pattern or both")
	case len(t.Keys) > maxCustomKeys:
		return x, fmt.Errorf("keys: at most %d", maxCustomKeys)
	case len(t.Pattern) > maxPattern:
		return x, fmt.Errorf("pattern: at most %d bytes", maxPattern)
	case t.Checksum != "" && x.valid == nil:
		return x, fmt.Errorf("checksum: %q is none of %s", t.Checksum, strings.Join(Checksums(), ", "))
	case t.Min < 0 || t.Max < 0 || t.Max > maxCustomValue || t.Max > 0 && t.Min > t.Max:
		return x, fmt.Errorf("min_length, max_length: from 1 to %d, in order", maxCustomValue)
	}
	for _, k := range t.Keys {
		if strings.TrimSpace(k) == "" || len(k) > maxCustomKey {
			return x, fmt.Errorf("keys: %q is empty or longer than %d bytes", k, maxCustomKey)
		}
	}
	low, high := 1, maxCustomValue
	if t.Pattern != "" {
		parsed, err := syntax.Parse(t.Pattern, syntax.Perl)
		if err != nil {
			return x, fmt.Errorf("pattern: %w", err)
		}
		if prog, err := syntax.Compile(parsed.Simplify()); err != nil || len(prog.Inst) > maxProgram {
			return x, fmt.Errorf("pattern: too large")
		}
		if x.pattern, err = regexp.Compile(`^(?:` + t.Pattern + `)$`); err != nil {
			return x, fmt.Errorf("pattern: %w", err)
		}
		if x.pattern.MatchString("") {
			return x, errors.New("pattern: matches nothing at all")
		}
	}
	if len(t.Keys) == 0 {
		low = minKeyless
	}
	x.Min, x.Max = max(t.Min, low), high
	if t.Max > 0 {
		x.Max = t.Max
	}
	if x.Min > x.Max {
		return x, fmt.Errorf("max_length: without keys a value has at least %d bytes", minKeyless)
	}
	if x.Minimum == 0 {
		if x.Minimum = 1; len(t.Keys) == 0 {
			x.Minimum = 3
		}
	}
	return x, nil
}

// HintOf gives the hint of a field whose normal name is a key of a type;
// HintNone for others. c may be nil.
func (c *Custom) HintOf(normal string) Hint {
	if c == nil {
		return HintNone
	}
	return c.keys[normal]
}

// Keyless reports whether some type is known in any field. c may be nil.
func (c *Custom) Keyless() bool { return c != nil && len(c.keyless) > 0 }

// Leaf recognises a whole value by the hint of its field, or by its content;
// ok is false when it is none of these types.
func (c *Custom) Leaf(h Hint, b []byte) (hit Hit, ok bool) {
	if c == nil {
		return hit, false
	}
	start, end := trim(b, 0, len(b))
	if start == end || end-start > maxCustomValue {
		return hit, false
	}
	v := b[start:end]
	if i := int(h) - int(hintCustom); h >= hintCustom && i < len(c.types) {
		t := &c.types[i]
		if Masked(v) {
			return Hit{Type: t.typ, Start: start, End: end, Confidence: customConfident, Masked: true}, true
		}
		if !nullish(v) && t.matches(v) {
			return Hit{Type: t.typ, Start: start, End: end, Confidence: customConfident}, true
		}
		return hit, false
	}
	for _, i := range c.keyless {
		if t := &c.types[i]; t.matches(v) {
			return Hit{Type: t.typ, Start: start, End: end, Confidence: customConfident}, true
		}
	}
	return hit, false
}

func (t *customType) matches(v []byte) bool {
	if len(v) < t.Min || len(v) > t.Max || t.pattern != nil && !t.pattern.Match(v) {
		return false
	}
	if t.valid == nil {
		return true
	}
	var buf [maxCustomValue]byte
	return t.valid(compact(buf[:0], v))
}

// Confidence gives what the hits of a field of one exchange are worth: less
// than evidence when they are fewer than the type's minimum.
func (c *Custom) Confidence(t taxonomy.Sensitive, count uint32, have uint8) uint8 {
	if c == nil || !t.Custom() {
		return have
	}
	for i := range c.types {
		if c.types[i].typ == t && count < c.types[i].Minimum {
			return customDoubtful
		}
	}
	return have
}

// IDs gives the ids that people gave, by type.
func (c *Custom) IDs() map[taxonomy.Sensitive]string {
	out := map[taxonomy.Sensitive]string{}
	if c != nil {
		for i := range c.types {
			out[c.types[i].typ] = c.types[i].ID
		}
	}
	return out
}

// compact appends v without blanks and dashes, in upper case.
func compact(dst, v []byte) []byte {
	for _, c := range v {
		switch {
		case c == ' ' || c == '-':
		case c >= 'a' && c <= 'z':
			dst = append(dst, c-'a'+'A')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// mod112 is ISO 7064 MOD 11-2: the check of resident IDs, ORCID, ISNI.
func mod112(d []byte) bool {
	if len(d) < 2 {
		return false
	}
	p := 0
	for i, c := range d {
		switch {
		case isDigit(c):
			p = (p*2 + int(c-'0')) % 11
		case c == 'X' && i == len(d)-1:
			p = (p*2 + 10) % 11
		default:
			return false
		}
	}
	return p == 1
}

// mod9710 is ISO 7064 MOD 97-10 as IBAN uses it: the first four to the end.
func mod9710(d []byte) bool {
	if len(d) < 6 {
		return false
	}
	p := 0
	for i := range d {
		switch c := d[(i+4)%len(d)]; {
		case isDigit(c):
			p = (p*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			p = (p*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return p == 1
}

// gs1 is the check of EAN, GTIN and the like.
func gs1(d []byte) bool {
	if len(d) < 8 || !allDigits(d) {
		return false
	}
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			n *= 3
		}
		sum += n
	}
	return sum%10 == 0
}
