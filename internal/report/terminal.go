package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// TerminalConfig says how the summary is written.
type TerminalConfig struct {
	Lang     string // "zh" or "en"
	Width    int    // columns; 0: 100
	Colour   bool
	Zone     *time.Location
	Messages *message.Catalog
	All      bool // every API, defect and attack, not only the first
}

// Rows of a list before it is cut.
const (
	topFirst  = 5
	topRows   = 12
	topAPIs   = 20
	topGangs  = 5
	topBlind  = 5
	topPlaces = 5
	topKinds  = 16
)

// Terminal writes the summary that a person reads first: what was read, what
// matters most and what to do about it, then the lists, then what could not
// be seen.
func Terminal(w io.Writer, r *Report, cfg TerminalConfig) error {
	if cfg.Width <= 0 {
		cfg.Width = 100
	}
	cfg.Width = min(max(cfg.Width, 60), 140)
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	t := &terminal{cfg: cfg, r: r, open: r.Open(), api: map[string]*API{}}
	for i := range r.APIs {
		t.api[r.APIs[i].ID] = &r.APIs[i]
	}
	t.head()
	t.first()
	t.attacks()
	t.campaigns()
	t.defects()
	t.closed()
	t.apis()
	t.quality()
	_, err := io.WriteString(w, t.b.String())
	return err
}

type terminal struct {
	cfg  TerminalConfig
	r    *Report
	open []Defect // of r.Defects
	b    strings.Builder
	api  map[string]*API
}

func (t *terminal) say(id string, args message.Args) string {
	return t.cfg.Messages.Text(id, args).In(t.cfg.Lang)
}

func (t *terminal) name(kind, id string) string { return t.say(kind+"."+id, nil) }

func (t *terminal) count(n uint64) string { return message.Count(int64(n), t.cfg.Lang) }

func (t *terminal) line(s string) { t.b.WriteString(strings.TrimRight(s, " ") + "\n") }

func (t *terminal) title(id string, args message.Args) {
	t.line("")
	t.line(t.bold(t.say(id, args)))
}

// ANSI colours, only when asked for.
func (t *terminal) paint(code, s string) string {
	if !t.cfg.Colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *terminal) bold(s string) string { return t.paint("1", s) }
func (t *terminal) dim(s string) string  { return t.paint("2", s) }

func (t *terminal) level(id, s string) string {
	switch id {
	case "critical", "confirmed":
		return t.paint("1;31", s)
	case "high", "likely":
		return t.paint("31", s)
	case "elevated", "suspicious":
		return t.paint("33", s)
	}
	return s
}

// para writes wrapped text, the first line after lead, the rest indented.
func (t *terminal) para(indent int, lead, text string) {
	pad := strings.Repeat(" ", indent)
	n := columns(lead)
	for i, l := range wrap(Inert(text), t.cfg.Width-indent-n) {
		if i == 0 {
			t.line(pad + t.dim(lead) + l)
		} else {
			t.line(pad + strings.Repeat(" ", n) + l)
		}
	}
}

func (t *terminal) moment(m time.Time) string { return m.In(t.cfg.Zone).Format("2006-01-02 15:04:05") }

// apiName is how an API is named everywhere: method and template, with the
// host when several sites are judged.
func (t *terminal) apiName(id string) string {
	a := t.api[id]
	if a == nil {
		return t.say("report.any_api", nil)
	}
	return Inert(a.Method + " " + a.Template)
}

// rules names the version of the rule data, where it is known.
func (t *terminal) rules() string {
	if t.r.Rules == "" {
		return ""
	}
	return t.say("report.rules", message.Args{"version": Inert(t.r.Rules)})
}

func (t *terminal) head() {
	in := &t.r.Input
	t.line(t.bold(t.say("report.title", nil)) + t.dim("  "+t.r.Version+t.rules()))
	if in.First != nil {
		t.line(t.say("report.period", message.Args{"first": t.moment(*in.First), "last": t.moment(*in.Last), "zone": in.First.In(t.cfg.Zone).Format("MST")}))
	}
	dropped := uint64(0)
	for _, d := range in.Dropped {
		dropped += d.Count
	}
	sites := map[string]bool{}
	for i := range t.r.APIs {
		sites[t.r.APIs[i].Site] = true
	}
	t.line(t.say("report.volume", message.Args{"exchanges": in.Exchanges, "apis": len(t.r.APIs), "sites": len(sites), "dropped": dropped}))
	if in.Observations > in.Analysed {
		t.line(t.say("report.calls", message.Args{"calls": in.Observations}))
	}
	if in.Analysed == 0 {
		t.line("")
		t.line(t.level("critical", t.say("report.nothing", nil)))
		return
	}
	t.line("")
	t.line(t.bold(t.verdict()))
}

