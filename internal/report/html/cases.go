package html

import (
	"cmp"
	"math"
	"slices"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// story is one case of chapter 4: a campaign, or an attack where there is
// none.
type story struct {
	Anchor, Title, Reason string
	Facts                 []fact
	Through               []ref
	ThroughMore           int
	Targets               []target
	MoreTargets           int
	Links                 []link
	Attacks               []ref
	AttacksMore           int
	Reasons               []reason // of an attack
	Lanes                 lanes
	Moments               []moment
	MoreMoments           int
}

type fact struct{ Label, Value string }

type target struct {
	Site, Industry, Outcome      string
	Requests, Blocked, Succeeded uint64
}

type link struct {
	Key, Rarity string
	Bits        int // of 16, for the bar
	Attacks     int
}

type moment struct {
	Number                  int
	Time, Event, Site, Text string
	Class                   string
}

// largestCampaigns orders campaigns by what they did.
func (v *view) largestCampaigns() []*report.Campaign {
	var out []*report.Campaign
	for i := range v.R.Campaigns {
		out = append(out, &v.R.Campaigns[i])
	}
	slices.SortStableFunc(out, func(a, b *report.Campaign) int {
		return cmp.Or(cmp.Compare(b.SubjectsExposed, a.SubjectsExposed), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func (v *view) stories() (out []story, fallback bool, more int) {
	all := v.largestCampaigns()
	for _, c := range all[:min(maxCases, len(all))] {
		out = append(out, v.campaignStory(c))
	}
	if len(out) > 0 {
		return out, false, len(all) - len(out)
	}
	for _, a := range v.gravest() {
		out = append(out, v.attackStory(a, len(out)+1))
	}
	return out, true, 0
}

// gravest are the attacks worth telling when no campaign was found: whose
// data was read first, then what succeeded, one of each kind and site.
func (v *view) gravest() []*report.Attack {
	list := slices.Clone(v.counted)
	slices.SortStableFunc(list, func(a, b *report.Attack) int {
		return cmp.Or(cmp.Compare(b.SubjectsExposed, a.SubjectsExposed), cmp.Compare(boolInt(b.Scenario != beside), boolInt(a.Scenario != beside)), cmp.Compare(b.Succeeded, a.Succeeded), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.ID, b.ID))
	})
	seen := map[string]bool{}
	var out []*report.Attack
	for _, a := range list {
		if k := a.Kind + "\x00" + a.Site; !seen[k] && len(out) < maxFallback {
			seen[k] = true
			out = append(out, a)
		}
	}
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (v *view) campaignStory(c *report.Campaign) story {
	s := story{Anchor: anchor("c-", c.ID), Title: v.t("html.cases.campaign", "name", c.Name), Reason: c.Reason.In(v.cfg.Lang)}
	s.Facts = []fact{
		{v.t("html.cases.what"), v.t("html.cases.what_value", "kinds", v.names("attack_kind", c.Kinds), "attacks", len(c.Attacks), "requests", c.Requests)},
		{v.t("html.cases.since"), v.t("html.cases.since_value", "first", v.when(c.FirstSeen), "last", v.when(c.LastSeen))},
		{v.t("html.cases.people"), v.people(c.SubjectsExposed)},
		{v.t("html.cases.blocked"), v.t("html.cases.blocked_value", "blocked", c.Blocked, "share", v.of(c.Blocked, c.Requests), "succeeded", c.Succeeded)},
		{v.t("html.cases.sources"), v.t("html.cases.sources_value", "n", c.IPCount)},
	}
	s.Through, s.ThroughMore = v.defectRefs(c.Through)
	for i, t := range c.Targets {
		if i == maxTargets {
			s.MoreTargets = len(c.Targets) - maxTargets
			break
		}
		s.Targets = append(s.Targets, target{clip(t.Site, 80), v.name("industry", t.Industry), t.Outcome, t.Requests, t.Blocked, t.Succeeded})
	}
	for _, l := range c.Links[:min(maxLinks, len(c.Links))] {
		s.Links = append(s.Links, link{capital(v.name("html.mark", l.Key)), v.rarity(l.Rarity), min(max(int(l.Rarity+0.5), 1), 16), len(l.Attacks)})
	}
	var attacks []*report.Attack
	for _, id := range c.Attacks {
		if a := v.attack[id]; a != nil {
			attacks = append(attacks, a)
		}
	}
	s.Attacks, s.AttacksMore = v.attackRefs(c.Attacks)
	for i, m := range c.Timeline {
		if i == maxMoments {
			s.MoreMoments = len(c.Timeline) - maxMoments
			break
		}
		s.Moments = append(s.Moments, moment{i + 1, v.when(m.Time), v.t("html.cases.event." + m.Event), clip(m.Site, 80), m.Text.In(v.cfg.Lang), m.Event})
	}
	s.Lanes = v.lanes(attacks, c.Timeline[:len(s.Moments)])
	return s
}

func (v *view) people(n uint64) string {
	if n == 0 {
		return v.t("html.cases.people_none")
	}
	return v.t("html.cases.people_value", "n", n)
}

// rarity puts bits into words: one in 2^bits others shows the trait.
func (v *view) rarity(bits float64) string {
	if bits >= 20 || math.IsInf(bits, 1) || math.IsNaN(bits) {
		return v.t("html.cases.rarity_sure")
	}
	n := math.Exp2(max(bits, 0))
	if n >= 100 { // no false precision
		p := math.Pow(10, math.Floor(math.Log10(n))-1)
		n = math.Round(n/p) * p
	}
	return v.t("html.cases.rarity_value", "n", int(math.Round(n)))
}

func (v *view) attackStory(a *report.Attack, n int) story {
	s := story{Anchor: anchor("c-", a.ID), Title: v.t("html.cases.attack", "n", n, "kind", v.name("attack_kind", a.Kind), "site", clip(a.Site, 80)), Reason: a.Reason.In(v.cfg.Lang)}
	s.Facts = []fact{
		{v.t("html.cases.what"), v.t("html.cases.what_one", "kind", capital(v.name("attack_kind", a.Kind)), "requests", a.Requests) + v.t("html.colon") + v.apiLabels(a.APIs)},
		{v.t("html.cases.since"), v.t("html.cases.since_value", "first", v.when(a.FirstSeen), "last", v.when(a.LastSeen))},
		{v.t("html.cases.people"), v.people(a.SubjectsExposed)},
		{v.t("html.cases.blocked"), v.t("html.cases.blocked_value", "blocked", a.Blocked, "share", v.of(a.Blocked, a.Requests), "succeeded", a.Succeeded)},
		{v.t("html.cases.sources"), v.t("html.cases.sources_one", "n", a.Actors.IPCount)},
		{v.t("html.attacks.action"), v.action(a)},
	}
	if where := a.Actors.Where(v.cfg.Messages, v.cfg.Lang); where != "" {
		s.Facts = append(s.Facts, fact{v.t("html.cases.places"), where})
	}
	s.Through, s.ThroughMore = v.defectRefs(a.Through)
	s.Reasons = v.reasons(a)
	s.Attacks, s.AttacksMore = v.attackRefs([]string{a.ID})
	s.Lanes = v.lanes([]*report.Attack{a}, nil)
	return s
}

// outcomes maps an outcome to the level whose colour it has.
var outcomeClass = map[string]string{"blocked": "ok", "partly": string(taxonomy.Elevated.String()), "undetected": taxonomy.Critical.String()}

// Class is the colour of a target's outcome.
func (t target) Class() string { return outcomeClass[t.Outcome] }
