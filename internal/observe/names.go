package observe

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/sensitive"
)

// traits is what a field's name says about its value.
type traits uint32

const (
	traitAccount     traits = 1 << iota // names the account that a request is about
	traitOwner                          // names whose object a response is
	traitIdentifier                     // names an object
	traitEnumeration                    // one of few words, names nothing
	traitPassword
	traitSecret     // an application's key or, where people sign in, their password
	traitInitials   // two letters that may stand for a password, and for a month
	traitCredential // carries a credential in a request
	traitIssued     // carries a credential in a response
	traitSignature  // signature of a signed query
	traitCompanion  // time or nonce beside a signature
	traitSignKey    // names the key that a signature was made with
	traitBirthday
	traitCall     // may belong to a call: its name, its query
	traitDispatch // may name what is to be done
	traitRole     // names a role, or says that somebody has one
	traitOdd      // the name has characters that names do not have
	traitRight    // a right of an account
)

// Names is the lexicon of rules/credentials.yaml, internals.yaml, rights.yaml,
// deals.yaml and verdicts.yaml, immutable.
type Names struct {
	credentialHeaders                              []string // lower case
	sessionCookie, ignoredCookie                   matcher
	credentialParam, signature, companion, signKey matcher
	account                                        [4]matcher // by AccountKind-1
	accountParent, generic                         matcher
	owner, identifier, enumeration                 matcher
	endings                                        []string
	passwordUse                                    [3]matcher // by PasswordUse-1
	password, secret, initials                     matcher
	signIn                                         []string         // words of paths where people sign in or up
	codeRank, messageRank, claimRank               map[string]uint8 // 1 is most telling
	codeParent, weakMessage, issued                matcher
	success, failure                               map[string]bool
	successOf, failureOf                           map[string]map[string]bool
	negated                                        matcher
	internals                                      []internalRule      // of rules/internals.yaml
	rights                                         matcher             // of rules/rights.yaml
	deals                                          [dealKinds]dealRule // of rules/deals.yaml
	deviceHeaders                                  []string            // lower case
	registered, unregistered                       matcher             // of rules/verdicts.yaml
	yes, no                                        map[string]bool
	verdictCodes                                   matcher
	calls                                          map[string]bool
	dispatch                                       map[string]uint8 // rank, 1 is the outermost
	positions                                      []position
	fileWords                                      []string // longest first
	columns                                        matcher
	role                                           matcher
	ownCookies                                     map[string]bool   // of Hints
	addressHeaders, accountHeaders                 []string          // of Hints, lower case
	custom                                         *sensitive.Custom // keys of types that people defined; may be nil
}

type namesFile struct {
	Version              int                 `yaml:"version"`
	CredentialHeaders    []string            `yaml:"credential_headers"`
	SessionCookies       []string            `yaml:"session_cookies"`
	IgnoredCookies       []string            `yaml:"ignored_cookies"`
	CredentialParameters []string            `yaml:"credential_parameters"`
	SignatureParameters  []string            `yaml:"signature_parameters"`
	SignatureKeys        []string            `yaml:"signature_keys"`
	SignatureCompanions  []string            `yaml:"signature_companions"`
	SubjectClaims        []string            `yaml:"subject_claims"`
	AccountFields        map[string][]string `yaml:"account_fields"`
	AccountParents       []string            `yaml:"account_parents"`
	GenericNames         []string            `yaml:"generic_names"`
	OwnerFields          []string            `yaml:"owner_fields"`
	IdentifierFields     []string            `yaml:"identifier_fields"`
	IdentifierEndings    []string            `yaml:"identifier_endings"`
	EnumerationFields    []string            `yaml:"enumeration_fields"`
	PasswordUses         map[string][]string `yaml:"password_uses"`
	PasswordFields       []string            `yaml:"password_fields"`
	PasswordWords        []string            `yaml:"password_words"`
	PasswordPaths        []string            `yaml:"password_paths"`
	PasswordInitials     []string            `yaml:"password_initials"`
	CodeFields           []string            `yaml:"code_fields"`
	CodeParents          []string            `yaml:"code_parents"`
	SuccessValues        []string            `yaml:"success_values"`
	FailureValues        []string            `yaml:"failure_values"`
	SuccessNumbersOf     map[string][]string `yaml:"success_numbers_of"`
	FailureNumbersOf     map[string][]string `yaml:"failure_numbers_of"`
	NegatedCodes         []string            `yaml:"negated_codes"`
	MessageFields        []string            `yaml:"message_fields"`
	WeakMessageFields    []string            `yaml:"weak_message_fields"`
	IssuedFields         []string            `yaml:"issued_fields"`
	FileWords            []string            `yaml:"file_words"`
	ColumnNames          []string            `yaml:"column_names"`
	RoleFields           []string            `yaml:"role_fields"`
	Cases                map[string][]string `yaml:"cases"`
}

