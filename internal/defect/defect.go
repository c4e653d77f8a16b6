// Package defect audits APIs for the five classes of defect.
//
// It takes a site's events in order and gives findings on demand. This package
// holds what the classes share: the finding, the Detector contract, severity,
// evidence samples and the bounded containers. One folder per class holds its
// detectors (unauthorized, password, exposure, errors, misconfig); folder audit
// assembles them, so that this package imports none of them. Invariant: a
// finding is a function of the events so far; an API merge folds detector state
// without loss, because what a detector keeps are counters, bottom-k sets and
// samples chosen by hash, all of which merge in any order. Limits: bounded
// state per API, see LIMITS.md.
package defect

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Evidence is one exchange that shows the defect. Value is redacted.
type Evidence struct {
	Exchange string
	What     message.Text
	Value    string
	Request  []string // what the request looked like, by lines: names and shapes; empty when it is not kept
	Response []string
}

// Finding is one defect of one API (or of a site's component).
type Finding struct {
	ID             string // hash of (site, method, template, kind, component, sub-key)
	Kind           taxonomy.DefectKind
	Component      string
	SubKey         string // parameter or field path, part of the identity
	API            catalog.Handle
	Severity       taxonomy.Severity
	Harm           taxonomy.Severity
	Exploitability taxonomy.Severity
	Prevalence     taxonomy.Severity
	Confidence     float64 // 0..1
	Status         taxonomy.DefectStatus
	First, Last    int64
	Count          uint64 // firings
	Evidence       []Evidence
	Reason         message.Text
	Advice         message.Text
	OWASP          []string
	CWE            []string
	ExploitedBy    []string // attack ids, filled in by the judge

	Trials *Trials // history for the proof of a fix; nil: not verifiable passively

	Life   Life    // what became of it
	Ruling *Ruling // the verdict of a person, nil when there is none

	Score  int          // 25..100, of which Severity is the level
	Rating message.Text // why harm, exploitability and prevalence are what they are
	Why    Axes         // the same, a sentence each
}
