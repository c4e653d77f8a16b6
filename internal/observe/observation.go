// Package observe turns an exchange into observations: which keys the asker
// showed, what was asked, what came back, with values already tokenised.
//
// Observe is a pure function of (exchange, key, rules version): it keeps no
// state that changes a result (memo tables excepted, which only save work), so
// any number of workers may run it in any order. It emits candidates only;
// principal, account, template, role, outcome class and "seen before" belong
// to the judge. Invariant: an observation holds no recognised personal value,
// password or credential in the clear; path words, parameter names and message
// templates stay readable because the judge learns from them. Limits: see the
// Max constants; what exceeds them is counted in Observation.Overflow.
package observe

import (
	"net/netip"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/taxonomy"
)

// Caps per exchange. At the cap further items are dropped and counted in
// Overflow; the rest of the exchange is still observed.
const (
	MaxParts       = 64  // observations per exchange
	MaxSegments    = 32  // path segments
	MaxParams      = 128 // request leaves
	MaxLeaves      = 256 // response leaves carrying a token
	MaxTokens      = 256 // tokens per exchange, all places together
	MaxExposures   = 64  // (path, type) pairs of sensitive data
	MaxSubjects    = 64  // tokens kept per exposure
	MaxCredentials = 8
	MaxPasswords   = 4
	MaxSignatures  = 16
	MaxMarkers     = 16
	MaxForwarded   = 8
	MaxClaimed     = 4 // headers with the client's address
	MaxAccounts    = 16
	MaxClaims      = 32
	MaxDistinct    = 4096 // values told apart per exposure
	MaxCodes       = 16   // short numbers of an answer that may be a code just sent
	MaxInternals   = 16   // fields of an answer that are for the inside only
	MaxRoles       = 8    // words of roles in an answer
	MaxRights      = 128  // properties that are rights
	MaxTags        = 8
	MaxDispatch    = 4   // parameters that may name the operation
	MaxDeals       = 16  // values that trade is done with
	MaxText        = 256 // bytes of any string kept
	MaxDepth       = 64  // nesting of a body
)

// Location says where in a request or response a value stands.
type Location uint8

const (
	InNowhere Location = iota
	InPath
	InQuery
	InForm
	InJSON
	InCookie
	InHeader
	InBody // other body formats
)

var locationNames = [...]string{"", "path", "query", "form", "json", "cookie", "header", "body"}

func (l Location) String() string { return locationNames[min(int(l), len(locationNames)-1)] }

// ValueType is the JSON type of a leaf, or String for untyped places.
type ValueType uint8

const (
	TypeNone ValueType = iota
	TypeString
	TypeInt
	TypeFloat
	TypeBool
	TypeNull
)

// ValueClass is what a text looks like, the basis of templates, parameter
// structure and set tests.
type ValueClass uint8

const (
	ClassEmpty ValueClass = iota
	ClassWord             // letters only, one word of any script, also with - or _
	ClassInt              // digits only
	ClassHex              // hexadecimal with a digit, 8 or more
	ClassUUID
	ClassDate  // a date or date and time
	ClassVer   // v1, v2.1
	ClassMixed // letters and digits: sku-0012, carol105
	ClassEmail
	ClassToken  // long, random-looking (base64, JWT, snowflake strings)
	ClassFile   // name.ext with a known file extension
	ClassPhrase // text with spaces
	ClassFloat
	ClassOther
)

// Segment is one decoded path segment. Text is empty when a recogniser knows
// the value (Sensitive != 0); then Shape says what it looks like.
type Segment struct {
	Text      string
	Shape     string
	Token     uint64 // of the normalised value
	Class     ValueClass
	Sensitive taxonomy.Sensitive
	Set       SetFeature
}

// SetFeature describes where an enumerable identifier (phone, resident ID,
// plate, card, integer id) sits in its space, without giving it away: the
// token of its prefix (phone: first 7 digits; integer v: v div 64) and the
// position within it (integer v: v mod 64).
type SetFeature struct {
	Prefix      uint64 // 0: not enumerable
	Position    uint16
	Unallocated bool // the prefix is in no known allocation
}

// Param is one leaf of the request outside the path: query, form, JSON, other
// bodies. Name is the dotted path, arrays as "[]": "user.phones[]".
type Param struct {
	Name      string
	Shape     string
	Token     uint64 // of the normalised value; 0 for booleans, null, empty
	Len       uint32 // bytes of the decoded value
	In        Location
	Type      ValueType
	Class     ValueClass
	Sensitive taxonomy.Sensitive
	Set       SetFeature
}