// LoadNames reads credentials.yaml, internals.yaml, rights.yaml, deals.yaml and
// verdicts.yaml.
func LoadNames(fsys fs.FS) (*Names, error) {
	n, _, err := loadNames(fsys)
	return n, err
}

func loadNames(fsys fs.FS) (*Names, map[string][]string, error) {
	const file = "credentials.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, nil, err
	}
	var f namesFile
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	n := &Names{
		credentialHeaders: f.CredentialHeaders, sessionCookie: newMatcher(f.SessionCookies),
		ignoredCookie: newMatcher(f.IgnoredCookies), credentialParam: newMatcher(f.CredentialParameters),
		signature: newMatcher(f.SignatureParameters), companion: newMatcher(f.SignatureCompanions), signKey: newMatcher(f.SignatureKeys),
		accountParent: newMatcher(f.AccountParents), generic: newMatcher(f.GenericNames),
		owner: newMatcher(f.OwnerFields), identifier: newMatcher(f.IdentifierFields),
		enumeration: newMatcher(f.EnumerationFields), password: newMatcher(f.PasswordFields), secret: newMatcher(f.PasswordWords), signIn: f.PasswordPaths, initials: newMatcher(f.PasswordInitials),
		codeParent: newMatcher(f.CodeParents), weakMessage: newMatcher(f.WeakMessageFields),
		issued: newMatcher(f.IssuedFields), negated: newMatcher(f.NegatedCodes),
		codeRank: ranks(f.CodeFields), messageRank: ranks(f.MessageFields), claimRank: ranks(f.SubjectClaims),
		success: set(f.SuccessValues), failure: set(f.FailureValues),
		successOf: sets(f.SuccessNumbersOf), failureOf: sets(f.FailureNumbersOf),
	}
	for _, e := range f.IdentifierEndings {
		n.endings = append(n.endings, normalName(e))
	}
	for i, k := range [...]string{"name", "email", "phone", "id"} {
		n.account[i] = newMatcher(f.AccountFields[k])
	}
	for i, k := range [...]string{"current", "new", "confirm"} {
		n.passwordUse[i] = newMatcher(f.PasswordUses[k])
	}
	n.columns = newMatcher(f.ColumnNames)
	n.role = newMatcher(f.RoleFields)
	n.fileWords = slices.Clone(f.FileWords)
	slices.SortStableFunc(n.fileWords, func(a, b string) int { return len(b) - len(a) })
	if len(f.CodeFields) == 0 || len(f.MessageFields) == 0 || len(f.AccountFields) != 4 || len(f.PasswordUses) != 3 {
		return nil, nil, fmt.Errorf("%s: a list is missing", file)
	}
	if n.internals, _, err = loadInternals(fsys); err != nil {
		return nil, nil, err
	}
	if n.rights, _, _, err = loadRights(fsys); err != nil {
		return nil, nil, err
	}
	if n.deals, n.deviceHeaders, _, err = loadDeals(fsys); err != nil {
		return nil, nil, err
	}
	if _, err = n.loadVerdicts(fsys); err != nil {
		return nil, nil, err
	}
	if _, err = n.loadCalls(fsys); err != nil {
		return nil, nil, err
	}
	return n, f.Cases, nil
}

