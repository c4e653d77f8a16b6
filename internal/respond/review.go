package respond

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Expire ends what is over.
func (d *Desk) Expire(ctx context.Context) error {
	now := d.cfg.Now().UTC()
	d.mu.Lock()
	var over []string
	for id, x := range d.live {
		if !x.Expires.After(now) {
			over = append(over, id)
		}
	}
	d.mu.Unlock()
	slices.Sort(over)
	for _, id := range over {
		if _, err := d.alter(ctx, id, "decision.expire", machine, func(x *Decision) error {
			x.State = Expired
			return nil
		}); err != nil && !errors.Is(err, ErrState) {
			return err
		}
	}
	return nil
}

// Review holds what is carried out against traffic of late, and withdraws what
// meets more honest people than it may.
func (d *Desk) Review(ctx context.Context) error {
	if d.cfg.Shadow == nil {
		return nil
	}
	d.mu.Lock()
	bySite := map[string][]*Decision{}
	for _, x := range d.live {
		if x.State == Active && x.Action != taxonomy.ActMask && x.Action != taxonomy.ActObserve && x.Action != taxonomy.ActTag {
			bySite[x.Site] = append(bySite[x.Site], x)
		}
	}
	d.mu.Unlock()
	for site, list := range bySite {
		slices.SortFunc(list, func(a, b *Decision) int { return cmp.Compare(b.Number, a.Number) })
		list = list[:min(len(list), MaxGeneral)]
		var of []Selector
		for _, x := range list {
			of = append(of, x.Selector)
		}
		met, err := d.cfg.Shadow(ctx, site, of, reviewSpan)
		if err != nil {
			return err
		}
		r := d.cfg.Policy.ResponseFor(site)
		for i := range min(len(met), len(list)) {
			most := *r.MaxCollateral
			if list[i].Origin == ByPerson {
				most = worstShare
			}
			if c := &met[i]; !c.Known || c.Of < LeastHonest || c.Share() <= most {
				continue
			}
			_, err := d.alter(ctx, list[i].ID, "decision.withdraw", machine, func(x *Decision) error {
				x.State, x.Collateral = Withdrawn, met[i]
				x.Ended = &Ending{At: d.cfg.Now().UTC(), By: machine, Reason: d.cfg.Messages.Text("respond.withdrawn", message.Args{"share": percent(met[i].Share())})}
				return nil
			})
			if err != nil && !errors.Is(err, ErrState) {
				return err
			}
		}
	}
	return nil
}
