package campaign

import (
	"time"

	"xiezhi/internal/message"
)

const topNames = 3 // sites, kinds, defects and links that a sentence names

// reason says in a sentence what happened, since when, through which defect,
// to how many people, what was blocked, and why it is taken for one gang.
func reason(c *Campaign, through []Defect, zone *time.Location, msgs *message.Catalog) message.Text {
	var out message.Text
	add := func(id string, args message.Args) {
		t := msgs.Text("campaign."+id, args)
		out.Zh += t.Zh
		out.En += t.En
	}
	text := func(kind string) func(string) message.Text {
		return func(id string) message.Text { return msgs.Text(kind+"."+id, nil) }
	}
	plain := func(s string) message.Text { return message.Text{Zh: s, En: s} }

	args := message.Args{"first": c.First.In(zone).Format(time.DateOnly), "last": c.Last.In(zone).Format(time.DateOnly),
		"kinds": names(c.Kinds, text("attack_kind"), msgs), "sites": names(c.Sites, plain, msgs), "n": len(c.Sites),
		"attacks": len(c.Attacks), "requests": c.Requests, "ips": c.IPCount}
	where := "many"
	if len(c.Sites) == 1 {
		where = "one"
	}
	when := "days"
	if args["first"] == args["last"] {
		when = "day"
	}
	add("what_"+where+"_"+when, args)
	if c.IPCount > 0 {
		add("from", args)
	}

	var kinds []string
	for _, d := range through {
		if d.Kind != "" && !has(kinds, d.Kind) {
			kinds = append(kinds, d.Kind)
		}
	}
	if len(kinds) > 0 {
		add("through", message.Args{"defects": names(kinds, text("defect_kind"), msgs)})
	}

	switch {
	case c.Subjects > 0:
		add("exposed", message.Args{"n": c.Subjects})
	case c.Succeeded > 0:
		add("succeeded", message.Args{"n": c.Succeeded})
	default:
		add("in_vain", nil)
	}

	var blind []string
	for _, t := range c.Targets {
		if t.Outcome == Undetected {
			blind = append(blind, t.Site)
		}
	}
	share := message.Args{"share": float64(c.Blocked) / float64(max(c.Requests, 1)), "sites": names(blind, plain, msgs)}
	switch {
	case len(blind) == len(c.Targets) && c.Blocked == 0:
		add("unblocked", nil)
	case len(blind) > 0 && len(blind) < len(c.Targets):
		add("unnoticed", share)
	default:
		add("blocked", share)
	}

	// What half of the attacks share convinces; what two of them share may not.
	var why []string
	for _, l := range c.Links {
		if len(l.Attacks)*2 >= len(c.Attacks) {
			why = append(why, l.Key)
		}
	}
	if len(why) == 0 {
		for _, l := range c.Links {
			why = append(why, l.Key)
		}
	}
	add("why", message.Args{"links": names(why, text("mark"), msgs)})
	return out
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// names joins the first names of a list in both languages.
func names(list []string, text func(string) message.Text, msgs *message.Catalog) message.Text {
	var out message.Text
	n := min(len(list), topNames)
	for i, id := range list[:n] {
		t := text(id)
		if i > 0 {
			sep := "campaign.comma"
			if i == n-1 && n == len(list) {
				sep = "campaign.and"
			}
			s := msgs.Text(sep, nil)
			out.Zh += s.Zh
			out.En += s.En
		}
		out.Zh += t.Zh
		out.En += t.En
	}
	if len(list) > n {
		s := msgs.Text("campaign.more", nil)
		out.Zh += s.Zh
		out.En += s.En
	}
	return out
}
