package feed

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/intel/indicator"
)

const now = int64(1_790_000_000e9)

func hash(t indicator.Type, s string) string { return fmt.Sprintf("hmac:%016x", len(s)) }

func decode(t testing.TB, f Format, text string, o Options) *Result {
	t.Helper()
	o.Name, o.Now = "feed", now
	r, err := Decode(f, []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func values(rows []indicator.Indicator) (out []string) {
	for _, x := range rows {
		out = append(out, x.Type.String()+" "+x.Value)
	}
	return out
}

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		f    Format
		text string
		o    Options
		want []string
		no   map[indicator.Reason]uint64
	}{
		"plain": {Plain, "\xef\xbb\xbf# remark\n8.8.8.8 ; SBL1\r\n 8.8.8.9/32\n8.8.8.77/24\nAS64500\nmailinator.com\nhttps://u:p@x.example/a?b=c\nnonsense\n2606:4700::/32\n", Options{},
			[]string{"address 8.8.8.8", "address 8.8.8.9", "network 8.8.8.0/24", "asn AS64500", "email_domain mailinator.com", "url https://x.example/a", "network 2606:4700::/32"}, map[indicator.Reason]uint64{indicator.Unknown: 1}},
		"phones": {Plain, "13800138000\n+86 138-0013-8001\nhello\n", Options{Type: indicator.Phone, Hash: hash}, []string{"phone hmac:000000000000000b", "phone hmac:000000000000000b"}, map[indicator.Reason]uint64{indicator.Malformed: 1}},
		"no key": {Plain, "13800138000\n", Options{Type: indicator.Phone}, nil, map[indicator.Reason]uint64{indicator.Plain: 1}},
		"csv":    {CSV, "ip,labels,score,first_seen,last_seen\n8.8.8.8,proxy|rotating,80,2026-09-01,1789990000\n8.8.8.9,,x,,\n9.9.9.9\n", Options{}, []string{"address 8.8.8.8", "address 9.9.9.9"}, map[indicator.Reason]uint64{indicator.Malformed: 1}},
		"jsonl": {JSONL, `{"type":"tool","value":"name:sqlmap","tags":["scanner","x"]}` + "\n" + `{"value":"8.8.8.8","confidence":"high"}` + "\n" + `{"type":"nonsense","value":"x"}` + "\n" + `{"value":"8.8.4.0/24","last":"9999-01-01T00:00:00Z"}` + "\n", Options{},
			[]string{"tool name:sqlmap"}, map[indicator.Reason]uint64{indicator.Malformed: 2, indicator.Unknown: 1}},
		"array": {JSONL, `[{"value":"8.8.8.8"},5,null]`, Options{}, []string{"address 8.8.8.8"}, map[indicator.Reason]uint64{indicator.Malformed: 1, indicator.Unknown: 1}},
		"misp": {MISP, `{"response":[{"Event":{"info":"x","Tag":[{"name":"tlp:green"}],"Attribute":[{"type":"ip-src","value":"8.8.8.8","timestamp":"1789990000"},{"type":"md5","value":"x"},{"type":"AS","value":"64500","deleted":true},{"type":7}],
			"Object":[{"Attribute":[{"type":"url","value":"https://x.example/"}]}]}}]}`, Options{}, []string{"address 8.8.8.8", "url https://x.example/"}, map[indicator.Reason]uint64{indicator.Unknown: 1, indicator.Malformed: 1}},
		"stix": {STIX, `{"type":"bundle","id":"bundle--0","objects":[{"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value = '8.8.8.8']","pattern_type":"stix","valid_from":"2026-09-01T00:00:00Z","confidence":75},
			{"type":"indicator","id":"indicator--2","pattern":"[ipv4-addr:value ISSUBSET '8.8.4.0/24']","valid_from":"2026-09-01T00:00:00Z"},{"type":"indicator","id":"indicator--3","pattern":"[file:name = 'x'] AND [url:value='y']"},
			{"type":"indicator","id":"indicator--4","pattern":"[url:value = 'https://x.example/']","revoked":true},{"type":"malware"},{"type":"indicator","confidence":"x"},{"type":"sighting","sighting_of_ref":"indicator--1","count":7,"first_seen":"2026-09-02T00:00:00Z","last_seen":"2026-09-03T00:00:00Z"}]}`,
			Options{}, []string{"address 8.8.8.8", "network 8.8.4.0/24"}, map[indicator.Reason]uint64{indicator.Unknown: 1, indicator.Revoked: 1, indicator.Malformed: 1}},
		"crowdsec": {CrowdSec, `{"new":[{"scope":"Ip","value":"8.8.8.8","duration":"3h59m","type":"ban","scenario":"crowdsecurity/http-probing"},{"scope":"Range","value":"8.8.4.0/24","duration":"1h"},{"scope":"Country","value":"XX","duration":"1h"},
			{"scope":"Ip","value":"8.8.8.9","duration":"-1s"},{"scope":"Ip","value":"8.8.8.9","duration":"x"},{"scope":"Ip","value":"8.8.8.7","duration":"1h","simulated":true},7],"deleted":[{"scope":"Ip","value":"8.8.8.1"}]}`,
			Options{}, []string{"address 8.8.8.8", "network 8.8.4.0/24"}, map[indicator.Reason]uint64{indicator.Unknown: 2, indicator.Expired: 1, indicator.Malformed: 2}},
		"nothing new": {CrowdSec, `{"new":null,"deleted":null}`, Options{}, nil, nil},
	} {
		r := decode(t, c.f, c.text, c.o)
		if got := values(r.Rows); !slices.Equal(got, c.want) || fmt.Sprint(r.Refused) != fmt.Sprint(c.no) {
			t.Errorf("%s gives %q, refused %v; want %q, %v", name, got, r.Refused, c.want, c.no)
		}
		for _, x := range r.Rows {
			if x.Last == 0 || x.First == 0 || x.First > x.Last || x.Confidence == 0 || x.Sightings == 0 {
				t.Errorf("%s: incomplete: %+v", name, x)
			}
		}
		if c.text != "" && name != "phones" && name != "no key" && name != "array" && name != "csv" {
			if g := Guess("x", []byte(c.text)); g != c.f {
				t.Errorf("%s is taken for %s", name, g)
			}
		}
	}
	r := decode(t, CrowdSec, `{"deleted":[{"scope":"Ip","value":"8.8.8.1"}]}`, Options{})
	if len(r.Gone) != 1 || r.Gone[0].Value != "8.8.8.1" {
		t.Errorf("gone: %v", r.Gone)
	}
	if x := decode(t, STIX, `{"objects":[{"type":"indicator","id":"i","pattern":"[ipv4-addr:value = '8.8.8.8']","valid_from":"2026-09-01T00:00:00Z","object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]}]}`, Options{}).Rows[0]; x.TLP != indicator.Red {
		t.Errorf("the marking is lost: %+v", x)
	}
}

