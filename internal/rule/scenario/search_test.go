package scenario

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/exchange"
)

var bits = rapid.StringOfN(rapid.SampledFrom([]rune("aAbB/.?é-")), 0, 6, -1)

// The searches give what a loop over the texts gives.
func TestSearchesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(bits, 1, 12).Draw(t, "list")
		s := rapid.StringOfN(rapid.SampledFrom([]rune("aAbB/.?é-")), 0, 40, -1).Draw(t, "s")
		var contains, starts, ends bool
		for _, x := range list {
			contains, starts, ends = contains || strings.Contains(s, x), starts || strings.HasPrefix(s, x), ends || strings.HasSuffix(s, x)
		}
		if newWords(list).in(s) != contains || newEdges(list, true).in(s) != starts || newEdges(list, false).in(s) != ends {
			t.Fatalf("%q in %q", list, s)
		}
	})
}

// A gate never keeps a pattern from a text that it matches, and the patterns of
// a file match what each of them matches.
func TestGatesAgree(t *testing.T) {
	parts := rapid.SampledFrom([]string{"ab", "(ab|ba)", "a+", "(?i:Ab)", "[ab]", "b*", "(a|)", "^", "$", "\\.", "é", "(ab){2}", "(?:a/|b/)b", "."})
	rapid.Check(t, func(t *rapid.T) {
		var list []string
		for range rapid.IntRange(1, 5).Draw(t, "n") {
			list = append(list, strings.Join(rapid.SliceOfN(parts, 1, 4).Draw(t, "parts"), ""))
		}
		s := rapid.StringOfN(rapid.SampledFrom([]rune("aAbB/.éİ")), 0, 20, -1).Draw(t, "s")
		any := false
		for _, p := range list {
			yes := regexp.MustCompile(p).MatchString(s)
			any = any || yes
			if g := newGate(p); yes && g != nil && !g.may(s) {
				t.Fatalf("%q is kept from %q", p, s)
			}
		}
		p, _, err := newPatterns(list)
		if err != nil {
			t.Fatal(err)
		}
		if p.match(s) != any {
			t.Fatalf("%q on %q: not %v", list, s, any)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(trigger("any(File('paths.txt'), {evt.Meta.http_path contains #})")), []byte("/a/../b?x=1"))
	f.Add([]byte("type: leaky\nname: a/b\nfilter: |\n  evt.Meta.service == 'http' and\n  Upper(evt.Parsed.file_frag) == evt.Parsed.file_frag\ngroupby: evt.Meta.source_ip + '/' + evt.Parsed.target_fqdn\ndistinct: evt.Meta.http_path\ncapacity: 3\nleakspeed: 0.5s\nblackhole: 1m\n---\ntype: counter\nname: c\nfilter: 'true'\ncapacity: -1\nduration: 1s\noverflow_filter: count(queue.Queue, {.Parsed.verb == 'GET'}) > 2\n"), []byte("/%zz"))
	f.Add([]byte("type: trigger\nname: x\nfilter: 'let a = \"x\"; a matches \"(((a{1,900}){1,9})\" ? true : #'\nlabels: &a {behavior: *a}\n"), []byte(""))
	f.Fuzz(func(t *testing.T, text, target []byte) {
		s := Load([]File{{"f.yaml", text}}, open)
		if s.Read() > 0 && len(s.Rules()) == 0 && len(s.Problems()) == 0 {
			t.Fatal("a scenario went without a word")
		}
		screen := s.Screen(key)
		if screen == nil {
			return
		}
		eye, pool := screen.Eye(), NewPool(s, 4)
		for i := range 8 {
			x := asked("GET", string(target), 404, "zgrab/0.x")
			x.Aside = exchange.Aside(i % 5)
			hits, _ := eye.See(x, nil)
			pool.Pour(hits, Event{At: int64(i) * 1e9, ID: "x", Client: x.Client.Addr()}, func(a *Alert) {
				if a.Events == 0 || a.Rule == nil {
					t.Fatal("an alert of nothing")
				}
			})
		}
	})
}

// benchmarkRules are like those that people run: by status, by lists, by agents.
func benchmarkRules(tb testing.TB) *Set {
	text := ""
	for i, filter := range []string{
		"evt.Meta.service == 'http' && evt.Meta.http_status in ['404', '403', '400'] && evt.Parsed.static_ressource == 'false'",
		"evt.Meta.log_type in ['http_access-log', 'http_error-log'] && evt.Parsed.static_ressource == 'false' && evt.Parsed.verb in ['PUT', 'PATCH']",
		"any(File('paths.txt'), {evt.Meta.http_path contains #})",
		"any(File('paths.txt'), {Upper(evt.Parsed.http_args) contains Upper(#)})",
		"any(File('ends.txt'), {evt.Parsed.request endsWith #})",
		"any(File('names.txt'), {evt.Parsed.file_name == #})",
		"RegexpInFile(evt.Parsed.http_user_agent, 'agents.txt')",
		"evt.Meta.sub_type == 'auth_fail'",
		"evt.Meta.http_status in ['400','405'] && (evt.Parsed.verb == 'CONNECT' || evt.Parsed.request matches '^http[s]?://')",
		"Upper(PathUnescape(evt.Meta.http_path)) contains Upper('@java.lang.Runtime')",
	} {
		text += fmt10(i) + "filter: " + quoted(filter) + dataPart
	}
	return load(tb, text)
}

func fmt10(i int) string {
	return "---\ntype: leaky\nname: b/" + string(rune('a'+i)) + "\ncapacity: 10\nleakspeed: 1s\ngroupby: evt.Meta.source_ip\ndistinct: evt.Meta.http_path\n"
}

func BenchmarkSee(b *testing.B) {
	eye := benchmarkRules(b).Screen(key).Eye()
	x := asked("GET", "/api/goods/81234?page=3&sort=price", 200, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36")
	b.ReportAllocs()
	for b.Loop() {
		if hits, _ := eye.See(x, nil); len(hits) != 0 {
			b.Fatal(hits)
		}
	}
}

func TestSeeAllocatesNothing(t *testing.T) {
	eye := benchmarkRules(t).Screen(key).Eye()
	x := asked("GET", "/Api/goods/81234?page=3%20", 200, "Mozilla/5.0")
	if n := testing.AllocsPerRun(100, func() { eye.See(x, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
