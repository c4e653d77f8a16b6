package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/respond"
)

// service is a running serve that commands ask over its API.
type service struct {
	url, tokenFile, output string
}

func (s *service) register(c *cobra.Command) {
	c.PersistentFlags().StringVar(&s.url, "service", "http://127.0.0.1:8650", "`URL` of the xiezhi serve that is asked")
	c.PersistentFlags().StringVar(&s.tokenFile, "token-file", "", "`FILE` with an API token (default: the variable XIEZHI_TOKEN)")
	c.PersistentFlags().StringVarP(&s.output, "output", "o", "text", "form of what is printed: text or json")
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// ask sends one request and reads the answer into out, unless that is nil.
func (s *service) ask(ctx context.Context, a *app, method, path string, body, out any) error {
	if s.output != "text" && s.output != "json" {
		return usagef("--output %q: use text or json", s.output)
	}
	base, err := url.Parse(s.url)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return usagef("--service %q: write it as http://HOST:PORT or https://HOST", s.url)
	}
	token := a.getenv("XIEZHI_TOKEN")
	if s.tokenFile != "" {
		b, err := os.ReadFile(s.tokenFile)
		if err != nil {
			return fmt.Errorf("read the token: %w", err)
		}
		token = string(b)
	}
	if token = strings.TrimSpace(token); token == "" {
		return usagef("no token: make one in the console and give it with --token-file FILE, or as XIEZHI_TOKEN")
	}
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.url, "/")+path, in)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept-Language", a.lang)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token goes nowhere else
	w, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the service: %w; is xiezhi serve running there?", err)
	}
	defer w.Body.Close()
	data, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the service's answer: %w", err)
	}
	if w.StatusCode >= 300 {
		return problemOf(w.StatusCode, data)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("read the service's answer: %w", err)
	}
	return nil
}

// problemOf makes an error of what the service says is wrong.
func problemOf(status int, data []byte) error {
	var p v1.Problem
	if json.Unmarshal(data, &p) != nil || p.Title == "" {
		return fmt.Errorf("the service answers %d %s", status, http.StatusText(status))
	}
	text := p.Title
	for _, f := range p.Errors {
		if f.Field != "" {
			text += ": " + f.Field
		}
		text += ": " + f.Detail
	}
	if len(p.Errors) == 0 && p.Detail != "" {
		text += ": " + p.Detail
	}
	return errors.New(text)
}

func (a *app) decision() *cobra.Command {
	s := &service{}
	c := &cobra.Command{Use: "decision", Short: "List, make, approve and undo what gateways do about attacks; stop it all", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usagef("decision: name what to do, as in decision list") }}
	s.register(c)
	c.AddCommand(a.decisionList(s), a.decisionAdd(s), a.decisionUndo(s), a.decisionApprove(s), a.decisionStop(s, true), a.decisionStop(s, false))
	return c
}

func (a *app) decisionList(s *service) *cobra.Command {
	var all bool
	var site string
	c := &cobra.Command{Use: "list", Short: "List decisions, the newest first", Args: noArgs}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"limit": {"500"}}
		if site != "" {
			q.Set("site", site)
		}
		if !all {
			for _, x := range respond.States {
				if !x.Over() {
					q.Add("state", string(x))
				}
			}
		}
		list := []v1.Decision{}
		for {
			var p v1.DecisionPage
			if err := s.ask(cmd.Context(), a, "GET", "/api/v1/decisions?"+q.Encode(), nil, &p); err != nil {
				return err
			}
			list = append(list, p.Items...)
			if p.Next == "" {
				break
			}
			q.Set("cursor", p.Next)
		}
		if s.output == "json" {
			return a.printJSON(list)
		}
		return a.printDecisions(list)
	}
	c.Flags().BoolVar(&all, "all", false, "list what is over, too")
	c.Flags().StringVar(&site, "site", "", "of one site of this `NAME`")
	return c
}

func (a *app) printDecisions(list []v1.Decision) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for i := range list {
		d := &list[i]
		reason := d.Reason.In(a.lang)
		if d.Ended != nil && d.Ended.Reason.In(a.lang) != "" {
			reason += " – " + d.Ended.Reason.In(a.lang)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.State, d.Action, plainText(d.Site), d.Expires.Local().Format("2006-01-02 15:04"), selects(&d.Selector), plainText(reason))
	}
	return w.Flush()
}

