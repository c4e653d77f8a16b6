package channel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Types of channels.
const (
	Webhook  = "webhook"
	DingTalk = "dingtalk"
	Feishu   = "feishu"
	WeCom    = "wecom"
	Slack    = "slack"
	Teams    = "teams"
	Email    = "email"
)

// Types lists them.
var Types = [...]string{Webhook, DingTalk, Feishu, WeCom, Slack, Teams, Email}

// Caps of a configuration.
const (
	MaxHeaders    = 16
	MaxRecipients = 50
	maxSecret     = 4096
)

// Config is one receiver as the configuration file has it. What is secret lies
// in a file or a variable of the environment; of robots the URL is.
type Config struct {
	Type string `yaml:"type"`
	Lang string `yaml:"lang"` // zh or en

	URL     string `yaml:"url"`
	URLFile string `yaml:"url_file"`
	URLEnv  string `yaml:"url_env"`

	SecretFile    string `yaml:"secret_file"`
	SecretEnv     string `yaml:"secret_env"`
	OldSecretFile string `yaml:"old_secret_file"` // of a webhook: signed with as well, while receivers change over
	OldSecretEnv  string `yaml:"old_secret_env"`

	Headers      []Header `yaml:"headers"`
	Template     string   `yaml:"template"`
	TemplateFile string   `yaml:"template_file"`
	ContentType  string   `yaml:"content_type"`

	Markdown bool `yaml:"markdown"` // WeCom

	Server string   `yaml:"server"` // mail server, HOST:PORT
	TLS    string   `yaml:"tls"`    // starttls (default), tls or none
	CAFile string   `yaml:"ca_file"`
	User   string   `yaml:"user"` // its password is the secret
	From   string   `yaml:"from"`
	To     []string `yaml:"to"`
}

// Header is one header of a webhook.
type Header struct {
	Name      string `yaml:"name"`
	Value     string `yaml:"value"`
	ValueFile string `yaml:"value_file"`
	ValueEnv  string `yaml:"value_env"`
}

// Check tells what is wrong, without opening a file.
func (c *Config) Check() error {
	if !slices.Contains(Types[:], c.Type) {
		return fmt.Errorf("type: %.40q is none of %s", c.Type, strings.Join(Types[:], ", "))
	}
	if c.Lang != "" && c.Lang != "zh" && c.Lang != "en" {
		return fmt.Errorf("lang: %.40q is neither zh nor en", c.Lang)
	}
	if err := oneOf("secret", "", c.SecretFile, c.SecretEnv); err != nil {
		return err
	}
	if err := oneOf("old_secret", "", c.OldSecretFile, c.OldSecretEnv); err != nil {
		return err
	}
	secret := c.SecretFile+c.SecretEnv != ""
	for _, x := range []struct {
		given bool
		name  string
		types []string
	}{
		{secret, "secret", []string{Webhook, DingTalk, Feishu, Email}}, {c.OldSecretFile+c.OldSecretEnv != "", "old_secret", []string{Webhook}},
		{len(c.Headers) > 0, "headers", []string{Webhook}}, {c.Template+c.TemplateFile+c.ContentType != "", "template", []string{Webhook}}, {c.Markdown, "markdown", []string{WeCom}},
		{c.Server+c.TLS+c.CAFile+c.User+c.From != "" || len(c.To) > 0, "server, tls, ca_file, user, from and to", []string{Email}},
		{c.URL+c.URLFile+c.URLEnv != "", "url", []string{Webhook, DingTalk, Feishu, WeCom, Slack, Teams}},
	} {
		if x.given && !slices.Contains(x.types, c.Type) {
			return fmt.Errorf("%s: not for channels of type %s", x.name, c.Type)
		}
	}
	if c.Type == Email {
		return c.checkEmail(secret)
	}
	if err := oneOf("url", c.URL, c.URLFile, c.URLEnv); err != nil {
		return err
	}
	if c.URL+c.URLFile+c.URLEnv == "" {
		return errors.New("url: is missing; give it as url, url_file or url_env")
	}
	return c.checkWebhook()
}

