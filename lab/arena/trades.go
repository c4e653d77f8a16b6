package arena

import (
	"slices"

	"xiezhi/internal/taxonomy"
)

// Trades are the kinds of applications a match can hold.
var Trades = []string{"mall", "card", "loan", "government", "social", "parking", "game", "ticket", "collectible", "lodging"}

// kinds are the kinds of attack in the order of the board.
var kinds = []taxonomy.AttackKind{"account_scanning", "credential_stuffing", "brute_force", "password_spraying", "code_cracking", "mass_registration",
	"sms_abuse", "promotion_abuse", "scraping", "targeted_lookup", "bola_exploitation", "cross_border_access", "fake_engagement", "scalping", "carding",
	"vulnerability_scan", "flood", "bot"}

// fields says where a kind of attack has something to gain.
var fields = map[taxonomy.AttackKind][]string{
	"account_scanning":    {"loan", "government", "social", "game", "card", "mall"},
	"credential_stuffing": {"mall", "game", "social", "lodging", "ticket", "loan"},
	"brute_force":         {"game", "mall", "social", "card"},
	"password_spraying":   {"game", "mall", "lodging", "loan", "social"},
	"code_cracking":       {"game", "mall", "loan", "collectible"},
	"mass_registration":   {"social", "game", "collectible", "mall", "ticket"},
	"sms_abuse":           {"mall", "loan", "card", "government", "ticket", "collectible", "lodging", "parking", "game", "social"},
	"promotion_abuse":     {"mall", "collectible", "game", "ticket"},
	"scraping":            {"lodging", "mall", "ticket", "card", "government", "social"},
	"targeted_lookup":     {"parking", "government", "card"},
	"bola_exploitation":   {"government", "mall", "ticket", "lodging"},
	"cross_border_access": {"government", "lodging", "card", "mall"},
	"fake_engagement":     {"social", "ticket", "collectible"},
	"scalping":            {"ticket", "mall", "collectible", "government"},
	"carding":             {"mall", "ticket", "lodging"},
	"vulnerability_scan":  {"government", "mall", "loan", "card", "lodging", "game", "social", "parking", "ticket", "collectible"},
	"flood":               {"game", "government", "mall", "social", "ticket"},
	"bot":                 {"game", "mall", "social", "collectible"},
}

// Kinds are all kinds of attack.
func Kinds() []taxonomy.AttackKind { return slices.Clone(kinds) }

func fits(k taxonomy.AttackKind, trade string) bool { return slices.Contains(fields[k], trade) }

// events says where an honest event can happen; nil: anywhere.
var events = map[string][]string{
	"flash_sale":       {"mall", "ticket", "collectible"},
	"outage":           nil, // every sign-in fails for a while
	"release":          nil, // a broken link and a new API
	"partner_sync":     {"mall", "lodging", "ticket", "government", "card"},
	"campus_nat":       nil,
	"password_manager": {"mall", "game", "social", "lodging", "loan", "ticket"},
	"sms_failure":      nil, // codes do not arrive, people ask again
	"viral_post":       {"social"},
	"call_centre":      {"card", "loan", "mall", "government", "lodging"},
	"search_crawler":   {"lodging", "mall", "ticket", "social", "government"},
	"monitoring":       nil,
	"marketing_import": {"mall", "loan", "card", "lodging"},
}

// EventNames are the honest events that look like attacks, in order.
var EventNames = []string{"flash_sale", "outage", "release", "partner_sync", "campus_nat", "password_manager", "sms_failure", "viral_post",
	"call_centre", "search_crawler", "monitoring", "marketing_import"}

func happens(name, trade string) bool {
	at, ok := events[name]
	return ok && (at == nil || slices.Contains(at, trade))
}

func attackKind(k string) taxonomy.AttackKind { return taxonomy.AttackKind(k) }
