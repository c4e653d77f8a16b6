package scenario

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/redact"
	"xiezhi/internal/taxonomy"
)

var key = redact.New([32]byte{7})

// lists are data files of the tests.
var lists = map[string]string{
	"paths.txt":  "# comment\n\n/.git/config\n../\n/etc/passwd\n",
	"ends.txt":   ".sql\n.env\n",
	"names.txt":  "shell.php\nc99.php\n",
	"agents.txt": "(?i)nikto\nzgrab/\\d\n^curl/7\nmasscan|nmap scripting\n",
	"uris.json":  `{"cve":"CVE-1","uri":"/vpn/"}` + "\n" + `{"cve":"CVE-2","uri":"/cgi-bin/x"}` + "\n",
	"tech.json":  `{"pattern":"/admin/","tag":"admin","type":"contains"}` + "\n" + `{"pattern":"/login","tag":"login","type":"equals"}` + "\n" + `{"pattern":"^/a[0-9]+$","tag":"odd","type":"regex"}` + "\n",
	"bad.txt":    "ok\n(unclosed\n",
}

func open(_, name string) ([]byte, error) {
	if s, ok := lists[name]; ok {
		return []byte(s), nil
	}
	return nil, os.ErrNotExist
}

const dataPart = `
data:
  - {dest_file: paths.txt, type: string}
  - {dest_file: ends.txt, type: string}
  - {dest_file: names.txt, type: string}
  - {dest_file: agents.txt, type: regexp}
  - {dest_file: uris.json, type: string}
  - {dest_file: tech.json, type: map}
`

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func load(t testing.TB, text string) *Set {
	t.Helper()
	s := Load([]File{{"s.yaml", []byte(text)}}, open)
	for _, p := range s.Problems() {
		if !p.Note {
			t.Fatalf("%s\n%s", &p, text)
		}
	}
	return s
}

func trigger(filter string) string {
	return "type: trigger\nname: t/x\nfilter: " + quoted(filter) + "\ngroupby: evt.Meta.source_ip\n" + dataPart
}

// asked is an exchange as an access log gives it.
func asked(method, target string, status int, agent string) *exchange.Exchange {
	x := &exchange.Exchange{ID: []byte("x1"), Method: []byte(method), Target: []byte(target), Host: []byte("shop.example:443"), Status: status, Proto: 11, Client: netip.MustParseAddrPort("192.0.2.7:1")}
	x.Response.BodySize = 512
	if agent != "" {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte("User-Agent"), Value: []byte(agent)})
	}
	return x
}

