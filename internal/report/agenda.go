package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Todo is one thing that a person should do.
type Todo struct {
	Kind      string       `json:"kind"` // attack, regression, defect or source
	ID        string       `json:"id"`   // of the attack or defect; what is wrong with a source
	What      string       `json:"what"` // kind of the attack or defect; what is wrong with a source
	Site      string       `json:"site,omitempty"`
	API       string       `json:"api,omitempty"` // id; empty where there are none or several
	Severity  string       `json:"severity"`
	Exploited bool         `json:"exploited"`
	People    uint64       `json:"people"` // whose data was taken, at most
	Since     time.Time    `json:"since,omitzero"`
	Reason    message.Text `json:"reason"`
	Do        message.Text `json:"do"`

	rank urgency
}

// The kinds of what is to be done.
const (
	TodoAttack     = "attack"     // confirmed, under way, and hardly anything of it is blocked
	TodoRegression = "regression" // a defect that came back after it was gone
	TodoDefect     = "defect"
	TodoSource     = "source" // of traffic, or a part of the service, that does not see what it should
)

// urgency is the order of what is to be done, here and in every list of defects:
// by severity, what is used by attackers before what is not, by how many people
// that concerns, then by how sure it is and how often it was seen.
type urgency struct {
	severity   int
	exploited  bool
	people     uint64
	confidence float64
	count      uint64
	id         string
}

func (u urgency) compare(o urgency) int {
	return cmp.Or(cmp.Compare(o.severity, u.severity), cmp.Compare(boolRank(o.exploited), boolRank(u.exploited)), cmp.Compare(o.people, u.people),
		cmp.Compare(o.confidence, u.confidence), cmp.Compare(o.count, u.count), cmp.Compare(u.id, o.id))
}

// urgencyOf ranks a defect; people says how many an attack saw, by its id.
func urgencyOf(d *Defect, people map[string]uint64) urgency {
	u := urgency{severity: rank(d.Severity), exploited: len(d.ExploitedBy) > 0, confidence: d.Confidence, count: d.Count, id: d.ID}
	for _, id := range d.ExploitedBy {
		u.people = max(u.people, people[id])
	}
	return u
}

// Work is what an agenda is made of: defects and attacks, of which it takes what
// asks for something to be done, and what could not be seen.
type Work struct {
	Defects  []Defect
	Attacks  []Attack
	People   map[string]uint64 // that further attacks saw, by their ids
	Quality  []QualityCount
	Troubles []Trouble
	Now      time.Time // of the traffic
}

// Trouble is a part of a service that does not work as it should.
type Trouble struct {
	Name    string
	Failing bool
	Since   time.Time
	Text    message.Text
}

// Agenda ranks what a person should do first, at most so many.
func (w *Work) Agenda(msgs *message.Catalog, most int) []Todo {
	people := make(map[string]uint64, len(w.People)+len(w.Attacks))
	for id, n := range w.People {
		people[id] = n
	}
	var out []Todo
	for i := range w.Attacks {
		people[w.Attacks[i].ID] = w.Attacks[i].SubjectsExposed
		if a := &w.Attacks[i]; a.underWay(w.Now) {
			out = append(out, a.todo(msgs))
		}
	}
	for i := range w.Defects {
		if d := &w.Defects[i]; !d.Closed() && d.Status != string(taxonomy.Candidate) {
			out = append(out, d.todo(msgs, urgencyOf(d, people)))
		}
	}
	out = append(out, w.unseen(msgs)...)
	// Attacks that go on before what came back before the others.
	kinds := []string{TodoAttack, TodoRegression, TodoDefect, TodoSource}
	slices.SortFunc(out, func(a, b Todo) int {
		x, y := a.rank, b.rank
		return cmp.Or(cmp.Compare(y.severity, x.severity), cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), x.compare(y))
	})
	return out[:min(len(out), most)]
}

// An attack is under way until it has been silent for an hour, or a tenth of
// its life where that is longer, but no more than a day.
const (
	silentLeast = time.Hour
	silentMost  = 24 * time.Hour
)

// underWay reports whether an attack is sure, goes on, and less than a tenth of
// its requests were blocked.
func (a *Attack) underWay(now time.Time) bool {
	silence := min(max(a.LastSeen.Sub(a.FirstSeen)/10, silentLeast), silentMost)
	return a.Verdict == taxonomy.Confirmed.String() && now.Sub(a.LastSeen) <= silence && a.Blocked*10 < a.Requests
}

