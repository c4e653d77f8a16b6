package attack

import (
	"math"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Guessing seen without bodies, as in an access log or where they are encrypted:
// who is tried with which password stays unknown, but people sign in and then do
// something, while a guesser does nothing but try and is turned away each time.

const (
	blindNarrow = 20
	blindWide   = 40
	blindLoop   = 30 // attempts that stand out by number and pace alone
)

// unseen reports whether a login shows neither account nor password, because its
// body was not recorded or is encrypted.
func unseen(ev *catalog.Event) bool {
	hidden := ev.ReqKind == observe.BodyNone || ev.ReqKind == observe.BodyUnread
	return hidden && len(ev.Accounts) == 0 && len(ev.Passwords) == 0 && ev.Method != "GET" && ev.Method != "HEAD" && ev.Method != "OPTIONS"
}

// likeBlind: tries to sign in, gets nowhere and does nothing else.
func likeBlind(s *scene, c *cell) bool {
	if c.blind*2 < c.n {
		return false
	}
	a := s.actorOf(c)
	if a == nil || a.business > 0 || a.n > c.n*2+c.n/4 {
		return false
	}
	return s.turnedAway(&c.tally, &s.e.apis[c.api]) != ""
}

// turnedAway says how unseen attempts show that they failed: by status, by
// meeting the form again where others are sent on, or by going on and on.
func (s *scene) turnedAway(t *tally, a *apiState) string {
	moved := t.n - min(t.succ+t.fail+t.err, t.n)
	switch {
	case t.fail*5 >= t.n*4:
		// A client with an outdated password knocks at a steady, slow beat.
		if t.gaps >= 10 && beat(t) < 0.2 && t.gapSum/float64(t.gaps) > 5 {
			return ""
		}
		return "refused"
	case moved*10 <= t.n && a.sentOn():
		return "again"
	case t.n >= blindLoop && float64(t.n) >= 0.1*t.seconds():
		if t.gaps >= 10 && beat(t) < 0.2 && t.gapSum/float64(t.gaps) > 5 {
			return "" // a monitor
		}
		return "loop"
	}
	return ""
}

// beat is the coefficient of variation of the gaps.
func beat(t *tally) float64 {
	mean := t.gapSum / float64(max(t.gaps, 1))
	return math.Sqrt(max(t.gapSq/float64(max(t.gaps, 1))-mean*mean, 0)) / max(mean, 1e-6)
}

// sentOn reports whether those who sign in at an API are redirected: some
// askers always are, and guessers never.
func (a *apiState) sentOn() bool { return a.on >= 3 && a.on*100 >= a.tried }

// broken reports whether everybody who came while a herd tried was turned away
// too: then the login is out of order. Where all sources are taken together
// somebody must have been let in.
func (s *scene) broken(sc *scope) bool {
	in := sc.inside()
	others, let := 0, 0
	for i := range s.refs {
		c := s.cell(int32(i))
		if in[int32(i)] || c.answered() == 0 || c.first < sc.sum.first || c.last > sc.sum.last {
			continue
		}
		others++
		if c.succ > 0 {
			let++
		}
	}
	return let*2 < others || sc.kind == scopeUnit && let < 3
}

// weighBlind weighs unseen attempts.
func (s *scene) weighBlind(sc *scope) *fusion {
	t := &sc.sum
	how := s.turnedAway(t, &s.e.apis[s.cell(sc.members[0]).api])
	least := uint32(blindNarrow)
	if sc.kind.wide() {
		least = blindWide
	}
	if how == "" || t.n < least {
		return nil
	}
	peers, many := s.peerFail(sc)
	if how == "refused" && (share(t.fail, t.n) < peers+0.25 || many >= 5 && peers > 0.6) {
		return nil
	}
	if sc.kind.wide() && how != "again" && s.broken(sc) {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackBruteForce}
	if sc.kind.wide() {
		if int(t.n) <= 6*sc.addrs {
			f.kind = taxonomy.AttackCredentialStuffing // a few tries from each source
		}
		z, purity := s.herd(sc, s.looksGuilty)
		if z < 4 || purity < 0.5 {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 4, 2, 20, 5.5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	}
	switch how {
	case "refused":
		f.say(taxonomy.FamilyOutcome, 4.5, "refused", share(t.fail, t.n), round2(peers))
	case "again":
		f.say(taxonomy.FamilyOutcome, 4, "again", int(t.n), nil)
	}
	if how == "loop" {
		f.say(taxonomy.FamilyOutcome, 2, "loop", round2(float64(t.n)/max(t.seconds(), 1)), nil)
	}
	f.say(taxonomy.FamilySet, ramp(float64(t.n), float64(blindNarrow), 3.5, 100, 6), "attempts", int(t.n), 5)
	f.say(taxonomy.FamilySequence, 2.5, "only_login", nil, nil)
	s.timing(f, sc)
	s.protocol(f, sc)
	s.network(f, sc)
	return f
}
