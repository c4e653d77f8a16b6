// Command loggen writes a generated access log to standard output, for
// measurements beside other programs: make bench-logs. It is no part of the
// product.
package main

import (
	"flag"
	"fmt"
	"os"

	"xiezhi/internal/source/accesslog/logtest"
)

func main() {
	var cfg logtest.Config
	flag.IntVar(&cfg.Lines, "lines", 1_000_000, "lines to write")
	flag.Uint64Var(&cfg.Seed, "seed", 1, "seed")
	flag.IntVar(&cfg.Rate, "rate", 40, "lines a second of log time")
	flag.BoolVar(&cfg.High, "high", false, "high cardinality: 60 000 visitors, hardly a URL twice")
	flag.BoolVar(&cfg.Attacks, "attacks", false, "attackers among the visitors")
	flag.Parse()
	if err := logtest.Write(os.Stdout, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "error: write the log:", err)
		os.Exit(3)
	}
}
