package observe

import (
	"errors"
	"hash/maphash"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/factory"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/jwt"
	"xiezhi/internal/observe/password"
	"xiezhi/internal/observe/protobuf"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/redact"
	"xiezhi/internal/sensitive"
)

// Config holds what observers share. Everything in it is immutable; only the
// Guesser has a memo, which each observer clones.
type Config struct {
	Redactor   *redact.Redactor
	Names      *Names
	Phrases    *Phrases
	Agents     *Agents
	Signatures *signature.Set     // nil: requests and responses are not matched
	Passwords  *password.Assessor // nil: passwords have a form and a length only
	Guesser    *jwt.Guesser       // nil: JWT secrets are not guessed
	Factory    *factory.Keys      // nil: products' default keys are not tried
	Protobuf   *protobuf.Schema   // nil: messages are read by field numbers
	Custom     *sensitive.Custom  // types of data that people defined; nil: none
	Forms      *form.Table        // where forms are kept, for all observers; nil: nowhere
	Screen     Screen             // rules written for logs; nil: none
	Limits     Limits
}

// Limits of one exchange; zero means the default.
type Limits struct {
	Body int // decoded bytes read of a body; default 2 MiB
	Text int // bytes of a text, HTML or XML body scanned; default 256 KiB
}

// Observer turns exchanges into observations. It belongs to one worker and is
// not safe for concurrent use; what it remembers (interned strings, what the
// lexicons say about names seen before) saves work and changes no result.
type Observer struct {
	cfg        Config
	guess      *jwt.Guesser
	text       interner
	fields     fieldTable
	agents     agentMemo
	read       readers
	base       int // elements of XML above the content
	cookieMemo map[string]cookieClass
	roleMemo   map[string]bool
	saysMemo   map[uint64]MessageClass
	heads      map[string]headerRole
	headMemo   headMemo
	longHead   headEntry
	seed       maphash.Seed // of the memos; changes no result
	values     valueMemo
	words      wordMemo
	plain      plainMemo
	longWay    bool               // of a test: no leaf takes the short way
	clear      [clearSlots]uint64 // tokens of header values without a pattern
	matches    int                // patterns met by the last match
	creds      credentialMemo
	cookieSeen cookieNames
	paths      pathMemo
	walker     jsonleaf.Walker
	token      jwt.Token
	dayTags    *redact.DayTags

	x   *exchange.Exchange
	o   *Observation
	out *Batch

	// scratch; the comment says who owns it
	reqBody  []byte // decoded request body
	respBody []byte // decoded response body
	path     []byte // decoded request path
	clean    []byte // word, once
	nameBuf  []byte // field names
	key      []byte // decoded parameter name
	val      []byte // decoded parameter value
	canon    []byte // canonical values
	folded   []byte // folded values
	shape    []byte // shapes
	lowered  []byte // lower-cased values
	header   []byte // lower-cased header name of a response
	decoded  []byte // base64 of Basic
	tmpl     []byte // message templates
	norm     []byte // message as phrases compare it
	hits     []sensitive.Hit
	tokens   int
	request  requestState
	response responseState
	expo     exposures
	twins    twins
	form     formState
	used     usedTable

	eye Eye   // nil: no rules look
	met []Hit // scratch

	matchIn   Location
	matchName string

	call  *rpc.Call // the call being observed; nil: the exchange as a whole
	calls callState

	onRequest  func(r *signature.Rule)
	onResponse func(r *signature.Rule, where string, excerpt []byte)
	onHeader   func(lower string) []byte
}

