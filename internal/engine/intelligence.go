package engine

import (
	"net/netip"
	"slices"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/report"
)

// IntelligenceOf gives what own intelligence is made of: the confirmed attacks
// of a report, and the likely ones that are part of a campaign.
func IntelligenceOf(r *report.Report) []indicator.Attack {
	campaign := map[string]string{}
	for i := range r.Campaigns {
		for _, id := range r.Campaigns[i].Attacks {
			campaign[id] = r.Campaigns[i].ID
		}
	}
	var out []indicator.Attack
	for i := range r.Attacks {
		x := &r.Attacks[i]
		if x.Verdict != "confirmed" && (x.Verdict != "likely" || campaign[x.ID] == "") {
			continue
		}
		out = append(out, attackOf(x, campaign[x.ID]))
	}
	return out
}

// attackOf is what of an attack own intelligence is made of.
func attackOf(x *report.Attack, campaign string) indicator.Attack {
	a := indicator.Attack{ID: x.ID, Kind: x.Kind, Campaign: campaign, Site: x.Site, First: x.FirstSeen.UnixNano(), Last: x.LastSeen.UnixNano(), Requests: x.Requests}
	a.Decoy = slices.ContainsFunc(x.Reasons, func(r report.Reason) bool { return r.Family == "decoy" })
	for _, s := range x.Actors.IPs {
		if ip, err := netip.ParseAddr(s); err == nil {
			a.IPs = append(a.IPs, ip)
		}
	}
	for _, m := range x.Signature {
		a.Traits = append(a.Traits, indicator.Trait{Key: m.Key, Value: m.Value, Share: m.Share, Others: m.Others, Of: m.Of})
	}
	return a
}
