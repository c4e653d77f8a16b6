package xlsx

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// monthly has a native chart beside its list. Means are over the months that
// the data covers.
func (b *book) monthly() error {
	s := b.list("monthly", []column{{"xlsx.month", 14}, {"html.months.axis", 18}, {"html.months.qmean", 14}, {"html.months.ymean", 14}})
	months := b.r.Months(b.cfg.Zone)
	if b.r.Period != nil {
		months = b.r.Period.Course
	}
	type sum struct{ n, months int }
	quarters, years := map[string]sum{}, map[string]sum{}
	quarter := func(m string) string {
		if len(m) < 7 {
			return m
		}
		return fmt.Sprintf("%s-%d", m[:4], (int(m[5]-'0')*10+int(m[6]-'0')-1)/3)
	}
	total := 0
	for _, m := range months {
		total += m.APIs
		for by, of := range map[string]map[string]sum{quarter(m.Month): quarters, m.Month[:min(4, len(m.Month))]: years} {
			x := of[by]
			of[by] = sum{x.n + m.APIs, x.months + 1}
		}
	}
	if total == 0 {
		return s.close()
	}
	mean := func(x sum) average { return average(float64(x.n) / float64(x.months)) }
	for _, m := range months {
		s.add(m.Month, m.APIs, mean(quarters[quarter(m.Month)]), mean(years[m.Month[:min(4, len(m.Month))]]))
	}
	if s.err != nil {
		return s.close()
	}
	last := s.row - 1
	ref := func(col string) string { return fmt.Sprintf("'%s'!$%s$%d:$%s$%d", s.name, col, s.first+1, col, last) }
	s.keep(b.f.AddChart(s.name, "F2", &excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Name: fmt.Sprintf("'%s'!$B$%d", s.name, s.first), Categories: ref("A"), Values: ref("B")}},
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: b.t("html.months.title")}}}, Legend: excelize.ChartLegend{Position: "none"}, Dimension: excelize.ChartDimension{Width: 720, Height: 320}}))
	return s.close()
}

// compare is a sheet only of a report about a stretch of time.
func (b *book) compare() error {
	p := b.r.Period
	if p == nil {
		return nil
	}
	var lines []string
	span := p.First + " – " + p.Last
	switch {
	case p.Previous == nil:
		lines = append(lines, span, b.t("html.compare.none"))
	case p.Previous.Partly:
		lines = append(lines, span, b.t("html.compare.partly"))
	default:
		lines = append(lines, span+" / "+p.Previous.First+" – "+p.Previous.Last)
	}
	s := b.list("compare", []column{{"html.compare.figure", 40}, {"xlsx.before", 16}, {"xlsx.now", 16}, {"html.compare.change", 16}}, lines...)
	row := func(label string, take func(*report.Figures) uint64) {
		values := []any{label, "", take(&p.Now), ""}
		if p.Previous != nil {
			was := take(&p.Previous.Figures)
			if values[1] = was; !p.Previous.Partly {
				values[3] = int64(take(&p.Now)) - int64(was) //nolint:gosec // a reader of reports refuses more than 1<<53 requests
			}
		}
		s.add(values...)
	}
	of := func(take func(*report.Figures) int) func(*report.Figures) uint64 {
		return func(f *report.Figures) uint64 { return uint64(max(0, take(f))) } //nolint:gosec // not negative
	}
	row(b.t("html.compare.attacked"), of(func(f *report.Figures) int { return f.AttackedAPIs }))
	row(b.t("html.compare.attacks"), of(func(f *report.Figures) int { return f.Attacks }))
	row(b.t("html.compare.requests"), func(f *report.Figures) uint64 { return f.Requests })
	for _, id := range append(slices.Clone(four), taxonomy.Exploitation) {
		row(b.t("html.compare.requests")+b.t("html.colon")+b.name("scenario", string(id)), func(f *report.Figures) uint64 { return f.Scenarios[string(id)] })
	}
	row(b.t("html.compare.succeeded"), func(f *report.Figures) uint64 { return f.Succeeded })
	row(b.t("html.attacks.blocked"), func(f *report.Figures) uint64 { return f.Blocked })
	row(b.t("html.compare.people"), func(f *report.Figures) uint64 { return f.People })
	row(b.t("html.compare.campaigns"), of(func(f *report.Figures) int { return f.Campaigns }))
	row(b.t("html.compare.open"), of(func(f *report.Figures) int { return f.Open }))
	row(b.t("html.compare.severe"), of(func(f *report.Figures) int { return f.Severe }))
	row(b.t("html.compare.exploited"), of(func(f *report.Figures) int { return f.Exploited }))
	row(b.t("html.compare.found"), of(func(f *report.Figures) int { return f.Found }))
	row(b.t("html.compare.fixed"), of(func(f *report.Figures) int { return f.Fixed }))
	row(b.t("html.compare.returned"), of(func(f *report.Figures) int { return f.Returned }))
	row(b.t("html.kpi.apis"), of(func(f *report.Figures) int { return f.APIs }))
	row(b.t("html.compare.new_apis"), of(func(f *report.Figures) int { return f.NewAPIs }))
	return s.close()
}