// New makes an observer for one worker.
func New(cfg Config) (*Observer, error) {
	if cfg.Redactor == nil || cfg.Names == nil || cfg.Phrases == nil || cfg.Agents == nil {
		return nil, errors.New("observe: Redactor, Names, Phrases and Agents are required")
	}
	if cfg.Limits.Body <= 0 {
		cfg.Limits.Body = 2 << 20
	}
	if cfg.Limits.Text <= 0 {
		cfg.Limits.Text = 256 << 10
	}
	o := &Observer{cfg: cfg, seed: maphash.MakeSeed(), heads: headerRoles(cfg.Names), cookieMemo: map[string]cookieClass{}, saysMemo: map[uint64]MessageClass{}}
	if cfg.Guesser != nil {
		o.guess = cfg.Guesser.Clone()
	}
	if cfg.Screen != nil {
		o.eye = cfg.Screen.Eye()
	}
	// keyed, so that nobody can aim at a collision of path hashes
	o.walker.Seed = cfg.Redactor.TokenString("observe: field paths")
	known := cfg.Names.column
	o.read.csv.Known, o.read.sheet.Known, o.read.html.Known = known, known, known
	o.calls.reader.Positions = o.cfg.Names.positionsOf
	o.onRequest, o.onResponse, o.onHeader = o.addSignature, o.addMarker, o.responseHeader
	return o, nil
}

// Observe appends the observations of x to out: one, or one for each call of a
// batch and each message of a stream. It reads nothing but x, the configuration
// and its memo.
func (o *Observer) Observe(x *exchange.Exchange, out *Batch) {
	if x.Aside != exchange.AsideNone {
		o.observeAside(x, out)
		o.x, o.o, o.out = nil, nil, nil
		return
	}
	o.calls.reset()
	o.read.rpc.unit, o.read.rpc.units = 0, 1
	if x.Part == 0 {
		o.begin(x, out)
		if len(x.Messages) > 0 { // opened before anything was said
			o.o.End = max(o.o.Start, min(o.o.End, x.Messages[0].Time))
		}
		o.beginFields()
		o.observeRequest()
		if o.calls.hint && o.readCalls() {
			o.abandon()
			o.observeCalls(x, out)
		} else {
			o.beginFields()
			o.observeResponse()
			o.see()
			o.take()
			o.observeUnits(x, out)
		}
	}
	if len(x.Messages) > 0 {
		o.observeStream(x, out)
	}
	o.read.release()
	o.x, o.o, o.out = nil, nil, nil
}

// begin starts an observation of x.
func (o *Observer) begin(x *exchange.Exchange, out *Batch) {
	o.x, o.out, o.o = x, out, out.next()
	o.tokens = 0
	o.expo.reset()
	ob := o.o
	ob.ID = o.once(x.ID)
	ob.Ordinal, ob.Seq, ob.Start, ob.End = x.Ordinal, x.Seq, x.Start, x.End
	ob.Site, ob.Sensor = o.word(x.Site), o.word(x.Sensor)
	ob.Server, ob.Client = x.Server, x.Client
	ob.Secure, ob.Proto, ob.Caps = x.Secure, x.Proto, x.Caps
	ob.Method = o.word(x.Method[:min(len(x.Method), 32)])
	ob.JA4, ob.H2 = o.word(x.JA4), o.word(x.H2)
}

// take ends the observation.
func (o *Observer) take() {
	ob, out := o.o, o.out
	ob.Segments = out.segments.take()
	ob.Params = out.params.take()
	ob.Forwarded = out.addrs.take()
	ob.Claimed = out.claimed.take()
	ob.Credentials = out.credentials.take()
	ob.Accounts = out.accounts.take()
	ob.Passwords = out.passwords.take()
	ob.Signatures = out.signatures.take()
	ob.Leaves = out.leaves.take()
	ob.Issued = out.issued.take()
	ob.Markers = out.markers.take()
	ob.Uploads = out.uploads.take()
	ob.Codes = out.codes.take()
	ob.Internals = out.internals.take()
	ob.Roles = out.roles.take()
	ob.Rights = out.rights.take()
	ob.Dispatch = out.dispatch.take()
	o.takeDeals()
	ob.Hits = out.met.take()
	o.takeExposures()
	o.request.wipe()
}

// abandon takes the observation back: it is to be made anew.
func (o *Observer) abandon() {
	o.out.undo()
	o.request.wipe()
}

// over counts items beyond a cap.
func (o *Observer) over(n int) {
	if o.o.Overflow += uint32(n); o.o.Overflow > 1<<30 {
		o.o.Overflow = 1 << 30
	}
}

// allow takes one token from the exchange's budget.
func (o *Observer) allow() bool {
	if o.tokens >= MaxTokens {
		o.over(1)
		return false
	}
	o.tokens++
	return true
}