// TestHostileDocuments: what is broken, too deep or too long is an error with
// its place.
func TestHostileDocuments(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for name, c := range map[string]struct {
		f    Format
		text string
		want string
	}{
		"line": {Plain, "8.8.8.8\n" + strings.Repeat("x", MaxLine+1), "feed:2:"}, "deep jsonl": {JSONL, deep, "nested"}, "deep misp": {MISP, `{"Event":` + deep, "nested"},
		"deep stix": {STIX, deep, "nested"}, "deep crowdsec": {CrowdSec, deep, "nested"}, "cut": {STIX, "{\n\"objects\": [", "feed:2:"}, "wrong type": {STIX, `{"objects":7}`, "wrong type"},
		"misp": {MISP, `{"Event":{"Attribute":7}}`, "wrong type"}, "csv": {CSV, "type,other\na,b\n", "no column value"}, "quote": {CSV, "value\n\"a\n", "feed:"}, "json": {JSONL, "{}\n{\n", "feed:2:"}, "format": {"x", "", "unknown"},
	} {
		if _, err := Decode(c.f, []byte(c.text), Options{Name: "feed", Now: now}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s gives %v, want %q", name, err, c.want)
		}
	}
	if _, err := Decode(Plain, make([]byte, MaxBytes+1), Options{Name: "feed"}); err == nil {
		t.Error("a document beyond the cap was read")
	}
}