// verdict is the one sentence that a tired reader needs.
func (t *terminal) verdict() string {
	bySeverity := map[string]int{}
	for i := range t.open {
		bySeverity[t.open[i].Severity]++
	}
	confirmed, likely := 0, 0
	subjects := uint64(0)
	for i := range t.r.Attacks {
		a := &t.r.Attacks[i]
		switch a.Verdict {
		case "confirmed":
			confirmed++
		case "likely":
			likely++
		}
		subjects = max(subjects, a.SubjectsExposed)
	}
	if len(t.open) == 0 && len(t.r.Attacks) == 0 {
		return t.say("report.clean", nil)
	}
	s := t.say("report.verdict", message.Args{"defects": len(t.open), "serious": bySeverity["critical"] + bySeverity["high"],
		"attacks": len(t.r.Attacks), "confirmed": confirmed, "likely": likely})
	if subjects > 0 {
		s += t.say("report.verdict_subjects", message.Args{"subjects": subjects})
	}
	return s
}

// first lists what to do first: the worst defects, those under attack before
// the others (severity already counts that), each with its advice.
func (t *terminal) first() {
	if len(t.open) == 0 {
		return
	}
	t.title("report.do_first", nil)
	for i := range t.open[:min(topFirst, len(t.open))] {
		d := &t.open[i]
		t.line(fmt.Sprintf("%2d. %s %s  %s", i+1, t.level(d.Severity, "["+t.name("severity", d.Severity)+"]"),
			t.bold(t.name("defect_kind", d.Kind)), t.apiName(d.API)))
		t.para(4, "", d.Reason.In(t.cfg.Lang))
		t.para(4, t.say("report.lead_advice", nil), d.Advice.In(t.cfg.Lang))
		if n := len(d.ExploitedBy); n > 0 {
			t.para(4, t.say("report.lead_exploited", nil), t.exploiters(d.ExploitedBy))
		}
		t.life(d)
	}
}

// exploiters names the attacks that use a defect.
func (t *terminal) exploiters(ids []string) string {
	var kinds []string
	seen := map[string]bool{}
	for i := range t.r.Attacks {
		a := &t.r.Attacks[i]
		for _, id := range ids {
			if k := t.name("attack_kind", a.Kind); a.ID == id && !seen[k] {
				seen[k] = true
				kinds = append(kinds, k)
			}
		}
	}
	return strings.Join(kinds, t.say("report.comma", nil))
}

func (t *terminal) attacks() {
	if len(t.r.Attacks) == 0 {
		return
	}
	t.title("report.attacks", message.Args{"n": len(t.r.Attacks)})
	n := len(t.r.Attacks)
	if !t.cfg.All {
		n = min(n, topRows)
	}
	for i := range t.r.Attacks[:n] {
		a := &t.r.Attacks[i]
		where := t.say("report.any_api", nil)
		if len(a.APIs) > 0 {
			where = t.apiName(a.APIs[0])
			if len(a.APIs) > 1 {
				where += t.say("report.and_more", message.Args{"n": len(a.APIs) - 1})
			}
		}
		t.line(fmt.Sprintf(" • %s %s  %s", t.level(a.Verdict, "["+t.name("verdict", a.Verdict)+"]"), t.bold(t.name("attack_kind", a.Kind)), where))
		t.para(4, "", a.Reason.In(t.cfg.Lang))
		if where := a.Actors.Where(t.cfg.Messages, t.cfg.Lang); where != "" {
			t.para(4, "", where)
		}
		t.line("    " + t.dim(t.say("report.attack_line", message.Args{"requests": a.Requests, "ips": a.Actors.IPCount, "blocked": a.Blocked, "succeeded": a.Succeeded,
			"first": t.moment(a.FirstSeen), "last": a.LastSeen.In(t.cfg.Zone).Format("15:04:05"), "action": t.name("action", a.Action.Kind)})))
	}
	t.more(len(t.r.Attacks) - n)
}

