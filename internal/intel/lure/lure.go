// Package lure says which requests touch a decoy: paths that nothing links to,
// and ids, accounts, phones and tokens that nobody was given.
//
// It takes the decoys that an owner set out, with the consent for them, and
// gives a Plan: for an observation, the kind of attack that touching what it
// names is, or nothing. Invariants: a plan never changes and holds tokens in
// place of honey values; a decoy without recorded consent is refused; nothing is
// asked of, or sent to, whoever touches one. Limits: counts and lengths are
// capped (LIMITS.md).
package lure

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/redact"
	"xiezhi/internal/taxonomy"
)

// Caps of a plan.
const (
	MaxPaths  = 256
	MaxValues = 4096
	maxPath   = 256
	maxValue  = 256
)

// Config is what an owner set out:
//
//	decoys:
//	  consent: {by: "Zhang San, security", on: "2026-11-01"}
//	  sites: [shop]
//	  paths: [/api/internal/export, /actuator/*, /v0/*]
//	  accounts: [svc_backup]
//	  ids: ["90417755"]
//	  phones: ["17000001234"]
//	  tokens: [sk_live_decoy_5d0c]
type Config struct {
	Consent  Consent  `yaml:"consent"`
	Sites    []string `yaml:"sites"` // empty: every site
	Paths    []string `yaml:"paths"` // ending in /*: all below
	Accounts []string `yaml:"accounts"`
	IDs      []string `yaml:"ids"`
	Phones   []string `yaml:"phones"`
	Tokens   []string `yaml:"tokens"`
}

// Consent is who agreed to decoys on the owner's sites, and when.
type Consent struct {
	By string `yaml:"by"`
	On string `yaml:"on"`
}

// Empty reports whether nothing was set out.
func (c *Config) Empty() bool {
	return len(c.Paths)+len(c.Accounts)+len(c.IDs)+len(c.Phones)+len(c.Tokens) == 0
}

var errConsent = errors.New("decoys: name who agreed to them and when, as consent: {by: NAME, on: DAY}")

// Check tells what is wrong with a configuration.
func (c *Config) Check() error {
	if c.Empty() {
		return nil
	}
	if strings.TrimSpace(c.Consent.By) == "" || strings.TrimSpace(c.Consent.On) == "" {
		return errConsent
	}
	if len(c.Paths) > MaxPaths {
		return fmt.Errorf("decoys: %d paths, at most %d", len(c.Paths), MaxPaths)
	}
	for i, p := range c.Paths {
		whole := strings.TrimSuffix(p, "/*")
		if len(p) > maxPath || !strings.HasPrefix(p, "/") || whole == "" || path.Clean(whole) != whole || strings.ContainsAny(whole, "*?# ") {
			return fmt.Errorf("decoys: paths[%d]: %.60q is no path such as /api/internal/export or /actuator/*", i, p)
		}
	}
	for _, l := range []struct {
		what string
		list []string
		min  int
	}{{"accounts", c.Accounts, 3}, {"ids", c.IDs, 4}, {"phones", c.Phones, 7}, {"tokens", c.Tokens, 8}} {
		if len(l.list) > MaxValues {
			return fmt.Errorf("decoys: %d %s, at most %d", len(l.list), l.what, MaxValues)
		}
		for i, v := range l.list {
			if len(v) < l.min || len(v) > maxValue {
				return fmt.Errorf("decoys: %s[%d]: between %d and %d characters, or people meet it by chance", l.what, i, l.min, maxValue)
			}
		}
	}
	return nil
}

// Plan finds touches. nil finds none.
type Plan struct {
	sites  []string
	paths  map[string]bool // true: all below
	values map[uint64]taxonomy.AttackKind
}

// New makes a plan; nothing set out gives nil.
func New(c Config, r *redact.Redactor) (*Plan, error) {
	if c.Empty() {
		return nil, nil
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := &Plan{sites: slices.Clone(c.Sites), paths: map[string]bool{}, values: map[uint64]taxonomy.AttackKind{}}
	for _, s := range c.Paths {
		whole, below := strings.CutSuffix(s, "/*")
		p.paths[strings.ToLower(whole)] = below || p.paths[strings.ToLower(whole)]
	}
	for _, l := range []struct {
		list []string
		kind taxonomy.AttackKind
	}{{c.Tokens, taxonomy.AttackVulnerabilityScan}, {c.IDs, taxonomy.AttackBOLAExploitation}, {c.Phones, taxonomy.AttackAccountScanning}, {c.Accounts, taxonomy.AttackCredentialStuffing}} {
		for _, v := range l.list {
			p.values[r.TokenString(v)] = l.kind
			p.values[r.TokenFoldString(v)] = l.kind
		}
	}
	return p, nil
}

// Touched gives what it is to ask for what an observation names, empty when
// that is no decoy.
func (p *Plan) Touched(site string, o *observe.Observation, subject, object uint64) taxonomy.AttackKind {
	if p == nil || len(p.sites) > 0 && !slices.Contains(p.sites, site) {
		return ""
	}
	if p.path(o.Segments) {
		return taxonomy.AttackVulnerabilityScan
	}
	if len(p.values) == 0 {
		return ""
	}
	for _, v := range [...]uint64{subject, object} {
		if k, ok := p.values[v]; ok && v != 0 {
			return k
		}
	}
	for i := range o.Accounts {
		if k, ok := p.values[o.Accounts[i].Token]; ok {
			return k
		}
	}
	for i := range o.Credentials {
		if k, ok := p.values[o.Credentials[i].Token]; ok {
			return k
		}
	}
	for i := range o.Params {
		if k, ok := p.values[o.Params[i].Token]; ok && o.Params[i].Token != 0 {
			return k
		}
	}
	return ""
}

// path reports whether segments are those of a decoy, or lie below one.
func (p *Plan) path(segments []observe.Segment) bool {
	if len(p.paths) == 0 {
		return false
	}
	at := make([]byte, 0, maxPath)
	for i := range segments {
		if segments[i].Token != 0 || len(at)+len(segments[i].Text) >= maxPath {
			return false // a value: what lies below was told at the segment before
		}
		at = append(at, '/')
		at = append(at, strings.ToLower(segments[i].Text)...)
		below, ok := p.paths[string(at)]
		if ok && (below || i == len(segments)-1) {
			return true
		}
	}
	return false
}

// DefaultPaths are decoys that no application of ours serves: places that tools
// go to by themselves. An owner whose application has one leaves it out.
func DefaultPaths() []string {
	return []string{"/.env", "/.env.bak", "/.git/*", "/.svn/*", "/.aws/*", "/actuator/heapdump", "/actuator/env", "/heapdump", "/jolokia", "/druid/*", "/nacos/*", "/phpmyadmin/*", "/pma/*",
		"/wp-login.php", "/wp-admin/*", "/xmlrpc.php", "/phpinfo.php", "/backup.zip", "/www.zip", "/db.sql", "/dump.sql", "/id_rsa", "/solr/*", "/jenkins/*", "/manager/html", "/console",
		"/api/internal/export", "/api/v0/users/export"}
}

// Path reports whether a path, with or without a query, is that of a decoy.
func (p *Plan) Path(target string) bool {
	if p == nil {
		return false
	}
	target, _, _ = strings.Cut(target, "?")
	var list []observe.Segment
	for s := range strings.SplitSeq(strings.Trim(target, "/"), "/") {
		list = append(list, observe.Segment{Text: s})
	}
	return p.path(list)
}
