package catalog

import (
	"strconv"
	"strings"
)

// An API is gone, too, where nothing but refusals come back: "no such route" or
// 410 to everybody for a day, any other "not found" or denial for a week; or
// where a higher version has taken its calls over. One who guesses ids gets
// refusals as well, hence the clients, the time, and that one answer of another
// kind ends the run.
const (
	goneAnswers  = 30
	goneClients  = 3
	goneHours    = 24
	deniedDays   = 7
	successorDue = 7  // days without a call while the successor is called
	successorMin = 30 // exchanges of the successor
)

// goneRun is a run of refusals without any other answer.
type goneRun struct {
	n       uint32
	plain   uint32 // of them, "no such route" or 410
	since   int64
	clients [goneClients]uint64
	shown   int
}

// leave notes whether an answer says that the operation is no more.
func (c *Catalog) leave(p *op, ev *Event, actor uint64) {
	switch ev.Outcome {
	case OutcomeNotFound, OutcomeDenied:
	case OutcomeUnknown, OutcomeError:
		return
	default:
		p.gone = goneRun{}
		p.Gone = false
		return
	}
	g := &p.gone
	if g.n == 0 {
		g.since = ev.Start
	}
	g.n++
	if ev.Status == 410 || ev.Outcome == OutcomeNotFound && c.noRoute(missKey(ev.Observation)) {
		g.plain++
	}
	known := false
	for _, k := range g.clients[:g.shown] {
		known = known || k == actor
	}
	if !known && g.shown < len(g.clients) {
		g.clients[g.shown] = actor
		g.shown++
	}
	const hour = int64(3600e9)
	need := deniedDays * 24 * hour
	if g.plain == g.n {
		need = goneHours * hour
	}
	p.Gone = p.Outcomes[OutcomeSuccess] > 0 && g.n >= goneAnswers && g.shown >= goneClients && ev.Start-g.since >= need
}

// succeed tells for each API which one of a higher version took its calls over.
func succeed(list []*API) {
	type key struct{ host, method, rest string }
	type versioned struct {
		*API
		version int
	}
	by := map[key][]versioned{}
	for _, a := range list {
		a.Successor = ""
		if rest, v := Version(a.Template); v > 0 {
			k := key{a.Host, a.Method, Anonymous(rest)}
			by[k] = append(by[k], versioned{a, v})
		}
	}
	const day = int64(24 * 3600e9)
	for _, l := range by {
		for _, a := range l {
			best := a.version
			for _, b := range l {
				if b.version > best && b.First > a.First && b.Exchanges >= successorMin && b.Outcomes[OutcomeSuccess] > 0 && b.Last-a.Last >= successorDue*day {
					best, a.Successor = b.version, b.ID
				}
			}
		}
	}
}

// Anonymous takes the names of parameters out of a template: "/users/{id}.json"
// is "/users/{}.json".
func Anonymous(template string) string {
	var b strings.Builder
	depth := 0
	for _, c := range []byte(template) {
		switch {
		case c == '{':
			if depth++; depth == 1 {
				b.WriteString("{}")
			}
		case c == '}' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Version splits a version off a template: "/api/v2/users" is "/api/*/users"
// and 2. 0 says that there is none.
func Version(template string) (rest string, version int) {
	parts := strings.Split(template, "/")
	for i, p := range parts {
		if len(p) < 2 || p[0]|0x20 != 'v' {
			continue
		}
		n, err := strconv.ParseUint(p[1:], 10, 31) // which knows no sign
		if err != nil || n == 0 {
			continue
		}
		parts[i] = "*"
		return strings.Join(parts, "/"), int(n)
	}
	return template, 0
}