// AccountKind says what an account-like field holds.
type AccountKind uint8

const (
	AccountName AccountKind = iota + 1
	AccountEmail
	AccountPhone
	AccountID
)

// ClaimedAddr is the client's address as a header with one address names it:
// X-Real-IP, CF-Connecting-IP, True-Client-IP … Whoever sends a request can
// write it; whether to believe it is the judge's.
type ClaimedAddr struct {
	Header string // lower case
	Addr   netip.Addr
}

// Account is an account-like field of the request: the account that the
// request is about, not necessarily the one that asks.
type Account struct {
	Name  string // field name
	In    Location
	Kind  AccountKind
	Token uint64
	Shape string
	Set   SetFeature
}

// CredentialKind says how a request proves who asks.
type CredentialKind uint8

const (
	CredBearer CredentialKind = iota + 1
	CredBasic
	CredDigest
	CredCookie // a cookie whose name or shape is that of a session
	CredAPIKey // header or parameter named like a key or token
	CredSigned // signed query: sign or signature with app key and time
	CredOther  // another Authorization scheme
)

var credNames = [...]string{"", "bearer", "basic", "digest", "cookie", "api_key", "signature", "other"}

func (k CredentialKind) String() string { return credNames[min(int(k), len(credNames)-1)] }

// Credential is something the request shows to prove who asks, or that the
// response issues (Observation.Issued).
type Credential struct {
	Kind    CredentialKind
	In      Location
	Name    string // header, cookie, parameter or JSON path
	Token   uint64
	Account uint64 // token of the user named inside (Basic user, JWT subject); 0 none
	Shape   string
	JWT     *JWT   // nil unless the value is a JSON Web Token
	Cookie  uint8  // of an issued cookie: bits, see Cookie constants
	Product string // whose default key or token it was made with; empty when none is known
}

// Bits of Credential.Cookie: what a Set-Cookie promises.
const (
	CookieSecure uint8 = 1 << iota
	CookieHTTPOnly
	CookieSameSite   // Lax or Strict
	CookiePersistent // outlives the browser session
)

// JWT is what a JSON Web Token says about itself. Claim values are tokens.
type JWT struct {
	Alg        string // as written, lower case
	KeyID      uint64
	Issuer     string // host or word, not personal; empty when absent
	Subject    uint64 // token of the claim that names the user, 0 none
	Claims     []Claim
	IssuedAt   int64  // seconds since the epoch, 0 absent
	Expires    int64  // seconds since the epoch, 0 absent
	WeakSecret string // shape of the guessed HMAC secret; empty when not guessed
	WeakList   string // id of the list the secret stands in
	None       bool   // alg none, or empty signature
}

// Claim is a JWT claim's name and the token of its value. Word is the value
// itself where the claim names a role, and the value is a plain short word.
type Claim struct {
	Name  string
	Token uint64
	Word  string
}

// RoleWord is a field of the response that names a role, and its value: a plain
// short word, a small number, or true or false.
type RoleWord struct {
	Path string
	Word string
}

// Password is the assessment of a submitted password; the password itself is
// gone. Tag is a 24-bit equality tag under a key of the event day.
type Password struct {
	Name    string // field name
	Use     PasswordUse
	Form    PasswordForm
	Len     uint8
	Classes uint8 // bits: 1 lower, 2 upper, 4 digit, 8 other
	Score   uint8 // zxcvbn 0..4; valid when Form is plain or guessed
	Rank    uint32
	Related uint8 // bits, see Related constants
	Tag     uint32
	Shape   string

	Pattern    uint8  // how people make such passwords, see password.Pattern; 0 not assessable
	Privileged bool   // the account is named as administrators are
	Default    string // the pair of account and password is the factory setting of this product; "generic" of many
}

// PasswordUse says which password of a form it is.
type PasswordUse uint8

const (
	PasswordCurrent PasswordUse = iota + 1
	PasswordNew
	PasswordConfirm
)

// PasswordForm says how the client sent it.
type PasswordForm uint8

const (
	PasswordPlain   PasswordForm = iota + 1
	PasswordGuessed              // client-side hash of a listed password: score and rank are the listed one's
	PasswordHashed               // client-side hash, not guessed: not assessable
	PasswordSealed               // encrypted by the client: not assessable
)

