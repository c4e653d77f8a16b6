// Package report turns judged sites into what people and programs read: the
// JSON report (schema/report.v1.json), statistics, the terminal summary.
//
// It takes findings and counts and gives documents; it decides nothing.
// Invariant: the same findings give the same bytes, whatever the order they
// were found in; attacker-made strings are inert and visible. Limits: lists in
// the terminal summary are cut and say so; the JSON report holds everything
// but addresses beyond 1 000 per attack.
package report

import (
	"fmt"
	"strings"
	"time"

	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// SchemaID names the report's schema, schema/report.v1.json.
const SchemaID = "xiezhi.report/v1"

// Report is the JSON report.
type Report struct {
	Schema     string     `json:"schema"`
	Version    string     `json:"version"`
	Rules      string     `json:"rules,omitempty"` // version of the rule data
	Input      Input      `json:"input"`
	Sites      []Site     `json:"sites"`
	APIs       []API      `json:"apis"`
	Defects    []Defect   `json:"defects"`
	Attacks    []Attack   `json:"attacks"`
	Campaigns  []Campaign `json:"campaigns"`
	Statistics Statistics `json:"statistics"`

	Drift  *drift.Result `json:"drift,omitempty"`  // from what developers described, where a description was given
	Period *Period       `json:"period,omitempty"` // of a report that was cut to a stretch of time
}

// Site is one judged application.
type Site struct {
	Name      string `json:"name"`
	Industry  string `json:"industry"`
	TimeZone  string `json:"time_zone"` // IANA name; days and months of this site are its own
	Exchanges uint64 `json:"exchanges"` // observations judged

	Edits []Edit `json:"edits,omitempty"` // of the catalogue by people, in effect
}

// Edit is an edit of the catalogue that is in effect.
type Edit struct {
	Edit     string `json:"edit"`
	Host     string `json:"host,omitempty"`
	Method   string `json:"method,omitempty"`
	Template string `json:"template"`
	Title    string `json:"title,omitempty"`
	Role     string `json:"role,omitempty"`
	By       string `json:"by,omitempty"`
	Reason   string `json:"reason,omitempty"`
	APIs     int    `json:"apis"` // listed APIs that the template names
}

// Input says what was read and what was lost: exchanges = analysed + dropped.
type Input struct {
	Exchanges    uint64         `json:"exchanges"`    // that came in
	Analysed     uint64         `json:"analysed"`     // that were observed
	Observations uint64         `json:"observations"` // that were judged
	Bytes        int64          `json:"bytes"`        // read, after decompression
	First        *time.Time     `json:"first"`
	Last         *time.Time     `json:"last"`
	Dropped      []ReasonCount  `json:"dropped"`
	Quality      []QualityCount `json:"quality"`
	Blind        []Blind        `json:"blind"` // servers whose traffic could not be looked into, most bytes first
	Problems     []Problem      `json:"problems"`
	NotJudged    []NotJudged    `json:"not_judged"`
	Limits       []LimitCount   `json:"limits"`             // state that reached its cap
	Addresses    string         `json:"addresses"`          // client addresses: "plain" or "token"
	Networks     []Snapshot     `json:"networks,omitempty"` // maps that addresses were looked up in
	Key          string         `json:"key,omitempty"`      // a token of nothing: runs with another value used another key
}

// ReasonCount is how many exchanges were dropped for one reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// QualityCount is a property of the input that limits what could be judged.
type QualityCount struct {
	Code   string `json:"code"`
	Count  uint64 `json:"count"`
	Detail string `json:"detail"`
}

// NewInput is an Input with nothing read: every list is there and empty.
func NewInput() Input {
	return Input{Dropped: []ReasonCount{}, Quality: []QualityCount{}, Blind: []Blind{}, Problems: []Problem{}, NotJudged: []NotJudged{}, Limits: []LimitCount{}}
}

// Blind is a server whose traffic was seen but not looked into.
type Blind struct {
	Server      string `json:"server"`
	Name        string `json:"name"` // server name asked for (SNI), if any
	Protocol    string `json:"protocol"`
	Connections uint64 `json:"connections"`
	Bytes       uint64 `json:"bytes"`

	Reason  string        `json:"reason,omitempty"`  // why TLS was not read
	Clients []BlindClient `json:"clients,omitempty"` // most connections first
}

// BlindClient is how many connections had one TLS client fingerprint.
type BlindClient struct {
	JA4         string `json:"ja4"`
	Connections uint64 `json:"connections"`
}

const (
	maxBlindClients = 8
	topBlindClients = 3
)

// Detail says why a server was not looked into and who talked to it, to be put
// behind the rest.
func (b *Blind) Detail(msgs *message.Catalog, lang string) string {
	say := func(id string, args message.Args) string { return msgs.Text(id, args).In(lang) }
	text := ""
	if b.Reason != "" {
		text = say("blind_reason."+b.Reason, nil)
	}
	if len(b.Clients) == 0 {
		return text
	}
	var list []string
	for _, c := range b.Clients[:min(len(b.Clients), topBlindClients)] {
		list = append(list, fmt.Sprintf("%s ×%d", c.JA4, c.Connections))
	}
	if len(b.Clients) > topBlindClients {
		list = append(list, "…")
	}
	return text + say("report.blind_clients", message.Args{"list": strings.Join(list, say("report.comma", nil))})
}

// Problem is one place where the input was damaged.
type Problem struct {
	File   string       `json:"file"`
	Offset int64        `json:"offset,omitempty"`
	Line   int64        `json:"line,omitempty"`
	Reason string       `json:"reason"`
	Text   message.Text `json:"text"`
}

// NotJudged is a kind of defect or attack that this input could not show.
type NotJudged struct {
	Kind string       `json:"kind"` // defect or attack kind
	Why  message.Text `json:"why"`
}

// LimitCount says how often a bounded structure was full.
type LimitCount struct {
	What  string `json:"what"`
	Count uint64 `json:"count"`
}

// API is one learned API.
type API struct {
	ID        string          `json:"id"`
	Site      string          `json:"site"`
	Host      string          `json:"host"`
	Method    string          `json:"method"`
	Template  string          `json:"template"`
	Operation string          `json:"operation,omitempty"` // behind "#" in the template
	Title     string          `json:"title,omitempty"`     // by an edit of the catalogue
	Protocol  string          `json:"protocol,omitempty"`
	Role      string          `json:"role"`
	Lifecycle string          `json:"lifecycle"`
	Gone      bool            `json:"gone,omitempty"`      // nothing but refusals came back of late
	Successor string          `json:"successor,omitempty"` // id of the API of a higher version that took its calls over
	Exposure  string          `json:"exposure"`
	Exchanges uint64          `json:"exchanges"`
	Actors    uint64          `json:"actors"`
	Auth      string          `json:"auth"`
	Sensitive []SensitiveData `json:"sensitive"`
	FirstSeen time.Time       `json:"first_seen"`
	LastSeen  time.Time       `json:"last_seen"`

	Contract *contract.Contract `json:"contract,omitempty"` // what it takes and gives
}

// SensitiveData is sensitive data that an API carries.
type SensitiveData struct {
	Path           string `json:"path"`
	Type           string `json:"type"`
	In             string `json:"in"`
	Masked         bool   `json:"masked"`
	Exchanges      uint64 `json:"exchanges"`
	MaxPerResponse uint32 `json:"max_per_response"`
}

// Defect is one defect.
type Defect struct {
	ID             string       `json:"id"`
	Class          string       `json:"class"`
	Kind           string       `json:"kind"`
	Component      string       `json:"component"`
	API            string       `json:"api"`
	Site           string       `json:"-"` // empty in a report that was read
	Severity       string       `json:"severity"`
	Harm           string       `json:"harm"`
	Exploitability string       `json:"exploitability"`
	Prevalence     string       `json:"prevalence"`
	Rating         message.Text `json:"rating"`        // why the three axes are what they are
	Why            *Axes        `json:"why,omitempty"` // the same, a sentence each
	Confidence     float64      `json:"confidence"`
	Status         string       `json:"status"`
	FirstSeen      time.Time    `json:"first_seen"`
	LastSeen       time.Time    `json:"last_seen"`
	Count          uint64       `json:"count"`
	Evidence       []Evidence   `json:"evidence"`
	Reason         message.Text `json:"reason"`
	Advice         message.Text `json:"advice"`
	OWASP          []string     `json:"owasp"`
	CWE            []string     `json:"cwe"`
	ExploitedBy    []string     `json:"exploited_by"`
	Life           *Life        `json:"life,omitempty"` // what became of it
}

// Axes says of each axis of a rating why it is what it is.
type Axes struct {
	Harm           message.Text `json:"harm"`
	Exploitability message.Text `json:"exploitability"`
	Prevalence     message.Text `json:"prevalence"`
}

// Life is what became of a defect: its states in order of time, how far the
// proof of a fix has come, and what a person decided.
type Life struct {
	History  []Step    `json:"history"`
	Progress *Progress `json:"progress,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
}

// Step is a change of state.
type Step struct {
	Time   time.Time    `json:"time"`
	Status string       `json:"status"`
	Text   message.Text `json:"text"`
}

// Progress is how far the proof of a fix has come: every number has to reach
// the one that is needed.
type Progress struct {
	Since       time.Time `json:"since"`
	Claimed     bool      `json:"claimed"` // somebody said that it is fixed
	Requests    uint64    `json:"requests"`
	Needed      uint64    `json:"requests_needed"`
	Hours       uint64    `json:"hours"` // periods with such requests
	HoursNeeded uint64    `json:"hours_needed"`
	Days        float64   `json:"days"`
	DaysNeeded  float64   `json:"days_needed"`
	Traffic     float64   `json:"traffic"` // requests per day, as a share of those before
	TrafficNeed float64   `json:"traffic_needed"`
}

// Decision is the verdict of a person.
type Decision struct {
	By      string     `json:"by"`
	Reason  string     `json:"reason"`
	Expires *time.Time `json:"expires,omitempty"`
}

// Closed reports whether nothing is to be done about the defect.
func (d *Defect) Closed() bool { return defect.Closed(taxonomy.DefectStatus(d.Status)) }

// Open gives the defects about which something is to be done.
func (r *Report) Open() []Defect {
	n := 0
	for i := range r.Defects {
		if !r.Defects[i].Closed() {
			n++
		}
	}
	if n == len(r.Defects) {
		return r.Defects
	}
	out := make([]Defect, 0, n)
	for i := range r.Defects {
		if !r.Defects[i].Closed() {
			out = append(out, r.Defects[i])
		}
	}
	return out
}

// Evidence is one exchange that shows a defect.
type Evidence struct {
	Exchange string       `json:"exchange"`
	What     message.Text `json:"what"`
	Value    string       `json:"value"`
	Request  []string     `json:"request,omitempty"` // what it looked like, by lines: names and shapes
	Response []string     `json:"response,omitempty"`
}

// Attack is one attack.
type Attack struct {
	ID              string       `json:"id"`
	Kind            string       `json:"kind"`
	Scenario        string       `json:"scenario"`
	Site            string       `json:"site"`
	APIs            []string     `json:"apis"`
	Verdict         string       `json:"verdict"`
	Confidence      float64      `json:"confidence"`
	FirstSeen       time.Time    `json:"first_seen"`
	LastSeen        time.Time    `json:"last_seen"`
	Requests        uint64       `json:"requests"`
	Blocked         uint64       `json:"blocked"`
	Succeeded       uint64       `json:"succeeded"`
	Selector        Selector     `json:"selector"`
	Actors          Actors       `json:"actors"`
	SubjectsExposed uint64       `json:"subjects_exposed"`
	Through         []string     `json:"through"`
	Reasons         []Reason     `json:"reasons"`
	Reason          message.Text `json:"reason"`
	Action          Action       `json:"action"`
	Activity        []Activity   `json:"activity"`  // by day and API, in that order; sums are requests, blocked, succeeded
	Signature       []Mark       `json:"signature"` // what the reducer of campaigns joins on, rarest first
}

// Activity is what an attack did to one API on one day of the site.
type Activity struct {
	Day       string `json:"day"` // 2006-01-02 in the site's time zone
	API       string `json:"api"` // empty for requests of no API
	Requests  uint64 `json:"requests"`
	Blocked   uint64 `json:"blocked"`
	Succeeded uint64 `json:"succeeded"`
}

// Mark is one trait of an attack that another attack may share. Value is a
// hash, a keyed token, an address or the name of a fingerprint or tool, never
// personal data. Of Of askers on the site whom no attack claims, Others show
// the trait, too: that is how rare it is. Of is 0 where nobody can be compared.
type Mark struct {
	Key    string  `json:"key"`
	Value  string  `json:"value"`
	Share  float64 `json:"share"` // of the attack's requests
	Others uint64  `json:"others"`
	Of     uint64  `json:"of"`
}

// Selector says which exchanges an attack consists of.
type Selector struct {
	APIs []string     `json:"apis"`
	Keys SelectorKeys `json:"keys"`
	From time.Time    `json:"from"`
	To   time.Time    `json:"to"`
}

// SelectorKeys holds the alternatives of each key; all keys present must match.
type SelectorKeys struct {
	IP          []string `json:"ip,omitempty"`
	Prefix      []string `json:"prefix,omitempty"`
	JA4         []string `json:"ja4,omitempty"`
	HeaderOrder []string `json:"header_order,omitempty"`
	ParamShape  []string `json:"param_shape,omitempty"`
	Credential  []string `json:"credential,omitempty"`
	Account     []string `json:"account,omitempty"`
	Agent       []string `json:"agent,omitempty"` // tokens of the User-Agent
	Path        []string `json:"path,omitempty"`  // hashes of method and path, for what is no API; an alternative to apis
}

// Actors sums up who attacked.
type Actors struct {
	IPs          []string `json:"ips"`
	IPCount      uint64   `json:"ip_count"`
	Accounts     uint64   `json:"accounts"`
	Fingerprints []string `json:"fingerprints"`

	Countries []CountryCount `json:"countries,omitempty"`     // of the addresses in ips, most addresses first
	Types     []TypeCount    `json:"network_types,omitempty"` // the same by network type
	Networks  []NetworkCount `json:"networks,omitempty"`      // the same by autonomous system, at most MaxNetworks
}

// Reason is one piece of evidence for an attack.
type Reason struct {
	Family   string  `json:"family"`
	Observed string  `json:"observed"`
	Expected string  `json:"expected"`
	Weight   float64 `json:"weight"`
	Zh       string  `json:"zh"`
	En       string  `json:"en"`
}

// Action is the proposed response and its predicted collateral: the share of
// other requests on the same APIs in the same time that it would touch.
type Action struct {
	Kind       string  `json:"kind"`
	Collateral float64 `json:"collateral"`
}

// Campaign joins attacks that share at least two rare traits: one gang.
type Campaign struct {
	ID              string       `json:"id"`
	Name            string       `json:"name"` // a code name made of the id: "G-3F2A"
	Attacks         []string     `json:"attacks"`
	Sites           []string     `json:"sites"`
	Industries      []string     `json:"industries"`
	Scenarios       []string     `json:"scenarios"` // most requests first
	Kinds           []string     `json:"kinds"`     // of attack, most requests first
	Through         []string     `json:"through"`   // defect ids
	Links           []Link       `json:"links"`     // rarest first
	FirstSeen       time.Time    `json:"first_seen"`
	LastSeen        time.Time    `json:"last_seen"`
	Requests        uint64       `json:"requests"`
	Blocked         uint64       `json:"blocked"`
	Succeeded       uint64       `json:"succeeded"`
	SubjectsExposed uint64       `json:"subjects_exposed"` // at most; a person read twice by two attacks counts twice
	IPCount         uint64       `json:"ip_count"`         // at most, likewise
	Targets         []Target     `json:"targets"`          // one per site, most requests first
	Timeline        []Moment     `json:"timeline"`         // in order of time
	Reason          message.Text `json:"reason"`
}

// Link is what attacks of a campaign have in common.
type Link struct {
	Key     string   `json:"key"`
	Rarity  float64  `json:"rarity"` // bits: -log2 of the share of other askers who show it
	Attacks []string `json:"attacks"`
}

// Target is how one site stood up to a campaign.
type Target struct {
	Site      string `json:"site"`
	Industry  string `json:"industry"`
	Requests  uint64 `json:"requests"`
	Blocked   uint64 `json:"blocked"`
	Succeeded uint64 `json:"succeeded"`
	Outcome   string `json:"outcome"` // blocked, partly or undetected
}

// Moment is one event of a campaign's story.
type Moment struct {
	Time   time.Time    `json:"time"`
	Event  string       `json:"event"` // start, spread, peak, success, blocked, end
	Site   string       `json:"site"`
	Attack string       `json:"attack"` // attack id; empty when it concerns all
	Text   message.Text `json:"text"`
}

// Statistics are the figures of the source report.
type Statistics struct {
	// AttackedAPIsByMonth counts the distinct APIs with a confirmed attack per
	// calendar month of the site's time zone.
	AttackedAPIsByMonth map[string]int `json:"attacked_apis_by_month"`
	// ScenarioShare counts attack requests and attacked APIs by scenario,
	// attacks from likely on.
	ScenarioShare map[string]ScenarioCount `json:"scenario_share"`
	// IndustryByScenario counts attack requests by industry and scenario.
	IndustryByScenario map[string]map[string]uint64 `json:"industry_by_scenario"`
	DefectsByClass     map[string]int               `json:"defects_by_class"`
	DefectRanking      []ClassRating                `json:"defect_ranking"`
}

// ScenarioCount is the volume of one scenario.
type ScenarioCount struct {
	Requests uint64 `json:"requests"`
	APIs     int    `json:"apis"`
}

// ClassRating rates one defect class by its worst finding on each axis.
type ClassRating struct {
	Class          string `json:"class"`
	Harm           string `json:"harm"`
	Exploitability string `json:"exploitability"`
	Prevalence     string `json:"prevalence"`
	Count          int    `json:"count"`
}
