package scene

// Flaw is a defect that an application is built with.
type Flaw string

// The switches. Each names a defect kind of the taxonomy in Seeded.
const (
	IdentityOracle Flaw = "identity_oracle" // answers tell whether an account exists
	NoThrottle     Flaw = "no_throttle"     // password failures are never locked or slowed
	WeakPasswords  Flaw = "weak_passwords"  // any password of six characters is taken
	OpenProgress   Flaw = "open_progress"   // the progress of anybody's application without a session
	OpenPlates     Flaw = "open_plates"     // a plate is enough to learn place and time
	ForeignOrders  Flaw = "foreign_orders"  // any session reads any order
	OptionalAuth   Flaw = "optional_auth"   // the profile comes without a session, too
	CodeInAnswer   Flaw = "code_in_answer"  // the verification code stands in the answer
	HashInProfile  Flaw = "hash_in_profile" // the profile holds the stored password hash
	PlainWinners   Flaw = "plain_winners"   // the winners' notice holds full phones beside the masked ones
	PlainSuppliers Flaw = "plain_suppliers" // the suppliers' notice holds identity numbers
	StackTraces    Flaw = "stack_traces"    // a malformed parameter shows the stack
	Actuator       Flaw = "actuator"        // Spring Boot Actuator faces the internet
	APIDocs        Flaw = "api_docs"        // the OpenAPI document faces the internet
	EnvFile        Flaw = "env_file"        // /.env is served
	AnyOrigin      Flaw = "any_origin"      // every origin is trusted with credentials
	WeakSecret     Flaw = "weak_secret"     // sessions are signed with a public secret
	TokenInURL     Flaw = "token_in_url"    // sessions travel in the query
	ClearText      Flaw = "clear_text"      // no TLS
	StaffDefault   Flaw = "staff_default"   // the back office keeps a default password
	LongLists      Flaw = "long_lists"      // page sizes are never capped
	IDInURL        Flaw = "id_in_url"       // identity numbers travel in the query
)

// Seeded is a defect that is really there.
type Seeded struct {
	Site   string   `json:"site"`
	Method string   `json:"method"` // empty: the whole site
	Path   string   `json:"template"`
	Class  string   `json:"class"`
	Kinds  []string `json:"kinds"` // of the taxonomy; any of them names it rightly
}

// signs says, per switch, on which APIs a defect shows and what it is called.
var signs = []struct {
	flaw  Flaw
	apis  []string // the first that exists carries it
	class string
	kinds []string
}{
	{IdentityOracle, []string{"check", "login"}, "revealing_error", []string{"identity_oracle"}},
	{StackTraces, []string{"detail"}, "revealing_error", []string{"verbose_trace"}},
	{NoThrottle, []string{"login"}, "weak_password", []string{"no_throttling"}},
	{WeakPasswords, []string{"register"}, "weak_password", []string{"weak_accepted"}},
	{WeakPasswords, []string{"login"}, "weak_password", []string{"weak_in_use"}},
	{StaffDefault, []string{"staff_login"}, "weak_password", []string{"admin_weak_or_default", "weak_in_use", "default_credential"}},
	{OpenProgress, []string{"progress"}, "unauthorized_access", []string{"unauthenticated_sensitive"}},
	{OpenPlates, []string{"parking"}, "unauthorized_access", []string{"unauthenticated_sensitive"}},
	{ForeignOrders, []string{"order"}, "unauthorized_access", []string{"bola"}},
	{OptionalAuth, []string{"profile_card"}, "unauthorized_access", []string{"optional_authentication", "unauthenticated_sensitive"}},
	{CodeInAnswer, []string{"send_code"}, "unauthorized_access", []string{"code_in_response"}},
	{HashInProfile, []string{"profile"}, "unauthorized_access", []string{"secret_in_response"}},
	{PlainWinners, []string{"winners"}, "excessive_exposure", []string{"masked_plain_twin", "unneeded_sensitive"}},
	{PlainWinners, []string{"winners"}, "unauthorized_access", []string{"unauthenticated_sensitive", "optional_authentication"}}, // anyone may read the notice
	{PlainSuppliers, []string{"suppliers"}, "excessive_exposure", []string{"bulk_response", "unneeded_sensitive"}},
	{LongLists, []string{"members"}, "excessive_exposure", []string{"bulk_response"}},
	{Actuator, []string{"env"}, "misconfiguration", []string{"exposed_component"}},
	{APIDocs, []string{"docs"}, "misconfiguration", []string{"api_docs"}},
	{EnvFile, []string{"dotenv"}, "misconfiguration", []string{"exposed_file"}},
	{EnvFile, []string{"dotenv"}, "unauthorized_access", []string{"secret_in_response"}}, // it holds the database's password
	{AnyOrigin, []string{"profile"}, "misconfiguration", []string{"cors"}},
	{WeakSecret, []string{"login", "login_code"}, "misconfiguration", []string{"jwt_weak_secret"}},
	{TokenInURL, []string{"orders"}, "misconfiguration", []string{"secret_in_url"}},
	{IDInURL, []string{"progress"}, "misconfiguration", []string{"secret_in_url"}},
	{ClearText, []string{"login"}, "misconfiguration", []string{"cleartext"}},
}

// Seeded lists the defects of an application.
func (a *App) Seeded() []Seeded {
	var out []Seeded
	for _, s := range signs {
		if !a.flaws[s.flaw] {
			continue
		}
		for _, name := range s.apis {
			if p := a.Find(name); p != nil {
				out = append(out, Seeded{Site: a.Name, Method: p.Method, Path: p.Template(), Class: s.class, Kinds: s.kinds})
				break
			}
		}
	}
	return out
}

// Flawed reports whether a switch is on.
func (a *App) Flawed(f Flaw) bool { return a.flaws[f] }

// Switch mends a defect or brings it back while the application runs.
func (a *App) Switch(f Flaw, on bool) { a.flaws[f] = on }
