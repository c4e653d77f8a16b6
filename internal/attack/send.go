package attack

import (
	"math"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// Abuse of messages: a number bombed with codes that its owner never asked
// for, and codes sent to number after number that nobody enters, each of which
// the operator pays for. What tells both from people is that people enter the
// code; where the channel is down nobody does, and nobody is accused of that.

const (
	numbersNarrow = 20   // different numbers that one asker has codes sent to
	sendsWide     = 100  // requests of a herd
	sendsCrowded  = 30   // … whose numbers lie side by side
	crowded       = 5.0  // numbers per segment, times what others have
	enteredLess   = 0.3  // share of codes entered, times that of others
	askedAgain    = 1.5  // requests for a number, from which on its owner may wait in vain
	silentLeast   = 5    // others who wait for a code at the time …
	silentUsed    = 0.25 // … share of them who enter one, at most, while the channel is down
	enteredKnown  = 0.2  // share of codes entered from which its absence says something
)

var sendAxis = axis{name: "send", kin: true, narrow: narrowActors, wide: wideScopes, least: sendsBurst, like: likeSend, gate: gateSend, weigh: weighSend, sums: true}

// asksCode reports whether the request has a code sent: at an API for that, or
// where one that takes a code is called without.
func asksCode(ev *catalog.Event, role taxonomy.Role) bool {
	if ev.Method == "OPTIONS" || ev.Method == "HEAD" {
		return false
	}
	switch role {
	case taxonomy.RoleCodeSend:
		return true
	case taxonomy.RolePasswordReset, taxonomy.RoleLoginCode, taxonomy.RoleCodeVerify:
		return len(ev.Passwords) == 0 && len(ev.Issued) == 0 && len(ev.Accounts) > 0 && codeOf(ev) == 0
	}
	return false
}

// countSend counts a request to have a code sent, and what becomes of it.
func (e *Engine) countSend(ev *catalog.Event, i int32, c *cell) {
	s := &e.apis[i]
	if !identityRole(s.role) || patterns(ev) == sigPayload {
		return
	}
	subject := subjectOf(ev)
	if subject == 0 {
		return
	}
	ok := ev.Outcome == catalog.OutcomeSuccess
	if !asksCode(ev, s.role) {
		// Who registers the number just sent a code has entered it, whatever the
		// field is called.
		if ok && (codeOf(ev) != 0 || s.role == taxonomy.RoleLoginCode || s.role == taxonomy.RoleRegister) && takesCode(s.role) {
			if w, was := e.pending.take(join(subject, 3)); was && ev.End-w.time <= codeLife {
				if c := e.cells.at(w.at); c.gen == w.gen {
					c.follow++
				}
			}
			e.numbers.entered(subject)
		}
		return
	}
	c.asked++
	if e.party {
		c.signed++
	}
	if ok {
		c.sent++
		if r := e.cells.index.get(c.key); r != 0 {
			e.pending.put(join(subject, 3), r, c.gen, ev.End)
		}
	}
	if e.numbers.asked(subject, ev.End) {
		c.warm++
	}
	e.mark(c, ev.End)
	u := e.unit("role:"+string(taxonomy.RoleCodeSend), taxonomy.RoleCodeSend)
	e.units[u].watch = true
	if s.unit != u {
		if !s.sender {
			s.sender = true
			e.senders = append(e.senders, i)
		}
		e.news(&e.units[u])
	}
}

// within calls f for the APIs that a unit looks at: those judged in it and, for
// messages, those of other units that send them too.
func (e *Engine) within(u *unit, f func(i int32)) {
	for _, i := range u.apis {
		f(i)
	}
	for _, i := range u.also {
		f(i)
	}
	if u.role == taxonomy.RoleCodeSend {
		for _, i := range e.senders {
			if v := e.apis[i].unit; v >= 0 && e.units[v].role != taxonomy.RoleCodeSend {
				f(i)
			}
		}
	}
}

// usual is how people deal with codes at this site: learned from askers that
// nothing was found against, when they are forgotten.
type usual struct{ askers, asked, codes, used uint32 }

func (h *usual) learn(c *cell) {
	if c.asked == 0 || c.accused || c.signed > 0 {
		return
	}
	n := max(c.follow, uint32(c.sets[setSubjects].count()))
	h.askers++
	h.asked += c.asked
	h.codes += n
	h.used += min(c.follow, n)
	if h.askers >= 1<<12 {
		h.askers, h.asked, h.codes, h.used = h.askers/2, h.asked/2, h.codes/2, h.used/2
	}
}

// likeSend: has codes sent that nobody enters.
func likeSend(s *scene, c *cell, strict bool) bool {
	if c.asked == 0 || c.asked*2 < c.n || float64(c.follow) > enteredLess*float64(c.sent) {
		return false
	}
	a := s.actorOf(c)
	if a == nil || a.made*2 >= c.n {
		return false // codes that lead to a registration belong to it
	}
	return !strict || a.business == 0 && c.follow == 0
}

func gateSend(t *tally, wide bool) bool { return t.asked >= sendsBurst }

// bombed counts the numbers of a scope that are asked for too often, of those
// that it can name.
func (s *scene) bombed(t *tally) (hot, known int) {
	set := t.sets[setSubjects]
	if set == nil || set.dense != nil {
		return 0, 0
	}
	for _, v := range set.small {
		if s.e.numbers.under(v) {
			hot++
		}
	}
	return hot, len(set.small)
}

// entered gives the share of codes that others asked for and entered, and how
// many those codes are. Codes of the last two minutes may yet be.
func (s *scene) entered(sc *scope) (rate float64, of uint32) {
	in := sc.inside()
	var sent, used uint32
	for i := range s.refs {
		c := s.cell(int32(i))
		if in[int32(i)] || s.taken[i] || c.asked == 0 || s.now-c.last < settle || s.e.book.accused(s.refs[i], c) {
			continue
		}
		// Each asker's first code counts: who gives up has asked again and again.
		n := max(c.follow, uint32(c.sets[setSubjects].count()))
		sent += n
		used += min(c.follow, n)
	}
	return share(used, sent), sent
}

// segments compares how close together the numbers of a scope and those of
// others lie: numbers for each segment.
func (s *scene) segments(sc *scope) (mine, others float64) {
	b := sc.sum.count(setBlocks)
	if b == 0 || sc.sum.enum*10 < sc.sum.asked*9 {
		return 0, 1
	}
	mine = sc.sum.count(setSubjects) / b
	if mine < crowded {
		return mine, 1
	}
	in := sc.inside()
	var t tally
	for i := range s.refs {
		c := s.cell(int32(i))
		if !in[int32(i)] && !s.taken[i] && c.asked > 0 {
			s.pool.union(&t.sets[setSubjects], c.sets[setSubjects])
			s.pool.union(&t.sets[setBlocks], c.sets[setBlocks])
		}
	}
	others = max(t.count(setSubjects)/max(t.count(setBlocks), 1), 1)
	t.free(s.pool)
	return mine, others
}

// own reports whether each of a scope's askers has codes sent to one number, and
// each number is asked for by one of them: people do so with their own.
func (s *scene) own(sc *scope, dist float64) bool {
	if sc.sum.sets[setSubjects].dense != nil {
		return false
	}
	who := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		c := s.cell(i)
		if c.sets[setSubjects].count() > 1 || c.addr == 0 {
			return false
		}
		who[c.addr] = true
	}
	return dist*10 >= 9*float64(len(who)) && float64(len(who))*10 >= 9*dist
}

