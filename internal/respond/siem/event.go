// Package siem hands findings to security information systems: attacks,
// campaigns and defects as OCSF, ECS or CEF, into files, over syslog or HTTP, or
// to Kafka.
//
// It takes records of findings and gives events to the lanes of an outbox, one
// lane per target. Invariants: an event carries kind, reason, evidence, the
// campaign and a link, and no value of anybody beyond the addresses that are
// operational; strings of strangers are values of their format and nothing else;
// a finding is sent when it is new and when it climbed a step, with the same uid.
// Limits: MaxTargets targets; lists in an event are cut (see the max constants);
// an event that is larger than outbox.MaxBody loses its evidence.
package siem

import (
	"cmp"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond/finding"
	"xiezhi/internal/taxonomy"
)

// What an event is of.
const (
	Attack   = "attack"
	Campaign = "campaign"
	Defect   = "defect"
)

// What became of it.
const (
	Created = 1
	Updated = 2
	Closed  = 3
)

const (
	maxIPs      = 50
	maxAPIs     = 20
	maxMembers  = 100
	maxEvidence = 20
)

// Event is a finding on its way out, of no format yet.
type Event struct {
	Of         string
	UID        string
	Change     int
	At         time.Time // of the last traffic that it counts
	First      time.Time
	Kind       string // of attack or defect; of a campaign its first
	Name       string // of the kind, or of the campaign
	Scenario   string
	Severity   int // 1 to 5, as OCSF has it
	Status     string
	Confidence float64 // 0: not said
	Sites      []string
	Reason     string
	Advice     string
	Evidence   []Evidence
	APIs       []finding.API
	IPs        []string
	IPCount    uint64
	JA4        []string
	Campaign   string   // id
	Members    []string // attacks of a campaign
	Link       string
	OWASP, CWE []string
	Requests   uint64
	Blocked    uint64
	Succeeded  uint64
	Exposed    uint64
}

// Evidence is one piece of evidence, in the language of the target.
type Evidence struct {
	Name, Observed, Expected, Text string
	Exchange                       string
}

// maker makes events.
type maker struct {
	texts  *message.Catalog
	lang   string
	public string
	apis   func(id string) (finding.API, bool)
}

func (m *maker) text(id string) string { return m.texts.Text(id, nil).In(m.lang) }

func (m *maker) link(path string) string {
	if m.public == "" {
		return ""
	}
	return m.public + path
}

func (m *maker) find(ids []string) (out []finding.API) {
	for _, id := range ids[:min(len(ids), maxAPIs)] {
		if a, ok := m.apis(id); ok {
			out = append(out, a)
		}
	}
	return out
}

func (m *maker) attack(a *finding.Attack, campaign string, change int) *Event {
	e := &Event{Of: Attack, UID: a.ID, Change: change, At: a.LastSeen, First: a.FirstSeen, Kind: a.Kind, Name: m.text("attack_kind." + a.Kind), Scenario: a.Scenario,
		Severity: 3, Status: a.Verdict, Confidence: a.Confidence, Sites: []string{a.Site}, Reason: a.Reason.In(m.lang), APIs: m.find(a.APIs), IPs: a.Actors.IPs[:min(len(a.Actors.IPs), maxIPs)],
		IPCount: a.Actors.IPCount, Campaign: campaign, Link: m.link("/attacks?open=attack~" + a.ID), Requests: a.Requests, Blocked: a.Blocked, Succeeded: a.Succeeded, Exposed: a.SubjectsExposed}
	if a.Verdict == taxonomy.Confirmed.String() {
		e.Severity = 4
		if a.Succeeded > 0 {
			e.Severity = 5
		}
	}
	for _, r := range a.Reasons[:min(len(a.Reasons), maxEvidence)] {
		e.Evidence = append(e.Evidence, Evidence{Name: m.text("family." + r.Family), Observed: r.Observed, Expected: r.Expected, Text: message.Text{Zh: r.Zh, En: r.En}.In(m.lang)})
	}
	return e
}

func (m *maker) campaign(c *finding.Campaign, change int) *Event {
	e := &Event{Of: Campaign, UID: c.ID, Change: change, At: c.LastSeen, First: c.FirstSeen, Name: c.Name, Severity: 4, Status: "open", Sites: c.Sites, Reason: c.Reason.In(m.lang),
		IPCount: c.IPCount, Campaign: c.ID, Members: c.Attacks[:min(len(c.Attacks), maxMembers)], Link: m.link("/attacks/campaigns/" + c.ID),
		Requests: c.Requests, Blocked: c.Blocked, Succeeded: c.Succeeded, Exposed: c.SubjectsExposed}
	if len(c.Kinds) > 0 {
		e.Kind = c.Kinds[0]
	}
	if len(c.Scenarios) > 0 {
		e.Scenario = c.Scenarios[0]
	}
	if c.Succeeded > 0 {
		e.Severity = 5
	}
	for _, l := range c.Links[:min(len(c.Links), maxEvidence)] {
		e.Evidence = append(e.Evidence, Evidence{Name: l.Key, Text: m.text("mark." + l.Key)})
	}
	return e
}

// severities are OCSF's numbers for ours.
var severities = map[string]int{taxonomy.Critical.String(): 5, taxonomy.High.String(): 4, taxonomy.Elevated.String(): 3, taxonomy.Moderate.String(): 2}

func (m *maker) defect(d *finding.Defect, site string, change int) *Event {
	e := &Event{Of: Defect, UID: d.ID, Change: change, At: d.LastSeen, First: d.FirstSeen, Kind: d.Kind, Name: m.text("defect_kind." + d.Kind), Scenario: d.Class,
		Severity: cmp.Or(severities[d.Severity], 2), Status: d.Status, Confidence: d.Confidence, Sites: []string{site}, Reason: d.Reason.In(m.lang), Advice: d.Advice.In(m.lang),
		APIs: m.find([]string{d.API}), Link: m.link("/defects?open=defect~" + d.ID), OWASP: d.OWASP, CWE: d.CWE, Requests: d.Count}
	for _, v := range d.Evidence[:min(len(d.Evidence), maxEvidence)] {
		e.Evidence = append(e.Evidence, Evidence{Name: "exchange", Observed: v.Value, Text: v.What.In(m.lang), Exchange: v.Exchange})
	}
	return e
}
