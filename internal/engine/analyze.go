// Package engine assembles the parts into what the commands do: analyze,
// convert.
//
// It takes inputs, configuration and the outside world (clock, randomness,
// temporary files) and gives reports. Invariant: the report depends on the
// input, the version and the key alone, never on the number of workers, the
// order of files or how the input was split. Limits: see LIMITS.md; memory is
// bounded by the sorter's cap and the judges' budgets.
package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/catalog/openapi"
	"xiezhi/internal/exchange"
	"xiezhi/internal/judge"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/source"
	"xiezhi/internal/source/keylog"
	"xiezhi/internal/taxonomy"
)

// AnalyzeConfig is one run of analyze. The zero value of every optional field
// means its default.
type AnalyzeConfig struct {
	Version string
	Tools   *Tools
	Inputs  []source.Input
	Format  Format // Auto: by content
	Log     LogConfig
	Live    Live        // read after the inputs
	Keys    *keylog.Log // of TLS connections in captures

	Workers int
	Site    string
	Zone    *time.Location
	Trusted []netip.Prefix
	File    *FileConfig
	Policy  *policy.File    // what people decided; may be nil
	Packs   []*policy.File  // rule packs; may be empty
	Hub     *scenario.Set   // CrowdSec scenarios to run as rules; may be nil
	Specs   []*openapi.Spec // what developers described, to compare with
	Since   time.Time
	Until   time.Time

	Attributed io.Writer // one line per exchange of a likely or confirmed attack
	APIs       io.Writer // one line per observation
	Weak       bool      // Attributed tells of suspected attacks as well
	Probe      *Probe    // may be nil

	Random io.Reader                           // for the key of temporary files
	Temp   func() (judge.SpillFile, error)     // opens a temporary file
	Memory int                                 // bytes of observations held before spilling
	Meter  func(bytes int64, exchanges uint64) // called now and then while reading

	sorted bool // of a test: judge in the sorter's order alone
	// of a test: gives the judge that takes over after an observation
	relieve func(*judge.Judge) *judge.Judge
	judged  func(ahead bool) // of a test
}

// AnalyzeResult is what one run gave.
type AnalyzeResult struct {
	Report *report.Report
	// Messages are the texts of the report, with the names that people gave.
	Messages *message.Catalog
	// Hits says what the rules that people wrote met, for trying them out.
	Hits []RuleHit
	// Alerts are what the CrowdSec scenarios told, by time.
	Alerts []Alert
	// Refused lists inputs that could not be opened or recognised.
	Refused []Refusal
}

// Refusal is an input that was not read.
type Refusal struct {
	Name string
	Err  error
}

// Findings reports whether there is anything to act on.
func (r *AnalyzeResult) Findings() bool {
	return len(r.Report.Open()) > 0 || len(r.Report.Attacks) > 0
}

// Inspected reports whether at least one exchange was analysed. A run that
// could inspect nothing never ends as clean.
func (r *AnalyzeResult) Inspected() bool { return r.Report.Input.Analysed > 0 }