// column reports whether a text is a name that some lexicon knows, such as the
// header of a column.
func (n *Names) column(name []byte) bool {
	if n.columns.has(normalName(string(name))) {
		return true
	}
	f := n.describe("", string(name), "", 1, false)
	return f.hint != sensitive.HintNone || f.traits&^traitOdd != 0 || f.code != 0 || f.message != 0
}

// fileWord gives the length of the word at the beginning of b that files are
// called by; inside says that a letter or digit stands before it.
func (n *Names) fileWord(b []byte, inside bool) int {
	for _, w := range n.fileWords {
		if len(w) > len(b) || string(b[:len(w)]) != w {
			continue
		}
		if w[0] < 0x80 && (inside || len(w) < len(b) && alphanumeric(b[len(w)])) {
			continue
		}
		return len(w)
	}
	return 0
}

// matcher tests normalised names against words and patterns.
type matcher struct {
	exact               map[string]bool
	prefix, suffix, any []string
}

func newMatcher(list []string) matcher {
	m := matcher{exact: map[string]bool{}}
	for _, s := range list {
		start, end := strings.HasPrefix(s, "*"), strings.HasSuffix(s, "*")
		w := normalName(strings.Trim(s, "*"))
		switch {
		case w == "":
		case start && end:
			m.any = append(m.any, w)
		case start:
			m.suffix = append(m.suffix, w)
		case end:
			m.prefix = append(m.prefix, w)
		default:
			m.exact[w] = true
		}
	}
	return m
}

func (m *matcher) has(name string) bool {
	if m.exact[name] {
		return true
	}
	for _, s := range m.prefix {
		if strings.HasPrefix(name, s) {
			return true
		}
	}
	for _, s := range m.suffix {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	for _, s := range m.any {
		if strings.Contains(name, s) {
			return true
		}
	}
	return false
}

func ranks(list []string) map[string]uint8 {
	m := make(map[string]uint8, len(list))
	for i, s := range list {
		if w := normalName(s); m[w] == 0 {
			m[w] = uint8(min(i+1, 255))
		}
	}
	return m
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[strings.ToLower(s)] = true
	}
	return m
}

func sets(in map[string][]string) map[string]map[string]bool {
	m := make(map[string]map[string]bool, len(in))
	for k, v := range in {
		m[normalName(k)] = set(v)
	}
	return m
}

// WithCustom gives a lexicon that also knows the keys of types that people
// defined, which go before what is known otherwise.
func (n *Names) WithCustom(c *sensitive.Custom) *Names {
	m := *n
	m.custom = c
	return &m
}

// NormalName is how names of fields are compared.
func NormalName(s string) string { return normalName(s) }

