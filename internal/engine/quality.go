package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/message"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// warmUp is how much history the seasonal baselines want (detection.md C0).
const warmUp = 14 * 24 * time.Hour

// seen counts exchanges that were observed, and what could not be seen of
// them.
type seen struct {
	Analysed, Total                      uint64
	NoResponse, NoBodies, NoOrder, NoTLS uint64
}

func (p *pipeline) seen() seen {
	c := &p.caps
	return seen{p.in.Load(), c.total.Load(), c.noResponse.Load(), c.noBodies.Load(), c.noOrder.Load(), c.noTLS.Load()}
}

// inputOf writes down what came in, what was lost, and what could not be seen.
func inputOf(t source.Totals, read seen, b *bench, hosts uint64, blind []report.Blind, forms *form.Table, msgs *message.Catalog) report.Input {
	in := report.NewInput()
	in.Analysed, in.Observations, in.Bytes = read.Analysed, b.count, t.Bytes
	in.Exchanges = in.Analysed
	for r, n := range t.Dropped {
		in.Dropped = append(in.Dropped, report.ReasonCount{Reason: string(r), Count: n})
		in.Exchanges += n
	}
	if b.count > 0 {
		first, last := time.Unix(0, b.first).UTC(), time.Unix(0, b.last).UTC()
		in.First, in.Last = &first, &last
	}
	for k, n := range t.Quality {
		switch k.Code {
		case taxonomy.QualityNoBodies, taxonomy.QualityNoResponses, taxonomy.QualityNoHeaderOrder, taxonomy.QualityNoTLS:
			continue // counted here for every source alike, by what each exchange could show
		}
		in.Quality = append(in.Quality, report.QualityCount{Code: string(k.Code), Count: n, Detail: k.Detail})
	}
	addQuality := func(code taxonomy.Quality, n uint64, detail string) {
		if n > 0 {
			in.Quality = append(in.Quality, report.QualityCount{Code: string(code), Count: n, Detail: detail})
		}
	}
	addQuality(taxonomy.QualityNoBodies, read.NoBodies, "")
	addQuality(taxonomy.QualityNoResponses, read.NoResponse, "")
	addQuality(taxonomy.QualityNoHeaderOrder, read.NoOrder, "")
	addQuality(taxonomy.QualityNoTLS, read.NoTLS, "")
	if span := time.Duration(b.last - b.first); b.count > 0 && span < warmUp {
		addQuality(taxonomy.QualityNotWarm, 1, fmt.Sprintf("%s / %d d", span.Round(time.Second), warmUp/(24*time.Hour)))
	}
	unlisted := uint64(0)
	for _, name := range b.order {
		if name == unlistedPrefix || len(name) > len(unlistedPrefix) && name[:len(unlistedPrefix)+1] == unlistedPrefix+"@" {
			unlisted++
		}
	}
	addQuality(taxonomy.QualitySiteUnlisted, unlisted, "")
	unplaced := uint64(0)
	for _, n := range b.order {
		unplaced += b.judges[n].Unplaced()
	}
	addQuality(taxonomy.QualityNetworkUnknown, unplaced, "")
	for _, x := range t.Problems {
		in.Problems = append(in.Problems, report.Problem{File: x.File, Offset: x.Offset, Line: x.Line, Reason: string(x.Reason), Text: problemText(msgs, x.Text)})
	}
	in.Blind = append(in.Blind, blind...)
	slices.SortFunc(in.Blind, func(x, y report.Blind) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Server, y.Server), cmp.Compare(x.Name, y.Name))
	})
	if hosts > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "engine.hosts", Count: hosts})
	}
	if b.folded > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "engine.sites", Count: b.folded})
	}
	sums := map[string]uint64{}
	for _, n := range b.order {
		for _, l := range b.judges[n].Limits() {
			sums[l.What] += l.Count
		}
	}
	for what, n := range sums {
		in.Limits = append(in.Limits, report.LimitCount{What: what, Count: n})
	}
	if n := b.crossings.Lost(); n > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "campaign.lookups", Count: n})
	}
	if b.overflow > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "observe.items", Count: b.overflow})
	}
	if n := forms.Over(); n > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "observe.forms", Count: n})
	}
	if t.Hidden > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "report.problems", Count: t.Hidden})
	}
	in.NotJudged = notJudged(read, msgs)
	return in
}

// problemText gives what was wrong in both languages; a text that names a
// place inside the input stays as the source wrote it.
func problemText(msgs *message.Catalog, text string) message.Text {
	if id := "problem." + text; msgs.Has(id) {
		return msgs.Text(id, nil)
	}
	return message.Text{Zh: text, En: text}
}

// needsBodies are the kinds whose evidence stands in bodies.
var needsBodies = []string{
	"bola", "secret_in_response", "unauthenticated_sensitive", "optional_authentication", "weak_accepted", "identity_oracle", "bulk_response", "verbose_trace",
	"exposed_component", "account_scanning", "mass_registration", "bola_exploitation",
}

// notJudged lists the kinds that this input, or this version, could not show.
func notJudged(read seen, msgs *message.Catalog) []report.NotJudged {
	out := []report.NotJudged{}
	if read.Total > 0 && read.NoBodies == read.Total {
		why := msgs.Text("not_judged.no_bodies", nil)
		for _, k := range needsBodies {
			out = append(out, report.NotJudged{Kind: k, Why: why})
		}
	}
	why := msgs.Text("not_judged.no_detector", nil)
	for _, k := range judge.Missing() {
		out = append(out, report.NotJudged{Kind: k, Why: why})
	}
	return out
}