// Analyze reads the inputs, judges them and makes the report. An error means
// that nothing could be reported; damaged or unreadable inputs are in the
// result.
func Analyze(ctx context.Context, cfg AnalyzeConfig) (*AnalyzeResult, error) {
	cfg.defaults()
	tools, err := cfg.Tools.with(cfg.File).withRules(append(cfg.Packs[:len(cfg.Packs):len(cfg.Packs)], cfg.Policy))
	if err != nil {
		return nil, err
	}
	tools = tools.withScenarios(cfg.Hub)
	sorter := judge.NewSorter(judge.SorterConfig{Memory: cfg.Memory, Create: cfg.Temp, Random: cfg.Random})
	defer func() { _ = sorter.Close() }()
	census := newHostCensus(tools.redactor.TokenString)
	forms := form.NewTable(0)
	observer := func() (*observe.Observer, error) { return tools.observer(forms) }
	observers := make([]*observe.Observer, cfg.Workers)
	for i := range observers {
		o, err := observer()
		if err != nil {
			return nil, err
		}
		observers[i] = o
	}

	ledger := &source.Ledger{}
	plan, err := recognise(cfg.Inputs, cfg.Format, cfg.Log, cfg.Keys)
	if err != nil {
		return nil, err
	}
	var early *ahead
	if len(cfg.Live.Sources) == 0 && !cfg.sorted && cfg.Probe == nil && cfg.relieve == nil { // a probe sees every observation once
		early = newAhead(newBench(cfg, tools, newSiteNamer(cfg, map[string]bool{})), cfg.Workers)
		defer early.stop()
	}
	p := newPipeline(cfg.Workers, max(1, len(cfg.Live.Sources)), observers, sorter, early, nil, census, observer, ledger)
	p.since, p.until = sinceUntil(cfg.Since, cfg.Until)
	p.asides = tools.scenarios != nil
	var blind []report.Blind
	stop := meter(cfg.Meter, ledger, p)
	for ordinal, s := range plan.sources {
		if err = p.run(ctx, s, ledger, uint32(ordinal), false); err != nil {
			break
		}
		blind = append(blind, blindOf(s)...)
	}
	if err == nil {
		err = cfg.Live.run(ctx, func(ctx context.Context, i int, s source.Source) error {
			return p.run(ctx, s, ledger, uint32(len(plan.sources)+i), true)
		})
	}
	stop()
	for _, s := range cfg.Live.Sources {
		blind = append(blind, blindOf(s)...)
	}
	if e := p.finish(); e != nil {
		return nil, e
	}
	if err != nil {
		return nil, err
	}

	admitted := census.admitted()
	bench := early.finish(admitted)
	if cfg.judged != nil {
		cfg.judged(bench != nil)
	}
	if bench == nil {
		bench = newBench(cfg, tools, newSiteNamer(cfg, admitted))
		if err := sorter.Each(bench.observe); err != nil {
			return nil, err
		}
	}
	results := bench.results()

	noteKeys(cfg.Keys, ledger)
	in := inputOf(ledger.Totals(), p.seen(), bench, census.skipped, blind, forms, tools.Messages)
	rep := report.Build(tools.report(cfg.Version, cfg.File, forms), in, results)
	if len(cfg.Specs) > 0 {
		rep.Drift = drift.Compare(cfg.Specs, rep.Described(""))
	}
	if cfg.Attributed != nil || cfg.APIs != nil {
		if err := secondPass(cfg, sorter, bench, results); err != nil {
			return nil, err
		}
	}
	return &AnalyzeResult{Report: rep, Messages: tools.Messages, Hits: ruleHits(results), Alerts: alerts(results), Refused: plan.refused}, nil
}

func (cfg *AnalyzeConfig) defaults() {
	if cfg.Workers <= 0 {
		cfg.Workers = 1
	}
	if cfg.File == nil {
		cfg.File = &FileConfig{}
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
}

func sinceUntil(since, until time.Time) (int64, int64) {
	var s, u int64
	if !since.IsZero() {
		s = since.UnixNano()
	}
	if !until.IsZero() {
		u = until.UnixNano()
	}
	return s, u
}

// secondPass goes over the observations again and writes which API and which
// attack each belongs to.
func secondPass(cfg AnalyzeConfig, sorter *judge.Sorter, b *bench, results []judge.Result) error {
	matchers := map[*judge.Judge]*judge.Matcher{}
	for i := range results {
		j := b.judges[results[i].Site.Name]
		from := taxonomy.Likely
		if cfg.Weak {
			from = taxonomy.Suspicious
		}
		matchers[j] = judge.NewMatcherFrom(j, results[i].Attacks, from)
	}
	apis, attributed := newLines(cfg.APIs), newLines(cfg.Attributed)
	err := sorter.Each(func(o *observe.Observation) error {
		if o.Aside != exchange.AsideNone {
			return nil
		}
		j := b.judge(o)
		api := j.Lookup(o)
		if apis != nil {
			line := struct {
				ID  string  `json:"id"`
				API *string `json:"api"` // null: the exchange belongs to no API
			}{ID: o.ID}
			if api != nil {
				line.API = &api.ID
			}
			if err := apis.enc.Encode(line); err != nil {
				return err
			}
		}
		if attributed == nil {
			return nil
		}
		var err error
		matchers[j].Each(o, api, func(attack, kind string) {
			if err == nil {
				err = attributed.enc.Encode(struct {
					ID     string `json:"id"`
					Attack string `json:"attack"`
					Kind   string `json:"kind"`
				}{o.ID, attack, kind})
			}
		})
		return err
	})
	if err := errors.Join(err, apis.close(), attributed.close()); err != nil {
		return fmt.Errorf("write the second pass: %w", err)
	}
	return nil
}

// lines writes one JSON value per line; nil writes nothing.
type lines struct {
	w   *bufio.Writer
	enc *json.Encoder
}

func newLines(w io.Writer) *lines {
	if w == nil {
		return nil
	}
	l := &lines{w: bufio.NewWriterSize(w, 1<<16)}
	l.enc = json.NewEncoder(l.w)
	l.enc.SetEscapeHTML(false)
	return l
}

func (l *lines) close() error {
	if l == nil {
		return nil
	}
	return l.w.Flush()
}