// Related bits: the password equals, contains or nearly is …
const (
	RelatedAccount uint8 = 1 << iota
	RelatedEmail
	RelatedPhone
	RelatedBirthday
	RelatedHost
)

// Leaf is a response value worth joining on: an identifier, an account-like or
// owner-like field. Record numbers the enclosing array element of the
// outermost array of objects, from 0.
type Leaf struct {
	Path   string // JSON path with "[]" for arrays: "books[].owner"
	Token  uint64
	Record uint32
	Type   ValueType
	Class  ValueClass
}

// Exposure sums up one type of sensitive data at one path of one side.
type Exposure struct {
	Path       string
	Shape      string // of the first value
	Type       taxonomy.Sensitive
	Response   bool // in the response, else in the request
	Masked     bool
	Confidence uint8    // 0..100
	Count      uint32   // values
	Distinct   uint32   // distinct values, exact to 4 096
	Subjects   []uint64 // first MaxSubjects distinct tokens
	Tags       []uint32 // for secrets in a response: password tags, to match submitted ones; ≤ 8

	// Of a masked value in a response: the path of a plain value of the same
	// record that agrees with all that the mask shows, and the number of records
	// where one does.
	Twin  string
	Twins uint32
}

// Code is a number of four to eight digits in the answer to a request that
// named an account: it may be the verification code that was to be sent to the
// account's owner. Where is the JSON path, "header:name" or "body".
type Code struct {
	Where string
	Token uint64 // comparable with Param.Token
}

// InternalKind says what a field that is for the inside only tells.
type InternalKind uint8

const (
	InternalPrivilege InternalKind = iota + 1 // administrator flags, roles, permissions
	InternalDeletion                          // soft-delete flags
	InternalAddress                           // private network addresses of servers
	InternalSQL                               // statements
	InternalDebug                             // debug data, stacks
	InternalRemark                            // remarks about people that are for staff
	InternalScore                             // risk and credit scores, blacklists
	InternalCost                              // cost prices, margins, commissions
	InternalAudit                             // who created and changed the record
	internalKinds
)

var internalNames = [internalKinds]string{"", "privilege", "deletion", "address", "sql", "debug", "remark", "score", "cost", "audit"}

func (k InternalKind) String() string {
	if k >= internalKinds {
		return ""
	}
	return internalNames[k]
}

// Internal is a field of the response that is for the inside only.
type Internal struct {
	Path  string
	Kind  InternalKind
	Count uint32 // values
}

// Signature is an attack pattern seen in the request.
type Signature struct {
	Rule string // id in rules/signatures.yaml: "sqli.union_select"
	In   Location
	Name string // parameter or header name; empty for the path
}

// Marker is a pattern of the response that tells what answered: a component,
// a stack trace, a debug page, an exposed file.
type Marker struct {
	Rule  string // id in rules: "component/actuator.env", "trace/python"
	Where string // JSON path, header name or "body"
	What  string // redacted excerpt, at most 160 bytes; of a version the version
}

// Version reports whether the marker tells a product's version, which says
// nothing about what was asked for.
func (m *Marker) Version() bool { return strings.HasPrefix(m.Rule, "version/") }

// MessageClass is a set of things that a response's message says, by lexicon.
type MessageClass uint16

const (
	SaysNotRegistered MessageClass = 1 << iota // no such account
	SaysRegistered                             // account exists
	SaysWrongSecret                            // password or code wrong (account known)
	SaysBadPair                                // account or password wrong, not which
	SaysUnauthorized                           // not logged in, token invalid
	SaysForbidden
	SaysThrottled
	SaysLocked
	SaysCaptcha
	SaysNotFound
	SaysInvalid // parameter error
	SaysSuccess
	SaysFailure
	SaysBroken // the application is out of order or overloaded, whatever was asked
)

// BodyKind is what a body is.
type BodyKind uint8

const (
	BodyNone BodyKind = iota
	BodyJSON
	BodyForm
	BodyMultipart
	BodyXML
	BodyHTML
	BodyText
	BodyScript // JavaScript, CSS
	BodyImage
	BodyFile // table, office, PDF, archive, database
	BodyBinary
	BodyUnread // encrypted, undecodable or cut before its first byte
	BodyMessagePack
	BodyProtobuf // messages of Protocol Buffers, framed as gRPC does or not
)

