package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/rules"
)

func (a *app) notify() *cobra.Command {
	c := &cobra.Command{Use: "notify", Short: "Work with those who are told of findings", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("notify: name what to do, as in notify test NAME --config FILE")
		}}
	var config string
	test := &cobra.Command{
		Use:     "test NAME --config FILE",
		Short:   "Send a test message to a channel or SIEM target of a configuration file",
		Example: "  xiezhi notify test ops --config /etc/xiezhi/config.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("notify test: name one channel or target")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if config == "" {
				return usagef("notify test: name the configuration file with --config")
			}
			c, err := loadConfig(config)
			if err != nil {
				return err
			}
			r, err := openReceivers(c, config, a.lang, a.getenv)
			if err != nil {
				return err
			}
			if r.texts, err = message.Load(rules.FS, "messages"); err != nil {
				return err
			}
			found, err := r.test(cmd.Context(), args[0])
			if !found && err == nil {
				return usagef("notify test: %s names no %s; it has: %s", config, report.Inert(args[0]), strings.Join(r.names(), ", "))
			}
			if err != nil {
				return fmt.Errorf("test %s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(a.stderr, "%s took the test message\n", args[0])
			return err
		},
	}
	test.Flags().StringVar(&config, "config", "", "configuration `FILE`")
	c.AddCommand(test)
	return c
}
