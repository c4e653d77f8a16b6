package siem

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/respond/notify"
)

// MaxTargets is how many systems findings go to.
const MaxTargets = 8

// Formats and transports.
const (
	OCSF = "ocsf"
	ECS  = "ecs"
	CEF  = "cef"

	File          = "file"
	TCP           = "tcp"
	TLS           = "tls"
	UDP           = "udp"
	HTTP          = "http"
	Splunk        = "splunk"
	Elasticsearch = "elasticsearch"
	Kafka         = "kafka"
)

var transports = [...]string{File, TCP, TLS, UDP, HTTP, Splunk, Elasticsearch, Kafka}

// FileConfig is what the configuration file says of SIEM targets:
//
//	siem:
//	  allow: [siem.lan]
//	  targets:
//	    - {name: soc, format: cef, transport: tls, address: "siem.lan:6514", ca_file: ca.pem, lang: zh}
type FileConfig struct {
	Allow   []string `yaml:"allow"`
	Targets []Target `yaml:"targets"`
}

// Target is one system.
type Target struct {
	Name      string   `yaml:"name"`
	Format    string   `yaml:"format"`
	Transport string   `yaml:"transport"`
	Lang      string   `yaml:"lang"`
	Send      []string `yaml:"send"` // attack, campaign, defect; empty: all

	Path    string   `yaml:"path"`    // file
	Address string   `yaml:"address"` // tcp, tls, udp
	Host    string   `yaml:"host"`    // that syslog names as the sender
	CAFile  string   `yaml:"ca_file"`
	URL     string   `yaml:"url"` // http, splunk, elasticsearch
	Index   string   `yaml:"index"`
	Brokers []string `yaml:"brokers"`
	Topic   string   `yaml:"topic"`
	TLS     bool     `yaml:"tls"`  // kafka
	User    string   `yaml:"user"` // kafka, elasticsearch

	// SecretFile or SecretEnv hold the token of http (Bearer), splunk and
	// elasticsearch (ApiKey; with a user: the password), the password of kafka.
	SecretFile string `yaml:"secret_file"`
	SecretEnv  string `yaml:"secret_env"`
}

// Check tells what is wrong, without opening a file.
func (c *FileConfig) Check() error {
	if _, err := outbound.New(outbound.Config{Allow: c.Allow}); err != nil {
		return fmt.Errorf("siem: allow: %w", err)
	}
	if len(c.Targets) > MaxTargets {
		return fmt.Errorf("siem: %d targets, at most %d", len(c.Targets), MaxTargets)
	}
	seen := map[string]bool{}
	for i := range c.Targets {
		t := &c.Targets[i]
		err := notify.CheckName(t.Name)
		if err == nil && seen[t.Name] {
			err = errors.New("two targets have this name")
		}
		seen[t.Name] = true
		if err == nil {
			err = t.check()
		}
		if err != nil {
			return fmt.Errorf("siem: targets[%d] %.40s: %w", i, t.Name, err)
		}
	}
	return nil
}

func (t *Target) check() error {
	if !slices.Contains(transports[:], t.Transport) {
		return fmt.Errorf("transport: %.40q is none of %s", t.Transport, strings.Join(transports[:], ", "))
	}
	if t.Format != OCSF && t.Format != ECS && t.Format != CEF {
		return fmt.Errorf("format: %.40q is none of ocsf, ecs, cef", t.Format)
	}
	if t.Format == CEF && (t.Transport == HTTP || t.Transport == Splunk || t.Transport == Elasticsearch) {
		return fmt.Errorf("format: cef is no JSON, which %s takes; use ocsf or ecs", t.Transport)
	}
	if t.Lang != "" && t.Lang != "zh" && t.Lang != "en" {
		return fmt.Errorf("lang: %.40q is neither zh nor en", t.Lang)
	}
	for _, s := range t.Send {
		if s != Attack && s != Campaign && s != Defect {
			return fmt.Errorf("send: %.40q is none of attack, campaign, defect", s)
		}
	}
	if t.SecretFile != "" && t.SecretEnv != "" {
		return errors.New("secret: give it in one way only, as a file or a variable of the environment")
	}
	for _, x := range []struct {
		given bool
		name  string
		of    []string
	}{
		{t.Path != "", "path", []string{File}}, {t.Address != "", "address", []string{TCP, TLS, UDP}}, {t.Host != "", "host", []string{TCP, TLS, UDP}}, {t.CAFile != "", "ca_file", []string{TLS, Kafka}},
		{t.URL != "", "url", []string{HTTP, Splunk, Elasticsearch}}, {t.Index != "", "index", []string{Splunk, Elasticsearch}}, {len(t.Brokers) > 0, "brokers", []string{Kafka}}, {t.Topic != "", "topic", []string{Kafka}},
		{t.TLS, "tls", []string{Kafka}}, {t.User != "", "user", []string{Kafka, Elasticsearch}}, {t.SecretFile+t.SecretEnv != "", "secret", []string{HTTP, Splunk, Elasticsearch, Kafka}},
	} {
		if x.given && !slices.Contains(x.of, t.Transport) {
			return fmt.Errorf("%s: not for transport %s", x.name, t.Transport)
		}
	}
	return t.checkWhere()
}

func (t *Target) checkWhere() error {
	switch t.Transport {
	case File:
		if t.Path == "" {
			return errors.New("path: is missing")
		}
	case TCP, TLS, UDP:
		return hostPort("address", t.Address)
	case Kafka:
		if len(t.Brokers) == 0 || len(t.Brokers) > 16 || t.Topic == "" || len(t.Topic) > 249 {
			return errors.New("kafka needs 1 to 16 brokers and a topic")
		}
		for _, b := range t.Brokers {
			if err := hostPort("brokers", b); err != nil {
				return err
			}
		}
		if t.User != "" && !t.TLS {
			return errors.New("user: a password is not sent without TLS; add tls: true")
		}
		if (t.User != "") != (t.SecretFile+t.SecretEnv != "") {
			return errors.New("user: a user and a password (secret_file or secret_env) go together")
		}
	default:
		if t.URL == "" {
			return errors.New("url: is missing")
		}
		if t.Transport == Splunk && t.SecretFile+t.SecretEnv == "" {
			return errors.New("secret: the token of the HTTP Event Collector is missing")
		}
		if t.Transport == Elasticsearch && (t.Index == "" || strings.ContainsAny(t.Index, `/?#%" *\<>|,`) || !httpguts.ValidHeaderFieldValue(t.Index)) {
			return fmt.Errorf("index: %.60q is no name of an index", t.Index)
		}
	}
	return nil
}

func hostPort(field, s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("%s: %.60q is no HOST:PORT", field, s)
	}
	return nil
}