func (c *Config) checkWebhook() error {
	if len(c.Headers) > MaxHeaders {
		return fmt.Errorf("headers: %d, at most %d", len(c.Headers), MaxHeaders)
	}
	for i, h := range c.Headers {
		if !httpguts.ValidHeaderFieldName(h.Name) || !httpguts.ValidHeaderFieldValue(h.Value) {
			return fmt.Errorf("headers[%d]: no header has this name or value", i)
		}
		switch n := textproto.CanonicalMIMEHeaderKey(h.Name); {
		case strings.HasPrefix(n, "Webhook-"), slices.Contains([]string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Content-Type"}, n):
			return fmt.Errorf("headers[%d]: %s is not yours to set", i, n)
		}
		if err := oneOf(fmt.Sprintf("headers[%d]: value", i), h.Value, h.ValueFile, h.ValueEnv); err != nil {
			return err
		}
	}
	if c.Template != "" && c.TemplateFile != "" {
		return errors.New("template: give either template or template_file")
	}
	if !httpguts.ValidHeaderFieldValue(c.ContentType) {
		return errors.New("content_type: no header has this value")
	}
	if c.Template != "" {
		if _, err := c.template(c.Template); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkEmail(secret bool) error {
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("server: %.60q is no HOST:PORT such as smtp.example.com:587", c.Server)
	}
	switch c.TLS {
	case "", StartTLS, FullTLS:
	case NoTLS:
		if c.User != "" {
			return errors.New("tls: a password is not sent without TLS; use starttls or tls")
		}
	default:
		return fmt.Errorf("tls: %.40q is none of starttls, tls, none", c.TLS)
	}
	if (c.User != "") != secret {
		return errors.New("user: a user and a password (secret_file or secret_env) go together")
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		return fmt.Errorf("from: %.80q is no address", c.From)
	}
	if len(c.To) == 0 || len(c.To) > MaxRecipients {
		return fmt.Errorf("to: %d addresses, from 1 to %d", len(c.To), MaxRecipients)
	}
	for i, to := range c.To {
		if _, err := mail.ParseAddress(to); err != nil {
			return fmt.Errorf("to[%d]: %.80q is no address", i, to)
		}
	}
	return nil
}

// template reads a template and tries it.
func (c *Config) template(text string) (*webhook, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	w := &webhook{body: t, content: c.contentType()}
	if _, err := w.render(&Message{ID: "msg_try", Kind: "test", Severity: "info", Lang: "en", Title: `a "title"`, Facts: []Fact{{"a", "b"}}, Lines: []Line{{"x", ""}}}); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return w, nil
}

func (c *Config) contentType() string {
	if c.ContentType == "" {
		return "application/json"
	}
	return c.ContentType
}

func oneOf(field string, list ...string) error {
	n := 0
	for _, s := range list {
		if s != "" {
			n++
		}
	}
	if n > 1 {
		return fmt.Errorf("%s: give it in one way only, as a file or a variable of the environment", field)
	}
	return nil
}

// Secret reads a value that is given in one of three ways; "" if in none.
func (t *Tools) Secret(field, plain, file, env string) (string, error) {
	s := plain
	switch {
	case file != "":
		b, err := t.Read(file)
		if err != nil {
			return "", fmt.Errorf("%s_file: %w", field, err)
		}
		s = string(b)
	case env != "":
		if s = t.Getenv(env); s == "" {
			return "", fmt.Errorf("%s_env: the variable %s is not set", field, env)
		}
	}
	s = strings.TrimSpace(s)
	if s == "" && file != "" || len(s) > maxSecret {
		return "", fmt.Errorf("%s: holds no value, or one of more than %d bytes", field, maxSecret)
	}
	return s, nil
}

// Open makes the channel: secrets are read, its URL is looked at.
func (c *Config) Open(t Tools) (Channel, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Type == Email {
		return c.openEmail(&t)
	}
	raw, err := t.Secret("url", c.URL, c.URLFile, c.URLEnv)
	if err != nil {
		return nil, err
	}
	u, err := t.Guard.Check(raw)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	secret, err := t.Secret("secret", "", c.SecretFile, c.SecretEnv)
	if err != nil {
		return nil, err
	}
	p := post{client: Client(t.Guard), url: u.String(), host: u.Hostname(), now: t.Now}
	switch c.Type {
	case DingTalk:
		return &dingTalk{p, secret}, nil
	case Feishu:
		return &feishu{p, secret}, nil
	case WeCom:
		return &weCom{p, c.Markdown}, nil
	case Slack:
		return &slack{p}, nil
	case Teams:
		return &teams{p}, nil
	}
	return c.openWebhook(&t, p, secret)
}

func (c *Config) openWebhook(t *Tools, p post, secret string) (Channel, error) {
	w := &webhook{content: c.contentType()}
	text := c.Template
	if c.TemplateFile != "" {
		b, err := t.Read(c.TemplateFile)
		if err != nil {
			return nil, fmt.Errorf("template_file: %w", err)
		}
		text = string(b)
	}
	if text != "" {
		var err error
		if w, err = c.template(text); err != nil {
			return nil, err
		}
	}
	w.post, w.header = p, http.Header{}
	old, err := t.Secret("old_secret", "", c.OldSecretFile, c.OldSecretEnv)
	if err != nil {
		return nil, err
	}
	for _, s := range []string{secret, old} {
		if s == "" {
			continue
		}
		key, err := keyOf(s)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		w.secrets = append(w.secrets, key)
	}
	for i, h := range c.Headers {
		v, err := t.Secret(fmt.Sprintf("headers[%d]: value", i), h.Value, h.ValueFile, h.ValueEnv)
		if err != nil {
			return nil, err
		}
		if !httpguts.ValidHeaderFieldValue(v) {
			return nil, fmt.Errorf("headers[%d]: no header has this value", i)
		}
		w.header.Add(h.Name, v)
	}
	return w, nil
}

func (c *Config) openEmail(t *Tools) (Channel, error) {
	host, _, _ := net.SplitHostPort(c.Server)
	if _, err := t.Guard.Check("http://" + c.Server + "/"); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	password, err := t.Secret("secret", "", c.SecretFile, c.SecretEnv)
	if err != nil {
		return nil, err
	}
	e := &email{dial: t.Guard.Dial, server: c.Server, host: host, mode: c.TLS, user: c.User, password: password, now: t.Now}
	if e.mode == "" {
		e.mode = StartTLS
	}
	if e.tls, err = TLS(t, host, c.CAFile); err != nil {
		return nil, err
	}
	if e.from, err = mail.ParseAddress(c.From); err != nil {
		return nil, err
	}
	for _, to := range c.To {
		a, err := mail.ParseAddress(to)
		if err != nil {
			return nil, err
		}
		e.to = append(e.to, a)
	}
	return e, nil
}

// TLS is the configuration of a client that believes the system's authorities,
// or those of a file.
func TLS(t *Tools, host, caFile string) (*tls.Config, error) {
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return cfg, nil
	}
	b, err := t.Read(caFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("ca_file: %s holds no certificate", caFile)
	}
	return cfg, nil
}

// PerMinute is what the receivers of a type take, less a little.
func (c *Config) PerMinute() float64 {
	switch c.Type {
	case DingTalk, WeCom:
		return 18 // of 20
	case Feishu:
		return 60 // of 100
	case Email:
		return 10
	case Slack:
		return 30
	}
	return 60
}
