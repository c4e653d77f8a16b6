package observe

import (
	"hash/maphash"

	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// Most leaves of answers stand under names that promise no code, message,
// password or the like. What they hold depends on the value and on the hint that
// the name gives, and values recur: words of a catalogue, cities, states. The
// memo keeps what a value was found to be, under a keyed hash and its length, so
// that neither plaintext stays nor anybody can aim at a collision. It only saves
// work.

type plainMemo [plainSlots]plainValue

const (
	plainSlots = 1 << 13
	maxPlain   = 96 // bytes of a value that is remembered
	mixHint    = 0x9E3779B97F4A7C15
)

// plainValue is what is known of a value under a hint.
type plainValue struct {
	hash  uint64
	token uint64 // 0: not computed yet
	mask  sensitive.Mask
	len   uint8 // 0: free
	class ValueClass
	dirty bool // a recogniser knows it
}

// trust says whether the values of a field recur enough to be looked up: what
// never recurs is cheaper read than remembered. Now and then it tries again.
type trust struct{ asked, known uint8 }

const trustWindow, trustTrial = 250, 32

func (t *trust) worth() bool {
	if t.asked == trustWindow {
		*t = trust{}
	}
	t.asked++
	return t.asked <= trustTrial || t.known >= trustTrial/4
}

// plainLeaf is the end of responseLeaves.Leaf for a plain field.
func (o *Observer) plainLeaf(path uint64, f *fieldEntry, k jsonleaf.Kind, v []byte) {
	r := &o.response
	n := len(v)
	if r.verdicts.leaves++; r.verdicts.leaves <= maxVerdictLeaves && n <= maxVerdictValue && n > 0 {
		o.verdictLeaf(path, f, k, v)
	}
	if n == 0 {
		return
	}
	strong := f.traits&(traitIdentifier|traitOwner|traitAccount) != 0
	code := r.codeField != "" && f.name == r.codeField
	switch k {
	case jsonleaf.Int:
		if n > 10 || f.hint != sensitive.HintNone || o.cfg.Custom.Keyless() {
			break // may be a number of somebody's
		}
		if r.codes {
			o.codeLeaf(f, k, v)
		}
		if m := sensitive.HasDigit; strong && !code && o.roomForLeaf(true) {
			if v[0] == '-' {
				m |= sensitive.HasDash
			}
			o.addLeaf(f, TypeInt, ClassInt, o.tokenOfMask(taxonomy.NotSensitive, m, v), true)
		}
		return
	case jsonleaf.Float:
		if f.hint != sensitive.HintNone {
			break
		}
		return // nobody's, and no identifier
	case jsonleaf.String:
		if n > maxPlain || !f.memo.worth() {
			break
		}
		h := maphash.Bytes(o.seed, v) ^ uint64(f.hint)*mixHint
		e := &o.plain[h%plainSlots]
		if e.hash != h || int(e.len) != n {
			m := sensitive.MaskOf(v)
			*e = plainValue{hash: h, len: uint8(n), mask: m, class: classifyMask(m, v)}
			o.recogniseMask(f.hint, e.class, m, v)
			e.dirty = len(o.hits) > 0 || n > 40 && v[0] == 'e' && v[1] == 'y'
		} else if f.memo.asked <= trustTrial {
			f.memo.known++
		}
		if e.dirty {
			break
		}
		if r.codes && e.mask&sensitive.HasDigit != 0 {
			o.codeLeaf(f, k, v)
		}
		if n > 64 || code || !strong && f.traits&traitEnumeration != 0 || !joinable(e.class, e.mask, n, strong) || !o.roomForLeaf(strong) {
			return
		}
		if e.token == 0 {
			e.token = o.tokenOfMask(taxonomy.NotSensitive, e.mask, v)
		}
		o.addLeaf(f, TypeString, e.class, e.token, strong)
		return
	default:
		return
	}
	o.valueLeaf(f, k, v)
}
