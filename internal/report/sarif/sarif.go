// Package sarif writes the report as SARIF 2.1.0, for the tools that collect
// findings from many scanners.
//
// It takes a report and a language and gives one run: a rule per kind with
// texts in both languages, a result per defect and per likely or confirmed
// attack, taxonomies of CWE and OWASP. Invariant: the same report gives the
// same bytes; fingerprints are the report's ids, so that a finding keeps its
// history. Limits: an API is no file, so its location is a made-up relative
// path beside the logical location, which viewers made for source code accept.
package sarif

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// Config says how the log is written.
type Config struct {
	Lang     string // of the messages: "zh", or anything else for English; the other is a translation
	Messages *message.Catalog
}

const (
	schemaURI = "https://json.schemastore.org/sarif-2.1.0.json"
	cweIndex  = 0
	owasp     = 1
)

// Write writes the log.
func Write(w io.Writer, r *report.Report, cfg Config) error {
	if cfg.Lang != "zh" {
		cfg.Lang = "en"
	}
	b := &builder{cfg: cfg, r: report.InertCopy(r), rules: map[string]int{}, api: map[string]*report.API{}, cwe: map[string]bool{}, owasp: map[string]bool{}}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(log{Schema: schemaURI, Version: "2.1.0", Runs: []run{b.run()}})
}

type builder struct {
	cfg        Config
	r          *report.Report
	list       []about
	rules      map[string]int // index in list
	api        map[string]*report.API
	cwe, owasp map[string]bool
	results    []result
}

// about is a rule while results are gathered.
type about struct {
	id, prefix, kind string
	level            string
	severity         float64
	cwe, owasp       map[string]bool
	tags             []string
}

func (b *builder) run() run {
	for i := range b.r.APIs {
		b.api[b.r.APIs[i].ID] = &b.r.APIs[i]
	}
	for i := range b.r.Defects {
		b.defect(&b.r.Defects[i])
	}
	for i := range b.r.Attacks {
		if b.r.Attacks[i].Verdict != taxonomy.Suspicious.String() {
			b.attack(&b.r.Attacks[i])
		}
	}
	first, last := time.Time{}, time.Time{}
	if in := &b.r.Input; in.First != nil && in.Last != nil {
		first, last = in.First.UTC(), in.Last.UTC()
	}
	other := map[string]string{"zh": "en", "en": "zh"}[b.cfg.Lang]
	out := run{
		Tool: tool{Driver: component{Name: "Xiezhi", Organization: "Xiezhi", Version: strings.TrimPrefix(b.r.Version, "v"), Language: bcp47(b.cfg.Lang), ShortDescription: b.text(b.cfg.Lang, "sarif.tool"),
			FullDescription: b.text(b.cfg.Lang, "sarif.tool"), Rules: b.descriptors(b.cfg.Lang, true), SupportedTaxonomies: []componentRef{{"CWE", cweIndex}, {"OWASP-API", owasp}}}},
		Translations: []component{{Name: "Xiezhi", Language: bcp47(other), ShortDescription: b.text(other, "sarif.tool"), FullDescription: b.text(other, "sarif.tool"), TranslationMetadata: &translationMetadata{Name: b.cfg.Messages.Text("sarif.translation", nil).In(other)},
			Rules: b.descriptors(other, false)}},
		Taxonomies:  []component{b.cweTaxonomy(), b.owaspTaxonomy()},
		Automation:  automation{ID: "xiezhi/" + first.Format(time.DateOnly) + "/" + last.Format(time.DateOnly)},
		Language:    bcp47(b.cfg.Lang),
		ColumnKind:  "unicodeCodePoints",
		Invocations: []invocation{b.invocation()},
		Results:     b.results,
	}
	out.Automation.Description = &multiformat{Text: b.cfg.Messages.Text("sarif.run", message.Args{"first": first.Format(time.DateOnly), "last": last.Format(time.DateOnly)}).In(b.cfg.Lang)}
	if out.Results == nil {
		out.Results = []result{}
	}
	return out
}

func bcp47(lang string) string {
	if lang == "zh" {
		return "zh-CN"
	}
	return "en-US"
}

func (b *builder) text(lang, id string, args ...any) *multiformat {
	m := message.Args{}
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i].(string)] = args[i+1]
	}
	return &multiformat{Text: b.cfg.Messages.Text(id, m).In(lang)}
}