func TestExpressions(t *testing.T) {
	x := asked("GET", "/a/B.d/Shell.tar.GZ?x=%3Cscript%3E&p=../..", 404, "Mozilla/5.0 zgrab/0.x")
	for filter, want := range map[string]bool{
		`evt.Meta.service == 'http' && evt.Meta.http_status in ['404', '403']`:                                                              true,
		`evt.Meta.http_status not in ['404']`:                                                                                               false,
		`evt.Meta.http_status in ['200','201','202','203','204','205','206','207','208','404']`:                                             true,
		`evt.Parsed.verb == "GET" and evt.Meta.http_verb != 'POST'`:                                                                         true,
		`not (evt.Parsed.verb == "GET")`:                                                                                                    false,
		`evt.Parsed.request == '/a/B.d/Shell.tar.GZ'`:                                                                                       true,
		`evt.Meta.http_path endsWith '../..'`:                                                                                               true,
		`evt.Parsed.http_args startsWith 'x='`:                                                                                              true,
		`evt.Parsed.file_dir == '/a/B.d/' and evt.Parsed.file_frag == 'Shell.tar' and evt.Parsed.file_ext == '.GZ'`:                         true,
		`evt.Parsed.file_name == 'Shell.tar.GZ'`:                                                                                            true,
		`evt.Parsed.static_ressource == 'true'`:                                                                                             true,
		`evt.Parsed.impact_completion == 'false'`:                                                                                           true,
		`int(evt.Meta.http_args_len) == 22 && len(evt.Parsed.verb) < 4`:                                                                     true,
		`int(evt.Parsed.verb) == 0`:                                                                                                         false,
		`Upper(QueryUnescape(evt.Parsed.http_args)) contains "<SCRIPT>"`:                                                                    true,
		`PathUnescape(evt.Parsed.http_args) contains "<script>"`:                                                                            true,
		`Lower(evt.Parsed.file_name) matches "^shell\\.(tar|zip)"`:                                                                          true,
		`evt.Parsed.file_name matches "(?i)^SHELL"`:                                                                                         true,
		`evt.Meta.target_fqdn == 'shop.example'`:                                                                                            true,
		`evt.Parsed.http_referer == '-'`:                                                                                                    true,
		`any(File("paths.txt"), { evt.Meta.http_path contains # })`:                                                                         true,
		`any(File("ends.txt"), { evt.Parsed.request endsWith # })`:                                                                          false,
		`any(File("names.txt"), { evt.Parsed.file_name == # })`:                                                                             false,
		`any(File("names.txt"), { Upper(evt.Parsed.http_args) contains Upper(#) })`:                                                         false,
		`any(File("paths.txt"), { Upper(evt.Meta.http_path) contains Upper(#) or evt.Parsed.verb == # })`:                                   true,
		`any(File("paths.txt"), { evt.Parsed.verb == 'GET' and evt.Meta.http_path contains # })`:                                            true,
		`any(File("paths.txt"), { evt.Parsed.verb == 'PUT' and evt.Meta.http_path contains # })`:                                            false,
		`none(File("paths.txt"), { evt.Meta.http_path contains # })`:                                                                        false,
		`all(['a', 'B'], { evt.Meta.http_path contains # })`:                                                                                true,
		`one(['a', 'B'], { evt.Meta.http_path contains # })`:                                                                                false,
		`any(['GE', 'x'], { # + 'T' == evt.Parsed.verb })`:                                                                                  true,
		`any(['G'], { not (evt.Parsed.verb startsWith #) })`:                                                                                false,
		`RegexpInFile(evt.Parsed.http_user_agent, "agents.txt")`:                                                                            true,
		`LookupFile(evt.Parsed.request, "tech.json") != ""`:                                                                                 false,
		`any(File("uris.json"), { evt.Meta.http_path contains JsonExtract(#, "uri") ? evt.SetMeta("cve", JsonExtract(#, "cve")) : false })`: false,
		`if (evt.Meta.service == 'http') { let n = evt.Parsed.file_ext; n != "" ? evt.SetMeta("e", n) : false } else { false }`:             true,
		`evt.Meta.log_type in ["http_access-log", "http_error-log"] and evt.Meta.sub_type != 'auth_fail'`:                                   true,
		`IpInRange(evt.Meta.source_ip, "192.0.2.0/24") and IsIPV4(evt.Meta.source_ip)`:                                                      true,
		`evt.Parsed.verb + '/' + evt.Meta.http_status == 'GET/404'`:                                                                         true,
	} {
		s := load(t, trigger(filter))
		hits, over := s.Screen(key).Eye().See(x, nil)
		if got := len(hits) == 1; got != want || over != 0 {
			t.Errorf("%s: %v, want %v (over %d)", filter, got, want, over)
		}
	}
	// the fields of odd targets
	for target, want := range map[string]string{"/": "/||", "/.env": "/|.env|", "/a.b/": "/a.b/||", "*": "||", "": "||", "/x?a?b.c": "/|x?a|", "/a/..%2f": "/a/|.|.%2f"} {
		s := load(t, trigger(`evt.Parsed.file_dir + '|' + evt.Parsed.file_frag + '|' + evt.Parsed.file_ext == '`+want+`'`))
		if hits, _ := s.Screen(key).Eye().See(asked("GET", target, 200, ""), nil); len(hits) != 1 {
			t.Errorf("%q: not %s", target, want)
		}
	}
}

