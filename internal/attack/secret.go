package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
)

// Accounts made by the dozen are given one password, or one for each batch. A
// common password is anybody's; one that is on no list and hard to guess, and
// that five people of one site have chosen, is one hand's, or was given out by
// an employer or a school. Only its tag of the day is known here.

const secretScore = 3 // zxcvbn, from which nobody hits upon the same by chance

// secretOf gives the tag of a password that is nobody else's by chance, 0 when
// the request shows none.
func secretOf(ev *catalog.Event) uint64 {
	for k := range ev.Passwords {
		p := &ev.Passwords[k]
		if p.Use == observe.PasswordConfirm {
			continue
		}
		// What is sent as a digest cannot be judged: two of one digest have one
		// password, a common one perhaps.
		if p.Score < secretScore || p.Rank != 0 {
			return 0
		}
		return join(uint64(p.Tag)|1<<31, 6)
	}
	return 0
}

// secretOf gives the password that an account, under whatever name, was opened
// with.
func (m *market) secretOf(ev *catalog.Event, t *trader) uint64 {
	if t.secret != 0 {
		return t.secret
	}
	for _, a := range ev.Who.Aliases {
		if a == 0 {
			break
		}
		if t := m.trader(a, false); t != nil && t.secret != 0 {
			return t.secret
		}
	}
	return 0
}

// ownTool reports whether a scope's members use what hardly anybody else does:
// parameters of one structure of their own, or clients that nobody has.
func (s *scene) ownTool(sc *scope) bool {
	if f := (&fusion{}); len(sc.members) > 0 {
		if s.structure(f, sc); len(f.items) > 0 {
			return true
		}
	}
	mine := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		mine[s.cell(i).who] = true
	}
	rate, known := s.strange(sc, func(a *cell) bool { return mine[a.sub] })
	return known && rate >= 0.8
}
