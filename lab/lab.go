// Package lab generates months of synthetic traffic with its truth: ten
// applications of different industries, some with defects, an honest public,
// and gangs that attack them.
//
// It takes a seed, a start, a number of months and a scale and gives HTTP
// exchanges in order of time, each with a label, and the truth about all of
// them. Invariant: same configuration and version, same bytes; no clock, no
// map order. Persons, numbers and addresses are synthetic and belong to nobody.
// Limits: at most MaxMonths months; what is held grows with a day's visits and
// the number of attacks, not with the traffic.
package lab

import (
	"context"
	"fmt"
	"time"

	"xiezhi/lab/adversary"
	"xiezhi/lab/crowd"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
)

// MaxMonths bounds one play.
const MaxMonths = 120

// Scales are the sizes of a play: factors of honest visits and of the size of
// waves of attack.
var scales = map[string]struct{ crowd, waves float64 }{
	"small":  {1, 1},
	"medium": {4, 1.6},
	"large":  {16, 3},
}

// Config is one play. The zero value of every optional field means its default.
type Config struct {
	Seed   uint64
	Start  time.Time // its month is the first; default January 2022
	Months int       // default 12
	Scale  string    // small (default), medium, large
}

// DefaultStart is the first month of the source report.
var DefaultStart = time.Date(2022, 1, 1, 0, 0, 0, 0, Zone())

// Zone is the zone of the lab's files: China's.
func Zone() *time.Location { return time.FixedZone("CST", 8*3600) }

// Check fills in defaults and says what is out of range.
func (c *Config) Check() error {
	if c.Start.IsZero() {
		c.Start = DefaultStart
	}
	c.Start = time.Date(c.Start.Year(), c.Start.Month(), 1, 0, 0, 0, 0, Zone())
	if c.Months == 0 {
		c.Months = 12
	}
	if c.Months < 0 || c.Months > MaxMonths {
		return fmt.Errorf("months: %d is not between 1 and %d", c.Months, MaxMonths)
	}
	if c.Scale == "" {
		c.Scale = "small"
	}
	if _, ok := scales[c.Scale]; !ok {
		return fmt.Errorf("scale: %q is none of small, medium, large", c.Scale)
	}
	return nil
}

// Play generates the traffic, hands every event to the sink and gives the
// truth.
func Play(ctx context.Context, cfg Config, sink stage.Sink) (*truth.Truth, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	scale := scales[cfg.Scale]
	town := people.New(cfg.Seed)
	apps := scene.Build(cfg.Seed, cfg.Start, town)
	count := truth.NewCounter()
	st := stage.New(cfg.Seed, apps, func(e *stage.Event) error {
		count.Add(e)
		return sink(e)
	})
	defer st.Close()
	public := crowd.New(cfg.Seed, st, town, scale.crowd)
	gangs := adversary.New(cfg.Seed, st, town, scale.waves)
	end := cfg.Start.AddDate(0, cfg.Months, 0)
	for day := cfg.Start; day.Before(end); day = day.AddDate(0, 0, 1) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if day.Day() == 1 {
			gangs.Month(day)
		}
		public.Day(day)
		if err := st.Play(day.AddDate(0, 0, 1)); err != nil {
			return nil, err
		}
	}
	if st.Refused() > 0 {
		return nil, fmt.Errorf("stage: %d scripts found no room; use a smaller scale", st.Refused())
	}
	t := count.Truth(apps)
	t.Seed, t.Start, t.Months, t.Scale = cfg.Seed, cfg.Start.Format("2006-01"), cfg.Months, cfg.Scale
	return t, nil
}