func TestProblems(t *testing.T) {
	base := "type: leaky\nname: t/x\nfilter: evt.Meta.service == 'http'\ncapacity: 3\nleakspeed: 10s\n"
	for text, want := range map[string]string{
		base + "shiny: 1\n":                                                           "s.yaml:6: t/x: shiny: an unknown key",
		base + "groupby: evt.Enriched.ASNNumber\n":                                    "s.yaml:6: t/x: evt.Enriched.ASNNumber: groupby: not known of an HTTP exchange",
		base + "groupby: Upper(evt.Meta.source_ip)\n":                                 "s.yaml:6: t/x: groupby: the client's address inside another function",
		base + "data:\n  - dest_file: gone.txt\n    source_url: https://h/gone.txt\n": "s.yaml:7: t/x: gone.txt: cannot be read: file does not exist; it is published at https://h/gone.txt",
		base + "data:\n  - {dest_file: bad.txt, type: regexp}\n":                      "s.yaml:7: t/x: bad.txt: line 2: error parsing regexp",
		base + "data:\n  - {dest_file: ../bad.txt}\n":                                 "no path",
		base + "cancel_on: evt.Meta.log_type == 'other'\n":                            "s.yaml:6: t/x: cancel_on: no HTTP exchange can meet it: evt.Meta.log_type is never",
		base + "overflow_filter: queue.Queue[0] == 1\n":                               "s.yaml:6: t/x: queue.Queue[0]: overflow_filter: not translated",
		base + "condition: 'true'\n":                                                  "s.yaml:6: t/x: condition: not translated",
		strings.Replace(base, "leaky", "conditional", 1):                              "s.yaml:1: t/x: conditional: a bucket that keeps the events",
		strings.Replace(base, "leaky", "odd", 1):                                      "is none of leaky",
		strings.Replace(base, "10s", "soon", 1):                                       "s.yaml:5: t/x: leakspeed: \"soon\" is no span of time",
		strings.Replace(base, "leakspeed: 10s\n", "", 1):                              "leakspeed: a leaky bucket needs one",
		strings.Replace(base, "capacity: 3\n", "", 1):                                 "capacity: a leaky bucket needs one",
		strings.Replace(base, "name: t/x\n", "name: 'a b'\n", 1):                      "name: needed",
		strings.Replace(base, "filter", "filtre", 1):                                  "filter: needed",
		strings.Replace(base, "== 'http'", "== 'ssh'", 1):                             "filter: no HTTP exchange can meet it: evt.Meta.service is never \"ssh\"",
		strings.Replace(base, "== 'http'", "==", 1):                                   "s.yaml:3: t/x: filter: cannot be parsed",
		strings.Replace(base, "evt.Meta.service == 'http'", "|\n  evt.Meta.service == 'http' and\n  Nope(evt.Parsed.verb)", 1): "s.yaml:5: t/x: Nope(): filter: not translated",
		strings.Replace(base, "evt.Meta.service == 'http'", "evt.Parsed.verb matches evt.Parsed.request", 1):                   "matches: filter: the pattern has to stand in the scenario",
		strings.Replace(base, "evt.Meta.service == 'http'", "evt.Parsed.verb matches '(a'", 1):                                 "matches: filter: error parsing regexp",
		strings.Replace(base, "evt.Meta.service == 'http'", "evt.Parsed.verb", 1):                                              "filter: gives a text, but has to give true or false",
		strings.Replace(base, "evt.Meta.service == 'http'", "\"any(File('paths.txt'), {evt.Parsed.verb == #})\"", 1):           "paths.txt: filter: the scenario does not list this file",
		strings.Replace(base, "evt.Meta.service == 'http'", "evt.Meta.http_status > 400", 1):                                   ">: filter: not translated of a text and a number",
		base + "---\n" + base:  "s.yaml:7: t/x: name: already used",
		"- a\n- b\n":           "not a mapping",
		"type: leaky\n x: [\n": "YAML",
	} {
		s := Load([]File{{"s.yaml", []byte(text)}}, open)
		found := false
		for _, p := range s.Problems() {
			found = found || !p.Note && strings.Contains(p.Error(), want)
		}
		if !found {
			t.Errorf("%s\ngives %v\nwant %s", text, s.Problems(), want)
		}
		if !strings.Contains(text, "---") && len(s.Rules()) != 0 {
			t.Errorf("%s\nruns", text)
		}
	}
	s := load(t, base+"reprocess: true\nscope: {type: Range, expression: x}\ncache_size: 5\nformat: 2.0\n")
	if len(s.Problems()) != 2 || len(s.Rules()) != 1 {
		t.Errorf("remarks: %v", s.Problems())
	}
	if Is([]byte("version: 1\nrules:\n")) || !Is([]byte(base+"labels: {}\n")) {
		t.Error("a file is taken for what it is not")
	}
}

