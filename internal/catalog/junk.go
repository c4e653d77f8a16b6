package catalog

import (
	"slices"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

// What keeps scans out of the catalogue. A path is listed for a success, or
// for refusals that only a real operation gives: the same kind of answer to
// several clients, and not the one that everything here gets.
const (
	maxCandidates   = 1 << 13
	maxAnswers      = 1 << 10
	candidateTries  = 3
	everywhere      = 12 // paths with the same answer that make it a catch-all
	missingProven   = 3  // unknown paths answered so before an answer means "no such route"
	goneShare       = 4  // a known operation that answers so outweighs as many unknown paths
	candidateShares = 2  // clients that must have met the refusal
)

type candidate struct {
	client  uint64
	clients uint8
	tries   uint8
}

type junk struct {
	candidates *sketch.Recent[candidate]
	refusals   *sketch.Recent[uint32] // per refusal: candidate paths that gave it
	missing    *sketch.Recent[uint32] // per "not found" answer: unknown paths that gave it
	gone       *sketch.Recent[uint32] // per "not found" answer: objects that known operations do not have
	pages      *sketch.Recent[uint32] // per page answer: new paths that gave it
}

func newJunk() junk {
	return junk{sketch.NewRecent[candidate](maxCandidates), sketch.NewRecent[uint32](maxAnswers), sketch.NewRecent[uint32](maxAnswers),
		sketch.NewRecent[uint32](maxAnswers), sketch.NewRecent[uint32](maxAnswers)}
}

// answerKey names an answer as a whole, body included as far as it is known.
func answerKey(o *observe.Observation) uint64 {
	k := sketch.Join(uint64(o.Status)<<8|uint64(o.RespKind), o.Schema)
	k = sketch.Join(k, o.MessageHash)
	if o.Schema == 0 {
		k = sketch.Join(k, o.RespBytes)
	}
	return k
}

// missKey names a "not found" answer; such pages often repeat the path, so
// their size says nothing.
func missKey(o *observe.Observation) uint64 {
	return sketch.Join(uint64(o.Status)<<8|uint64(o.RespKind), sketch.Join(o.Schema, o.MessageHash))
}

func bump(r *sketch.Recent[uint32], k uint64) uint32 {
	n, _ := r.Get(k)
	n++
	r.Put(k, n)
	return n
}

// plausible reports whether a successful answer on an unknown path may list
// it: not probing, not preflight, not the page that answers every path.
func (c *Catalog) plausible(o *observe.Observation, segs []segment) bool {
	if !listable(o.Method) {
		return false
	}
	// A path that scanners ask for is theirs, unless what answers shows itself or
	// knows the asker: components have honest users, too.
	for i := range o.Signatures {
		if o.Signatures[i].In == observe.InPath && !shows(o) && !admits(o) {
			return false
		}
	}
	if len(segs) > 0 && page(o) {
		if bump(c.junk.pages, answerKey(o)) > everywhere {
			return false
		}
	}
	return true
}

// page reports whether an answer may be the page that answers every path: a
// page, or one of which no more than its size is known.
func page(o *observe.Observation) bool {
	return o.RespKind == observe.BodyHTML || o.RespKind == observe.BodyText || sized(o)
}

// sized reports whether of an answer no more is known than its size, as in a
// log. Equal sizes are weak proof: what comes again is listed all the same.
func sized(o *observe.Observation) bool {
	return o.RespBytes > 0 && o.Schema == 0 && o.Caps&exchange.CapResponseHeaders == 0
}

// hidden reports whether an API only ever gave the page which answers every
// path.
func (c *Catalog) hidden(p *op) bool {
	if p.catchall == 0 || p.node.parent == nil || p.sized && p.Exchanges >= candidateTries {
		return false
	}
	n, _ := c.junk.pages.Peek(p.catchall)
	return n > everywhere
}

// admits reports whether the answer gives a credential, or data to one that was
// shown.
func admits(o *observe.Observation) bool {
	return len(o.Issued) > 0 || len(o.Credentials) > 0 && o.RespKind == observe.BodyJSON && o.Schema != 0
}

// shows reports whether the answer carries the mark of a component, a file or
// a document: what was probed is really there.
func shows(o *observe.Observation) bool {
	for i := range o.Markers {
		if r := o.Markers[i].Rule; !o.Markers[i].Version() && !strings.HasPrefix(r, "trace/") && !strings.HasPrefix(r, "debug/") {
			return true
		}
	}
	return false
}

// tells reports whether the answer carries the mark of anything but a version.
func tells(o *observe.Observation) bool {
	return slices.ContainsFunc(o.Markers, func(m observe.Marker) bool { return !m.Version() })
}

// listable reports whether a method can name an operation. HEAD and OPTIONS
// ask about one.
func listable(m string) bool {
	switch m {
	case "HEAD", "OPTIONS", "TRACE", "CONNECT", "":
		return false
	}
	if len(m) > 20 {
		return false
	}
	for i := range len(m) {
		if (m[i] < 'A' || m[i] > 'Z') && m[i] != '-' && m[i] != '_' {
			return false
		}
	}
	return true
}

// candidacy counts a refusal on an unknown path and reports whether it has
// proven that there is an operation.
func (c *Catalog) candidacy(o *observe.Observation, who *identity.Who, segs []segment, out Outcome) bool {
	switch out {
	case OutcomeDenied, OutcomeRejected, OutcomeThrottled, OutcomeInvalid:
	case OutcomeSuccess:
		if !sized(o) {
			return false
		}
	case OutcomeUnknown:
		if o.Stream != observe.StreamAsked { // some messages are never answered
			return false
		}
	case OutcomeRedirect:
		if o.Method == "GET" {
			return false
		}
	default:
		return false
	}
	// A 4xx or a redirect without a body of its own comes from in front of the
	// application as often as from it.
	if o.Status == 405 || o.Status >= 500 || !listable(o.Method) || len(o.Signatures) > 0 || len(segs) == 0 {
		return false
	}
	password := len(o.Passwords) > 0 && out == OutcomeRejected
	if o.AgentTool && !password {
		return false
	}
	k := sketch.Join(sketch.HashString(c.hostName(o.Host)), sketch.HashString(o.Method))
	for i := range segs {
		if segs[i].value {
			k = sketch.Join(k, 1)
		} else {
			k = sketch.Join(k, sketch.HashString(segs[i].text))
		}
	}
	cand, seen := c.junk.candidates.Get(k)
	a := answerKey(o)
	if !seen && out != OutcomeSuccess {
		bump(c.junk.refusals, a)
	}
	client := sketch.HashString(who.Client.String())
	if cand.clients == 0 || cand.client != client && cand.clients < candidateShares {
		cand.client = client
		cand.clients++
	}
	cand.tries = min(cand.tries+1, 250)
	c.junk.candidates.Put(k, cand)
	if n, _ := c.junk.refusals.Get(a); n > everywhere {
		return false
	}
	return cand.tries >= candidateTries && (cand.clients >= candidateShares || password)
}

// missing judges a "not found": under a learned operation it is a business
// answer, unless it is the one that unknown paths get here.
func (c *Catalog) missing(o *observe.Observation, p *op) bool {
	k := missKey(o)
	if p == nil {
		bump(c.junk.missing, k)
		return true
	}
	if !c.throughWords(p.node) {
		bump(c.junk.gone, k)
		return false
	}
	return c.noRoute(k)
}

// noRoute reports whether a "not found" answer says that there is no such
// route: unknown paths get it, and operations do not give it for objects that
// they do not have.
func (c *Catalog) noRoute(k uint64) bool {
	n, _ := c.junk.missing.Peek(k)
	if n < missingProven {
		return false
	}
	g, _ := c.junk.gone.Peek(k)
	return g*goneShare < n
}

// throughWords reports whether a place is below a parameter that takes words:
// only there does an unknown path end up by chance.
func (c *Catalog) throughWords(n *node) bool {
	for ; n != nil; n = n.parent {
		if n.param && n.words {
			return true
		}
	}
	return false
}
