package record

import "context"

// Every goes through all records that a query is about, page by page.
func Every(ctx context.Context, s Lister, q Query, do func(*Record) error) error {
	q.Limit = MaxPage
	for {
		p, err := s.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range p.Records {
			if err := do(&p.Records[i]); err != nil {
				return err
			}
		}
		if q.After = p.Next; q.After == "" {
			return nil
		}
	}
}

// Lister is what Every needs of a Store.
type Lister interface {
	List(context.Context, Query) (Page, error)
}
