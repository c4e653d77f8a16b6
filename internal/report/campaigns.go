package report

import (
	"slices"
	"time"

	"xiezhi/internal/campaign"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// reduce finds the campaigns among a report's attacks, whatever it held
// before, from the report's own lists: so a merged report, whose attacks come
// from several runs, is reduced like any other.
func reduce(r *Report, msgs *message.Catalog) {
	sites := make(map[string]*Site, len(r.Sites))
	zones := make(map[string]*time.Location, len(r.Sites))
	for i := range r.Sites {
		s := &r.Sites[i]
		sites[s.Name] = s
		if l, err := time.LoadLocation(s.TimeZone); err == nil {
			zones[s.Name] = l
		}
	}
	kinds := make(map[string]string, len(r.Defects))
	for i := range r.Defects {
		kinds[r.Defects[i].ID] = r.Defects[i].Kind
	}
	list := make([]campaign.Attack, 0, len(r.Attacks))
	for i := range r.Attacks {
		a := &r.Attacks[i]
		in := campaign.Attack{ID: a.ID, Site: a.Site, Industry: string(taxonomy.IndustryOther), Zone: zones[a.Site], Kind: a.Kind, Scenario: a.Scenario,
			Verdict: taxonomy.Verdict(rank(a.Verdict)), First: a.FirstSeen, Last: a.LastSeen, Requests: a.Requests, Blocked: a.Blocked,
			Succeeded: a.Succeeded, Subjects: a.SubjectsExposed, IPCount: a.Actors.IPCount, APIs: a.APIs}
		if s := sites[a.Site]; s != nil {
			in.Industry = s.Industry
		}
		for _, id := range a.Through {
			in.Through = append(in.Through, campaign.Defect{ID: id, Kind: kinds[id]})
		}
		for _, x := range a.Activity {
			in.Activity = append(in.Activity, campaign.Activity(x))
		}
		for _, m := range a.Signature {
			in.Marks = append(in.Marks, campaign.Mark(m))
		}
		list = append(list, in)
	}
	found, lost := campaign.Reduce(list, msgs)
	r.Campaigns = make([]Campaign, 0, len(found))
	for i := range found {
		r.Campaigns = append(r.Campaigns, story(&found[i]))
	}
	r.Input.limit(LimitCount{What: "campaign.attacks", Count: lost.Attacks})
	r.Input.limit(LimitCount{What: "campaign.pairs", Count: lost.Pairs})
}

// limit sets how often a bounded part was full.
func (in *Input) limit(l LimitCount) {
	in.Limits = slices.DeleteFunc(in.Limits, func(x LimitCount) bool { return x.What == l.What })
	if l.Count > 0 {
		in.Limits = append(in.Limits, l)
	}
	in.sortLists()
}

func story(c *campaign.Campaign) Campaign {
	out := Campaign{ID: c.ID, Name: c.Name, Attacks: list(c.Attacks), Sites: list(c.Sites), Industries: list(c.Industries), Scenarios: list(c.Scenarios),
		Kinds: list(c.Kinds), Through: list(c.Through), Links: []Link{}, FirstSeen: c.First.UTC(), LastSeen: c.Last.UTC(), Requests: c.Requests,
		Blocked: c.Blocked, Succeeded: c.Succeeded, SubjectsExposed: c.Subjects, IPCount: c.IPCount, Targets: []Target{}, Timeline: []Moment{}, Reason: c.Reason}
	for _, l := range c.Links {
		out.Links = append(out.Links, Link{Key: l.Key, Rarity: round(l.Rarity), Attacks: list(l.Attacks)})
	}
	for _, t := range c.Targets {
		out.Targets = append(out.Targets, Target(t))
	}
	for _, m := range c.Timeline {
		out.Timeline = append(out.Timeline, Moment{Time: m.Time.UTC(), Event: m.Event, Site: m.Site, Attack: m.Attack, Text: m.Text})
	}
	return out
}
