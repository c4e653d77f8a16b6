package identity

import "xiezhi/internal/observe"

// Sets per client address; further principals and agents are not needed to
// know that an address is shared.
const (
	maxPrincipals = 4
	maxAgents     = 4
	realSession   = 3 // credentialed successes that make a principal real
)

// client is what is known of one address. Only work done after logging in
// counts: someone who tries stolen passwords from one address logs in as many
// people, but does not go on to use the application as each of them with
// browsers of different kinds.
type client struct {
	principals [maxPrincipals]struct {
		account uint64
		uses    uint32
	}
	agents [maxAgents]uint64
}

func (c *client) shared() bool {
	people, agents := 0, 0
	for i := range c.principals {
		if c.principals[i].uses >= realSession {
			people++
		}
	}
	for _, a := range c.agents {
		if a != 0 {
			agents++
		}
	}
	return people >= 2 && agents >= 2 || people >= maxPrincipals && agents >= 1
}

// learnClient counts real sessions of people's own clients; scripts and
// libraries change their names and accounts at will.
func (r *Resolver) learnClient(o *observe.Observation, w *Who, success bool) {
	if !success || w.Principal == 0 || o.AgentTool || len(o.Passwords) > 0 {
		return
	}
	k := addressHash(w.Client)
	c, ok := r.clients.Get(k)
	if !ok {
		c = &client{}
		r.clients.Put(k, c)
	}
	for i := range c.principals {
		p := &c.principals[i]
		if p.account == w.Principal || p.account == 0 {
			p.account = w.Principal
			p.uses++
			break
		}
	}
	for i, a := range c.agents {
		if a == o.Agent {
			break
		}
		if a == 0 {
			c.agents[i] = o.Agent
			break
		}
	}
}
