package attack

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
)

// What the signatures of a request amount to. A payload is an attack wherever
// it stands; a request for a well-known sensitive path is one only in number;
// an agent that names a scanner says who asks and not what for.
type sigKind uint8

const (
	sigNone sigKind = iota
	sigAgent
	sigProbe
	sigPayload
)

// patterns grades the signatures by the family of their rules.
func patterns(ev *catalog.Event) sigKind {
	kind := sigNone
	for i := range ev.Signatures {
		family, name, _ := strings.Cut(ev.Signatures[i].Rule, ".")
		k := sigPayload
		switch {
		case family == "scanner" && name == "agent", family == "proxy":
			k = sigAgent
		case strings.HasPrefix(family, "probe"), family == "webshell" && name == "path", family == "known_cve":
			k = sigProbe
		}
		kind = max(kind, k)
	}
	return kind
}

// countPattern counts a request that carries an attack pattern.
func (e *Engine) countPattern(ev *catalog.Event, c *cell) {
	c.sigs++
	if grave(ev) {
		c.grave++
	}
	for i := range ev.Signatures {
		e.pool.add(&c.sets[setRules], hashText(ev.Signatures[i].Rule))
	}
	switch {
	case ev.Outcome == catalog.OutcomeError || ev.Status >= 500:
		c.hurt++
	case ev.Outcome == catalog.OutcomeSuccess:
		c.sigOK++
	}
}

// grave reports whether a pattern can hardly be content: it stands in a header,
// or its family has no use but attack.
func grave(ev *catalog.Event) bool {
	for i := range ev.Signatures {
		s := &ev.Signatures[i]
		family, name, _ := strings.Cut(s.Rule, ".")
		switch family {
		case "jndi", "deserialization", "expression", "xxe":
			return true
		case "scanner", "proxy", "known_cve":
			continue
		case "traversal":
			if name == "target" {
				return true
			}
		}
		if s.In == observe.InHeader && !strings.HasPrefix(family, "probe") {
			return true
		}
	}
	return false
}
