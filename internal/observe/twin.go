package observe

import (
	"strings"
	"unicode/utf8"

	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/taxonomy"
)

// A mask is in vain when the same record gives the value away beside it. Only
// observe sees both texts, so it says here which plain value agrees with all
// that a mask shows. The body is walked a second time for it, and only when it
// held masked and plain values of one type.

const (
	maxTwinPaths  = 32      // masked and plain paths compared
	maxTwinValues = 32      // values per record
	maxTwinText   = 4 << 10 // bytes of them
	maxTwinValue  = 128     // bytes of one
)

// twins is the working space of the comparison; it holds plaintext, hence it
// is wiped after each record.
type twins struct {
	paths  [maxTwinPaths]twinPath
	npaths int
	values [maxTwinValues]twinValue
	n      int
	text   []byte
	mask   []rune
	plain  []rune
	record uint32
}

type twinPath struct {
	hash   uint64
	expo   int // index in exposures.list
	family taxonomy.Sensitive
	masked bool
}

type twinValue struct {
	path     int
	from, to int
}

// twinFamily gives the type under which a value is compared: a masked phone
// number may stand beside one that is known as a mobile number. NotSensitive
// for types of which a mask shows too little to compare.
func twinFamily(t taxonomy.Sensitive) taxonomy.Sensitive {
	switch t {
	case taxonomy.SensCNMobile, taxonomy.SensPhone:
		return taxonomy.SensCNMobile
	case taxonomy.SensCNResidentID, taxonomy.SensBankCard, taxonomy.SensPersonName, taxonomy.SensEmail, taxonomy.SensPlateNumber,
		taxonomy.SensPassport, taxonomy.SensAddress, taxonomy.SensHKMacauPermit, taxonomy.SensSocialSecurityNo:
		return t
	}
	return taxonomy.NotSensitive
}

// twinsPossible reports whether the answer holds masked and plain values of one
// type, and readies the comparison: the caller then reads the body again with
// twinLeaves and calls compareTwins.
func (o *Observer) twinsPossible() bool {
	t := &o.twins
	var masked, plain uint64 // sets of families
	for i := range o.expo.keys[:o.expo.n] {
		k := &o.expo.keys[i]
		f := twinFamily(k.typ)
		if !k.response || f == taxonomy.NotSensitive {
			continue
		}
		if k.masked {
			masked |= 1 << f
		} else {
			plain |= 1 << f
		}
	}
	if masked &= plain; masked == 0 {
		return false
	}
	t.npaths, t.n, t.record = 0, 0, 0
	for i := range o.expo.keys[:o.expo.n] {
		k := &o.expo.keys[i]
		f := twinFamily(k.typ)
		if !k.response || f == taxonomy.NotSensitive || masked>>f&1 == 0 {
			continue
		}
		if t.npaths == maxTwinPaths {
			o.over(1)
			break
		}
		t.paths[t.npaths] = twinPath{k.hash, i, f, k.masked}
		t.npaths++
	}
	return true
}

// tellTwins compares the values of an XML document.
func (o *Observer) tellTwins(body []byte) {
	x := &o.read.xml
	if !x.Parse(body) {
		return
	}
	o.base = x.Wrappers
	o.inFormat(formatXML+uint64(x.Wrappers), func() { x.Tell(&o.walker, (*twinLeaves)(o), false) })
	o.base = 0
	o.compareTwins()
}

// twinLeaves gathers the values of a record at paths known to hold some.
type twinLeaves Observer

func (v *twinLeaves) Leaf(path uint64, k jsonleaf.Kind, value []byte) {
	o := (*Observer)(v)
	t := &o.twins
	if r := o.walker.Record(); r != t.record {
		o.compareTwins()
		t.record = r
	}
	if k != jsonleaf.String && k != jsonleaf.Int || len(value) < 2 || len(value) > maxTwinValue || o.walker.Leaves > maxVisited {
		return
	}
	for i := range t.paths[:t.npaths] {
		p := &t.paths[i]
		if p.hash != path || p.masked != hides(p.family, value) {
			continue
		}
		if t.n == maxTwinValues || len(t.text)+len(value) > maxTwinText {
			o.over(1)
			return
		}
		from := len(t.text)
		t.text = append(t.text, value...)
		t.values[t.n] = twinValue{i, from, len(t.text)}
		t.n++
	}
}