func (b *builder) name(lang, kind, id string) string {
	if key := kind + "." + id; b.cfg.Messages.Has(key) {
		return b.cfg.Messages.Text(key, nil).In(lang)
	}
	return id
}

// rule gives the index of a rule, made at its first result.
func (b *builder) rule(prefix, kind string, level string, severity float64, tags ...string) int {
	id := prefix + "/" + kind
	i, ok := b.rules[id]
	if !ok {
		i = len(b.list)
		b.rules[id] = i
		b.list = append(b.list, about{id: id, prefix: prefix, kind: kind, level: level, cwe: map[string]bool{}, owasp: map[string]bool{}, tags: tags})
	}
	b.list[i].severity = max(b.list[i].severity, severity)
	if rank[level] > rank[b.list[i].level] {
		b.list[i].level = level
	}
	return i
}

// Levels of SARIF and numbers that code scanning platforms sort by.
var (
	rank     = map[string]int{"note": 1, "warning": 2, "error": 3}
	levelOf  = map[string]string{"critical": "error", "high": "error", "elevated": "warning", "moderate": "note"}
	severity = map[string]float64{"critical": 9.5, "high": 8, "elevated": 5.5, "moderate": 3}
)

func level(sev string) string {
	if l := levelOf[sev]; l != "" {
		return l
	}
	return "note"
}

func (b *builder) defect(d *report.Defect) {
	i := b.rule("defect", d.Kind, level(d.Severity), severity[d.Severity], "security", "api", d.Class)
	for _, c := range d.CWE {
		b.cwe[c], b.list[i].cwe[c] = true, true
	}
	for _, o := range d.OWASP {
		b.owasp[o], b.list[i].owasp[o] = true, true
	}
	res := result{RuleID: "defect/" + d.Kind, RuleIndex: i, Kind: "fail", Level: level(d.Severity), Rank: round(d.Confidence * 100), Message: b.message(d.Reason.In(b.cfg.Lang)),
		Locations: []location{b.location(d.API, "")}, Fingerprints: map[string]string{"xiezhi/defect/v1": d.ID}, OccurrenceCount: occurrences(d.Count),
		Properties: map[string]any{"security-severity": number(severity[d.Severity]), "severity": d.Severity, "harm": d.Harm, "exploitability": d.Exploitability, "prevalence": d.Prevalence,
			"status": d.Status, "confidence": d.Confidence, "firstSeen": d.FirstSeen.UTC(), "lastSeen": d.LastSeen.UTC(), "reason": d.Reason, "advice": d.Advice, "evidence": d.Evidence, "exploitedBy": d.ExploitedBy, "tags": slices.Concat(d.OWASP, d.CWE)}}
	for _, c := range d.CWE {
		res.Taxa = append(res.Taxa, reference{ID: c, ToolComponent: componentRef{"CWE", cweIndex}})
	}
	switch taxonomy.DefectStatus(d.Status) {
	case taxonomy.AcceptedRisk, taxonomy.FalsePositive:
		res.Suppressions = []suppression{{Kind: "external", Status: "accepted", Justification: b.text(b.cfg.Lang, "sarif.suppressed", "status", b.name(b.cfg.Lang, "defect_status", d.Status)).Text}}
	}
	b.results = append(b.results, res)
}

func (b *builder) attack(a *report.Attack) {
	lv, sev := "note", 5.0
	if a.Verdict == taxonomy.Confirmed.String() {
		lv, sev = "warning", 7.5
	}
	i := b.rule("attack", a.Kind, lv, sev, "security", "api", "attack", a.Scenario)
	res := result{RuleID: "attack/" + a.Kind, RuleIndex: i, Kind: "fail", Level: lv, Rank: round(a.Confidence * 100), Message: b.message(a.Reason.In(b.cfg.Lang)),
		Fingerprints: map[string]string{"xiezhi/attack/v1": a.ID}, OccurrenceCount: occurrences(a.Requests),
		Properties: map[string]any{"security-severity": number(sev), "verdict": a.Verdict, "scenario": a.Scenario, "confidence": a.Confidence, "firstSeen": a.FirstSeen.UTC(), "lastSeen": a.LastSeen.UTC(), "requests": a.Requests,
			"blocked": a.Blocked, "succeeded": a.Succeeded, "subjectsExposed": a.SubjectsExposed, "through": a.Through, "reason": a.Reason, "reasons": a.Reasons, "action": a.Action}}
	const most = 10 // what code scanning platforms keep
	for _, id := range a.APIs[:min(most, len(a.APIs))] {
		res.Locations = append(res.Locations, b.location(id, a.Site))
	}
	if len(res.Locations) == 0 {
		res.Locations = []location{b.location("", a.Site)}
	}
	b.results = append(b.results, res)
}

