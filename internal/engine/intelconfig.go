package engine

import (
	"fmt"
	"slices"

	"xiezhi/internal/intel"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/intel/outbound"
)

// IntelConfig says where an operator's knowledge of networks lies:
//
//	intel:
//	  base_map: true
//	  databases: [GeoLite2-City.mmdb, GeoLite2-ASN.mmdb]
//	  lists:
//	    - {file: our-offices.csv}
//	    - {file: cloud.txt, type: data_centre}
//	    - {file: asn-types.csv, columns: [asn, type]}
//
// Lists go before databases, databases before the map that is part of the
// program; files are looked for beside the configuration file.
type IntelConfig struct {
	BaseMap   *bool        `yaml:"base_map"` // default true
	Databases []string     `yaml:"databases"`
	Lists     []IntelLists `yaml:"lists"`

	Indicators []IndicatorFile `yaml:"indicators"`

	Feeds []library.Feed `yaml:"feeds"` // that serve reads by schedule
	Allow []string       `yaml:"allow"` // inner hosts that feeds may be asked at
	Share library.Share  `yaml:"share"` // what serve passes on
}

// IntelLists is one list of networks or systems.
type IntelLists struct {
	File    string   `yaml:"file"`
	Type    string   `yaml:"type"`
	Country string   `yaml:"country"`
	ASN     uint32   `yaml:"asn"`
	Columns []string `yaml:"columns"`
}

func (c *IntelConfig) config() intel.Config {
	out := intel.Config{NoBase: c.BaseMap != nil && !*c.BaseMap, Databases: c.Databases}
	for _, l := range c.Lists {
		out.Lists = append(out.Lists, intel.ListConfig(l))
	}
	return out
}

// Check tells what is wrong with a configuration, without opening a file.
func (c *IntelConfig) Check() error { return c.check() }

func (c *IntelConfig) check() error {
	x := c.config()
	if err := x.Check(); err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	if len(c.Indicators) > indicator.MaxSources {
		return fmt.Errorf("intel: indicators: %d files, at most %d", len(c.Indicators), indicator.MaxSources)
	}
	for i := range c.Indicators {
		if err := c.Indicators[i].check(i); err != nil {
			return err
		}
	}
	if err := library.CheckFeeds(c.Feeds); err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	if n := len(c.Indicators) + len(c.Feeds) + len(library.Own()); n > indicator.MaxSources {
		return fmt.Errorf("intel: indicators and feeds are %d sources with the service's own, at most %d", n, indicator.MaxSources)
	}
	names := library.Own()
	for i := range c.Feeds {
		names = append(names, c.Feeds[i].Name)
	}
	for i := range c.Indicators {
		if src := c.Indicators[i].source(); slices.Contains(names, src.Name) {
			return fmt.Errorf("intel: indicators[%d]: the source %q is taken; give another one", i, src.Name)
		}
	}
	guard, err := outbound.New(outbound.Config{Allow: c.Allow})
	if err != nil {
		return fmt.Errorf("intel: allow: %w", err)
	}
	for i := range c.Feeds {
		for _, u := range []string{c.Feeds[i].URL, c.Feeds[i].SumURL} {
			if _, err := guard.Check(u); u != "" && err != nil {
				return fmt.Errorf("intel: feeds[%d]: %w", i, err)
			}
		}
	}
	if err := c.Share.Check(); err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	return nil
}

func (c *IntelConfig) empty() bool {
	return c.BaseMap == nil && len(c.Databases) == 0 && len(c.Lists) == 0
}

// LoadIntel reads the files that the configuration names. Without it, or when
// the configuration says nothing, the map that is part of the program is used.
func (c *FileConfig) LoadIntel(open intel.Open) error {
	if c.Intel.empty() {
		return nil
	}
	m, err := intel.Load(c.Intel.config(), open)
	if err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	c.networks = m
	return nil
}

// networksOf gives the map that a run looks addresses up in.
func networksOf(c *FileConfig, t *Tools) *intel.Map {
	if c.networks != nil {
		return c.networks
	}
	return t.networks
}