// compareTwins compares the values of one record and forgets them.
func (o *Observer) compareTwins() {
	t := &o.twins
	var counted uint64 // exposures that this record counts for already
	for _, m := range t.values[:t.n] {
		mp := &t.paths[m.path]
		if !mp.masked || counted>>m.path&1 != 0 {
			continue
		}
		for _, p := range t.values[:t.n] {
			pp := &t.paths[p.path]
			if pp.masked || pp.family != mp.family {
				continue
			}
			masked, plain := &o.expo.list[mp.expo], &o.expo.list[pp.expo]
			// Surnames are shared; only within one object do they agree by more
			// than chance.
			if mp.family == taxonomy.SensPersonName && parentOf(masked.path) != parentOf(plain.path) {
				continue
			}
			if t.agree(mp.family, t.text[m.from:m.to], t.text[p.from:p.to]) {
				if masked.twins == 0 {
					masked.twin = plain.path
				}
				masked.twins++
				counted |= 1 << m.path
				break
			}
		}
	}
	clear(t.text)
	clear(t.mask[:cap(t.mask)])
	clear(t.plain[:cap(t.plain)])
	t.n, t.text = 0, t.text[:0]
}

func parentOf(path string) string { return path[:strings.LastIndexByte(path, '.')+1] }

// leastShown is how many characters a mask must show to point to one person
// among those of a record, not only to a few million.
func leastShown(family taxonomy.Sensitive) int {
	switch family {
	case taxonomy.SensPersonName:
		return 1
	case taxonomy.SensPlateNumber:
		return 3
	}
	return 4
}

const hiddenRune = '*'

// hides reports whether a value has masked places.
func hides(family taxonomy.Sensitive, v []byte) bool {
	run := 0
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRune(v[i:])
		switch r {
		case '*', '•', '●', '＊':
			return true
		case 'x', 'X': // 138xxxx1234; one X ends a resident ID
			if run++; run >= 3 && family != taxonomy.SensPersonName && family != taxonomy.SensEmail && family != taxonomy.SensAddress {
				return true
			}
		default:
			run = 0
		}
		i += n
	}
	return false
}

// agree reports whether plain may be what masked hides: equal in every place
// that is shown. A mask as long as the value hides place by place; a shorter
// or longer one has a fixed number of stars for whatever is between.
func (t *twins) agree(family taxonomy.Sensitive, masked, plain []byte) bool {
	t.mask = twinRunes(t.mask[:0], family, masked, true)
	t.plain = twinRunes(t.plain[:0], family, plain, false)
	m, p := t.mask, t.plain
	shown := 0
	for _, r := range m {
		if r != hiddenRune {
			shown++
		}
	}
	if shown < leastShown(family) || shown == len(m) || len(p) == 0 {
		return false
	}
	if len(m) == len(p) {
		for i, r := range m {
			if r != hiddenRune && r != p[i] {
				return false
			}
		}
		return true
	}
	if family == taxonomy.SensCNMobile || family == taxonomy.SensCNResidentID {
		return false // these are masked place by place, or it is another number
	}
	head := 0
	for head < len(m) && m[head] != hiddenRune {
		head++
	}
	tail := len(m)
	for tail > head && m[tail-1] != hiddenRune {
		tail--
	}
	for _, r := range m[head:tail] {
		if r != hiddenRune {
			return false // two runs of unknown lengths
		}
	}
	if len(p) <= head+len(m)-tail {
		return false
	}
	for i := range head {
		if m[i] != p[i] {
			return false
		}
	}
	for i := tail; i < len(m); i++ {
		if m[i] != p[len(p)-len(m)+i] {
			return false
		}
	}
	return true
}

// twinRunes appends a value as it is compared: lower case, without the blanks
// and dashes of numbers, every masking character a star.
func twinRunes(dst []rune, family taxonomy.Sensitive, v []byte, masked bool) []rune {
	text := family == taxonomy.SensPersonName || family == taxonomy.SensEmail || family == taxonomy.SensAddress
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRune(v[i:])
		i += n
		switch {
		case r == '•' || r == '●' || r == '＊':
			r = hiddenRune
		case masked && !text && (r == 'x' || r == 'X') && !(family == taxonomy.SensCNResidentID && i == len(v)):
			r = hiddenRune
		case r == ' ' || !text && (r == '-' || r == '+' || r == '·' || r == '.'):
			continue
		case r >= 'A' && r <= 'Z':
			r |= 0x20
		}
		dst = append(dst, r)
	}
	if family == taxonomy.SensCNMobile && len(dst) == 13 && dst[0] == '8' && dst[1] == '6' {
		dst = append(dst[:0], dst[2:]...)
	}
	return dst
}
