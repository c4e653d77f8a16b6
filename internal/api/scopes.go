package api

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"xiezhi/internal/report"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
)

// span is what of an attack says which rows are of it.
type span struct {
	ID        string    `json:"id"`
	Site      string    `json:"site"`
	APIs      []string  `json:"apis"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Actors    struct {
		IPs []string `json:"ips"`
	} `json:"actors"`
}

// scopes gives the rows of an attack, or of the attacks of a campaign: of one
// with very many, of the latest.
func (a *API) scopes(ctx context.Context, id string) ([]observation.Scope, error) {
	s, err := one[span](ctx, a, record.Attack, id)
	if err == nil {
		return []observation.Scope{s.scope()}, nil
	}
	if !errors.Is(err, record.ErrNotFound) {
		return nil, err
	}
	c, err := one[report.Campaign](ctx, a, record.Campaign, id)
	if err != nil {
		return nil, err
	}
	ids := c.Attacks // the oldest first
	var out []observation.Scope
	for _, id := range ids[max(0, len(ids)-observation.MaxScopes):] {
		s, err := one[span](ctx, a, record.Attack, id)
		if errors.Is(err, record.ErrNotFound) {
			continue // written a moment before or after its campaign
		}
		if err != nil {
			return nil, err
		}
		out = append(out, s.scope())
	}
	if len(out) == 0 {
		return nil, record.ErrNotFound // no scope would mean every row
	}
	return out, nil
}

func (s *span) scope() observation.Scope {
	out := observation.Scope{Attack: s.ID, Site: s.Site, From: s.FirstSeen, To: s.LastSeen}
	for _, id := range s.APIs {
		if id != "" && len(out.APIs) < observation.MaxScopeKeys {
			out.APIs = append(out.APIs, id)
		}
	}
	for _, ip := range s.Actors.IPs {
		if at, err := netip.ParseAddr(ip); err == nil && len(out.Clients) < observation.MaxScopeKeys {
			out.Clients = append(out.Clients, at.Unmap().WithZone(""))
		}
	}
	return out
}