// silent reports whether, at the times of most of a scope's requests, hardly
// anybody else entered the code that he asked for: what the members wait for does
// not come. Times are in steps of codeLife.
func (s *scene) silent(sc *scope) bool {
	type waiting struct{ sent, used int }
	in := sc.inside()
	at := make(map[int64]waiting)
	for i := range s.refs {
		c := s.cell(int32(i))
		if in[int32(i)] || s.taken[i] || c.asked == 0 || s.now-c.last < settle || s.e.book.accused(s.refs[i], c) {
			continue
		}
		_, to := c.reach()
		w := at[to/codeLife]
		w.sent++
		if c.follow > 0 {
			w.used++
		}
		at[to/codeLife] = w
	}
	all, vain := uint32(0), uint32(0)
	for _, i := range sc.members {
		c := s.cell(i)
		from, to := c.reach()
		from = max(from, to-burstGap) // who waits in vain now may have asked before
		var w waiting
		for t := from / codeLife; t <= to/codeLife; t++ {
			w.sent += at[t].sent
			w.used += at[t].used
		}
		all += c.asked
		if w.sent >= silentLeast && float64(w.used) < silentUsed*float64(w.sent) {
			vain += c.asked
		}
	}
	return vain*2 > all
}

// askedBy is by how many of a scope's sources a number is asked for: its owner
// asks from where he is.
func (s *scene) askedBy(sc *scope, dist float64) float64 {
	sum := 0.0
	for _, i := range sc.members {
		sum += s.cell(i).sets[setSubjects].count()
	}
	return sum / dist * float64(sc.addrs) / float64(len(sc.members))
}

