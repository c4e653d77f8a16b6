package attack

import (
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// sentence is the one line for a tired analyst: who, did what, to which API,
// with what result.
func (e *Engine) sentence(ep *episode, f *Finding, r *roster) message.Text {
	args := message.Args{
		"who":      e.who(ep, f, r),
		"requests": f.Requests,
		"accounts": f.Accounts,
		"api":      e.where(f),
		"got":      f.Succeeded,
		"blocked":  f.Blocked,
		"people":   e.people(f.SubjectsExposed),
		"objects":  uint64(min(r.count(setObjects), float64(r.obj))),
		"answers":  uint64(r.count(setAnswers)),
		"tags":     uint64(min(r.count(setTags), float64(r.pw))),
		"dropped":  uint64(min(r.dropped, r.succ)),
		"codes":    uint64(min(r.count(setCodes), float64(r.codes))),
		"paths":    uint64(min(r.count(setPaths), float64(r.missing))),
		"sigs":     uint64(r.sigs),
		"names":    uint64(r.count(setNames)),
		"targets":  uint64(r.count(setTargets)),
		"span":     e.span(f.Last - f.First),
	}
	id := "attack.sum." + string(ep.kind)
	switch {
	case r.subj == 0 && r.blind > 0 && ep.axis == "guess":
		id = "attack.sum.blind"
	case ep.axis == "send" && float64(r.asked) >= 3*r.count(setSubjects):
		id += ".victims"
	case ep.axis == "hoard":
		id += ".hoard"
	case ep.axis == "machine" || ep.axis == "swarm" && ep.kind == taxonomy.AttackBot:
		id = "attack.sum.machine"
	case ep.axis == "script":
		id += ".script"
	case ep.axis == "guess" && ep.kind == taxonomy.AttackScraping:
		id += ".lookup"
	case ep.axis == "volume":
		id += ".volume"
	case ep.axis == "seek" && ep.kind == taxonomy.AttackScraping:
		id += ".lookup"
	case ep.axis == "crossing":
		id += ".crossing"
	case ep.axis == "bulk":
		id += ".bulk"
	case ep.kind == taxonomy.AttackVulnerabilityScan:
		switch {
		case r.count(setNames) >= probeNames && r.count(setNames) > r.count(setPaths):
			id += ".names"
		case uint64(r.sigs) >= uint64(r.count(setPaths)):
			id += ".sigs"
		}
	}
	return e.msg.Text(id, args)
}

// people says whose data was read, or nothing when nobody's was.
func (e *Engine) people(n uint64) message.Text {
	if n == 0 {
		return message.Text{}
	}
	return e.msg.Text("attack.people", message.Args{"n": n})
}

// who names the source.
func (e *Engine) who(ep *episode, f *Finding, r *roster) message.Text {
	tool := ""
	if ep.tools && len(r.families.list) == 1 {
		tool = e.labels.text[r.families.list[0]]
	}
	switch {
	case ep.scope == scopeCredential:
		return e.msg.Text("attack.who.credential", message.Args{"n": f.IPCount})
	case f.IPCount == 1 && tool != "":
		return e.msg.Text("attack.who.address_tool", message.Args{"ip": f.IPs[0].String(), "tool": tool})
	case f.IPCount == 1:
		return e.msg.Text("attack.who.address", message.Args{"ip": f.IPs[0].String()})
	case f.IPCount == 0:
		return e.msg.Text("attack.who.unknown", nil)
	case len(r.prefixes.list) == 1:
		return e.msg.Text("attack.who.prefix", message.Args{"n": f.IPCount, "prefix": r.prefixes.list[0].String()})
	case ep.scope == scopePrint || ep.scope == scopeCohort || ep.scope == scopeShape || ep.scope == scopeAgent:
		return e.msg.Text("attack.who.herd", message.Args{"n": f.IPCount})
	}
	return e.msg.Text("attack.who.addresses", message.Args{"n": f.IPCount})
}

// where names the APIs.
func (e *Engine) where(f *Finding) message.Text {
	switch len(f.Selector.APIs) {
	case 0:
		if len(f.Selector.Path) == 1 {
			for i := range e.apis {
				if s := &e.apis[i]; s.door == f.Selector.Path[0] {
					return message.Text{Zh: s.method + " " + s.template, En: s.method + " " + s.template}
				}
			}
		}
		return e.msg.Text("attack.where.site", nil)
	case 1:
		if i, ok := e.byAPI[f.Selector.APIs[0]]; ok {
			s := &e.apis[i]
			return message.Text{Zh: s.method + " " + s.template, En: s.method + " " + s.template}
		}
	}
	return e.msg.Text("attack.where.apis", message.Args{"n": len(f.Selector.APIs)})
}

// span writes a duration.
func (e *Engine) span(ns int64) message.Text {
	sec := (ns + 999999999) / 1e9
	switch {
	case sec < 120:
		return e.msg.Text("attack.span.seconds", message.Args{"n": max(sec, 1)})
	case sec < 7200:
		return e.msg.Text("attack.span.minutes", message.Args{"n": (sec + 30) / 60})
	}
	return e.msg.Text("attack.span.hours", message.Args{"n": (sec + 1800) / 3600})
}
