package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/report"
)

func (a *app) intelFetch() *cobra.Command {
	var allow, heads []string
	var out, sum string
	c := &cobra.Command{Use: "fetch URL --out FILE", Short: "Fetch a feed into a file; no inner address is asked unless it is allowed by name",
		Example: "  xiezhi intel fetch https://www.spamhaus.org/drop/drop.txt --out drop.txt\n  xiezhi intel fetch http://10.0.0.5:8080/v1/decisions/stream?startup=true --allow 10.0.0.5:8080 --header X-Api-Key=$KEY --out crowdsec.json",
		Args:    someArgs("intel fetch: name a URL")}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if out == "" || len(args) != 1 {
			return usagef("intel fetch: name one URL, and a file with --out")
		}
		guard, err := outbound.New(outbound.Config{Allow: allow})
		if err != nil {
			return usageError{err}
		}
		if _, err := guard.Check(args[0]); err != nil {
			return usagef("intel fetch: %w", err)
		}
		r, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, args[0], nil)
		if err != nil {
			return usagef("intel fetch: the URL cannot be asked for")
		}
		for _, h := range heads {
			k, v, ok := strings.Cut(h, "=")
			if !ok {
				return usagef("--header: write NAME=VALUE")
			}
			r.Header.Set(k, v)
		}
		got, err := guard.Do(r, feed.MaxBytes)
		if err != nil {
			return fmt.Errorf("fetch the feed: %w", err)
		}
		if got.Status != http.StatusOK {
			return fmt.Errorf("fetch the feed: %s answers with status %d", report.Inert(r.URL.Host), got.Status)
		}
		digest := sha256.Sum256(got.Body)
		have := hex.EncodeToString(digest[:])
		if sum != "" && !strings.EqualFold(sum, have) {
			return errSum
		}
		result, err := feed.Decode(feed.Guess(out, got.Body), got.Body, feed.Options{Name: filepath.Base(out), Now: time.Now().UnixNano()})
		if err != nil {
			return fmt.Errorf("the feed cannot be read, nothing was written: %w", err)
		}
		beside := out + ".new"
		if err := os.WriteFile(beside, got.Body, 0o600); err != nil {
			return err
		}
		if err := os.Rename(beside, out); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stderr, "%s: %d indicators, sha256 %s\n", report.Inert(out), len(result.Rows), have)
		return err
	}
	c.Flags().StringVar(&out, "out", "", "`FILE` to write")
	c.Flags().StringVar(&sum, "sha256", "", "write nothing unless the content has this SHA-256")
	c.Flags().StringArrayVar(&allow, "allow", nil, "inner `HOST` or HOST:PORT that may be asked; may be repeated")
	c.Flags().StringArrayVar(&heads, "header", nil, "`NAME=VALUE` to send, as a key; may be repeated")
	return c
}
