package engine

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"xiezhi/internal/console/sso"
	"xiezhi/internal/intel"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/lure"
	"xiezhi/internal/respond/notify"
	"xiezhi/internal/respond/siem"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/yamlfile"
)

// FileConfig is the configuration file, YAML, every field optional:
//
//	time_zone: Asia/Shanghai
//	trusted_proxies: [10.0.0.0/8]
//	client_address_headers: [CF-Connecting-IP]
//	privacy: {addresses: token}
//	sites:
//	  - name: shop
//	    hosts: [shop.example.com, api.shop.example.com]
//	    industry: ecommerce
//	    time_zone: Asia/Shanghai
//	    privileged_password_days: 90
//	    identity: {session: [cookie:SHOPSID], account: [claim:staff_no]}
//	sign_in: {issuer: "https://login.example.com", client_id: xiezhi, public_url: "https://xiezhi.example.com", default_role: viewer}
//	intel: {databases: [GeoLite2-Country.mmdb], lists: [{file: cloud.txt, type: data_centre}]}
type FileConfig struct {
	TimeZone       string   `yaml:"time_zone"`
	TrustedProxies []string `yaml:"trusted_proxies"`
	// AddressHeaders are the headers in which trusted proxies put the client's
	// address; the first that is there goes before X-Forwarded-For.
	AddressHeaders []string     `yaml:"client_address_headers"`
	Privacy        Privacy      `yaml:"privacy"`
	Sites          []SiteConfig `yaml:"sites"`
	Intel          IntelConfig  `yaml:"intel"`
	SignIn         *sso.Config  `yaml:"sign_in"` // how people sign in beside passwords

	Decoys lure.Config `yaml:"decoys"`

	Notifications notify.FileConfig `yaml:"notifications"`
	SIEM          siem.FileConfig   `yaml:"siem"`

	networks *intel.Map          // of Intel; nil: the map that is part of the program
	set      *indicator.Set      // of the files of Intel; nil: nothing
	known    *indicator.Snapshot // of set; nil: nothing
}

// Privacy says what of the operational data is shown.
type Privacy struct {
	Addresses string `yaml:"addresses"` // "plain" (default) or "token"
}

// SiteConfig is one application and the hosts that serve it.
type SiteConfig struct {
	Name     string   `yaml:"name"`
	Hosts    []string `yaml:"hosts"`
	Industry string   `yaml:"industry"`
	TimeZone string   `yaml:"time_zone"`
	// PasswordDays is how many days a privileged password may live, 0 for 90.
	PasswordDays int            `yaml:"privileged_password_days"`
	Identity     IdentityConfig `yaml:"identity"`
}

// ParseConfig reads a configuration file strictly: an unknown field, a wrong
// type or a value that means nothing is an error with its line and column.
func ParseConfig(name string, data []byte) (*FileConfig, error) {
	var c FileConfig
	if err := yamlfile.Decode(name, data, &c); err != nil {
		return nil, err
	}
	if _, err := location(c.TimeZone); err != nil {
		return nil, fmt.Errorf("%s: time_zone: %w", name, err)
	}
	if _, err := ParsePrefixes(c.TrustedProxies); err != nil {
		return nil, fmt.Errorf("%s: trusted_proxies: %w", name, err)
	}
	if len(c.AddressHeaders) > maxHints {
		return nil, fmt.Errorf("%s: client_address_headers: %d entries, at most %d", name, len(c.AddressHeaders), maxHints)
	}
	for _, h := range c.AddressHeaders {
		if err := checkName(h, false); err != nil {
			return nil, fmt.Errorf("%s: client_address_headers: %q: %w", name, h, err)
		}
	}
	switch c.Privacy.Addresses {
	case "", "plain", "token":
	default:
		return nil, fmt.Errorf("%s: privacy.addresses: %q is neither plain nor token", name, c.Privacy.Addresses)
	}
	if err := c.Intel.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := c.Decoys.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := c.checkReceivers(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if c.SignIn != nil {
		if err := c.SignIn.Check(); err != nil {
			return nil, fmt.Errorf("%s: sign_in: %w", name, err)
		}
	}
	owner := map[string]string{}
	for i := range c.Sites {
		s := &c.Sites[i]
		where := fmt.Sprintf("%s: sites[%d]", name, i)
		if s.Name == "" {
			return nil, fmt.Errorf("%s: a site needs a name", where)
		}
		if s.Industry != "" && !knownIndustry(s.Industry) {
			return nil, fmt.Errorf("%s: industry %q is unknown; one of %v", where, s.Industry, taxonomy.Industries)
		}
		if _, err := location(s.TimeZone); err != nil {
			return nil, fmt.Errorf("%s: time_zone: %w", where, err)
		}
		if s.PasswordDays < 0 || s.PasswordDays > maxPasswordDays {
			return nil, fmt.Errorf("%s: privileged_password_days: %d is not a number of days from 1 to %d", where, s.PasswordDays, maxPasswordDays)
		}
		if err := s.Identity.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		for j, h := range s.Hosts {
			h = strings.ToLower(h)
			s.Hosts[j] = h
			if name := strings.TrimPrefix(h, "*."); name == "" || strings.ContainsAny(name, "*/ ") {
				return nil, fmt.Errorf("%s: host %q is neither a name nor *. and a domain", where, s.Hosts[j])
			}
			if o, dup := owner[h]; dup {
				return nil, fmt.Errorf("%s: host %s already belongs to site %s", where, h, o)
			}
			owner[h] = s.Name
		}
	}
	return &c, nil
}

// maxPasswordDays is a century: for policies that never ask for a change.
const maxPasswordDays = 36500

func knownIndustry(id string) bool {
	for _, i := range taxonomy.Industries {
		if string(i) == id {
			return true
		}
	}
	return false
}

// location loads a time zone; empty gives nil.
func location(name string) (*time.Location, error) {
	if name == "" {
		return nil, nil
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is unknown: use a name like Asia/Shanghai or UTC", name)
	}
	return l, nil
}

// ParsePrefixes reads networks; a bare address is a network of one.
func ParsePrefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network like 10.0.0.0/8", s)
		}
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	return out, nil
}