// Dispatch is a parameter that may name what is to be done, where one path
// serves many functions: ?method=item.get. Whether it does is learned by the
// catalogue. Its value is a word that no recogniser knows.
type Dispatch struct {
	Name  string
	Value string
	Rank  uint8 // the outer one has the lower rank
}

// Stream says which messages of a stream an observation is made of.
type Stream uint8

const (
	StreamNone   Stream = iota // an exchange, not messages
	StreamAsked                // a message of the client that nothing answers
	StreamTold                 // a message of the server that answers nothing
	StreamTalked               // a message of the client and the server's answer
)

// MethodMessage is the method of messages of a WebSocket.
const MethodMessage = "WS"

// Observation is one unit of traffic as the judge sees it.
type Observation struct {
	ID      string // exchange id; "id~k" for the k-th part, k ≥ 1
	Part    uint8
	Ordinal uint32
	Seq     uint64
	Start   int64 // ns since the epoch
	End     int64

	Site      string // given by the input or configuration; empty: by Host
	Host      string // lower case, without port
	Sensor    string
	Server    netip.AddrPort
	Client    netip.AddrPort
	Forwarded []netip.Addr // X-Forwarded-For, Forwarded, nearest to the client first
	Claimed   []ClaimedAddr
	Secure    bool
	Proto     uint8
	Caps      exchange.Caps

	Method   string
	Segments []Segment
	Query    bool // the target had a query
	Params   []Param
	ReqKind  BodyKind
	ReqBytes uint64
	ReqForm  uint64 // key of the request's form, see package form; 0 when nothing was asked with
	HeadForm uint64 // the same of the parameters in its header; 0 when there are none

	AgentFamily string // "chrome", "python-requests", "curl", "" when absent
	AgentTool   bool   // the agent says it is a tool or library
	Agent       uint64 // token of the whole User-Agent
	HeaderOrder uint64 // header-order hash; 0 unavailable
	ParamShape  uint64 // parameter-structure hash; 0 when there are no parameters
	JA4         string
	H2          string // HTTP/2 fingerprint of the client, as the source names it
	Referer     string // host of the Referer
	Origin      string // Origin as sent, without path

	Credentials []Credential
	Accounts    []Account
	Passwords   []Password
	Signatures  []Signature
	Protocol    rpc.Protocol // convention by which Operation is called
	Operation   string       // "query getUser", "user.login"; of SOAP the element in the Body
	Root        string       // GraphQL: the operation by its root fields, when that is another name
	Stream      Stream
	Dispatch    []Dispatch // candidates for the operation where Operation is empty
	Deals       []Deal     // values that trade is done with
	Uploads     []File     // files that the request brings
	Hits        []Hit      // rules written for logs that the exchange meets
	Aside       exchange.Aside

	Status       uint16
	RespKind     BodyKind
	RespBytes    uint64
	Code         string // business code as text: "0", "fail", "10001"
	CodeField    string // its path
	CodeSays     int8   // lexicon: +1 success, -1 failure, 0 unknown
	Message      string // message template, values removed
	MessageHash  uint64
	MessageSays  MessageClass
	Verdict      Verdict
	Schema       uint64 // order-insensitive hash of (path, type) of the response's leaves; 0 none
	RespForm     uint64 // key of the answer's form; 0 when it has no fields
	Records      uint32 // elements of the largest array of objects
	Leaves       []Leaf
	Exposures    []Exposure
	Codes        []Code
	Internals    []Internal
	Roles        []RoleWord
	Rights       []Right      // of the request and of the response
	Used         []uint32     // names that a script or page uses, see UsedKey; ascending
	UsedCut      bool         // some of them are missing
	Issued       []Credential // tokens and session cookies that the response gives out
	Markers      []Marker
	ServerBanner string // Server and X-Powered-By, ≤ MaxText
	Location     string // path of a redirect's target, ids removed
	CORS         uint8  // bits, see CORS constants
	Limits       uint8  // bits, see Limits constants
	Download     File   // the file that the response is

	Overflow uint32 // items beyond the caps
}

// Limits bits: what the headers of an answer say about limits.
const (
	LimitsRetry uint8 = 1 << iota // Retry-After
	LimitsRate                    // RateLimit, RateLimit-Limit, X-RateLimit-Remaining …
)

// CORS bits.
const (
	CORSReflected   uint8 = 1 << iota // Allow-Origin equals the request's foreign Origin
	CORSNull                          // Allow-Origin null
	CORSAny                           // Allow-Origin *
	CORSCredentials                   // Allow-Credentials true
)
