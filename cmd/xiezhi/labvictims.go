package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/lab/victim"
	"xiezhi/lab/victim/roster"
)

// labVictims plays services with defects that can be switched on, or runs one.
func (a *app) labVictims() *cobra.Command {
	var (
		out, on, serve string
		names          []string
		seed           uint64
	)
	c := &cobra.Command{
		Use:   "victims --out DIR | --serve ADDR --app NAME",
		Short: "Play services whose defects can be switched on and off, with the truth",
		Long: `Plays real HTTP services and the people, programs and partners that use them,
without any attacker, and writes:

  DIR/traffic/NAME.harl.zst  what a sensor would have recorded, one file an application
  DIR/config.yaml            the sites, for analyze --config
  DIR/policy.yaml            what their operators approved, for analyze --policy
  DIR/truth.json             every switch: on or off, how often it showed, what should be found
  DIR/labels.jsonl.zst       one line per exchange: who, and which flaws showed in it

With --serve one application answers at a loopback address, by the real clock.`,
		Example: `  xiezhi lab victims --out weeks
  xiezhi analyze --config weeks/config.yaml --policy weeks/policy.yaml weeks/traffic
  xiezhi lab victims --serve 127.0.0.1:8081 --app shop --on foreign_orders`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			apps, err := victims(names)
			if err != nil {
				return err
			}
			flaws, err := switches(apps, on)
			if err != nil {
				return err
			}
			switch {
			case (out == "") == (serve == ""):
				return usagef("lab victims: name the folder to write to with --out, or the address to answer at with --serve")
			case serve != "":
				if len(apps) != 1 {
					return usagef("lab victims --serve: name one application with --app")
				}
				return a.serveVictim(cmd.Context(), apps[0], seed, flaws, serve)
			}
			t, err := victim.Write(cmd.Context(), apps, seed, flaws, out)
			if err != nil {
				return err
			}
			for _, app := range t.Apps {
				n := 0
				for _, f := range app.Flaws {
					if f.On {
						n++
					}
				}
				if _, err := fmt.Fprintf(a.stdout, "%s: %s, %d exchanges, %d of %d flaws on\n", out, app.Name, app.Exchanges, n, len(app.Flaws)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "folder to write to (`DIR`)")
	f.StringSliceVar(&names, "app", nil, "which applications (`NAME,…`); default all")
	f.StringVar(&on, "on", "all", "which flaws are on: all, none or a list (`NAME,…`)")
	f.Uint64Var(&seed, "seed", 1, "what everything depends on")
	f.StringVar(&serve, "serve", "", "answer at this loopback address (`ADDR:PORT`) instead of writing")
	return c
}

func victims(names []string) ([]*victim.App, error) {
	all := roster.Apps()
	if len(names) == 0 {
		return all, nil
	}
	var out []*victim.App
	for _, n := range names {
		i := slices.IndexFunc(all, func(a *victim.App) bool { return a.Name == n })
		if i < 0 {
			var known []string
			for _, a := range all {
				known = append(known, a.Name)
			}
			return nil, usagef("--app %q is none of %s", n, strings.Join(known, ", "))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// switches reads --on.
func switches(apps []*victim.App, on string) (func(string) bool, error) {
	switch on {
	case "all":
		return func(string) bool { return true }, nil
	case "none", "":
		return func(string) bool { return false }, nil
	}
	known := map[string]bool{}
	var names []string
	for _, a := range apps {
		for _, f := range a.Flaws {
			known[f.Name] = true
			names = append(names, f.Name)
		}
	}
	list := strings.Split(on, ",")
	for _, n := range list {
		if !known[n] {
			return nil, usagef("--on %q is none of all, none, %s", n, strings.Join(names, ", "))
		}
	}
	return func(flaw string) bool { return slices.Contains(list, flaw) }, nil
}

// serveVictim runs a service that is meant to be broken into: on this machine
// and nowhere else.
func (a *app) serveVictim(ctx context.Context, app *victim.App, seed uint64, on func(string) bool, addr string) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !ap.Addr().IsLoopback() {
		return usagef("lab victims --serve: %q is not an address of this machine alone, as 127.0.0.1:8081; the service has holes on purpose", addr)
	}
	l, err := net.Listen("tcp", ap.String())
	if err != nil {
		return err
	}
	s := &http.Server{Handler: victim.Live(app, seed, on), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	fmt.Fprintf(a.stderr, "%s (%s) answers at http://%s\n", app.Name, app.Host, l.Addr())
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
