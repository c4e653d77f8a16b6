// Package finding reads the records of findings, as far as those who send them
// out of the installation need.
//
// It takes bodies of records (schema/report.v1.json) and gives Go values.
// Invariant: what is read is what report wrote, no more; lists keep the report's
// order. Limits: fields that nobody sends are not read.
package finding

import (
	"time"

	"xiezhi/internal/message"
)

// Campaign is one gang.
type Campaign struct {
	ID              string       `json:"id"`
	Name            string       `json:"name"`
	Attacks         []string     `json:"attacks"`
	Sites           []string     `json:"sites"`
	Scenarios       []string     `json:"scenarios"`
	Kinds           []string     `json:"kinds"`
	Through         []string     `json:"through"`
	Links           []Link       `json:"links"`
	FirstSeen       time.Time    `json:"first_seen"`
	LastSeen        time.Time    `json:"last_seen"`
	Requests        uint64       `json:"requests"`
	Blocked         uint64       `json:"blocked"`
	Succeeded       uint64       `json:"succeeded"`
	SubjectsExposed uint64       `json:"subjects_exposed"`
	IPCount         uint64       `json:"ip_count"`
	Reason          message.Text `json:"reason"`
}

// Link is what attacks of a campaign have in common.
type Link struct {
	Key    string  `json:"key"`
	Rarity float64 `json:"rarity"`
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
	SubjectsExposed uint64       `json:"subjects_exposed"`
	Through         []string     `json:"through"`
	Actors          Actors       `json:"actors"`
	Reasons         []Reason     `json:"reasons"`
	Reason          message.Text `json:"reason"`
	Action          Action       `json:"action"`
}

// Actors sums up who attacked.
type Actors struct {
	IPs          []string `json:"ips"`
	IPCount      uint64   `json:"ip_count"`
	Accounts     uint64   `json:"accounts"`
	Fingerprints []string `json:"fingerprints"`
}

// Reason is one piece of evidence.
type Reason struct {
	Family   string  `json:"family"`
	Observed string  `json:"observed"`
	Expected string  `json:"expected"`
	Weight   float64 `json:"weight"`
	Zh       string  `json:"zh"`
	En       string  `json:"en"`
}

// Action is the response that is proposed.
type Action struct {
	Kind       string  `json:"kind"`
	Collateral float64 `json:"collateral"`
}

// Defect is one defect.
type Defect struct {
	ID          string       `json:"id"`
	Class       string       `json:"class"`
	Kind        string       `json:"kind"`
	Component   string       `json:"component"`
	API         string       `json:"api"`
	Severity    string       `json:"severity"`
	Confidence  float64      `json:"confidence"`
	Status      string       `json:"status"`
	FirstSeen   time.Time    `json:"first_seen"`
	LastSeen    time.Time    `json:"last_seen"`
	Count       uint64       `json:"count"`
	Evidence    []Evidence   `json:"evidence"`
	Reason      message.Text `json:"reason"`
	Advice      message.Text `json:"advice"`
	OWASP       []string     `json:"owasp"`
	CWE         []string     `json:"cwe"`
	ExploitedBy []string     `json:"exploited_by"`
}

// Evidence is one exchange that shows a defect.
type Evidence struct {
	Exchange string       `json:"exchange"`
	What     message.Text `json:"what"`
	Value    string       `json:"value"`
}

// API is one API.
type API struct {
	ID       string `json:"id"`
	Site     string `json:"site"`
	Host     string `json:"host"`
	Method   string `json:"method"`
	Template string `json:"template"`
}