func TestKinds(t *testing.T) {
	for labels, want := range map[string]taxonomy.AttackKind{
		"behavior: 'http:scan'":       taxonomy.AttackVulnerabilityScan,
		"behavior: 'http:exploit'":    taxonomy.AttackVulnerabilityScan,
		"behavior: 'http:bruteforce'": taxonomy.AttackBruteForce,
		"behavior: 'http:crawl'":      taxonomy.AttackScraping,
		"behavior: 'http:dos'":        taxonomy.AttackFlood,
		"behavior: 'http:bruteforce', classification: [attack.T1110, attack.T1110.004]":  taxonomy.AttackCredentialStuffing,
		"behavior: 'ecommerce:fraud', classification: [attack.T1110.004]":                taxonomy.AttackCarding,
		"behavior: 'http:bruteforce', classification: [attack.T1110.003], confidence: 3": taxonomy.AttackPasswordSpraying,
		"behavior: 'http:bruteforce', classification: [attack.T1589]":                    taxonomy.AttackAccountScanning,
		"type: bruteforce":               taxonomy.AttackBruteForce,
		"type: crawl":                    taxonomy.AttackScraping,
		"classification: [attack.T1498]": taxonomy.AttackFlood,
		"remediation: true":              taxonomy.AttackVulnerabilityScan,
	} {
		s := load(t, "type: trigger\nname: t/x\nfilter: evt.Parsed.verb == 'GET'\nlabels: {"+labels+"}\n")
		if got := s.Rules()[0].Attack; got != want {
			t.Errorf("%s: %s, want %s", labels, got, want)
		}
	}
}

// told pours exchanges a second apart unless the text says how many ms.
func told(t *testing.T, s *Set, limit int, events ...string) (out []string, p *Pool) {
	t.Helper()
	p = NewPool(s, limit)
	eye := s.Screen(key).Eye()
	at := int64(1e18)
	for i, e := range events {
		ms, ip, target := 0, "", ""
		if _, err := fmt.Sscan(e, &ms, &ip, &target); err != nil {
			t.Fatal(e, err)
		}
		at += int64(ms) * 1e6
		x := asked("GET", target, 404, "")
		hits, _ := eye.See(x, nil)
		p.Pour(hits, Event{At: at, ID: fmt.Sprint(i), Client: netip.MustParseAddr(ip)}, func(a *Alert) {
			mark := ""
			if a.Muted {
				mark = " muted"
			}
			out = append(out, fmt.Sprintf("%d %s %v %d%s", i, a.Rule.Name, a.Sources, a.Events, mark))
		})
	}
	return out, p
}