// plainText leaves nothing in a text that a terminal would obey.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// selects says in short whom a selector means.
func selects(s *respond.Selector) string {
	var out []string
	k := &s.Keys
	for _, l := range []struct {
		name string
		list []string
	}{{"ip", k.IP}, {"prefix", k.Prefix}, {"ja4", k.JA4}, {"header_order", k.HeaderOrder}, {"param_shape", k.ParamShape}, {"agent", k.Agent}, {"credential", k.Credential}, {"account", k.Account}} {
		switch len(l.list) {
		case 0:
		case 1:
			out = append(out, l.name+"="+plainText(l.list[0]))
		default:
			out = append(out, fmt.Sprintf("%s=%s+%d", l.name, plainText(l.list[0]), len(l.list)-1))
		}
	}
	if n := len(s.APIs); n > 0 {
		out = append(out, "api="+plainText(s.APIs[0].Method+" "+s.APIs[0].Template))
		if n > 1 {
			out[len(out)-1] += fmt.Sprintf("+%d", n-1)
		}
	}
	return strings.Join(out, " ")
}

func (a *app) decisionAdd(s *service) *cobra.Command {
	var n v1.NewDecision
	var ttl time.Duration
	var dry bool
	var uniform string
	c := &cobra.Command{Use: "add --action ACTION --reason TEXT …", Short: "Decide what becomes of requests", Args: noArgs,
		Example: `  xiezhi decision add --action block --site shop --ip 203.0.113.9 --reason "credential stuffing"
  xiezhi decision add --action challenge --attack 1557f338d28c4daa59a154e7 --reason "as proposed" --dry-run
  xiezhi decision add --action mask --defect 3f2a9c0d11e8b7aa --reason "until the fix" --ttl 720h`}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if n.Action == "" || n.Reason == "" {
			return usagef("decision add: --action and --reason are needed")
		}
		n.Seconds = int64(ttl / time.Second)
		if uniform != "" {
			n.Patch.Uniform = &respond.Uniform{Status: http.StatusBadRequest, Body: uniform}
		}
		path := "/api/v1/decisions"
		if dry {
			path += "/preview"
		}
		var d v1.Decision
		if err := s.ask(cmd.Context(), a, "POST", path, &n, &d); err != nil {
			return err
		}
		if s.output == "json" {
			return a.printJSON(&d)
		}
		if err := a.printDecisions([]v1.Decision{d}); err != nil {
			return err
		}
		if x := &d.Collateral; x.Known {
			fmt.Fprintf(a.stderr, "of the last day it would have met %d of %d honest requests, and %d of known attacks\n", x.Requests, x.Of, x.Attack)
		}
		return nil
	}
	f := c.Flags()
	f.StringVar(&n.Action, "action", "", "observe, tag, rate_limit, challenge, mask or block")
	f.StringVar(&n.Reason, "reason", "", "why, for the audit log")
	f.DurationVar(&ttl, "ttl", 30*time.Minute, "how long it holds")
	f.StringVar(&n.Site, "site", "", "`NAME` of the site; not needed with an attack, a defect or an API")
	f.StringVar(&n.Attack, "attack", "", "`ID` of an attack, whose selector is taken")
	f.StringVar(&n.Defect, "defect", "", "`ID` of a defect; with mask, what it shows is masked")
	f.StringArrayVar(&n.Apis, "api", nil, "`ID` of an API that is meant (repeatable)")
	f.StringArrayVar(&n.Keys.IP, "ip", nil, "`ADDRESS` (repeatable)")
	f.StringArrayVar(&n.Keys.Prefix, "prefix", nil, "`NETWORK` (repeatable)")
	f.StringArrayVar(&n.Keys.JA4, "ja4", nil, "`FINGERPRINT` of the TLS client (repeatable)")
	f.IntVar(&n.Rate, "rate", 0, "requests a minute of a rate limit")
	f.StringArrayVar(&n.Patch.Fields, "field", nil, "`PATH` that is masked, as data[].phone (repeatable)")
	f.IntVar(&n.Patch.Records, "records", 0, "the most elements of a list in an answer")
	f.StringVar(&uniform, "uniform", "", "`JSON` that is given, with status 400, in place of every answer of 400 to 499")
	f.BoolVar(&dry, "dry-run", false, "say what it would meet, and decide nothing")
	return c
}