// some draws indicators as a set keeps them, times in milliseconds.
func some(r *rapid.T, secret bool) []indicator.Indicator {
	value := map[indicator.Type]func() string{
		indicator.Address: func() string {
			return fmt.Sprintf("8.%d.%d.%d", rapid.IntRange(0, 255).Draw(r, "a"), rapid.IntRange(0, 255).Draw(r, "b"), rapid.IntRange(0, 255).Draw(r, "c"))
		},
		indicator.Network:     func() string { return fmt.Sprintf("2606:%x::/32", rapid.IntRange(1, 0xffff).Draw(r, "a")) },
		indicator.System:      func() string { return fmt.Sprintf("AS%d", rapid.IntRange(1, 1<<32-1).Draw(r, "a")) },
		indicator.Fingerprint: func() string { return fmt.Sprintf("headers:%016x", rapid.Uint64().Draw(r, "a")) },
		indicator.Tool:        func() string { return "name:" + rapid.StringMatching(`[a-zA-Z'\\"/_ é.<-]{1,20}x`).Draw(r, "a") },
		indicator.Structure:   func() string { return fmt.Sprintf("%016x", rapid.Uint64().Draw(r, "a")) },
		indicator.Segment:     func() string { return fmt.Sprintf("170%04d", rapid.IntRange(0, 9999).Draw(r, "a")) },
		indicator.Domain:      func() string { return fmt.Sprintf("m%d.example", rapid.Uint16().Draw(r, "a")) },
		indicator.URL:         func() string { return fmt.Sprintf("https://x.example/%d'", rapid.Uint16().Draw(r, "a")) },
		indicator.BIN:         func() string { return fmt.Sprintf("%06d", rapid.IntRange(0, 999999).Draw(r, "a")) },
	}
	if secret {
		value[indicator.Phone] = func() string { return fmt.Sprintf("hmac:%016x", rapid.Uint64().Draw(r, "a")) }
		value[indicator.Account] = value[indicator.Phone]
	}
	var kinds []indicator.Type
	for k := range value {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	var out []indicator.Indicator
	seen := map[string]bool{}
	for range rapid.IntRange(1, 12).Draw(r, "n") {
		t := rapid.SampledFrom(kinds).Draw(r, "type")
		x := indicator.Indicator{Type: t, Value: value[t](), Confidence: uint8(rapid.IntRange(1, 100).Draw(r, "confidence")), Tags: indicator.ParseTags(rapid.SliceOf(rapid.SampledFrom(indicator.TagNames())).Draw(r, "tags")),
			Sightings: uint32(rapid.IntRange(1, 1000).Draw(r, "sightings")), TLP: indicator.TLP(rapid.IntRange(0, 3).Draw(r, "tlp")), Note: rapid.SampledFrom([]string{"", "credential_stuffing", "=1+1", `a "note"`}).Draw(r, "note")}
		x.Last = now - rapid.Int64Range(0, 100).Draw(r, "ago")*1e9
		x.First = x.Last - rapid.Int64Range(0, 100).Draw(r, "before")*1e9
		x.Until = x.Last + rapid.Int64Range(1, 100).Draw(r, "until")*1e9
		if key := t.String() + x.Value; !seen[key] {
			seen[key] = true
			out = append(out, x)
		}
	}
	sortRows(out)
	return out
}

func sortRows(rows []indicator.Indicator) {
	slices.SortFunc(rows, func(a, b indicator.Indicator) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value))
	})
}

// TestReadBackEqual: what is written is read as it was, in every form that can
// say it, and STIX keeps to the rules.
func TestReadBackEqual(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rows := some(r, true)
		for _, f := range []Format{CSV, JSONL, MISP, STIX} {
			var b bytes.Buffer
			if err := Encode(&b, f, rows, Out{Now: now, Most: indicator.Red}); err != nil {
				r.Fatal(err)
			}
			if f == STIX {
				if err := CheckSTIX(b.Bytes()); err != nil {
					r.Fatalf("%v\n%s", err, b.String())
				}
			}
			got, err := Decode(f, b.Bytes(), Options{Name: string(f), Now: now})
			if err != nil {
				r.Fatalf("%v\n%s", err, b.String())
			}
			sortRows(got.Rows)
			if !slices.Equal(got.Rows, rows) {
				r.Fatalf("%s (refused %v):\n%+v\n%+v\n%s", f, got.Refused, got.Rows, rows, b.String())
			}
		}
	})
}