func TestBuckets(t *testing.T) {
	leaky := "type: leaky\nname: t/l\nfilter: evt.Meta.http_status == '404'\ngroupby: evt.Meta.source_ip\ncapacity: 2\nleakspeed: 10s\n"
	for name, c := range map[string]struct {
		text   string
		events []string
		want   string
	}{
		"more than it holds":               {leaky, []string{"0 192.0.2.1 /a", "1000 192.0.2.1 /b", "1000 192.0.2.1 /c"}, "2 t/l [192.0.2.1] 3"},
		"as much as it holds, then slowly": {leaky, []string{"0 192.0.2.1 /a", "1000 192.0.2.1 /b", "9000 192.0.2.1 /c", "10000 192.0.2.1 /d", "10000 192.0.2.1 /e"}, ""},
		"leaks exactly":                    {leaky, []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "9999 192.0.2.1 /c"}, "2 t/l [192.0.2.1] 3"},
		"by address":                       {leaky, []string{"0 192.0.2.1 /a", "0 192.0.2.2 /b", "0 192.0.2.3 /c", "0 2001:db8::1 /d"}, ""},
		"begins anew":                      {leaky, []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "0 192.0.2.1 /c", "0 192.0.2.1 /d", "0 192.0.2.1 /e", "0 192.0.2.1 /f"}, "2 t/l [192.0.2.1] 3;5 t/l [192.0.2.1] 3"},
		"silence":                          {leaky + "blackhole: 5s\n", []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "0 192.0.2.1 /c", "0 192.0.2.1 /d", "0 192.0.2.1 /e", "4000 192.0.2.1 /f", "1000 192.0.2.1 /g", "0 192.0.2.1 /h", "0 192.0.2.1 /i"}, "2 t/l [192.0.2.1] 3;5 t/l [192.0.2.1] 3 muted;8 t/l [192.0.2.1] 3"},
		"told apart":                       {leaky + "distinct: evt.Parsed.request\n", []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "0 192.0.2.1 /a", "0 192.0.2.1 /b?x", "0 192.0.2.1 /c"}, "4 t/l [192.0.2.1] 3"},
		"forgets what it told apart":       {leaky + "distinct: evt.Parsed.request\n", []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "30001 192.0.2.1 /a", "0 192.0.2.1 /b", "0 192.0.2.1 /a"}, ""},
		"by address and host":              {strings.Replace(leaky, "evt.Meta.source_ip", "evt.Meta.source_ip + '/' + evt.Parsed.target_fqdn", 1), []string{"0 192.0.2.1 /a", "0 192.0.2.2 /b", "0 192.0.2.1 /b", "0 192.0.2.1 /c"}, "3 t/l [192.0.2.1] 3"},
		"addresses told apart":             {strings.Replace(leaky, "evt.Meta.source_ip", "evt.Parsed.target_fqdn", 1) + "distinct: evt.Meta.source_ip\n", []string{"0 192.0.2.1 /a", "0 192.0.2.2 /b", "0 192.0.2.1 /c", "0 192.0.2.3 /d"}, "3 t/l [192.0.2.1 192.0.2.2 192.0.2.3] 3"},
		"cancelled":                        {leaky + "cancel_on: evt.Parsed.request == '/ok'\n", []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "0 192.0.2.1 /ok", "0 192.0.2.1 /c", "0 192.0.2.1 /d"}, ""},
		"trigger":                          {trigger("evt.Parsed.request startsWith '/x'") + "blackhole: 1m\n", []string{"0 192.0.2.1 /a", "0 192.0.2.1 /x1", "0 192.0.2.1 /x2", "0 192.0.2.2 /x3"}, "1 t/x [192.0.2.1] 1;2 t/x [192.0.2.1] 1 muted;3 t/x [192.0.2.2] 1"},
		"of any":                           {leaky + "overflow_filter: \"any(queue.Queue, {.Parsed.request == '/c'}) and len(queue.Queue) > 2\"\n", []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "0 192.0.2.1 /d", "0 192.0.2.1 /a", "0 192.0.2.1 /c", "0 192.0.2.1 /e"}, "5 t/l [192.0.2.1] 3"},
		"of all and none":                  {leaky + "overflow_filter: \"all(queue.Queue, {#.Meta.http_status == '404'}) && not none(queue.Queue, {.Parsed.request startsWith '/q'})\"\n", []string{"0 192.0.2.1 /a", "0 192.0.2.1 /b", "0 192.0.2.1 /d", "0 192.0.2.1 /a", "0 192.0.2.1 /q", "0 192.0.2.1 /e"}, "5 t/l [192.0.2.1] 3"},
		"counter": {"type: counter\nname: t/c\nfilter: evt.Parsed.verb == 'GET'\ngroupby: evt.Meta.source_ip\ncapacity: -1\nduration: 10s\noverflow_filter: count(queue.Queue, {.Parsed.request != '/'}) >= 2\n",
			[]string{"0 192.0.2.1 /a", "0 192.0.2.2 /a", "9000 192.0.2.1 /b", "1000 192.0.2.3 /", "10000 192.0.2.3 /"}, "3 t/c [192.0.2.1] 2"},
	} {
		got, _ := told(t, load(t, c.text), 0, c.events...)
		if s := strings.Join(got, ";"); s != c.want {
			t.Errorf("%s: %q, want %q", name, s, c.want)
		}
	}
}