// campaigns tells the stories of gangs.
func (t *terminal) campaigns() {
	if len(t.r.Campaigns) == 0 {
		return
	}
	t.title("report.campaigns", message.Args{"n": len(t.r.Campaigns)})
	n := len(t.r.Campaigns)
	if !t.cfg.All {
		n = min(n, topGangs)
	}
	for i := range t.r.Campaigns[:n] {
		c := &t.r.Campaigns[i]
		var kinds []string
		for _, k := range c.Kinds {
			kinds = append(kinds, t.name("attack_kind", k))
		}
		t.line(" • " + t.bold(c.Name) + "  " + strings.Join(kinds, t.say("report.comma", nil)))
		t.para(4, "", c.Reason.In(t.cfg.Lang))
		for _, m := range c.Timeline {
			if m.Event != "end" && (t.cfg.All || m.Event == "start" || m.Event == "spread" || m.Event == "success") {
				t.para(4, t.moment(m.Time)+"  ", m.Text.In(t.cfg.Lang))
			}
		}
	}
	t.more(len(t.r.Campaigns) - n)
}

func (t *terminal) more(n int) {
	if n > 0 {
		t.line("   " + t.dim(t.say("report.more", message.Args{"n": n})))
	}
}

func (t *terminal) defects() {
	if len(t.open) <= topFirst {
		return
	}
	t.title("report.defects", message.Args{"n": len(t.open)})
	n := len(t.open)
	if !t.cfg.All {
		n = min(n, topFirst+topRows)
	}
	for i := topFirst; i < n; i++ {
		d := &t.open[i]
		t.line(fmt.Sprintf("%2d. %s %s  %s", i+1, t.level(d.Severity, "["+t.name("severity", d.Severity)+"]"), t.bold(t.name("defect_kind", d.Kind)), t.apiName(d.API)))
		t.para(4, "", d.Reason.In(t.cfg.Lang))
		t.life(d)
	}
	t.more(len(t.open) - n)
}

// life says how far the proof of a fix has come, or that it came back.
func (t *terminal) life(d *Defect) {
	switch taxonomy.DefectStatus(d.Status) {
	case taxonomy.Regressed:
		t.para(4, "", t.bold(t.say("report.regressed", nil)))
	case taxonomy.FixClaimed, taxonomy.Verifying:
		if d.Life == nil || d.Life.Progress == nil {
			t.para(4, "", t.say("report.unproven", nil))
			return
		}
		p := d.Life.Progress
		t.para(4, "", t.say("report.proof", message.Args{"have": p.Requests, "need": p.Needed, "days": int(p.Days), "need_days": int(p.DaysNeeded), "hours": p.Hours, "need_hours": p.HoursNeeded}))
	}
}

// closed lists what nothing is to be done about, and why.
func (t *terminal) closed() {
	n := len(t.r.Defects) - len(t.open)
	if n == 0 {
		return
	}
	t.title("report.closed", message.Args{"n": n})
	shown := 0
	for i := range t.r.Defects {
		d := &t.r.Defects[i]
		if !d.Closed() || shown == topRows && !t.cfg.All {
			continue
		}
		shown++
		line := fmt.Sprintf(" • [%s] %s  %s", t.name("defect_status", d.Status), t.name("defect_kind", d.Kind), t.apiName(d.API))
		if d.Life != nil && d.Life.Decision != nil {
			line += t.say("report.decided", message.Args{"reason": Inert(d.Life.Decision.Reason), "by": Inert(d.Life.Decision.By)})
		}
		t.line(line)
	}
	t.more(n - shown)
}

func (t *terminal) apis() {
	if len(t.r.APIs) == 0 {
		return
	}
	t.title("report.apis", message.Args{"n": len(t.r.APIs)})
	defects, attacks := map[string]int{}, map[string]int{}
	for i := range t.open {
		defects[t.open[i].API]++
	}
	for i := range t.r.Attacks {
		if t.r.Attacks[i].Verdict == taxonomy.Suspicious.String() {
			continue
		}
		for _, id := range t.r.Attacks[i].APIs {
			attacks[id]++
		}
	}
	cols := []int{8, max(24, t.cfg.Width-8-14-10-9-16-5-5-8), 14, 10, 9, 16, 5, 5}
	head := []string{"report.col_method", "report.col_template", "report.col_role", "report.col_auth", "report.col_exchanges", "report.col_data", "report.col_defects", "report.col_attacks"}
	var b strings.Builder
	for i, h := range head {
		b.WriteString(" " + fit(t.say(h, nil), cols[i]))
	}
	t.line(t.dim(b.String()))
	n := len(t.r.APIs)
	if !t.cfg.All {
		n = min(n, topAPIs)
	}
	for i := range t.r.APIs[:n] {
		a := &t.r.APIs[i]
		row := []string{Inert(a.Method), Inert(a.Template), t.name("role", a.Role), t.name("auth", a.Auth), t.count(a.Exchanges), t.data(a), dash(defects[a.ID]), dash(attacks[a.ID])}
		b.Reset()
		for i, c := range row {
			if i == 1 {
				b.WriteString(" " + fitEnds(c, cols[i]))
				continue
			}
			b.WriteString(" " + fit(c, cols[i]))
		}
		t.line(b.String())
	}
	t.more(len(t.r.APIs) - n)
}

