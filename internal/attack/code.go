package attack

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Verification codes. A code of four or six digits falls to whoever may try
// long enough, on one number or, one code at a time, on many. Codes are
// compared by their tokens; a code in the clear never comes here.

const (
	codesNarrow = 20 // different codes for one number, or from one asker
	codeDigits  = 4  // bytes of a code, at least and at most
	codeLetters = 10
)

// takesCode reports whether an API of that role checks verification codes. At
// a password login the code is the picture's, new each time.
func takesCode(r taxonomy.Role) bool {
	switch r {
	case taxonomy.RoleLoginCode, taxonomy.RoleCodeVerify, taxonomy.RolePasswordReset, taxonomy.RoleRegister, taxonomy.RoleIdentityCheck:
		return true
	}
	return false
}

// codeOf gives the token of the code that a request submits, 0 for none. Codes
// read from a picture are not meant: they differ from try to try.
func codeOf(ev *catalog.Event) uint64 {
	captcha := uint64(0)
	for k := range ev.Params {
		p := &ev.Params[k]
		if p.Token == 0 || p.Sensitive != taxonomy.SensVerificationCode && !plainCode(p) {
			continue
		}
		switch name := strings.ToLower(lastPart(p.Name)); {
		case picture(name):
		case strings.Contains(name, "captcha"):
			if len(ev.Passwords) == 0 {
				captcha = p.Token // of what, is told by what else there is
			}
		default:
			return p.Token
		}
	}
	return captcha
}

// plainCode reports whether a parameter is called code, no more, and looks like
// one.
func plainCode(p *observe.Param) bool {
	if p.Len < codeDigits || p.Len > codeLetters || p.Class != observe.ClassInt && p.Class != observe.ClassMixed {
		return false
	}
	switch p.Sensitive {
	case taxonomy.NotSensitive:
		return strings.EqualFold(lastPart(p.Name), "code")
	}
	return false
}

// picture reports whether a field's name speaks of a code in a picture.
func picture(name string) bool {
	for _, w := range [...]string{"img", "image", "pic", "graph", "kaptcha", "rand", "图"} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// lastPart is the last part of a dotted name.
func lastPart(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i+1:]
	}
	return name
}

// countCode counts a submitted code; who is the account it is for.
func (e *Engine) countCode(c *cell, who, code uint64) {
	c.codes++
	e.pool.add(&c.sets[setCodes], code)
	e.pool.add(&c.sets[setCodePairs], join(who, code))
}

// codes reports whether the requests of a scope are about codes: most submit
// one, and they are not there to be told who has an account.
func (s *scene) codes(t *tally) bool {
	return t.codes*2 >= t.n && takesCode(s.u.role) && (t.wrong*2 >= t.fail || !tells(t))
}

// tells reports whether the answers tell accounts that exist from others.
func tells(t *tally) bool {
	return t.absent > 0 || t.exists > 0 || t.split() >= 0.1
}

// codes weighs how many codes were tried, and how.
func (f *fusion) codes(t *tally, dist float64) {
	pairs, codes := t.count(setCodePairs), t.count(setCodes)
	f.say(taxonomy.FamilySet, ramp(pairs, codesNarrow, 3, 100, 6), "codes", int(pairs), 3)
	if dist >= codesNarrow && codes*5 <= dist {
		f.say(taxonomy.FamilyParameter, 2, "one_code", int(codes), int(dist))
	}
}
