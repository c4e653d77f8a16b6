package intel

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"xiezhi/internal/taxonomy"
)

// maxNetworks is how many networks of one database are read.
const maxNetworks = 1 << 25

// maxNames is how many systems get a name from databases and lists.
const maxNames = 1 << 18

// database reads an MMDB file: GeoLite2 and GeoIP2 (country, city, ASN, ISP,
// anonymous IP, connection type, enterprise), DB-IP, IPinfo and ip-location-db
// name their fields in few ways.
func (m *Map) database(data []byte) (s *spans, info Source, err error) {
	defer func() { // a hostile file must not end the program
		if r := recover(); r != nil {
			s, err = nil, errors.New("the database is damaged")
		}
	}()
	db, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, info, fmt.Errorf("this is no MMDB file: %w", err)
	}
	if t := db.Metadata.BuildEpoch; t > 0 && t < 1<<33 {
		info.Built = time.Unix(int64(t), 0).UTC().Format(time.DateOnly)
	}
	mk := newSpanMaker()
	byOffset := map[uintptr]uint32{}
	some := false
	for r := range db.Networks() {
		if err := r.Err(); err != nil {
			return nil, info, fmt.Errorf("the database is damaged: %w", err)
		}
		if info.Entries++; info.Entries > maxNetworks {
			return nil, info, fmt.Errorf("more than %d networks", maxNetworks)
		}
		rec, ok := byOffset[r.Offset()]
		if !ok {
			var v any
			if err := r.Decode(&v); err != nil {
				return nil, info, fmt.Errorf("the database is damaged at %s: %w", r.Prefix(), err)
			}
			n := m.fields(v)
			some = some || n.Known()
			rec = mk.record(n)
			byOffset[r.Offset()] = rec
		}
		if !mk.add(r.Prefix(), rec) {
			return nil, info, fmt.Errorf("the database is damaged: %s is out of order", r.Prefix())
		}
	}
	if mk.full > 0 {
		return nil, info, fmt.Errorf("more than %d networks that differ", spanMax)
	}
	if !some {
		return nil, info, errors.New("the database knows neither countries nor autonomous systems nor kinds of network")
	}
	info.Skipped = int(mk.narrow)
	return mk.done(), info, nil
}

// name keeps the name of a system; the first counts.
func (m *Map) name(asn uint32, org string) {
	if m.names == nil {
		m.names = map[uint32]string{}
	}
	if _, ok := m.names[asn]; ok || len(m.names) >= maxNames || org == "" {
		return
	}
	if len(org) > 200 {
		org = strings.ToValidUTF8(org[:200], "")
	}
	m.names[asn] = strings.Clone(org)
}

// fields takes what is known out of a record.
func (m *Map) fields(v any) (n Net) {
	top, _ := v.(map[string]any)
	traits, _ := top["traits"].(map[string]any)
	for _, from := range [...]any{top["country"], top["country_code"], top["registered_country"]} {
		if x, ok := from.(map[string]any); ok {
			from = x["iso_code"]
		}
		if text, ok := from.(string); ok && n.Country == 0 {
			n.Country, _ = ParseCountry(text)
		}
	}
	if subs, ok := top["subdivisions"].([]any); ok && len(subs) > 0 {
		if x, ok := subs[0].(map[string]any); ok {
			text, _ := x["iso_code"].(string)
			n.Region, _ = parseRegion(text)
		}
	}
	org := ""
	for _, part := range [...]map[string]any{top, traits} {
		for _, k := range [...]string{"autonomous_system_number", "asn"} {
			if asn := number(part[k]); asn != 0 && n.ASN == 0 {
				n.ASN = asn
			}
		}
		for _, k := range [...]string{"autonomous_system_organization", "as_name"} {
			if text, ok := part[k].(string); ok && org == "" {
				org = text
			}
		}
	}
	if n.ASN != 0 {
		m.name(n.ASN, org)
	}
	for _, part := range [...]map[string]any{top, traits} {
		yes := func(k string) bool { b, _ := part[k].(bool); return b }
		switch {
		case n.Type != taxonomy.UnknownNetwork:
		case yes("is_tor_exit_node"):
			n.Type = taxonomy.Tor
		case yes("is_anonymous_vpn"):
			n.Type = taxonomy.VPN
		case yes("is_hosting_provider"):
			n.Type = taxonomy.DataCentre
		default:
			for _, k := range [...]string{"user_type", "connection_type", "usage_type", "type"} {
				if text, ok := part[k].(string); ok && n.Type == taxonomy.UnknownNetwork {
					n.Type = namedType(text)
				}
			}
		}
	}
	return n
}

func number(v any) uint32 {
	switch v := v.(type) {
	case uint64:
		if v < 1<<32 {
			return uint32(v)
		}
	case string:
		if len(v) > 2 && strings.EqualFold(v[:2], "as") {
			v = v[2:]
		}
		if n, err := strconv.ParseUint(v, 10, 32); err == nil { // beyond the range it gives the last number
			return uint32(n)
		}
	}
	return 0
}

// namedType reads the words that databases have for kinds of network, and ours.
func namedType(text string) taxonomy.NetworkType {
	if t, ok := taxonomy.ParseNetworkType(text); ok {
		return t
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "hosting", "dch", "datacenter", "data center", "cloud", "idc", "数据中心":
		return taxonomy.DataCentre
	case "residential", "isp", "dialup", "cable/dsl", "cable", "dsl", "家庭宽带":
		return taxonomy.Broadband
	case "cellular", "mob", "wireless", "移动网络":
		return taxonomy.Mobile
	case "business", "corporate", "com", "government", "military", "gov", "mil", "org", "企业专线":
		return taxonomy.Enterprise
	case "college", "school", "library", "edu", "lib", "校园", "校园网":
		return taxonomy.Education
	case "content_delivery_network":
		return taxonomy.CDN
	case "search_engine_spider", "ses":
		return taxonomy.SearchBot
	case "consumer_privacy_network", "cgnat", "共享出口":
		return taxonomy.SharedExit
	}
	return taxonomy.UnknownNetwork
}

// typeOf reads the type in a list, where an unknown word is a mistake.
func typeOf(n *Net, text string) error {
	if n.Type = namedType(text); n.Type == taxonomy.UnknownNetwork {
		return fmt.Errorf("type %.30q is unknown; one of %v", text, taxonomy.NetworkTypes())
	}
	return nil
}
