package catalog

import (
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

// payload reports whether a response gives something: records, identified
// fields or a credential.
func payload(o *observe.Observation) bool {
	return o.Records > 0 || len(o.Leaves) > 0 || len(o.Issued) > 0
}

const (
	saysRefused   = observe.SaysNotRegistered | observe.SaysRegistered | observe.SaysWrongSecret | observe.SaysBadPair
	saysDenied    = observe.SaysUnauthorized | observe.SaysForbidden
	saysThrottled = observe.SaysThrottled | observe.SaysLocked | observe.SaysCaptcha
)

// outcome judges a response by its status, its business code and what its
// message says. Statuses alone mislead: many applications refuse with 200.
func (c *Catalog) outcome(o *observe.Observation) Outcome {
	switch o.Stream {
	case observe.StreamAsked:
		return OutcomeUnknown
	case observe.StreamTold, observe.StreamTalked:
		return c.business(o)
	}
	switch s := o.Status; {
	case s == 0:
		return OutcomeUnknown
	case s == 304, s == 101:
		return OutcomeSuccess
	case s < 200:
		return OutcomeUnknown
	case s < 300:
		return c.business(o)
	case s < 400:
		return redirected(o)
	case s == 429 || s == 423:
		return OutcomeThrottled
	case s >= 500:
		if s == 501 || s == 505 {
			return OutcomeInvalid
		}
		if o.MessageSays&saysThrottled != 0 {
			return OutcomeThrottled
		}
		return OutcomeError
	}
	return refusal(o)
}

// refusal sorts the 4xx statuses, message first.
func refusal(o *observe.Observation) Outcome {
	if r := said(o); r != OutcomeUnknown {
		switch {
		case o.Status == 403 && r == OutcomeNotFound:
			return OutcomeDenied
		case (o.Status == 404 || o.Status == 410) && r == OutcomeRejected && len(o.Passwords) == 0:
			return OutcomeNotFound // "no such user" to whoever looks one up
		}
		return r
	}
	switch o.Status {
	case 401:
		if len(o.Passwords) > 0 {
			return OutcomeRejected // a wrong password, not a missing login
		}
		return OutcomeDenied
	case 403, 407:
		return OutcomeDenied
	case 404, 410:
		return OutcomeNotFound
	case 402, 409, 412, 428, 451:
		return OutcomeRejected
	}
	return OutcomeInvalid
}

// said maps what a failure message says. The telling bits go first: a message
// often carries several.
func said(o *observe.Observation) Outcome {
	switch m := o.MessageSays; {
	case m&saysThrottled != 0:
		return OutcomeThrottled
	case m&saysRefused != 0:
		return OutcomeRejected
	case m&saysDenied != 0:
		return OutcomeDenied
	case m&observe.SaysNotFound != 0:
		return OutcomeNotFound
	case m&observe.SaysInvalid != 0:
		return OutcomeInvalid
	}
	return OutcomeUnknown
}

// business judges a 2xx answer.
func (c *Catalog) business(o *observe.Observation) Outcome {
	code := uint64(0)
	if o.Code != "" {
		code = sketch.Join(sketch.HashString(o.CodeField), sketch.HashString(o.Code))
	}
	switch {
	case o.CodeSays > 0 && !contradicted(o):
		return OutcomeSuccess
	case o.CodeSays > 0:
	case o.CodeSays < 0:
	case o.MessageSays&observe.SaysSuccess != 0, len(o.Issued) > 0, o.Records > 0:
		c.codes.learn(o, code)
		return OutcomeSuccess
	case o.MessageSays&(observe.SaysFailure|observe.SaysBroken|saysRefused|saysDenied|saysThrottled|observe.SaysNotFound|observe.SaysInvalid) != 0:
	case code != 0 && !payload(o) && c.codes.refuses(o, code):
	default:
		if payload(o) {
			c.codes.learn(o, code)
		}
		return OutcomeSuccess
	}
	// codes that a protocol has given a meaning
	switch o.Code {
	case "-32601", "PERSISTED_QUERY_NOT_FOUND":
		return OutcomeNotFound
	case "-32700", "-32600", "-32602", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "OPERATION_RESOLUTION_FAILURE":
		return OutcomeInvalid
	}
	if r := said(o); r != OutcomeUnknown {
		return r
	}
	if o.MessageSays&observe.SaysBroken != 0 {
		return OutcomeError // nothing was judged
	}
	switch o.Code { // codes that quote HTTP, or are the custom of GraphQL
	case "401", "403", "UNAUTHENTICATED", "FORBIDDEN", "UNAUTHORIZED":
		return OutcomeDenied
	case "404", "NOT_FOUND":
		return OutcomeNotFound
	case "429", "RATE_LIMITED", "TOO_MANY_REQUESTS":
		return OutcomeThrottled
	case "400", "422", "BAD_USER_INPUT", "BAD_REQUEST":
		return OutcomeInvalid
	case "500", "-32603", "INTERNAL_SERVER_ERROR":
		return OutcomeError
	}
	return OutcomeRejected
}

// contradicted reports whether a code that elsewhere means success comes with
// a message of refusal and gives nothing: half of the world counts 0 as
// success, the other half 1.
func contradicted(o *observe.Observation) bool {
	return o.MessageSays&(saysRefused|saysDenied|saysThrottled|observe.SaysFailure|observe.SaysBroken) != 0 && o.MessageSays&observe.SaysSuccess == 0 && !payload(o) && number(o.Code)
}

// number reports whether a code is written in digits.
func number(s string) bool {
	if s == "" {
		return false
	}
	return digits(s)+boolInt(s[0] == '-') == len(s)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// codes learns a site's own business codes: the value that comes with data
// means success, so another value of the same field without data does not. A
// field with many such values is no outcome but a state of what is given
// (paid, shipped, delivered), and so is a plain word that no lexicon knows.
type codes struct {
	good   *sketch.Recent[uint32] // per (field, value): answers with data
	fields *sketch.Recent[uint32] // per field: values proven to come with data
}

const (
	provenCode   = 3
	maxGoodCodes = 2
)

func newCodes() codes { return codes{sketch.NewRecent[uint32](1024), sketch.NewRecent[uint32](256)} }

func (k *codes) learn(o *observe.Observation, code uint64) {
	if code == 0 {
		return
	}
	n, _ := k.good.Get(code)
	if n < provenCode {
		k.good.Put(code, n+1)
		if n+1 == provenCode {
			bump(k.fields, codeField(o))
		}
	}
}

func (k *codes) refuses(o *observe.Observation, code uint64) bool {
	if n, _ := k.good.Get(code); n > 0 {
		return false
	}
	if digits(o.Code) == 0 && !strings.Contains(o.Code, "_") {
		return false // a plain word that no lexicon knows: UP, open, draft
	}
	proven, _ := k.fields.Get(codeField(o))
	return proven > 0 && proven <= maxGoodCodes
}

// codeField names a field and whether it speaks in numbers or in words.
func codeField(o *observe.Observation) uint64 {
	return sketch.Join(sketch.HashString(o.CodeField), uint64(boolInt(number(o.Code))))
}

// redirected judges a 3xx: being sent to log in is a denial, being sent on
// with a new session is a login that worked.
func redirected(o *observe.Observation) Outcome {
	toLogin := speaksOfLogin(o.Location)
	own := false
	for i := range o.Segments {
		own = own || speaksOfLogin(o.Segments[i].Text)
	}
	switch {
	case len(o.Passwords) > 0 && toLogin:
		return OutcomeRejected
	case toLogin && !own:
		return OutcomeDenied
	case len(o.Issued) > 0 && o.Method != "GET":
		return OutcomeSuccess
	}
	return OutcomeRedirect
}

func speaksOfLogin(s string) bool {
	for _, w := range [...]string{"login", "signin", "sign_in", "sign-in", "logon", "denglu", "Login", "SignIn", "登录", "登陆"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// refine corrects an outcome by what this API did before: where logging in
// gives out a credential, a polite answer without one is a refusal.
func (p *op) refine(o *observe.Observation, out Outcome) Outcome {
	if out != OutcomeSuccess || len(o.Issued) > 0 || p.use.issued == 0 || !p.use.logsIn() {
		return out
	}
	if o.CodeSays > 0 || o.MessageSays&observe.SaysSuccess != 0 || len(o.Passwords) == 0 {
		return out
	}
	return OutcomeRejected
}