// changes is a sheet only of a report about a stretch of time.
func (b *book) changes() error {
	p := b.r.Period
	if p == nil {
		return nil
	}
	s := b.list("changes", []column{{"html.app.when", 19}, {"html.compare.change", 24}, {"html.app.severity", 9}, {"html.defects.class", 20}, {"xlsx.code", 30}, {"xlsx.site", 18}, {"xlsx.api", 40}, {"html.defects.status", 14}, {"xlsx.id", 18}})
	defects := make(map[string]*report.Defect, len(b.r.Defects))
	for i := range b.r.Defects {
		defects[b.r.Defects[i].ID] = &b.r.Defects[i]
	}
	for _, c := range p.Changes {
		d := defects[c.Defect]
		if d == nil {
			continue
		}
		site := ""
		if a := b.api[d.API]; a != nil {
			site = a.Site
		}
		s.add(c.Time, b.name("html.mended", c.Change), b.level(d.Severity), b.name("defect_class", d.Class), b.name("defect_kind", d.Kind), site, b.apiLabel(d.API), b.name("defect_status", d.Status), d.ID)
	}
	return s.close()
}

// exposed is one type of data that an API carries in one direction.
type exposed struct {
	api      *report.API
	typ, in  string
	plain    bool
	level    int
	fields   int
	most     uint32
	observed uint64
}

// exposure lists types of data by API, those that go out in the clear first.
func (b *book) exposure() error {
	s := b.list("exposure", []column{{"xlsx.site", 20}, {"html.app.method_head", 9}, {"html.app.template", 44}, {"xlsx.data_type", 22}, {"xlsx.data_level", 9}, {"xlsx.direction", 10}, {"xlsx.plain", 10},
		{"xlsx.fields", 8}, {"html.gbt.most", 12}, {"html.app.calls", 12}, {"html.app.auth", 12}, {"xlsx.exposure", 12}, {"xlsx.id", 18}})
	var list []exposed
	for i := range b.r.APIs {
		a := &b.r.APIs[i]
		from := len(list)
		for _, d := range a.Sensitive {
			k := slices.IndexFunc(list[from:], func(x exposed) bool { return x.typ == d.Type && x.in == d.In })
			if k += from; k < from {
				k = len(list)
				x := exposed{api: a, typ: d.Type, in: d.In}
				if id, ok := taxonomy.ParseSensitive(d.Type); ok {
					x.level = id.Level()
				}
				list = append(list, x)
			}
			x := &list[k]
			x.plain = x.plain || !d.Masked
			x.fields++
			x.most, x.observed = max(x.most, d.MaxPerResponse), max(x.observed, d.Exchanges) // one exchange may hold several fields
		}
	}
	out := func(x *exposed) int {
		if x.in == "response" && x.plain {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(x, y exposed) int {
		return cmp.Or(cmp.Compare(out(&x), out(&y)), cmp.Compare(y.level, x.level), cmp.Compare(y.most, x.most), cmp.Compare(y.observed, x.observed))
	})
	for i := range list {
		x := &list[i]
		plain := b.t("xlsx.masked")
		if x.plain {
			plain = b.t("xlsx.in_the_clear")
		}
		s.add(x.api.Site, x.api.Method, x.api.Template, b.name("sensitive", x.typ), x.level, b.t("xlsx.in."+x.in), plain, x.fields, x.most, x.observed, b.name("auth", x.api.Auth), b.name("exposure", x.api.Exposure), x.api.ID)
	}
	return s.close()
}
