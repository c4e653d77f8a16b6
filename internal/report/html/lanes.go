package html

import (
	"cmp"
	"math"
	"slices"
	"time"

	"xiezhi/internal/report"
)

// lanes is a timeline: one lane per site, one column per day or more, and the
// numbered moments of the story.
type lanes struct {
	Any                        bool // more than one day
	Width, Height, Left, Right float64
	Days                       int // per column
	Note                       string
	Lanes                      []lane
	Axis                       []axisMark
	Base                       float64
	More                       int // lanes not drawn
}

type lane struct {
	Label           string
	Y, Base, Middle float64
	Columns         []column
	Pins            []pin
}

type column struct {
	X, W, Y, H float64
	BlockedY   float64
	BlockedH   float64
	Title      string
}

type pin struct {
	X, Y   float64
	Number int
	Class  string
}

type axisMark struct {
	X     float64
	Label string
}

// Measures of the drawing.
const (
	laneHeight = 46.0
	laneBar    = 30.0
	laneLeft   = 132.0
	laneWidth  = 760.0
	laneTop    = 10.0
	maxColumns = 120
)

func (v *view) lanes(attacks []*report.Attack, timeline []report.Moment) lanes {
	type cell struct{ requests, blocked uint64 }
	bySite := map[string]map[string]*cell{} // site, day
	total := map[string]uint64{}
	first, last := "", ""
	grow := func(day string) {
		if first == "" || day < first {
			first = day
		}
		if day > last {
			last = day
		}
	}
	for _, a := range attacks {
		if bySite[a.Site] == nil {
			bySite[a.Site] = map[string]*cell{}
		}
		for _, x := range a.Activity {
			if _, err := time.Parse(time.DateOnly, x.Day); err != nil {
				continue
			}
			grow(x.Day)
			c := bySite[a.Site][x.Day]
			if c == nil {
				c = &cell{}
				bySite[a.Site][x.Day] = c
			}
			c.requests, c.blocked = c.requests+x.Requests, c.blocked+x.Blocked
			total[a.Site] += x.Requests
		}
	}
	if first == "" || first == last {
		return lanes{}
	}
	from, _ := time.Parse(time.DateOnly, first)
	to, _ := time.Parse(time.DateOnly, last)
	days := int(to.Sub(from).Hours()/24+0.5) + 1
	l := lanes{Any: true, Width: laneWidth, Left: laneLeft, Right: laneWidth - 12, Days: (days + maxColumns - 1) / maxColumns}
	columns := (days + l.Days - 1) / l.Days
	slot := (l.Right - l.Left) / float64(columns)
	sites := most(total)
	if len(sites) > maxLanes {
		l.More, sites = len(sites)-maxLanes, sites[:maxLanes]
	}
	// Lanes in order of their first day: the story reads from top to bottom.
	start := func(site string) string {
		d := ""
		for day := range bySite[site] {
			if d == "" || day < d {
				d = day
			}
		}
		return d
	}
	slices.SortStableFunc(sites, func(a, b string) int { return cmp.Or(cmp.Compare(start(a), start(b)), cmp.Compare(a, b)) })
	index := func(day time.Time) int { return int(day.Sub(from).Hours()/24+0.5) / l.Days }

	binned := make([][]cell, len(sites))
	peak := uint64(0)
	for i, site := range sites {
		binned[i] = make([]cell, columns)
		for day, c := range bySite[site] {
			t, _ := time.Parse(time.DateOnly, day)
			b := &binned[i][index(t)]
			b.requests, b.blocked = b.requests+c.requests, b.blocked+c.blocked
		}
		for _, b := range binned[i] {
			peak = max(peak, b.requests)
		}
	}
	for i, site := range sites {
		la := lane{Label: clip(site, 18), Y: tenth(laneTop + float64(i)*laneHeight)}
		la.Base, la.Middle = la.Y+laneHeight-6, tenth(la.Y+laneHeight/2+4)
		for k, b := range binned[i] {
			if b.requests == 0 {
				continue
			}
			h := math.Max(1.5, laneBar*math.Sqrt(float64(b.requests)/float64(peak)))
			c := column{X: tenth(l.Left + slot*float64(k)), W: tenth(math.Max(1.5, slot*0.86)), H: tenth(h), Y: tenth(la.Base - h)}
			if b.blocked > 0 {
				c.BlockedH = tenth(h * float64(b.blocked) / float64(b.requests))
				c.BlockedY = tenth(la.Base - c.BlockedH)
			}
			c.Title = from.AddDate(0, 0, k*l.Days).Format(time.DateOnly) + v.t("html.colon") + v.n(b.requests)
			la.Columns = append(la.Columns, c)
		}
		l.Lanes = append(l.Lanes, la)
	}
	l.Base = laneTop + float64(len(sites))*laneHeight
	l.Height = l.Base + 26
	v.pin(&l, sites, timeline, from, slot)
	marks := min(6, columns)
	for i := range marks {
		k := 0
		if marks > 1 {
			k = i * (columns - 1) / (marks - 1)
		}
		l.Axis = append(l.Axis, axisMark{tenth(l.Left + slot*(float64(k)+0.43)), from.AddDate(0, 0, k*l.Days).Format("01-02")})
	}
	l.Note = v.t("html.cases.timeline_day", "n", l.Days)
	return l
}

// pin puts the story's moments onto their lanes; what concerns all sites sits
// on the axis.
func (v *view) pin(l *lanes, sites []string, timeline []report.Moment, from time.Time, slot float64) {
	taken := map[[2]int]int{}
	for i, m := range timeline {
		zone := v.cfg.Zone
		if s := v.site[m.Site]; s != nil {
			if z, err := time.LoadLocation(s.TimeZone); err == nil {
				zone = z
			}
		}
		local := m.Time.In(zone)
		at := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC).Sub(from).Hours() / 24 / float64(l.Days)
		x := min(max(l.Left+slot*(math.Floor(at)+0.43), l.Left), l.Right)
		row := slices.Index(sites, m.Site)
		if row < 0 && m.Site != "" {
			continue // its lane is not drawn
		}
		if row < 0 {
			row = len(sites) - 1
		}
		k := [2]int{row, int(x / 14)}
		x += float64(taken[k]) * 13 // side by side rather than on top of each other
		taken[k]++
		la := &l.Lanes[row]
		la.Pins = append(la.Pins, pin{X: tenth(x), Y: la.Y + 7, Number: i + 1, Class: m.Event})
	}
}
