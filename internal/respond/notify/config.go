package notify

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
)

// Caps of a configuration.
const (
	MaxChannels  = 16
	maxPerMinute = 600
	maxBurst     = 100
	defaultBurst = 3
	defaultOver  = 3 // more waiting than this become one message
)

// FileConfig is what the configuration file says of notifications:
//
//	notifications:
//	  public_url: https://xiezhi.example.com
//	  allow: [hooks.lan, "10.0.0.5:8443"]
//	  channels:
//	    - {name: ops, type: dingtalk, lang: zh, url_file: ding.url, secret_file: ding.secret}
type FileConfig struct {
	PublicURL string          `yaml:"public_url"` // of the console, for links
	Allow     []string        `yaml:"allow"`      // inner hosts that receive
	Channels  []ChannelConfig `yaml:"channels"`
}

// ChannelConfig is one channel.
type ChannelConfig struct {
	Name           string `yaml:"name"`
	channel.Config `yaml:",inline"`

	Tell       []string `yaml:"tell"`  // families; empty: all
	Sites      []string `yaml:"sites"` // empty: all
	PerMinute  float64  `yaml:"per_minute"`
	Burst      int      `yaml:"burst"`
	DigestOver *int     `yaml:"digest_over"`
	Quiet      *Quiet   `yaml:"quiet"`
}

// Quiet is a time of the day in which only what is critical is told.
type Quiet struct {
	From string `yaml:"from"` // 22:00
	To   string `yaml:"to"`
	Zone string `yaml:"time_zone"` // empty: the configuration's
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// CheckName tells what is wrong with the name of a receiver.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("name: %.60q: use 1 to 40 of a-z, 0-9, - and _", name)
	}
	return nil
}

// Check tells what is wrong, without opening a file.
func (c *FileConfig) Check() error {
	if err := CheckPublic(c.PublicURL); err != nil {
		return fmt.Errorf("notifications: %w", err)
	}
	if _, err := outbound.New(outbound.Config{Allow: c.Allow}); err != nil {
		return fmt.Errorf("notifications: allow: %w", err)
	}
	if len(c.Channels) > MaxChannels {
		return fmt.Errorf("notifications: %d channels, at most %d", len(c.Channels), MaxChannels)
	}
	seen := map[string]bool{}
	for i := range c.Channels {
		x := &c.Channels[i]
		err := CheckName(x.Name)
		if err == nil && seen[x.Name] {
			err = errors.New("two channels have this name")
		}
		seen[x.Name] = true
		if err == nil {
			err = x.check()
		}
		if err != nil {
			return fmt.Errorf("notifications: channels[%d] %.40s: %w", i, x.Name, err)
		}
	}
	return nil
}

// CheckPublic looks at the console's URL.
func CheckPublic(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(s, " \t\n<>\"()[]|") && !strings.Contains(u.Host, "[") {
		return fmt.Errorf("public_url: %.80q is no URL like https://xiezhi.example.com", s)
	}
	return nil
}

func (x *ChannelConfig) check() error {
	if err := x.Config.Check(); err != nil {
		return err
	}
	for _, f := range x.Tell {
		if !slices.Contains(Families[:], f) {
			return fmt.Errorf("tell: %.40q is none of %s", f, strings.Join(Families[:], ", "))
		}
	}
	if x.PerMinute < 0 || x.PerMinute > maxPerMinute || x.Burst < 0 || x.Burst > maxBurst || x.DigestOver != nil && (*x.DigestOver < 0 || *x.DigestOver > outbox.MaxWaiting) {
		return fmt.Errorf("per_minute goes to %d, burst to %d, digest_over to %d", maxPerMinute, maxBurst, outbox.MaxWaiting)
	}
	if x.Quiet != nil {
		if _, err := x.Quiet.open(time.UTC); err != nil {
			return fmt.Errorf("quiet: %w", err)
		}
	}
	return nil
}

func (q *Quiet) open(zone *time.Location) (*outbox.Quiet, error) {
	out := &outbox.Quiet{Zone: zone}
	var err error
	if q.Zone != "" {
		if out.Zone, err = time.LoadLocation(q.Zone); err != nil {
			return nil, fmt.Errorf("time_zone: %.60q is unknown: use a name like Asia/Shanghai", q.Zone)
		}
	}
	for _, x := range []struct {
		text string
		to   *time.Duration
	}{{q.From, &out.From}, {q.To, &out.To}} {
		t, err := time.Parse("15:04", x.text)
		if err != nil {
			return nil, fmt.Errorf("%.20q is no time such as 22:00", x.text)
		}
		*x.to = time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	if out.From == out.To {
		return nil, errors.New("from and to are the same time")
	}
	return out, nil
}

// Opened is a channel that may be sent to.
type Opened struct {
	ChannelConfig
	channel.Channel
}

// Open makes the channels: their secrets are read, their URLs looked at. lang
// is that of channels that name none.
func (c *FileConfig) Open(t channel.Tools, lang string) ([]Opened, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	t, err := t.Guarded(c.Allow)
	if err != nil {
		return nil, err
	}
	var out []Opened
	for i := range c.Channels {
		x := c.Channels[i]
		if x.Lang == "" {
			x.Lang = lang
		}
		ch, err := x.Config.Open(t)
		if err != nil {
			return nil, fmt.Errorf("notifications: channels[%d] %s: %w", i, x.Name, err)
		}
		out = append(out, Opened{x, ch})
	}
	return out, nil
}
