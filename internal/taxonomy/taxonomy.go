// Package taxonomy turns the identifiers of rules/taxonomy.yaml into Go types.
//
// It takes nothing and gives constants, their order and their membership
// (which class a defect kind belongs to, which scenario an attack kind has).
// Invariant: the constants here and the YAML are the same set; a test fails
// when either side gains or loses an id. Limits: texts are not here, they live
// in the message catalogue.
package taxonomy

// Severity is one of four levels; harm, exploitability and prevalence use the
// same scale. The zero value means "not rated".
type Severity uint8

const (
	Unrated Severity = iota
	Moderate
	Elevated
	High
	Critical
)

var severityNames = [...]string{"", "moderate", "elevated", "high", "critical"}

func (s Severity) String() string { return severityNames[min(int(s), len(severityNames)-1)] }

// Verdict is how sure an attack finding is. The zero value is "none".
type Verdict uint8

const (
	NoVerdict Verdict = iota
	Suspicious
	Likely
	Confirmed
)

var verdictNames = [...]string{"", "suspicious", "likely", "confirmed"}

func (v Verdict) String() string { return verdictNames[min(int(v), len(verdictNames)-1)] }

// DefectStatus is where a defect stands in its life.
type DefectStatus string

const (
	Candidate     DefectStatus = "candidate"
	Probable      DefectStatus = "probable"
	Established   DefectStatus = "confirmed"
	FixClaimed    DefectStatus = "fix_claimed"
	Verifying     DefectStatus = "verifying"
	Fixed         DefectStatus = "fixed"
	Regressed     DefectStatus = "regressed"
	AcceptedRisk  DefectStatus = "accepted_risk"
	FalsePositive DefectStatus = "false_positive"
	DefectRetired DefectStatus = "retired"
)

// Scenario is the business setting of an attack (攻击场景).
type Scenario string

const (
	MarketingFraud Scenario = "marketing_fraud"
	AccountRisk    Scenario = "account_risk"
	DataTheft      Scenario = "data_theft"
	TrafficFraud   Scenario = "traffic_fraud"
	Exploitation   Scenario = "exploitation"
)

// Scenarios lists every scenario in the report's order.
var Scenarios = []Scenario{MarketingFraud, AccountRisk, DataTheft, TrafficFraud, Exploitation}

// ReasonFamily groups independent kinds of evidence.
type ReasonFamily string

const (
	FamilyNetwork   ReasonFamily = "network"
	FamilyProtocol  ReasonFamily = "protocol"
	FamilyParameter ReasonFamily = "parameter"
	FamilyTiming    ReasonFamily = "timing"
	FamilySequence  ReasonFamily = "sequence"
	FamilyOutcome   ReasonFamily = "outcome"
	FamilySet       ReasonFamily = "set"
	FamilyHerd      ReasonFamily = "herd"
	FamilyIntel     ReasonFamily = "intel"
	FamilyDecoy     ReasonFamily = "decoy"
)

// Action is a proposed response.
type Action string

const (
	ActObserve   Action = "observe"
	ActTag       Action = "tag"
	ActRateLimit Action = "rate_limit"
	ActChallenge Action = "challenge"
	ActMask      Action = "mask"
	ActDeceive   Action = "deceive"
	ActBlock     Action = "block"
)

// Lifecycle of an API.
type Lifecycle string

const (
	LifeNew      Lifecycle = "new"
	LifeRunning  Lifecycle = "running"
	LifeActive   Lifecycle = "active"
	LifeInactive Lifecycle = "inactive"
	LifeRetired  Lifecycle = "retired"
)

// Exposure says who can reach an API, judged by the addresses that did.
type Exposure string

const (
	ExposureInternet Exposure = "internet"
	ExposurePartner  Exposure = "partner"
	ExposureInternal Exposure = "internal"
)

// Auth says whether an API asks for a credential.
type Auth string

const (
	AuthNone     Auth = "none"
	AuthOptional Auth = "optional"
	AuthRequired Auth = "required"
	AuthUnknown  Auth = "unknown"
)

// DropReason says why an exchange that came in was not analysed.
type DropReason string

const (
	DropCorrupt     DropReason = "corrupt"
	DropTruncated   DropReason = "truncated"
	DropUnsupported DropReason = "unsupported_protocol"
	DropEncrypted   DropReason = "encrypted"
	DropGap         DropReason = "gap"
	DropOversize    DropReason = "oversize"
	DropOverload    DropReason = "overload"
	DropLate        DropReason = "late"
	DropDuplicate   DropReason = "duplicate"
	DropLimit       DropReason = "limit"
)

// Quality is a property of the input that limits what could be judged.
type Quality string

const (
	QualityEncrypted      Quality = "encrypted_not_inspected"
	QualityDecrypted      Quality = "tls_decrypted" // the one that widens it
	QualityNoBodies       Quality = "no_bodies"
	QualityNoResponses    Quality = "no_responses"
	QualityTruncated      Quality = "truncated_packets"
	QualityHeadsCut       Quality = "heads_cut"
	QualityOneSided       Quality = "one_sided"
	QualityOutOfOrder     Quality = "out_of_order"
	QualityDuplicates     Quality = "duplicate_packets"
	QualityClockJump      Quality = "clock_jump"
	QualityPacketsDropped Quality = "packets_dropped"
	QualityHeadersUnknown Quality = "headers_unknown"
	QualityMessagesLost   Quality = "messages_lost"
	QualityNoHeaderOrder  Quality = "header_order_unavailable"
	QualityNoTLS          Quality = "tls_fingerprint_unavailable"
	QualityNotWarm        Quality = "detector_not_warm"
	QualityStateEvicted   Quality = "state_evicted"
	QualitySiteUnlisted   Quality = "site_unlisted"
	QualityNetworkUnknown Quality = "network_unknown"
)