// At the caps the oldest goes, and it is counted.
func TestBucketCaps(t *testing.T) {
	s := load(t, "type: leaky\nname: t/l\nfilter: evt.Meta.http_status == '404'\ngroupby: evt.Meta.source_ip\ndistinct: evt.Parsed.request\ncapacity: 1000000\nleakspeed: 1s\nblackhole: 1h\n")
	var events []string
	for i := range 3 * maxSeen {
		events = append(events, fmt.Sprintf("1 192.0.2.1 /%d", i))
	}
	_, p := told(t, s, 0, events...)
	if p.Losses.Seen != 2*maxSeen || p.Live() != 1 {
		t.Errorf("%+v, %d live", p.Losses, p.Live())
	}
	events = events[:0]
	for i := range 300 {
		events = append(events, fmt.Sprintf("1 10.0.%d.%d /", i/250, i%250))
	}
	if _, p = told(t, s, 100, events...); p.Live() != 100 || p.Losses.Buckets != 200 {
		t.Errorf("%+v, %d live", p.Losses, p.Live())
	}
	// a hit of a rule that is not there
	p.Pour([]observe.Hit{{Rule: "gone"}}, Event{At: 1, Client: netip.MustParseAddr("192.0.2.1")}, func(*Alert) { t.Error("told") })
	if p.Losses.Unknown != 1 {
		t.Errorf("%+v", p.Losses)
	}
}

// What one exchange may cost is bounded, and what was given up is counted.
func TestCostIsBounded(t *testing.T) {
	list := make([]string, maxSteps+10)
	for i := range list {
		list[i] = fmt.Sprint("x", i)
	}
	lists["long.txt"] = strings.Join(list, "\n")
	defer delete(lists, "long.txt")
	s := load(t, "type: trigger\nname: t/x\nfilter: \"any(File('long.txt'), {evt.Parsed.request contains Upper(evt.Parsed.verb + #)})\"\ndata: [{dest_file: long.txt}]\n")
	if hits, over := s.Screen(key).Eye().See(asked("GET", "/", 200, ""), nil); len(hits) != 0 || over != 1 {
		t.Errorf("%d hits, %d over", len(hits), over)
	}
	many := ""
	for i := range observe.MaxHits + 5 {
		many += fmt.Sprintf("---\ntype: trigger\nname: t/x%d\nfilter: evt.Parsed.verb == 'GET'\n", i)
	}
	if hits, over := load(t, many).Screen(key).Eye().See(asked("GET", "/", 200, ""), nil); len(hits) != observe.MaxHits || over != 5 {
		t.Errorf("%d hits, %d over", len(hits), over)
	}
}

