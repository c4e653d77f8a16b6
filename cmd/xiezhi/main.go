// Command xiezhi finds the APIs in traffic, audits them for defects and
// detects who abuses them.
//
// This package is flags, files and exit codes; the logic is in engine. Exit
// codes: 0 nothing found, 1 findings, 2 usage, 3 something could not be
// opened, recognised or inspected.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // months are those of the site's zone, also where the system has no zone files

	"github.com/spf13/cobra"

	"xiezhi/internal/engine"
	"xiezhi/rules"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitClean    = 0
	exitFindings = 1
	exitUsage    = 2
	exitRuntime  = 3
)

// softMemoryLimit is where the collector starts to work harder. What is held
// is bounded far below it (docs/en/LIMITS.md); GOMEMLIMIT overrides it.
const softMemoryLimit = 1 << 30

// exitError carries an exit code. Its text, if any, has been shown already.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// usageError is a mistake in the command line or in a file named there.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// run is main without the process: tests call it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// What an exchange leaves behind is little, so that a small target costs
	// hardly any work and keeps the process below 200 MB on captures of any size.
	debug.SetGCPercent(gcPercent)
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemoryLimit)
	}
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv, restoreSignals: stop}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var exit exitError
	var usage usageError
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, syscall.EPIPE):
		return exitRuntime
	case errors.As(err, &usage), strings.HasPrefix(err.Error(), "unknown command "):
		fmt.Fprintf(stderr, "error: %v\n", err)
		return exitUsage
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "error: interrupted")
		return exitRuntime
	}
	fmt.Fprintf(stderr, "error: %v\n", err)
	return exitRuntime
}

const gcPercent = 60

// loadTools decodes the rules. Nearly all that takes is garbage afterwards, and
// the process is small yet, so the collector may wait.
func loadTools(key [32]byte) (*engine.Tools, error) {
	debug.SetGCPercent(200)
	defer debug.SetGCPercent(gcPercent)
	return engine.LoadTools(rules.FS, key)
}

// app holds the outside world and the flags that every command has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	log            engine.LogConfig // how access logs are read, for live ways too
	restoreSignals func()           // an interrupt ends the program again
	lang           string
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "xiezhi",
		Short:         "獬豸 Xiezhi: finds APIs in traffic, audits them, detects who abuses them",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&a.lang, "lang", "", "language of texts: zh or en (default from LANG)")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if a.lang == "" {
			a.lang = languageOf(a.getenv)
		}
		if a.lang != "zh" && a.lang != "en" {
			return usagef("--lang %q: use zh or en", a.lang)
		}
		return nil
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%v; see %s --help", err, c.CommandPath())
	})
	root.AddCommand(a.demo(), a.analyze(), a.serve(), a.sensor(), a.backup(), a.restore(), a.doctor(), a.convert(), a.report(), a.api(), a.defect(), a.decision(), a.bouncer(), a.notify(), a.config(), a.policy(), a.intel(), a.decoy(), a.rules(), a.labCommand(), a.version())
	return root
}

// languageOf reads the usual variables in their usual order.
func languageOf(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, "xiezhi", version)
			return err
		},
	}
}

// someArgs asks for an argument, in the words given.
func someArgs(words string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s", words)
		}
		return nil
	}
}

// noArgs is cobra.NoArgs with the exit code of a usage mistake.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument %q", c.CommandPath(), args[0])
	}
	return nil
}