// normalName drops what spelling habits add: case, joints, brackets, blanks.
func normalName(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '_', '-', '.', ' ', '[', ']', '$', ':':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// field is what the lexicons say about one field name, computed once per name.
type field struct {
	name    string // as kept: clean, dotted, at most MaxText
	normal  string // normalised last key
	traits  traits
	hint    sensitive.Hint
	account AccountKind
	use     PasswordUse
	code    uint8 // rank as a business code, 0 none
	message uint8 // rank as a message, 0 none

	internal uint8 // 1 + the rule of Names.internals, 0 none
	verdict  int8  // see verdictOf
	deal     DealKind
}

// describe looks a field up by its last key, the key above it, and how deep it
// stands.
func (n *Names) describe(name, key, parent string, depth int, inArray bool) field {
	w, p := normalName(key), normalName(parent)
	f := field{name: name, normal: w, hint: sensitive.HintOf(key)}
	if h := n.custom.HintOf(w); h != sensitive.HintNone {
		f.hint = h
	}
	for k := range n.account {
		if n.account[k].has(w) {
			f.traits |= traitAccount
			f.account = AccountKind(k + 1)
			break
		}
	}
	if n.generic.exact[w] && n.accountParent.has(p) {
		f.traits |= traitAccount | traitOwner | traitIdentifier
		if f.account == 0 {
			f.account = AccountID
			if w == "name" || w == "login" {
				f.account = AccountName
			}
		}
	}
	if n.owner.has(w) || n.owner.has(p) && n.generic.exact[w] {
		f.traits |= traitOwner
	}
	if n.identifier.has(w) || n.endsAsIdentifier(key) {
		f.traits |= traitIdentifier
	}
	if n.enumeration.has(w) {
		f.traits |= traitEnumeration
	}
	for u := range n.passwordUse {
		if n.passwordUse[u].has(w) {
			f.use = PasswordUse(u + 1)
		}
	}
	if f.hint == sensitive.HintPassword || f.use != 0 || n.password.has(w) {
		f.traits |= traitPassword
		f.hint = sensitive.HintPassword
		if f.use == 0 {
			f.use = PasswordCurrent
		}
	} else if n.secret.has(w) {
		f.traits |= traitSecret
		f.use = PasswordCurrent
	} else if n.initials.has(w) {
		f.traits |= traitInitials
		f.use = PasswordCurrent
	}
	if n.credentialParam.has(w) {
		f.traits |= traitCredential
	}
	if n.signature.has(w) {
		f.traits |= traitSignature
	}
	if n.companion.has(w) {
		f.traits |= traitCompanion
	}
	if n.signKey.has(w) {
		f.traits |= traitSignKey
	}
	if f.internal = n.internalOf(w); f.internal == 0 {
		if i := n.internalOf(p); i != 0 && n.internals[i-1].value == valueText {
			f.internal = i // what stands inside of debug
		}
	}
	if n.role.has(w) || roleKey(w) && roleParent(p) && n.role.has(p) {
		f.traits |= traitRole
	}
	f.verdict = n.verdictOf(w)
	f.deal = n.dealOf(w, p)
	if n.rights.has(w) {
		f.traits |= traitRight
	}
	if n.issued.has(w) {
		f.traits |= traitIssued
	}
	if f.hint == sensitive.HintBirthDate {
		f.traits |= traitBirthday
	}
	if depth <= 1 {
		if n.calls[w] {
			f.traits |= traitCall
		}
		if n.dispatch[w] != 0 {
			f.traits |= traitDispatch
		}
	}
	if !inArray && (depth <= 1 || depth == 2 && n.codeParent.has(p)) {
		f.code, f.message = n.codeRank[w], n.messageRank[w]
		if n.weakMessage.has(w) && f.message != 0 {
			f.message |= weakMessage
		}
		// what stands at the top is more telling than what stands below
		if depth == 2 {
			if f.code != 0 {
				f.code += 100
			}
		}
	}
	for i := 0; i < len(key); i++ {
		if k := charKinds[key[i]]; k&(hasOther|hasSpace|hasAt) != 0 && key[i] < 0x80 && key[i] != '[' && key[i] != ']' && key[i] != ':' {
			f.traits |= traitOdd
			break
		}
	}
	return f
}

const weakMessage = 0x80

// endsAsIdentifier tests for order_id, orderId, goods-no, bookTitle: the ending
// must be a word of its own, or "paid" were an identifier.
func (n *Names) endsAsIdentifier(key string) bool {
	if len(key) > 64 {
		return false
	}
	cut := strings.LastIndexAny(key, "_-. ")
	if cut < 0 {
		for i := len(key) - 1; i > 0; i-- {
			if key[i]-'A' < 26 && key[i-1]-'a' < 26 {
				cut = i - 1
				break
			}
		}
	}
	if cut < 0 {
		return false
	}
	w := normalName(key[cut+1:])
	for _, e := range n.endings {
		if w == e {
			return true
		}
	}
	return false
}
