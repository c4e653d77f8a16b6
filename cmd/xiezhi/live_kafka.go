package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"xiezhi/internal/source"
	"xiezhi/internal/source/kafka"
)

// kafkaWay is --kafka: gateways and shippers put HAR lines into topics. It is of
// serve alone, which keeps what it took before offsets are committed.
type kafkaWay struct {
	brokers, topics    []string
	group, mechanism   string
	user, passwordFile string
	secure             bool
}

func (*kafkaWay) flag() string { return "kafka" }

func (w *kafkaWay) register(f *pflag.FlagSet) {
	f.StringSliceVar(&w.brokers, "kafka", nil, "read HAR lines from a Kafka cluster: `HOST:PORT` of its brokers, with commas")
	f.StringSliceVar(&w.topics, "kafka-topic", nil, "`TOPIC` to read, with commas or repeated")
	f.StringVar(&w.group, "kafka-group", "xiezhi", "consumer `GROUP`; members of one share the partitions")
	f.BoolVar(&w.secure, "kafka-tls", false, "connect to the brokers with TLS")
	f.StringVar(&w.mechanism, "kafka-mechanism", "", "SASL `MECHANISM`: plain, scram-sha-256, scram-sha-512")
	f.StringVar(&w.user, "kafka-user", "", "`USER` of SASL")
	f.StringVar(&w.passwordFile, "kafka-password-file", "", "`FILE` with the password of SASL")
}

func (w *kafkaWay) open(a *app) ([]source.Source, error) {
	if len(w.brokers) == 0 {
		if len(w.topics) > 0 {
			return nil, usagef("--kafka-topic is for --kafka; name the brokers")
		}
		return nil, nil
	}
	cfg := kafka.Config{Brokers: w.brokers, Topics: w.topics, Group: w.group, Mechanism: w.mechanism, User: w.user}
	if w.secure {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if w.passwordFile != "" {
		b, err := os.ReadFile(w.passwordFile)
		if err != nil {
			return nil, usagef("--kafka-password-file: %w", err)
		}
		cfg.Password = string(bytes.TrimRight(b, "\r\n"))
	}
	s, err := kafka.New(cfg)
	if err != nil {
		return nil, usagef("--kafka: %w", err)
	}
	fmt.Fprintf(a.stderr, "reading topics %s of Kafka at %s\n", strings.Join(w.topics, ", "), strings.Join(w.brokers, ", "))
	return []source.Source{s}, nil
}
