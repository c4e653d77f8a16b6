package taxonomy

// AttackKind is what an attacker does.
type AttackKind string

const (
	AttackBot                AttackKind = "bot"
	AttackAccountScanning    AttackKind = "account_scanning"
	AttackCredentialStuffing AttackKind = "credential_stuffing"
	AttackBruteForce         AttackKind = "brute_force"
	AttackPasswordSpraying   AttackKind = "password_spraying"
	AttackCodeCracking       AttackKind = "code_cracking"
	AttackMassRegistration   AttackKind = "mass_registration"
	AttackSMSAbuse           AttackKind = "sms_abuse"
	AttackPromotionAbuse     AttackKind = "promotion_abuse"
	AttackScraping           AttackKind = "scraping"
	AttackTargetedLookup     AttackKind = "targeted_lookup"
	AttackBOLAExploitation   AttackKind = "bola_exploitation"
	AttackCrossBorderAccess  AttackKind = "cross_border_access"
	AttackFakeEngagement     AttackKind = "fake_engagement"
	AttackScalping           AttackKind = "scalping"
	AttackCarding            AttackKind = "carding"
	AttackVulnerabilityScan  AttackKind = "vulnerability_scan"
	AttackFlood              AttackKind = "flood"
)

// ScenarioOf gives the default primary scenario of every attack kind.
var ScenarioOf = map[AttackKind]Scenario{
	AttackBot:                TrafficFraud,
	AttackAccountScanning:    AccountRisk,
	AttackCredentialStuffing: AccountRisk,
	AttackBruteForce:         AccountRisk,
	AttackPasswordSpraying:   AccountRisk,
	AttackCodeCracking:       AccountRisk,
	AttackMassRegistration:   AccountRisk,
	AttackSMSAbuse:           MarketingFraud,
	AttackPromotionAbuse:     MarketingFraud,
	AttackScraping:           DataTheft,
	AttackTargetedLookup:     DataTheft,
	AttackBOLAExploitation:   DataTheft,
	AttackCrossBorderAccess:  DataTheft,
	AttackFakeEngagement:     TrafficFraud,
	AttackScalping:           TrafficFraud,
	AttackCarding:            AccountRisk,
	AttackVulnerabilityScan:  Exploitation,
	AttackFlood:              Exploitation,
}