func weighSend(s *scene, sc *scope) *fusion {
	t := &sc.sum
	dist := t.count(setSubjects)
	if dist == 0 || t.signed*2 > t.asked || tells(t) {
		return nil // an integration does as agreed; who is told something, asks
	}
	asked := float64(t.asked)
	each := asked / dist
	hot, known := s.bombed(t)
	bombing := known > 0 && hot*2 >= known || known == 0 && t.warm*2 >= t.asked
	if bombing && each < 3 {
		bombing = false
	}
	rate, of := s.entered(sc)
	measured := of >= 10 && rate >= enteredKnown
	used := share(t.follow, max(t.sent, 1))
	down := of >= sendsWide/5 && rate < 0.1 // hardly anybody gets what he asks for
	if h := &s.e.usual; of < 10 && h.codes >= 20 {
		// Few others are there to compare with: those of the days before are.
		rate, of = share(h.used, h.codes), h.codes
		measured = rate >= enteredKnown
	}
	if of >= 10 && used >= enteredLess*max(rate, 0.1) && t.follow > 0 {
		return nil // as many are entered as with others
	}
	if each >= askedAgain && s.own(sc, dist) && (float64(t.follow)*10 >= dist || s.silent(sc)) {
		return nil // who enters one is the owner; everybody waits in vain: the channel is down
	}
	mine, others := s.segments(sc)
	close := mine >= crowded*others && asked >= sendsCrowded
	f := &fusion{kind: taxonomy.AttackSMSAbuse}
	switch {
	case bombing:
		f.say(taxonomy.FamilySet, ramp(each, sendsBurst-2, 2.5, 20, 6), "sends_each", int(each), 2)
	case sc.kind.wide() && !close && (asked < sendsWide || !measured):
		return nil
	case !sc.kind.wide() && dist < numbersNarrow:
		return nil
	default:
		f.say(taxonomy.FamilySet, ramp(dist, numbersNarrow, 3, 100, 5.5), "numbers", int(dist), 2)
	}
	if sc.kind.wide() {
		z, purity := s.herd(sc, s.looksGuilty)
		if purity < 0.8 || z < 4 {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 4, 2, 20, 5.5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	} else if sources := float64(sc.addrs) / dist; bombing && sources >= 3 {
		f.say(taxonomy.FamilyHerd, ramp(sources, 3, 1.5, 20, 4.5), "sources", int(math.Round(sources)), 1)
	} else if each := s.askedBy(sc, dist); bombing && dist >= 3 && each >= 2.5 {
		f.say(taxonomy.FamilyHerd, ramp(each, 2.5, 1.5, 5, 3), "take_turns", round2(each), 1)
	}
	if !sc.kind.wide() {
		if h := &s.e.usual; !s.louder(f, sc, func(c *cell) float64 { return float64(c.asked) }) && h.askers >= 20 {
			times := asked / float64(sc.addrs) / (3 * float64(h.asked) / float64(h.askers))
			f.peers(times)
		}
	}
	if measured {
		// The same number again is hardly news: its owner may wait in vain.
		tries := dist + 0.15*(asked-dist)
		most := 5.0
		if dist == 1 && sc.addrs == 1 {
			most = 3.5 // one person can be that unlucky
		}
		f.say(taxonomy.FamilyOutcome, min(tries*math.Log(0.98/(1-min(rate, 0.8))), most), "not_entered", round2(1-used), round2(1-rate))
	}
	if hot >= 3 && bombing && t.follow == 0 {
		// Who needs codes for three numbers enters one of them.
		f.say(taxonomy.FamilyOutcome, ramp(float64(hot), 3, 1.5, 12, 2.5), "many_victims", hot, 1)
	}
	if held := share(t.blocked, t.asked); held >= 0.3 && dist >= 3 {
		f.say(taxonomy.FamilyOutcome, ramp(held, 0.3, 1.5, 0.8, 2.5), "held", held, 0.05)
	}
	if close {
		f.say(taxonomy.FamilySet, ramp(mine/others, crowded, 2.5, 50, 5), "segments", int(dist), int(t.count(setBlocks)))
	}
	if !bombing && share(t.registered, max(t.subj, 1)) <= 0.1 && !down {
		f.say(taxonomy.FamilySet, 0.5, "strangers", round2(1-share(t.registered, max(t.subj, 1))), nil)
	}
	s.timing(f, sc)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	if !down && (dist >= 3 || sc.addrs >= 3) {
		s.idle(f, sc) // who cannot get in has no business to do
	}
	return f
}

// victims judges the numbers under bombing that no tool's scope explains, each
// from all its sources.
func (s *scene) victims(b *book) {
	if len(s.e.numbers.hot) == 0 {
		return
	}
	ax := sendAxis
	s.survey(&ax)
	hot := slices.Clone(s.e.numbers.hot)
	slices.SortFunc(hot, func(a, b int32) int { return int(a - b) })
	for _, i := range hot {
		x := &s.e.numbers.slots[i]
		if x.last < s.from {
			continue
		}
		var all []int32
		for k := range s.refs {
			if s.taken[k] || !s.hard[k] {
				continue
			}
			set := s.cell(int32(k)).sets[setSubjects]
			if in, ok := set.has(x.key); in && ok && set.count() <= 2 {
				all = append(all, int32(k))
			}
		}
		if all = s.together(all); len(all) < 2 {
			continue
		}
		if c := s.try(ax, scopeTarget, x.key, all, s.hard); c != nil {
			s.adopt(&ax, c)
			b.fold(s, c)
			s.take(c.scope)
			c.scope.sum.free(s.pool)
		}
	}
}
