// Command pcapgen writes a generated packet capture to standard output, for
// measurements beside other programs: make bench-peers. What it holds goes to
// standard error as one line of JSON. It is no part of the product.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"xiezhi/internal/source/pcap/pcaptest"
)

func main() {
	var cfg pcaptest.Shop
	flag.IntVar(&cfg.Transactions, "transactions", 177_000, "requests with their responses; 177 000 make about 600 MB")
	flag.IntVar(&cfg.Connections, "connections", 64, "open at the same time")
	flag.IntVar(&cfg.Keep, "keep", 50, "transactions of a connection on average")
	flag.IntVar(&cfg.Rate, "rate", 300, "transactions a second of capture time")
	flag.IntVar(&cfg.Clients, "clients", 4000, "client addresses")
	flag.IntVar(&cfg.Snap, "snap", 0, "bytes kept of a packet, 0 for all")
	flag.Uint64Var(&cfg.Seed, "seed", 1, "what everything depends on")
	flag.Parse()
	sum, err := cfg.Write(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: write the capture:", err)
		os.Exit(3)
	}
	_ = json.NewEncoder(os.Stderr).Encode(sum)
}
