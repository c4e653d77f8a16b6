package attack

// The distinct sets a tally may keep. All are made on first use: most cells
// hold none.
const (
	setSubjects  = iota // accounts aimed at
	setTags             // password tags
	setPairs            // (account, password tag)
	setObjects          // objects read
	setBlocks           // blocks of 64 in which enumerable objects lie
	setOwners           // owners of foreign objects read
	setExposed          // people whose data was read
	setPaths            // paths that do not exist
	setNames            // parameter names nobody else ever used
	setRules            // signature rules
	setPatterns         // patterns of account names
	setCreds            // credentials shown
	setProbes           // sensitive paths asked for in vain
	setCodes            // verification codes submitted
	setCodePairs        // (account, verification code)
	setDevices          // that accounts trade on
	setPayees           // that they trade for
	setIssuers          // ranges of the cards tried
	setRows             // rows of ten thousand in which the cards lie
	setAnswers          // what a busy asker of a list asked for or got, see volume.go
	setAsked            // people looked up, see look.go
	setTargets          // what engagement went to, see engage.go
	setCount
)

// A tally is what was counted over some requests: of one cell, of a scope, of
// an episode. Tallies add up, which is what lets a scope be recomputed without
// the members that a narrower scope explains.
type tally struct {
	// What most cells are asked in a judgement stands first, see cell.
	n, succ, fail     uint32  // fail: refused for whatever reason
	repeats           uint32  // same target as the request before
	peak              float32 // highest level of a bucket leaking floodLeak a second
	obj, own, foreign uint32  // requests that name an object, by what came back
	bulk              uint32  // reads of many people's data without credential
	level             uint8   // highest sensitivity read in the clear

	// What every request changes.
	miss          uint32 // requests that name an object that is not there
	unissued      uint32 // requests that name an object not handed out before
	gaps          uint32
	first, last   int64
	gapSum, gapSq float64 // seconds
	err           uint32  // server errors and unanswered
	business      uint32  // successes with a credential outside of identity APIs (actor cells)
	blocked       uint32  // refused by a control: throttled, locked, denied where no secret was asked
	tool          uint32  // the agent says it is a tool
	steps, enum   uint32  // requests that name an object: equal steps; enumerable
	follow        uint32

	subj, novel, registered uint32 // requests that name an account; of these never named before, known to exist
	exists, absent, wrong   uint32 // answers that confirm, deny an account; wrong secret, whatever the account
	told                    uint32 // answers that confirm an account only where others are denied
	blind                   uint32 // logins that show neither account nor password
	pw, issued              uint32
	classes, classN         [4]uint32 // commonest response classes of refusals

	codes             uint32 // requests that submit a verification code
	asked, sent, warm uint32 // requests to have a code sent; granted; to a number asked for too often already

	people uint32 // most people in one response
	rises  uint32 // the next number or one of the seven after it

	missing, junk     uint32 // no such path; of no API
	sigs, hurt, sigOK uint32 // requests with attack patterns; of these answered 5xx, with success
	grave             uint32 // of these, patterns or places that content never has
	scanner           uint32 // the agent says it is a scanner

	trades         uint32 // claims, orders, payments by card
	quick          uint32 // … at the opening of what is wanted
	dropped, paid  uint32 // orders placed that were held and given up; that were paid for
	flawed         uint32 // cards that cannot be
	amounts, small uint32 // payments with an amount; of a small one
	newborn        uint32 // claims of accounts made just before
	invited        uint32 // claims that name who brought the asker
	usual, direct  uint32 // sessions that came as others do; that skipped what comes before, see flow.go

	signed uint32 // requests of a party, see party.go
	made   uint32 // accounts registered (actor cells)

	asks, heeded, lookSigned uint32 // questions about people; of these with an answer that was made use of; by an integration
	numbers                  uint8  // kinds of number asked about
	acts, bare               uint32 // views, likes, votes …; of these by who never saw what it is about

	aFirst, aLast int64 // first and last request that looks like abuse
	sets          [setCount]*distinct
}

