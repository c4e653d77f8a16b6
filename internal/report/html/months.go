package html

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// months is the chart and the table of APIs attacked per month.
type months struct {
	Any       bool // one month at least has an attacked API
	Covered   int  // months that the period covers
	Mean      float64
	Peak      int
	PeakMonth string
	Result    string // sentence
	Cut       bool   // the chart leaves out the oldest months
	Now       bool   // the months of a period are marked
	Chart     monthChart
	Table     []yearRows
}

type yearRows struct {
	Year     string
	Mean     string
	Quarters []quarterRow
}

type quarterRow struct {
	Name, Mean string
	Cells      [3]monthCell
}

type monthCell struct {
	Label, Value string // no value: the period does not cover the month
}

// monthChart is the drawing in user units of the SVG.
type monthChart struct {
	Marked                                bool // months of the period stand out
	Width, Height, Left, Right, Top, Base float64
	Ticks                                 []tick
	Bars                                  []bar
	Quarters, Years                       []level
}

type tick struct {
	Y     float64
	Label string
}

type bar struct {
	X, Y, W, H, Middle float64
	Drop               float64 // of the value's base line below the bar's top
	Label, Value       string
	Title              string
	Now                bool
}

// level is a mean drawn across its months.
type level struct {
	X1, X2, Y, Middle float64
	Label, Value      string
}

// monthCount is one covered month.
type monthCount struct {
	at  time.Time
	n   int
	now bool // of the period that the report is about
}

// coverage lists the months that the chart is about: those of the data, or up
// to the end of the period that the report is about.
func (v *view) coverage() []monthCount {
	list := v.R.Months(v.cfg.Zone)
	if v.R.Period != nil {
		list = v.R.Period.Course
	}
	var out []monthCount
	for _, m := range list {
		if at, err := time.Parse("2006-01", m.Month); err == nil {
			out = append(out, monthCount{at, m.APIs, v.now(m.Month)})
		}
	}
	return out
}

// now reports whether a month lies in the period that the report is about.
func (v *view) now(month string) bool {
	p := v.R.Period
	return p != nil && (p.First == "" || month >= p.First[:min(7, len(p.First))]) && (p.Last == "" || month <= p.Last[:min(7, len(p.Last))])
}

func (v *view) months() months {
	all := v.coverage()
	m := months{Covered: len(all)}
	sum := 0
	for _, x := range all {
		sum += x.n
		if x.n > m.Peak {
			m.Peak, m.PeakMonth = x.n, x.at.Format("2006-01")
		}
	}
	if m.Any = sum > 0; !m.Any {
		return m
	}
	m.Mean = meanOf(all)
	m.Table = v.monthTable(all)
	if v.R.Period != nil {
		m.Result = v.course(&m)
	} else if len(all) == 1 {
		m.Result = v.t("html.months.single", "month", v.month(m.PeakMonth), "n", m.Peak)
	} else {
		m.Result = v.t("html.months.result", "mean", v.mean(m.Mean), "month", v.month(m.PeakMonth), "peak", m.Peak, "quarter", v.worstQuarter(all))
	}
	if m.Cut = len(all) > maxMonths; m.Cut {
		all = all[len(all)-maxMonths:]
	}
	m.Now = v.R.Period != nil && slices.ContainsFunc(all, func(x monthCount) bool { return x.now }) && slices.ContainsFunc(all, func(x monthCount) bool { return !x.now })
	m.Chart = v.monthChart(all)
	m.Chart.Marked = m.Now
	if m.Covered == 1 { // its own mean in three ways
		m.Chart.Quarters, m.Chart.Years = nil, nil
	}
	m.Chart.placeValues()
	return m
}

// placeValues puts each value above its bar, or into it where a mean would
// strike it through.
func (c *monthChart) placeValues() {
	const above, within, size = -5, 13, 11
	for i := range c.Bars {
		b := &c.Bars[i]
		struck := func(drop float64) bool {
			for _, l := range slices.Concat(c.Quarters, c.Years) {
				if l.X1 <= b.Middle && b.Middle <= l.X2 && l.Y > b.Y+drop-size && l.Y < b.Y+drop+3 {
					return true
				}
			}
			return false
		}
		if b.Drop = above; struck(above) && !struck(within) && b.H > 2*size {
			b.Drop = within
		}
	}
}

func quarterOf(t time.Time) int { return (int(t.Month())-1)/3 + 1 }

// groups cuts the months where key changes.
func groups(all []monthCount, key func(time.Time) int) [][]monthCount {
	var out [][]monthCount
	for i, x := range all {
		if i == 0 || key(x.at) != key(all[i-1].at) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], x)
	}
	return out
}

func byQuarter(t time.Time) int { return t.Year()*4 + quarterOf(t) }
func byYear(t time.Time) int    { return t.Year() }

func meanOf(g []monthCount) float64 {
	sum := 0
	for _, x := range g {
		sum += x.n
	}
	return float64(sum) / float64(len(g))
}