func (a *Attack) todo(msgs *message.Catalog) Todo {
	// What takes something, data or accounts, is graver than what tries.
	level := taxonomy.High
	if a.SubjectsExposed > 0 || a.Succeeded > 0 {
		level = taxonomy.Critical
	}
	do := msgs.Text("agenda.do."+a.Action.Kind, message.Args{"collateral": a.Action.Collateral})
	if n := len(a.Through); n > 0 {
		do = joined(do, msgs.Text("agenda.mend", message.Args{"n": n}))
	}
	t := Todo{Kind: TodoAttack, ID: a.ID, What: a.Kind, Site: a.Site, Severity: level.String(), Exploited: true, People: a.SubjectsExposed, Since: a.FirstSeen,
		Reason: joined(a.Reason, msgs.Text("agenda.under_way", message.Args{"blocked": a.Blocked, "requests": a.Requests})), Do: do,
		rank: urgency{int(level), true, a.SubjectsExposed, a.Confidence, a.Requests, a.ID}}
	if len(a.APIs) == 1 {
		t.API = a.APIs[0]
	}
	return t
}

func (d *Defect) todo(msgs *message.Catalog, u urgency) Todo {
	t := Todo{Kind: TodoDefect, ID: d.ID, What: d.Kind, Site: d.Site, API: d.API, Severity: d.Severity, Exploited: u.exploited, People: u.people, Since: d.FirstSeen,
		Reason: d.Reason, Do: d.Advice, rank: u}
	if d.Status != string(taxonomy.Regressed) {
		return t
	}
	t.Kind, t.Reason = TodoRegression, joined(msgs.Text("agenda.regressed", nil), d.Reason)
	if d.Life != nil {
		for _, s := range d.Life.History {
			if s.Status == d.Status {
				t.Since = s.Time
			}
		}
	}
	return t
}

// unseen lists what takes sight away.
func (w *Work) unseen(msgs *message.Catalog) (out []Todo) {
	add := func(id string, level taxonomy.Severity, count uint64, since time.Time, reason, do message.Text) {
		out = append(out, Todo{Kind: TodoSource, ID: id, What: id, Severity: level.String(), Since: since, Reason: reason, Do: do,
			rank: urgency{severity: int(level), confidence: 1, count: count, id: id}})
	}
	sums, details := map[string]uint64{}, map[string][]string{}
	for _, q := range w.Quality {
		if sums[q.Code] += q.Count; q.Detail != "" && len(details[q.Code]) < topPlaces {
			details[q.Code] = append(details[q.Code], q.Detail)
		}
	}
	for code, level := range map[taxonomy.Quality]taxonomy.Severity{
		taxonomy.QualityEncrypted: taxonomy.Elevated, taxonomy.QualityOneSided: taxonomy.Elevated, taxonomy.QualityPacketsDropped: taxonomy.Elevated,
		taxonomy.QualityNoResponses: taxonomy.Moderate, taxonomy.QualityNoBodies: taxonomy.Moderate,
	} {
		n := sums[string(code)]
		if n == 0 {
			continue
		}
		detail := message.Text{}
		if list := details[string(code)]; len(list) > 0 {
			detail = msgs.Text("report.detail", message.Args{"detail": strings.Join(list, "; ")})
		}
		do := msgs.Text("agenda.source."+string(code), nil)
		if code == taxonomy.QualityEncrypted {
			do = msgs.Text("report.blind_advice", nil)
		}
		add(string(code), level, n, time.Time{}, msgs.Text("quality_line."+string(code), message.Args{"n": n, "detail": detail}), do)
	}
	for _, t := range w.Troubles {
		level := taxonomy.Elevated
		if t.Failing {
			level = taxonomy.Critical
		}
		add(t.Name, level, 1, t.Since, t.Text, msgs.Text("agenda.source.part", nil))
	}
	return out
}

// joined puts a sentence behind another.
func joined(a, b message.Text) message.Text {
	return message.Text{Zh: strings.TrimSpace(a.Zh) + b.Zh, En: strings.TrimSpace(strings.TrimSpace(a.En) + " " + b.En)}
}