func dash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// data names the gravest type of unmasked data that an API returns.
func (t *terminal) data(a *API) string {
	best, level := "", 0
	types := map[string]bool{}
	for _, s := range a.Sensitive {
		if s.In != "response" || s.Masked {
			continue
		}
		types[s.Type] = true
		if id, ok := taxonomy.ParseSensitive(s.Type); ok && id.Level() > level {
			best, level = s.Type, id.Level()
		}
	}
	if best == "" {
		return "-"
	}
	s := t.name("sensitive", best)
	if len(types) > 1 {
		s += fmt.Sprintf(" +%d", len(types)-1)
	}
	return s
}

func (t *terminal) quality() {
	in := &t.r.Input
	t.title("report.quality", nil)
	if len(in.Dropped) == 0 {
		t.line(" • " + t.say("report.nothing_dropped", nil))
	}
	for _, d := range in.Dropped {
		t.line(" • " + t.say("report.dropped", message.Args{"n": d.Count, "why": t.name("drop_reason", d.Reason)}))
	}
	for i, b := range in.Blind {
		if i == topBlind {
			t.more(len(in.Blind) - topBlind)
			break
		}
		who := b.Server
		if b.Name != "" {
			who += " (" + b.Name + ")"
		}
		t.para(1, "• ", t.say("report.blind", message.Args{"server": who, "protocol": b.Protocol, "connections": b.Connections, "mb": float64(b.Bytes) / 1e6, "detail": b.Detail(t.cfg.Messages, t.cfg.Lang)}))
	}
	if len(in.Blind) > 0 {
		t.para(1, "→ ", t.say("report.blind_advice", nil))
	}
	seen := map[string]uint64{}
	var codes []string
	detail := map[string]string{}
	for _, q := range in.Quality {
		if seen[q.Code] == 0 {
			codes = append(codes, q.Code)
			detail[q.Code] = q.Detail
		}
		seen[q.Code] += q.Count
	}
	for _, c := range codes {
		if c == string(taxonomy.QualityEncrypted) && len(in.Blind) > 0 {
			continue
		}
		d := ""
		if detail[c] != "" {
			d = t.say("report.detail", message.Args{"detail": detail[c]})
		}
		s := t.say("quality_line."+c, message.Args{"n": seen[c], "detail": d})
		t.para(1, "• ", s)
	}
	for i, p := range in.Problems {
		if i == topPlaces {
			t.more(len(in.Problems) - topPlaces)
			break
		}
		place := fmt.Sprintf("%s:%d", p.File, p.Line)
		if p.Line == 0 {
			place = t.say("report.at_offset", message.Args{"file": p.File, "offset": fmt.Sprint(p.Offset)})
		}
		t.para(1, "• ", place+t.say("report.colon", nil)+p.Text.In(t.cfg.Lang))
	}
	for _, line := range t.r.MapLines(t.cfg.Messages, t.cfg.Lang) {
		t.para(1, "• ", line)
	}
	if in.Addresses == "token" {
		t.para(1, "• ", t.say("report.addresses_hidden", nil))
	}
	for _, l := range in.Limits {
		what := l.What
		if id := "limit." + what; t.cfg.Messages.Has(id) {
			what = t.say(id, nil)
		}
		t.para(1, "• ", t.say("report.limit", message.Args{"what": what, "n": l.Count}))
	}
	t.notJudged()
}

// notJudged lists, per cause, the kinds that could not be shown; a long list is
// a number unless everything was asked for.
func (t *terminal) notJudged() {
	var whys []string
	kinds := map[string][]string{}
	for _, n := range t.r.Input.NotJudged {
		why := n.Why.In(t.cfg.Lang)
		if len(kinds[why]) == 0 {
			whys = append(whys, why)
		}
		k := t.say("defect_kind."+n.Kind, nil)
		if k == "defect_kind."+n.Kind {
			k = t.say("attack_kind."+n.Kind, nil)
		}
		kinds[why] = append(kinds[why], k)
	}
	for _, why := range whys {
		names := strings.Join(kinds[why], t.say("report.comma", nil))
		if n := len(kinds[why]); n > topKinds && !t.cfg.All {
			names = t.say("report.kinds", message.Args{"n": n})
		}
		t.para(1, "• ", why+names)
	}
}