// worstQuarter is the clause about the quarter with the highest mean; a
// period within one quarter has none.
func (v *view) worstQuarter(all []monthCount) string {
	qs := groups(all, byQuarter)
	if len(qs) < 2 {
		return ""
	}
	worst := slices.MaxFunc(qs, func(a, b []monthCount) int {
		switch x, y := meanOf(a), meanOf(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return v.t("html.months.quarter", "quarter", v.quarter(worst[0].at), "mean", v.mean(meanOf(worst)))
}

func (v *view) quarter(t time.Time) string {
	n := strconv.Itoa(quarterOf(t))
	if v.cfg.Lang == "zh" {
		n = []string{"一", "二", "三", "四"}[quarterOf(t)-1]
	}
	return v.t("html.months.quarter_n", "year", strconv.Itoa(t.Year()), "n", n)
}

func (v *view) shortMonth(t time.Time) string {
	if v.cfg.Lang == "zh" {
		return strconv.Itoa(int(t.Month())) + " 月"
	}
	return t.Format("Jan")
}

func (v *view) monthTable(all []monthCount) []yearRows {
	var out []yearRows
	for _, y := range groups(all, byYear) {
		row := yearRows{Year: strconv.Itoa(y[0].at.Year()), Mean: v.mean(meanOf(y))}
		for _, q := range groups(y, byQuarter) {
			r := quarterRow{Name: v.t("html.months.quarter_short", "n", strconv.Itoa(quarterOf(q[0].at))), Mean: v.mean(meanOf(q))}
			for i := range 3 {
				r.Cells[i].Label = v.shortMonth(time.Date(2000, time.Month((quarterOf(q[0].at)-1)*3+i+1), 1, 0, 0, 0, 0, time.UTC))
			}
			for _, x := range q {
				r.Cells[(int(x.at.Month())-1)%3].Value = v.n(x.n)
			}
			row.Quarters = append(row.Quarters, r)
		}
		out = append(out, row)
	}
	return out
}

func (v *view) monthChart(all []monthCount) monthChart {
	c := monthChart{Width: 760, Height: 300, Left: 54, Right: 664, Top: 26, Base: 236}
	peak := 0
	for _, x := range all {
		peak = max(peak, x.n)
	}
	step, top := scale(float64(peak))
	y := func(n float64) float64 { return tenth(c.Base - (c.Base-c.Top)*n/top) }
	for t := 0.0; t <= top+step/2; t += step {
		c.Ticks = append(c.Ticks, tick{y(t), v.n(int64(math.Round(t)))})
	}
	slot := (c.Right - c.Left) / float64(max(len(all), 6)) // few months keep to the left, bars do not become walls
	width := math.Min(slot*0.66, 46)
	x := func(i int) float64 { return c.Left + slot*float64(i) }
	for i, m := range all {
		b := bar{X: tenth(x(i) + (slot-width)/2), Y: y(float64(m.n)), W: tenth(width), Middle: tenth(x(i) + slot/2)}
		b.H = tenth(c.Base - b.Y)
		if slot >= 24 || m.at.Month()%3 == 1 {
			b.Label = v.shortMonth(m.at)
		}
		if slot >= 24 && m.n > 0 {
			b.Value = v.n(m.n)
		}
		b.Now = m.now
		b.Title = v.month(m.at.Format("2006-01")) + v.t("html.colon") + v.n(m.n)
		c.Bars = append(c.Bars, b)
	}
	at := 0
	for _, q := range groups(all, byQuarter) {
		l := level{X1: tenth(x(at) + 3), X2: tenth(x(at+len(q)) - 3), Y: y(meanOf(q)), Middle: tenth((x(at) + x(at+len(q))) / 2), Value: v.mean(meanOf(q))}
		l.Label = v.t("html.months.quarter_short", "n", strconv.Itoa(quarterOf(q[0].at)))
		if at == 0 || quarterOf(q[0].at) == 1 {
			l.Label = strconv.Itoa(q[0].at.Year()) + " " + l.Label
		}
		if slot*float64(len(q)) >= 80 {
			l.Value = v.t("html.months.mean_of", "n", l.Value)
		}
		c.Quarters = append(c.Quarters, l)
		at += len(q)
	}
	at = 0
	for _, g := range groups(all, byYear) {
		c.Years = append(c.Years, level{X1: tenth(x(at)), X2: tenth(x(at + len(g))), Y: y(meanOf(g)), Label: strconv.Itoa(g[0].at.Year()), Value: v.mean(meanOf(g))})
		at += len(g)
	}
	return c
}

// scale chooses a step of 1, 2 or 5 times a power of ten and the top of the
// axis, at least a step above nothing.
func scale(peak float64) (step, top float64) {
	step = 1
	for _, m := range []float64{1, 2, 5, 10, 20, 50} {
		p := math.Pow(10, math.Floor(math.Log10(math.Max(peak, 1)))-1)
		if step = m * p; step >= 1 && peak/step <= 5 {
			break
		}
	}
	return step, math.Max(step, math.Ceil(peak/step)*step)
}

// tenth rounds a coordinate: short in the page and the same on every machine.
func tenth(f float64) float64 { return math.Round(f*10) / 10 }

func trimFloat(f float64, digits int) string { return strconv.FormatFloat(f, 'f', digits, 64) }