func TestWhatLeaves(t *testing.T) {
	rows := []indicator.Indicator{
		{Type: indicator.Address, Value: "8.8.8.8", Confidence: 90, First: now, Last: now, TLP: indicator.Green}, {Type: indicator.Network, Value: "8.8.4.0/23", Confidence: 90, First: now, Last: now, TLP: indicator.Clear},
		{Type: indicator.Address, Value: "2606:4700::1", Confidence: 90, First: now, Last: now, TLP: indicator.Clear}, {Type: indicator.Address, Value: "9.9.9.9", First: now, Last: now}, {Type: indicator.Address, Value: "7.7.7.7", First: now, Last: now, TLP: indicator.Red},
		{Type: indicator.Tool, Value: "name:x", First: now, Last: now, TLP: indicator.Clear},
	}
	for f, want := range map[Format]string{
		Plain: "8.8.8.8\n8.8.4.0/23\n2606:4700::1\nname:x\n", EDL: "8.8.8.8/32\n8.8.4.0/23\n2606:4700::1/128\n", Nginx: "deny 8.8.8.8/32;\ndeny 8.8.4.0/23;\ndeny 2606:4700::1/128;\n",
		Iptables: "create xiezhi4 hash:net family inet maxelem 1048576 -exist\ncreate xiezhi6 hash:net family inet6 maxelem 1048576 -exist\nadd xiezhi4 8.8.8.8/32 -exist\nadd xiezhi4 8.8.4.0/23 -exist\nadd xiezhi6 2606:4700::1/128 -exist\n",
		Cisco:    "deny ip 8.8.8.8 0.0.0.0 any\ndeny ip 8.8.4.0 0.0.1.255 any\ndeny ipv6 2606:4700::1/128 any\n",
		RouterOS: "/ip firewall address-list add list=xiezhi address=8.8.8.8/32\n/ip firewall address-list add list=xiezhi address=8.8.4.0/23\n/ipv6 firewall address-list add list=xiezhi address=2606:4700::1/128\n",
	} {
		var b bytes.Buffer
		if err := Encode(&b, f, rows, Out{Now: now, Most: indicator.Green}); err != nil || b.String() != want {
			t.Errorf("%s: %v\n%s", f, err, b.String())
		}
	}
	for _, f := range Outs() {
		var b bytes.Buffer
		if err := Encode(&b, f, rows, Out{Now: now, Most: indicator.Green}); err != nil || strings.Contains(b.String(), "9.9.9.9") || strings.Contains(b.String(), "7.7.7.7") {
			t.Errorf("%s passes on what it may not: %v\n%s", f, err, b.String())
		}
	}
	if err := Encode(&bytes.Buffer{}, "x", rows, Out{}); err == nil {
		t.Error("an unknown format was written")
	}
}

// TestCheckFindsBreaches: the check is no rubber stamp.
func TestCheckFindsBreaches(t *testing.T) {
	var b bytes.Buffer
	rows := []indicator.Indicator{{Type: indicator.Address, Value: "8.8.8.8", Confidence: 90, First: now, Last: now, Until: now + 1e9}}
	if err := Encode(&b, STIX, rows, Out{Now: now, Most: indicator.Red}); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	for old, bad := range map[string]string{`"indicator--`: `"Indicator--`, `"spec_version": "2.1"`: `"spec_version": "2.0"`, `"confidence": 90`: `"confidence": 101`, `"pattern_type": "stix",`: ``, `"sighting_of_ref": "indicator`: `"sighting_of_ref": "malware`,
		`.000Z`: `+08:00`, `[ipv4-addr`: `ipv4-addr`, `"type": "bundle"`: `"type": "x"`} {
		if text := strings.Replace(good, old, bad, 1); text == good || CheckSTIX([]byte(text)) == nil {
			t.Errorf("%s instead of %s passes", bad, old)
		}
	}
}

// TestSTIXByAnIndependentValidator asks OASIS's own, where it is installed.
func TestSTIXByAnIndependentValidator(t *testing.T) {
	tool := os.Getenv("STIX2_VALIDATOR")
	if tool == "" {
		var err error
		if tool, err = exec.LookPath("stix2_validator"); err != nil {
			t.Skip("stix2_validator is not installed: pip install stix2-validator, or name it in STIX2_VALIDATOR")
		}
	}
	var rows []indicator.Indicator
	for _, x := range []indicator.Indicator{{Type: indicator.Address, Value: "8.8.8.8", Tags: indicator.Gang}, {Type: indicator.Address, Value: "2606:4700::1"}, {Type: indicator.Network, Value: "8.8.4.0/24", Tags: indicator.Proxy}, {Type: indicator.System, Value: "AS64500"},
		{Type: indicator.URL, Value: "https://x.example/a'b"}, {Type: indicator.Domain, Value: "mailinator.com"}, {Type: indicator.Tool, Value: `name:a\b'c`}, {Type: indicator.Fingerprint, Value: "ja4:t13d"}, {Type: indicator.Phone, Value: "hmac:0011223344556677"},
		{Type: indicator.Account, Value: "hmac:0011223344556677"}, {Type: indicator.BIN, Value: "411111"}, {Type: indicator.Segment, Value: "1705550"}, {Type: indicator.Structure, Value: "0123456789abcdef"}} {
		x.First, x.Last, x.Confidence, x.Sightings, x.Note = now-3600e9, now, 80, 3, "credential_stuffing"
		rows = append(rows, x)
	}
	file := filepath.Join(t.TempDir(), "bundle.json")
	var b bytes.Buffer
	if err := Encode(&b, STIX, rows, Out{Now: now, Most: indicator.Red}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "--version", "2.1", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
