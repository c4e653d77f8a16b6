package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"xiezhi": main})
}

func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("LANG", "en_US.UTF-8")
			e.Setenv("LC_ALL", "")
			e.Setenv("PROTO", filepath.Join(root, "cmd", "xiezhi", "testdata", "proto"))
			e.Setenv("CAPTURE", filepath.Join(root, "testdata", "vampi", "vampi.pcap.zst"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exitcode": exitCode, "private": private, "gigantic": gigantic, "send": send, "await": await,
			"tlscapture": tlsCapture, "nosecrets": noSecrets,
		},
		RequireExplicitExec: true,
	})
}

// exitCode runs a command and wants its exit code: exitcode 3 xiezhi …
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N command [args]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		var ok bool
		if code, ok = codeOf(err); !ok {
			ts.Fatalf("%v: %v", args[1:], err)
		}
	}
	if code != args[0] {
		ts.Fatalf("%v: exit code %s, want %s", args[1:], code, args[0])
	}
}

// private wants that a file is readable by its owner alone.
func private(ts *testscript.TestScript, neg bool, args []string) {
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := st.Mode().Perm(); (got == 0o600) == neg {
		ts.Fatalf("%s has mode %o", args[0], got)
	}
}
