package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
)

// markKey is a kind of trait that another attack may share.
type markKey uint8

const (
	markJA4 markKey = iota
	markH2
	markHeader
	markAgent
	markTool  // the family of a tool that says so: what many have
	markShape // parameter structure
	markName  // parameter name that nobody else uses
	markValue // parameter name with a value that recurs
	markCredential
	markAccount
	markSegment  // block of an enumerable account space
	markPassword // password of a day
	markPath
	markWalk // order in which APIs are visited
	markIP
	markPrefix
	markKeys
)

var markNames = [markKeys]string{"ja4", "h2", "header_order", "agent", "tool", "param_shape", "param_name", "param_value",
	"credential", "account", "segment", "password", "path", "walk", "ip", "prefix"}

// samples says how many values of a key are kept as a sample. Such keys have
// many values in one attack: kept are those of the smallest hash, so that two
// attacks that share values share some of the sample. The other keys have few:
// kept are the commonest.
var samples = [markKeys]int{markName: 8, markCredential: 8, markAccount: 16, markSegment: 8, markPassword: 8, markPath: 16, markIP: 16, markPrefix: 16}

// A hint is a trait of a cell that its other state does not show. Hints are
// taken of requests that look like abuse only, so honest traffic pays nothing.
type hint struct {
	key   markKey
	n     uint32
	value uint64
}

var hintSizes = []int{4, 16, 64}

const (
	hintBytes = 16
	maxPairs  = 8 // parameter values followed in a cell
)

// hint adds a trait to a cell.
func (e *Engine) hint(c *cell, key markKey, value uint64) {
	limit, have, last := samples[key], 0, -1
	if limit == 0 {
		limit = maxPairs
	}
	for i := range c.hints {
		h := &c.hints[i]
		switch {
		case h.key != key:
		case h.value == value:
			h.n++
			return
		default:
			have++
			if last < 0 || mix64(h.value) > mix64(c.hints[last].value) {
				last = i
			}
		}
	}
	switch {
	case have < limit:
		c.hints, _ = e.hints.push(c.hints, hint{key, 1, value})
	case key == markValue:
		// Misra and Gries: what recurs outlives what changes.
		for i := 0; i < len(c.hints); i++ {
			if h := &c.hints[i]; h.key == key {
				if h.n--; h.n == 0 {
					c.hints[i] = c.hints[len(c.hints)-1]
					c.hints = c.hints[:len(c.hints)-1]
					i--
				}
			}
		}
	case mix64(value) < mix64(c.hints[last].value):
		c.hints[last] = hint{key, 1, value}
	}
}

// hintAPI takes the hints of a request to an API.
func (e *Engine) hintAPI(ev *catalog.Event, c *cell, s *apiState) {
	subject := subjectOf(ev)
	if subject != 0 && identityRole(e.units[s.unit].role) {
		e.hint(c, markAccount, subject)
		if len(ev.Accounts) > 0 {
			if p := ev.Accounts[0].Set.Prefix; p != 0 {
				e.hint(c, markSegment, p)
			}
		}
	}
	for k := range ev.Passwords {
		if p := &ev.Passwords[k]; p.Use != observe.PasswordConfirm {
			e.hint(c, markPassword, join(uint64(p.Tag), uint64(uint32(c.day))))
			break
		}
	}
	for k := range min(len(ev.Params), observe.MaxAccounts) {
		p := &ev.Params[k]
		name := hashText(p.Name)
		if info, ok := e.names.index[join(name, uint64(s.handle))]; ok && !info.multi {
			e.hint(c, markName, name)
		}
		if p.Token != 0 && p.Token != subject && p.Token != ev.Object {
			e.hint(c, markValue, join(name, p.Token))
		}
	}
}

// walk hashes the order in which an actor came to its APIs, 0 below three.
func (e *Engine) walk(c *cell) uint64 {
	h, n := uint64(0), 0
	for i := range c.rows {
		if r := &c.rows[i]; r.api != 0 && n < 8 {
			s := &e.apis[r.api]
			h = join(join(h, hashText(s.method)), s.place)
			n++
		}
	}
	if n < 3 {
		return 0
	}
	return h
}