// What is kept of an exchange is tokens and the rule's name.
// Names made of names stand for more than can be evaluated, or held.
func TestNamesAreCounted(t *testing.T) {
	for _, first := range []string{`evt.Parsed.verb`, `"xx"`, `len(evt.Parsed.verb)`, `any(["a"], { evt.Parsed.verb startsWith # })`} {
		for steps, refused := range map[int]bool{3: false, 60: true} {
			var b strings.Builder
			fmt.Fprintf(&b, "let v0 = %s; ", first)
			op, last := "+", `v%d == v%d`
			if strings.HasPrefix(first, "any") {
				op, last = "or", `v%d and v%d`
			}
			for i := range steps {
				fmt.Fprintf(&b, "let v%d = v%d %s v%d; ", i+1, i, op, i)
			}
			fmt.Fprintf(&b, last, steps, steps)
			s := Load([]File{{"s.yaml", []byte(trigger(b.String()))}}, open)
			p := s.Problems()
			if refused != (len(s.Rules()) == 0) || refused != (len(p) == 1 && strings.Contains(p[0].Why, "names written out")) {
				t.Errorf("%s, %d names: %d rules, %v", first, steps, len(s.Rules()), p)
			}
		}
	}
}

// The end of a counter may be any time, that of the epoch too.
func TestCounterEndsAtTheEpoch(t *testing.T) {
	s := load(t, "type: counter\nname: t/c\nfilter: evt.Meta.service == 'http'\nduration: 10s\ncapacity: -1\n")
	p := NewPool(s, 0)
	told := 0
	tell := func(*Alert) { told++ }
	p.Pour([]observe.Hit{{Rule: "t/c"}}, Event{At: -10e9, ID: "a"}, tell)
	p.Tick(1, tell)
	if told != 1 || p.Live() != 0 {
		t.Errorf("told %d, %d live", told, p.Live())
	}
}

// However many scenario files list large files, what is held is bounded.
func TestDataIsBoundedInAll(t *testing.T) {
	large := []byte(strings.Repeat("#"+strings.Repeat("x", 1023)+"\n", MaxDataBytes/1025))
	var files []File
	for i := range 20 {
		files = append(files, File{fmt.Sprintf("s%d.yaml", i), fmt.Appendf(nil, "type: trigger\nname: t/%d\nfilter: evt.Meta.service == 'http'\ngroupby: evt.Meta.source_ip\ndata: [{dest_file: l.txt}]\n", i)})
	}
	s := Load(files, func(_, _ string) ([]byte, error) { return large, nil })
	if n := MaxDataTotal / len(large); len(s.Rules()) != n || len(s.Problems()) != len(files)-n || !strings.Contains(s.Problems()[0].Why, "data files of one run") {
		t.Errorf("%d rules, %v", len(s.Rules()), s.Problems())
	}
}

// What patterns said of a text is remembered without the text.
func TestMemoKeepsNoText(t *testing.T) {
	s := load(t, trigger(`RegexpInFile(evt.Parsed.http_user_agent, "agents.txt")`))
	e := s.Screen(key).Eye().(*eye)
	for range 2 {
		for agent, want := range map[string]int{"zgrab/0 13800138000": 1, "Mozilla/5.0 13800138000": 0} {
			if hits, _ := e.See(asked("GET", "/", 200, agent), nil); len(hits) != want {
				t.Errorf("%s: %d hits", agent, len(hits))
			}
		}
	}
	known := 0
	for _, m := range e.look.memos[0].slots {
		if m.known {
			known++
		}
	}
	if known == 0 || known > 2 || strings.Contains(fmt.Sprintf("%+v", e.look.memos), "13800138000") {
		t.Errorf("%d texts known: %+v", known, e.look.memos)
	}
}

func TestKeepsNoText(t *testing.T) {
	s := load(t, strings.Replace(trigger("evt.Parsed.verb == 'GET'"), "trigger", "leaky\ncapacity: 1\nleakspeed: 1s", 1)+"distinct: evt.Meta.http_path\n")
	hits, _ := s.Screen(key).Eye().See(asked("GET", "/u/13800138000", 200, ""), nil)
	if len(hits) != 1 || hits[0].Distinct == 0 || strings.Contains(fmt.Sprintf("%+v", hits), "13800138000") {
		t.Errorf("%+v", hits)
	}
}
