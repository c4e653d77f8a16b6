package judge

// Limit says how often a bounded part was full.
type Limit struct {
	What  string
	Count uint64
}

// modest are the caps at which nothing is overlooked: what is found is found
// all the same, and says less. All others may cost findings.
var modest = map[string]bool{
	"catalog.refused":          true, // what is refused is noise of scans, as a rule
	"attack.activity":          true, // requests join a coarser row
	"attack.hints":             true, // a suspect is described by fewer traits
	"attack.labels":            true, // a program has no name
	"attack.sets":              true, // a figure is a lower bound
	"campaign.pairs":           true, // joined through those between
	"observe.forms":            true, // contracts are partial
	"defect.bfla.roles":        true, // fewer roles are named
	"defect.custom.scopes":     true, // worked out again
	"defect.in_use.habits":     true, // fewer habits are named
	"defect.internal.fields":   true, // fewer fields of a finding are named, here and below
	"defect.exposed.fields":    true,
	"defect.secret.fields":     true,
	"defect.twin.fields":       true,
	"defect.unneeded.fields":   true,
	"defect.backend.products":  true,
	"defect.outdated.banners":  true, // read anew
	"defect.secret.tags":       true, // of passwords sent some thousand logins ago
	"defect.throttle.attempts": true, // a run of so many is found all the same, and reads "at least"
	"defect.url.parameters":    true,
}

// Modest reports whether what was given up at the cap costs no finding.
func (l Limit) Modest() bool { return modest[l.What] }

// Limits lists what was given up at a cap, in a fixed order.
func (j *Judge) Limits() []Limit {
	var out []Limit
	add := func(what string, n uint64) {
		if n > 0 {
			out = append(out, Limit{what, n})
		}
	}
	ids := j.identity.Stats()
	add("identity.accounts", ids.EvictedAccounts)
	add("identity.credentials", ids.EvictedCredentials)
	add("identity.clients", ids.EvictedClients)
	add("identity.aliases", ids.EvictedAliases)
	add("identity.roles", ids.EvictedRoles+ids.RefusedRoles)
	cat := j.catalog.Stats()
	add("catalog.refused", cat.Refused)
	add("catalog.forced", cat.Forced)
	add("catalog.evicted", cat.Evicted)
	for _, c := range j.auditor.Counters() {
		add(c.What, c.Count)
	}
	l := j.attacks.Losses()
	add("attack.cells", l.Cells)
	add("attack.sets", l.Sets)
	add("attack.targets", l.Targets)
	add("attack.pending", l.Pending)
	add("attack.names", l.Names)
	add("attack.apis", l.APIs)
	add("attack.episodes", l.Episodes)
	add("attack.labels", l.Labels)
	add("attack.activity", l.Activity)
	add("attack.hints", l.Hints)
	add("rules.buckets", l.Buckets)
	add("rules.seen", l.Seen)
	add("rules.alerts", l.Alerts)
	add("attack.lookups", l.Lookups)
	add("attack.lured", l.Lured)
	return out
}