var (
	placeholder = regexp.MustCompile(`\{(\d+)\}`)
	embedded    = regexp.MustCompile(`(\[[^\]]*\])\(`)
)

// message makes a text that is no template and holds no link: braces around a
// number are doubled, brackets that would open a link escaped. Others stay as
// they are, for viewers show doubled braces as they stand.
func (b *builder) message(s string) messageText {
	plain := placeholder.ReplaceAllString(s, "{{$1}}")
	plain = embedded.ReplaceAllStringFunc(plain, func(m string) string { return `\` + m })
	return messageText{Text: plain, ID: "default", Arguments: []string{s}}
}

// location of an API, or of a whole site.
func (b *builder) location(id, site string) location {
	name, path, kind := site, []string{"apis", site}, "namespace"
	full := site
	if a := b.api[id]; a != nil {
		name, kind = a.Method+" "+a.Template, "resource"
		full = a.Site + "/" + name
		path = append([]string{"apis", a.Site, a.Method}, strings.Split(strings.Trim(a.Template, "/"), "/")...)
	}
	if full == "" {
		name, full = "*", "*"
	}
	for i, p := range path {
		p = strings.NewReplacer("/", "_", `\`, "_").Replace(p) // a viewer that decodes must not find a step either
		switch path[i] = url.PathEscape(p); p {
		case "", ".", "..": // must not be taken for steps
			path[i] = "_" + p
		}
	}
	return location{Physical: physical{Artifact: artifact{URI: strings.Join(path, "/")}, Region: region{StartLine: 1}}, Logical: []logical{{Name: name, FullyQualifiedName: full, Kind: kind}}}
}

func (b *builder) descriptors(lang string, whole bool) []descriptor {
	out := []descriptor{}
	for _, a := range b.list {
		kind := map[string]string{"defect": "defect_kind", "attack": "attack_kind"}[a.prefix]
		title := b.name(lang, kind, a.kind)
		d := descriptor{ID: a.id, Name: pascal(a.prefix + "_" + a.kind), Short: b.text(lang, "sarif."+a.prefix, "kind", title), MessageStrings: map[string]multiformat{"default": {Text: "{0}"}}}
		d.Full, d.Help = b.explain(lang, a, d.Short.Text)
		if whole {
			d.Default = &configuration{Level: a.level}
			d.Properties = map[string]any{"tags": b.tags(a), "precision": "high", "security-severity": number(a.severity), "problem.severity": map[string]string{"note": "recommendation"}[a.level]}
			if a.level != "note" {
				d.Properties["problem.severity"] = a.level
			}
			for _, c := range slices.Sorted(maps.Keys(a.cwe)) {
				d.Relationships = append(d.Relationships, relationship{Target: reference{ID: c, ToolComponent: componentRef{"CWE", cweIndex}}, Kinds: []string{"relevant"}})
			}
			for _, o := range slices.Sorted(maps.Keys(a.owasp)) {
				d.Relationships = append(d.Relationships, relationship{Target: reference{ID: o, ToolComponent: componentRef{"OWASP-API", owasp}}, Kinds: []string{"relevant"}})
			}
		}
		d.HelpURI = helpURI(a)
		out = append(out, d)
	}
	return out
}

// explain gives what a rule is about and what to do.
func (b *builder) explain(lang string, a about, title string) (full, help *multiformat) {
	if a.prefix == "attack" {
		t := b.text(lang, "html.attack."+a.kind)
		return t, &multiformat{Text: title + " " + t.Text, Markdown: "**" + title + "** " + t.Text}
	}
	class := string(taxonomy.ClassOf[taxonomy.DefectKind(a.kind)])
	what := b.text(lang, "html.class."+class+".what").Text
	lines := []string{what, b.text(lang, "html.class."+class+".leads").Text}
	md := slices.Clone(lines)
	for n := 1; b.cfg.Messages.Has(fmt.Sprintf("html.class.%s.advice%d", class, n)); n++ {
		s := b.text(lang, fmt.Sprintf("html.class.%s.advice%d", class, n)).Text
		lines, md = append(lines, s), append(md, "- "+s)
	}
	return &multiformat{Text: title + " " + what}, &multiformat{Text: strings.Join(lines, "\n"), Markdown: strings.Join(md, "\n\n")}
}

func (b *builder) tags(a about) []string {
	tags := slices.Clone(a.tags)
	for _, c := range slices.Sorted(maps.Keys(a.cwe)) {
		tags = append(tags, "external/cwe/"+strings.ToLower(c))
	}
	for _, o := range slices.Sorted(maps.Keys(a.owasp)) {
		tags = append(tags, "external/owasp/"+o)
	}
	return tags
}

// owaspPages are the pages of the 2023 edition, by number.
var owaspPages = []string{"0xa1-broken-object-level-authorization", "0xa2-broken-authentication", "0xa3-broken-object-property-level-authorization", "0xa4-unrestricted-resource-consumption",
	"0xa5-broken-function-level-authorization", "0xa6-unrestricted-access-to-sensitive-business-flows", "0xa7-server-side-request-forgery", "0xa8-security-misconfiguration",
	"0xa9-improper-inventory-management", "0xaa-unsafe-consumption-of-apis"}

const owaspBase = "https://owasp.org/API-Security/editions/2023/en/"

func owaspPage(id string) string {
	for i, p := range owaspPages {
		if id == fmt.Sprintf("API%d:2023", i+1) {
			return owaspBase + p + "/"
		}
	}
	return owaspBase + "0x11-t10/"
}

func helpURI(a about) string {
	for _, o := range slices.Sorted(maps.Keys(a.owasp)) {
		return owaspPage(o)
	}
	if a.prefix == "attack" {
		return owaspBase + owaspPages[5] + "/" // abuse of business flows
	}
	return owaspBase + "0x11-t10/"
}

func (b *builder) cweTaxonomy() component {
	c := component{Name: "CWE", Organization: "MITRE", ShortDescription: b.text(b.cfg.Lang, "sarif.cwe"), InformationURI: "https://cwe.mitre.org/", Taxa: []taxon{}}
	for _, id := range slices.Sorted(maps.Keys(b.cwe)) {
		c.Taxa = append(c.Taxa, taxon{ID: id, HelpURI: "https://cwe.mitre.org/data/definitions/" + url.PathEscape(strings.TrimPrefix(id, "CWE-")) + ".html"})
	}
	return c
}

func (b *builder) owaspTaxonomy() component {
	c := component{Name: "OWASP-API", Organization: "OWASP", Version: "2023", ShortDescription: b.text(b.cfg.Lang, "sarif.owasp"), InformationURI: owaspBase, Taxa: []taxon{}}
	for _, id := range slices.Sorted(maps.Keys(b.owasp)) {
		c.Taxa = append(c.Taxa, taxon{ID: id, HelpURI: owaspPage(id)})
	}
	return c
}

// invocation tells what the input did not show: a clean run that saw nothing
// must not read as a clean result.
func (b *builder) invocation() invocation {
	in := &b.r.Input
	v := invocation{Successful: in.Analysed > 0}
	note := func(level, text string) {
		v.Notifications = append(v.Notifications, notification{Level: level, Message: messageText{Text: b.message(text).Text}})
	}
	if in.Analysed == 0 {
		note("error", b.text(b.cfg.Lang, "report.nothing").Text)
	}
	for _, d := range in.Dropped {
		note("warning", b.text(b.cfg.Lang, "report.dropped", "n", d.Count, "why", b.name(b.cfg.Lang, "drop_reason", d.Reason)).Text)
	}
	for _, q := range in.Quality {
		note("note", b.text(b.cfg.Lang, "quality_line."+q.Code, "n", q.Count, "detail", "").Text)
	}
	return v
}

func pascal(s string) string {
	var out strings.Builder
	up := true
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			up = true
			continue
		}
		if up {
			r, up = unicode.ToUpper(r), false
		}
		out.WriteRune(r)
	}
	return out.String()
}

// occurrences is a count that every reader's integer holds.
func occurrences(n uint64) uint64 { return min(max(n, 1), math.MaxInt32) }

func number(f float64) string { return fmt.Sprintf("%.1f", f) }
func round(f float64) float64 { return float64(int64(f*10+0.5)) / 10 }