func (a *app) decisionUndo(s *service) *cobra.Command {
	var reason string
	c := &cobra.Command{Use: "undo ID --reason TEXT", Short: "End a decision", Args: someArgs("decision undo: name a decision by its id; decision list gives it")}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if reason == "" {
			return usagef("decision undo: --reason is needed")
		}
		return a.changed(cmd.Context(), s, "/api/v1/decisions/"+url.PathEscape(args[0])+"/undo", v1.End{Reason: reason})
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return c
}

func (a *app) decisionApprove(s *service) *cobra.Command {
	c := &cobra.Command{Use: "approve ID", Short: "Let a decision be carried out that waits for a second person", Args: someArgs("decision approve: name a decision by its id; decision list gives it")}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.changed(cmd.Context(), s, "/api/v1/decisions/"+url.PathEscape(args[0])+"/approve", nil)
	}
	return c
}

func (a *app) changed(ctx context.Context, s *service, path string, body any) error {
	var d v1.Decision
	if err := s.ask(ctx, a, "POST", path, body, &d); err != nil {
		return err
	}
	if s.output == "json" {
		return a.printJSON(&d)
	}
	return a.printDecisions([]v1.Decision{d})
}

func (a *app) decisionStop(s *service, stopped bool) *cobra.Command {
	var reason string
	c := &cobra.Command{Use: "stop --reason TEXT", Short: "Stop all that gateways do: the kill switch", Args: noArgs}
	if !stopped {
		c.Use, c.Short = "resume --reason TEXT", "Let gateways go on with what is decided"
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if reason == "" {
			return usagef("decision %s: --reason is needed", cmd.Name())
		}
		var e v1.Enforcement
		if err := s.ask(cmd.Context(), a, "PUT", "/api/v1/enforcement", v1.EnforcementSwitch{Stopped: stopped, Reason: reason}, &e); err != nil {
			return err
		}
		if s.output == "json" {
			return a.printJSON(&e)
		}
		fmt.Fprintf(a.stdout, "stopped=%v active=%d waiting=%d proposed=%d\n", e.Stopped, e.Active, e.Waiting, e.Proposed)
		return nil
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return c
}

func (a *app) bouncer() *cobra.Command {
	s := &service{}
	c := &cobra.Command{Use: "bouncer", Short: "Make, list and end keys of gateways that ask for decisions", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usagef("bouncer: name what to do, as in bouncer list") }}
	s.register(c)
	var site string
	add := &cobra.Command{Use: "add NAME", Short: "Make a key and print it, this once", Args: someArgs("bouncer add: give it a name")}
	add.RunE = func(cmd *cobra.Command, args []string) error {
		var b v1.BouncerOnce
		if err := s.ask(cmd.Context(), a, "POST", "/api/v1/bouncers", v1.NewBouncer{Name: args[0], Site: site}, &b); err != nil {
			return err
		}
		if s.output == "json" {
			return a.printJSON(&b)
		}
		fmt.Fprintln(a.stdout, b.Key)
		return nil
	}
	add.Flags().StringVar(&site, "site", "", "decisions of one site of this `NAME` only")
	list := &cobra.Command{Use: "list", Short: "List gateways, and when they asked last", Args: noArgs}
	list.RunE = func(cmd *cobra.Command, _ []string) error {
		var b v1.Bouncers
		if err := s.ask(cmd.Context(), a, "GET", "/api/v1/bouncers", nil, &b); err != nil {
			return err
		}
		if s.output == "json" {
			return a.printJSON(b.Items)
		}
		w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		for _, x := range b.Items {
			seen := "-"
			if !x.Seen.IsZero() {
				seen = x.Seen.Local().Format("2006-01-02 15:04:05")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", x.Id, plainText(x.Name), plainText(x.Site), seen, plainText(x.Agent), x.Pulls)
		}
		return w.Flush()
	}
	remove := &cobra.Command{Use: "remove ID", Short: "End a key at once", Args: someArgs("bouncer remove: name a key by its id; bouncer list gives it")}
	remove.RunE = func(cmd *cobra.Command, args []string) error {
		return s.ask(cmd.Context(), a, "DELETE", "/api/v1/bouncers/"+url.PathEscape(args[0]), nil, nil)
	}
	c.AddCommand(add, list, remove)
	return c
}
