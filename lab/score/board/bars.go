package board

import (
	"xiezhi/lab/arena/knob"
	"xiezhi/lab/score/measure"
)

// Bar is one thing that is asked of the product, with what it reached.
type Bar struct {
	ID    string         `json:"id"`
	Want  float64        `json:"want"`
	Least bool           `json:"at_least"` // else at most
	Value Number         `json:"value"`
	Low   Number         `json:"low"` // 95 % interval
	High  Number         `json:"high"`
	Of    float64        `json:"of"`             // cases or exposure behind it
	Kept  *measure.Share `json:"kept,omitempty"` // of attacks, where the bar is on how late each is found
	Met   bool           `json:"met"`
}

// The bars, as the project asks for them. All but the first two leave the
// majority mimics out.
const (
	wantCampaigns = 150
	wantSeeds     = 30
	wantPrecision = 0.98
	wantRecall    = 0.95
	wantBlind     = 0.90
	wantFalse     = 10 // of a million
	wantWeekly    = 1
	wantBlock     = 50
	wantRandom    = 150
	wantStuffing  = 100
)

func bars(b *Board, records []*Record) []Bar {
	share := func(id string, want float64, s measure.Share) Bar {
		low, high := s.Wilson()
		return Bar{ID: id, Want: want, Least: true, Value: Number(s.Value()), Low: Number(low), High: Number(high), Of: s.Of, Met: s.Known() && s.Value() >= want}
	}
	count := func(id string, want float64, n int) Bar {
		v := Number(n)
		return Bar{ID: id, Want: want, Least: true, Value: v, Low: v, High: v, Of: float64(n), Met: float64(n) >= want}
	}
	f := b.Open.Plain
	out := []Bar{
		count("campaigns", wantCampaigns, b.Campaigns),
		count("seeds", wantSeeds, b.Seeds),
		share("campaign_precision", wantPrecision, f.Campaign.Precision),
		share("campaign_recall", wantRecall, f.Campaign.Recall),
		share("campaign_recall_one_request_per_address", wantRecall, Sum(records, plain, choice{counts: func(r *Record, a *Attack) bool {
			return open(r, a) && gangOf(r, a).Knobs.AddressesPerRequest >= 1
		}}).Campaign.Recall),
		share("campaign_recall_ip_blind", wantBlind, b.Open.Blind.Campaign.Recall),
	}
	fr := f.FalseRequests
	low, high := fr.Wilson()
	out = append(out, Bar{ID: "false_per_million", Want: wantFalse, Value: Number(fr.Value() * 1e6), Low: Number(low * 1e6), High: Number(high * 1e6), Of: fr.Of, Met: fr.Known() && fr.Value()*1e6 <= wantFalse})
	fc := f.FalseCampaign
	low, high = fc.Interval()
	out = append(out, Bar{ID: "false_campaigns_per_site_week", Want: wantWeekly, Value: Number(fc.Value()), Low: Number(low), High: Number(high), Of: fc.Over, Met: fc.Over > 0 && fc.Value() <= wantWeekly})
	sweep := func(orders ...knob.Order) func(*Record, *Attack) bool {
		return func(r *Record, a *Attack) bool {
			if !open(r, a) || a.Kind != "account_scanning" {
				return false
			}
			for _, o := range orders {
				if gangOf(r, a).Knobs.Order == o {
					return true
				}
			}
			return false
		}
	}
	for _, p := range []struct {
		id     string
		want   float64
		counts func(*Record, *Attack) bool
	}{
		{"probes_block_sweep", wantBlock, sweep(knob.Sequential, knob.Strided, knob.Shuffled)},
		{"probes_random_sweep", wantRandom, sweep(knob.Random)},
		{"accounts_stuffing", wantStuffing, func(r *Record, a *Attack) bool { return open(r, a) && a.Kind == "credential_stuffing" }},
	} {
		out = append(out, late(p.id, p.want, Sum(records, plain, choice{counts: p.counts})))
	}
	return out
}

// late is the bar on how many requests an attack makes before it is found: nine
// of ten must keep it, those never found among the ten.
func late(id string, want float64, f *Figures) Bar {
	n := len(f.Probes) + f.NeverFound
	kept := measure.Share{Of: float64(n)}
	for _, p := range f.Probes {
		if p <= want {
			kept.Hit++
		}
	}
	all := f.Probes[:len(f.Probes):len(f.Probes)]
	for range f.NeverFound {
		all = append(all, inf)
	}
	return Bar{ID: id, Want: want, Value: Number(measure.Quantile(all, 0.9)), Low: unknown, High: unknown, Of: float64(n), Kept: &kept, Met: kept.Known() && kept.Value() >= 0.9}
}