// span widens [first, last] by o's.
func widen(first, last *int64, of, ol int64) {
	if ol == 0 {
		return
	}
	if *last == 0 {
		*first, *last = of, ol
		return
	}
	*first, *last = min(*first, of), max(*last, ol)
}

// addCounts folds o's counters into t, without the sets.
func (t *tally) addCounts(o *tally) {
	t.n += o.n
	t.succ += o.succ
	t.fail += o.fail
	t.err += o.err
	t.blocked += o.blocked
	t.tool += o.tool
	t.subj += o.subj
	t.novel += o.novel
	t.registered += o.registered
	t.exists += o.exists
	t.absent += o.absent
	t.wrong += o.wrong
	t.pw += o.pw
	t.issued += o.issued
	t.follow += o.follow
	for i, n := range o.classN {
		t.class(o.classes[i], n)
	}
	t.codes += o.codes
	t.asked += o.asked
	t.sent += o.sent
	t.warm += o.warm
	t.obj += o.obj
	t.own += o.own
	t.foreign += o.foreign
	t.miss += o.miss
	t.unissued += o.unissued
	t.steps += o.steps
	t.rises += o.rises
	t.enum += o.enum
	t.bulk += o.bulk
	t.people = max(t.people, o.people)
	t.level = max(t.level, o.level)
	t.missing += o.missing
	t.junk += o.junk
	t.sigs += o.sigs
	t.hurt += o.hurt
	t.sigOK += o.sigOK
	t.scanner += o.scanner
	t.grave += o.grave
	t.signed += o.signed
	t.trades += o.trades
	t.quick += o.quick
	t.dropped += o.dropped
	t.paid += o.paid
	t.flawed += o.flawed
	t.amounts += o.amounts
	t.small += o.small
	t.newborn += o.newborn
	t.invited += o.invited
	t.usual += o.usual
	t.direct += o.direct
	t.blind += o.blind
	t.made += o.made
	t.told += o.told
	t.repeats += o.repeats
	t.asks += o.asks
	t.heeded += o.heeded
	t.lookSigned += o.lookSigned
	t.numbers |= o.numbers
	t.acts += o.acts
	t.bare += o.bare
	t.gaps += o.gaps
	t.gapSum += o.gapSum
	t.gapSq += o.gapSq
	t.peak = max(t.peak, o.peak)
	t.business += o.business
	widen(&t.first, &t.last, o.first, o.last)
	widen(&t.aFirst, &t.aLast, o.aFirst, o.aLast)
}

// add folds o into t, sets included.
func (t *tally) add(p *pool, o *tally) {
	t.addCounts(o)
	for i, s := range o.sets {
		if s != nil {
			p.union(&t.sets[i], s)
		}
	}
}

// free gives the sets back.
func (t *tally) free(p *pool) {
	for i, s := range t.sets {
		p.release(s)
		t.sets[i] = nil
	}
}

// class counts a response class, keeping the four that came first: an oracle
// answers in two or three.
func (t *tally) class(c, n uint32) {
	if n == 0 {
		return
	}
	for i := range t.classN {
		if t.classN[i] == 0 {
			t.classes[i] = c
		}
		if t.classes[i] == c {
			t.classN[i] += n
			return
		}
	}
}

// split is the share of the second commonest refusal: 0 when every refusal
// reads the same.
func (t *tally) split() float64 {
	var a, b, sum uint32
	for _, n := range t.classN {
		sum += n
		if n > a {
			a, b = n, a
		} else if n > b {
			b = n
		}
	}
	return share(b, sum)
}

func (t *tally) count(set int) float64 { return t.sets[set].count() }

func (t *tally) seconds() float64 { return float64(t.last-t.first) / 1e9 }

// answered is the number of requests that the application judged.
func (t *tally) answered() uint32 { return t.succ + t.fail }

func share(a, b uint32) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
