package catalog

import "xiezhi/internal/observe"

// maxAskerParams is how many parameters of one API may name the asker.
const maxAskerParams = 4

// askerParam learns which query or body parameters name the asker
// (?userId=42, {"uid": 42}) and gives the value of one that does, 0 for none.
// A read may name people by phone or e-mail; a write often carries those of
// somebody else (a contact, a recipient), so there only account ids count.
func (c *Catalog) askerParam(p *op, ev *Event) uint64 {
	if ev.Who.Principal == 0 || len(ev.Passwords) > 0 {
		return 0
	}
	read := p.Reads()
	found := uint64(0)
	for i := range ev.Accounts {
		a := &ev.Accounts[i]
		switch a.In {
		case observe.InQuery, observe.InForm, observe.InJSON, observe.InBody:
		default:
			continue
		}
		if a.Token == 0 || !c.lex.askers[plain(lastName(a.Name))] && (!read || a.Kind != observe.AccountPhone && a.Kind != observe.AccountEmail) {
			continue
		}
		f := p.asked(a.Name)
		if f == nil {
			continue
		}
		f.learn(c, a.Token, &ev.Who)
		if f.responses <= judgeEach || f.responses%64 == 0 {
			f.prove()
		}
		if f.proven && found == 0 {
			found = a.Token
			if p.Owner == "" {
				p.Owner = "{" + lastName(a.Name) + "}"
			}
		}
	}
	return found
}

// asked gives the evidence of a parameter, nil beyond the cap.
func (p *op) asked(name string) *ownerField {
	for _, f := range p.askers {
		if f.path == name {
			return f
		}
	}
	if len(p.askers) >= maxAskerParams {
		return nil
	}
	f := &ownerField{path: name, named: true}
	p.askers = append(p.askers, f)
	return f
}

// absorbAskers adds the evidence of another operation.
func (p *op) absorbAskers(other *op) {
	for _, from := range other.askers {
		if into := p.asked(from.path); into != nil {
			into.merge(from)
			into.prove()
		}
	}
}
