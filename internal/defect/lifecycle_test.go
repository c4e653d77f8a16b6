package defect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"xiezhi/internal/taxonomy"
)

// world draws the life of a defect: how often it is tried and fires.
type world struct {
	rate   float64 // share of the tries that fire while it is there
	perDay float64
	bursts bool // tries come from a few cohorts: in most hours nothing can fire
}

// play lets a defect live until it is mended (fixed ≤ 0: never) and claims a
// fix on a day. It gives the life at the end.
func (w world) play(r *rand.Rand, days, fixedDay, claimDay int) (Life, bool) {
	var t Trials
	any := false
	for d := range days {
		for h := range 24 {
			level := w.perDay / 24 * (1 + 0.9*math.Sin(float64(h-9)/24*2*math.Pi))
			n := int(level)
			if r.Float64() < level-float64(n) {
				n++
			}
			p := w.rate
			if w.bursts { // the cohort that triggers it comes in one hour of ten
				if p = 0; r.IntN(10) == 0 {
					p = min(1, 10*w.rate)
				}
			}
			for range n {
				at := (int64(d)*24+int64(h))*hour + int64(r.IntN(3600))*1e9
				fired := r.Float64() < p && (fixedDay <= 0 || d < fixedDay)
				any = any || fired && d < claimDay
				t.Count(at, fired)
			}
		}
	}
	return Follow(&t, taxonomy.Established, []int64{int64(claimDay) * day}, int64(days)*day), any
}

func TestWrongProofsAreRare(t *testing.T) {
	rounds := 6000
	if testing.Short() {
		rounds = 800
	}
	for name, c := range map[string]struct {
		perDay, spread float64 // tries a day, from and by how many times up, in powers of e
		days           int
		proven         float64 // of the mended ones, at least
	}{
		"busy":   {1.5, 4, 90, 0.9},
		"seldom": {-2, 3, 180, 0.5}, // from one try a week
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			wrong, asked, right, open, took := 0, 0, 0, 0, 0.0
			by := map[string][2]int{}
			for i := range rounds {
				w := world{rate: math.Exp(-r.Float64() * 3.9), perDay: math.Exp(c.perDay + r.Float64()*c.spread), bursts: i%2 == 0}
				claim := c.days/9 + r.IntN(c.days*2/9)
				name := fmt.Sprintf("bursts %v, rate below %.2f", w.bursts, math.Ceil(w.rate*10)/10)
				if i%3 == 0 {
					if l, any := w.play(r, c.days, claim, claim); any {
						if l.Status == taxonomy.Fixed {
							right++
							took += l.Progress.Days
						} else {
							open++
						}
					}
					continue
				}
				l, any := w.play(r, c.days, 0, claim)
				if !any {
					continue
				}
				asked++
				v := by[name]
				v[1]++
				for _, c := range l.History {
					if c.Status == taxonomy.Fixed {
						wrong++
						v[0]++
						break
					}
				}
				by[name] = v
			}
			share := float64(wrong) / float64(asked)
			t.Logf("called fixed though it was not, at any time in %d days: %d of %d (%.2f %%); mended ones: %d proven after %.1f days in the mean, %d still open", c.days, wrong, asked, 100*share, right, took/float64(right), open)
			for k, v := range by {
				if v[0] > 0 {
					t.Logf("%s: %d of %d", k, v[0], v[1])
				}
			}
			if asked < 300 || share > 0.01 {
				t.Errorf("%d of %d wrong", wrong, asked)
			}
			if float64(right) < c.proven*float64(right+open) {
				t.Errorf("only %d of %d proven in time", right, right+open)
			}
		})
	}
}

// history makes a history of days: each digit is a day of 40 tries, of which
// that many fire; "." is a day without traffic.
func history(days string) *Trials {
	var t Trials
	for d, c := range days {
		if c == '.' {
			continue
		}
		for i := range 40 {
			t.Count(int64(d)*day+int64(i%20)*hour, i < int(c-'0'))
		}
	}
	return &t
}

func TestLives(t *testing.T) {
	for name, c := range map[string]struct {
		days   string
		claims []int64
		want   string
	}{
		"open":                        {"999", nil, "confirmed"},
		"claimed and no traffic":      {"999.........................", []int64{3}, "confirmed fix_claimed"},
		"claimed, half a week":        {"9999000", []int64{4}, "confirmed fix_claimed verifying"},
		"claimed and mended":          {"999900000000", []int64{4}, "confirmed fix_claimed verifying fixed"},
		"claimed and not mended":      {"999999900000", []int64{4}, "confirmed fix_claimed confirmed"},
		"mended for two days":         {"999900900000", []int64{4}, "confirmed fix_claimed verifying regressed"},
		"mended at the second claim":  {"9999999900000000", []int64{4, 8}, "confirmed fix_claimed confirmed fix_claimed verifying fixed"},
		"came back":                   {"99990000000009", []int64{4}, "confirmed fix_claimed verifying fixed regressed"},
		"came back and mended again":  {"9999000000000990000000000", []int64{4, 15}, "confirmed fix_claimed verifying fixed regressed fix_claimed verifying fixed"},
		"silent fix":                  {"9999000000000000000000000", nil, "confirmed fixed"},
		"silent, not long":            {"99990000000", nil, "confirmed"},
		"rare":                        {"1000100000001000000", []int64{14}, "confirmed fix_claimed verifying"},
		"claimed before it was found": {"999", []int64{-5}, "confirmed"},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.claims {
				c.claims[i] *= day
			}
			l := Follow(history(c.days), taxonomy.Established, c.claims, int64(len(c.days))*day)
			got := ""
			for i, s := range l.History {
				if i > 0 {
					got += " "
					if s.At < l.History[i-1].At {
						t.Errorf("step %d goes back in time", i)
					}
				}
				got += string(s.Status)
			}
			if got != c.want || string(l.Status) != got[len(got)-len(l.Status):] {
				t.Errorf("%s (%s), want %s; %+v", got, l.Status, c.want, l.Progress)
			}
		})
	}
}

func TestAClaimAloneProvesNothing(t *testing.T) {
	if l := Follow(nil, taxonomy.Established, []int64{5}, 400*day); l.Status != taxonomy.FixClaimed || l.Progress != nil {
		t.Errorf("%+v", l)
	}
}
