package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"xiezhi/internal/attack"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// twoSites writes traffic of a site: people who browse and sign in, and, from a
// time on, a gang that tries stolen passwords, each time from another home.
type twoSites struct {
	t     *testing.T
	r     *rand.Rand
	lines []timedLine
}

type timedLine struct {
	at   time.Time
	text []byte
}

func (s *twoSites) send(at time.Time, ip, host, method, path, agent string, extra [][2]string, body string, status int, answer string) {
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	heads := []pair{{"Host", host}}
	for _, e := range extra {
		heads = append(heads, pair{e[0], e[1]})
	}
	heads = append(heads, pair{"User-Agent", agent})
	req := map[string]any{"method": method, "url": "http://" + host + path, "httpVersion": "HTTP/1.1"}
	if body != "" {
		heads = append(heads, pair{"Content-Type", "application/json"})
		req["postData"] = map[string]string{"mimeType": "application/json", "text": body}
	}
	req["headers"] = heads
	line, err := json.Marshal(map[string]any{"_id": fmt.Sprintf("%s-%d", host, len(s.lines)), "_client": map[string]any{"ip": ip, "port": 40000}, "_server": map[string]any{"ip": "10.0.0.9", "port": 80}, "startedDateTime": at.Format(time.RFC3339Nano), "time": 20,
		"request": req, "response": map[string]any{"status": status, "httpVersion": "HTTP/1.1", "headers": []pair{{"Content-Type", "application/json"}}, "content": map[string]any{"size": len(answer), "mimeType": "application/json", "text": answer}}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.lines = append(s.lines, timedLine{at, line})
}

const gangAgent = "python-requests/2.31.0"

func (s *twoSites) play(host string, from time.Time, probes int, gang byte) string {
	s.lines = nil
	right, wrong := `{"code":0,"data":{"token":"t0k3n"}}`, `{"code":1001,"msg":"wrong user or password"}`
	for i := range 60 { // people
		ip := fmt.Sprintf("101.%d.%d.%d", 80+i%5, i, 10+s.r.IntN(200))
		agent := fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", 118+i%6)
		heads := [][2]string{{"Accept", "application/json"}, {"Accept-Language", "zh-CN"}, {"Referer", "http://" + host + "/"}, {"Accept-Encoding", "gzip"}}
		at := from.Add(time.Duration(s.r.IntN(1800)) * time.Second)
		for k := range 8 + s.r.IntN(8) {
			at = at.Add(time.Duration(3+s.r.IntN(60)) * time.Second)
			switch {
			case k == 2:
				s.send(at, ip, host, "POST", "/login", agent, heads, fmt.Sprintf(`{"user":"member%d","password":"right-%d"}`, i, i), 200, right)
			case k == 1 && i%5 == 0:
				s.send(at, ip, host, "POST", "/login", agent, heads, fmt.Sprintf(`{"user":"member%d","password":"oops"}`, i), 401, wrong)
			default:
				s.send(at, ip, host, "GET", fmt.Sprintf("/goods/%d", s.r.IntN(500)), agent, heads, "", 200, `{"code":0,"data":{"title":"a thing"}}`)
			}
		}
	}
	for i := range probes {
		ip := fmt.Sprintf("%d.%d.%d.%d", 110+int(gang), s.r.IntN(250), s.r.IntN(250), 1+s.r.IntN(250))
		s.send(from.Add(20*time.Minute+time.Duration(i*4)*time.Second), ip, host, "POST", "/login", gangAgent, [][2]string{{"Accept-Encoding", "gzip, deflate"}, {"Accept", "*/*"}, {"Connection", "keep-alive"}},
			fmt.Sprintf(`{"user":"u%d","password":"p%d"}`, 700_000+i*31, s.r.IntN(1_000_000)), 401, wrong)
	}
	slices.SortStableFunc(s.lines, func(a, b timedLine) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	name := filepath.Join(s.t.TempDir(), host+".harl")
	f, err := os.Create(name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for _, l := range s.lines {
		if _, err := f.Write(append(l.text, '\n')); err != nil {
			s.t.Fatal(err)
		}
	}
	return name
}

// TestGangOfOneSiteIsKnownAtAnother lets a gang try passwords at one site of an
// owner and then, from other addresses, at another: by what the service made of
// the first, by itself, the second is sure of it with fewer probes.
func TestGangOfOneSiteIsKnownAtAnother(t *testing.T) {
	file := &FileConfig{Sites: []SiteConfig{{Name: "shop", Hosts: []string{"shop.example"}}, {Name: "bank", Hosts: []string{"bank.example"}}}}
	// probes gives how many the second site let pass before it was sure.
	probes := func(seed uint64, tell bool) (n, known int, wronged []string) {
		h := newHall(t)
		from := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		h.clock.Store(from.Add(12 * time.Hour).UnixNano())
		play := &twoSites{t: t, r: rand.New(rand.NewPCG(seed, 7))}
		cfg := h.config(newFileSource(play.play("shop.example", from, 150, 0)))
		cfg.File = file
		s := h.served(cfg)
		sure := false
		for _, a := range s.Report().Attacks {
			sure = sure || a.Site == "shop" && a.Verdict == taxonomy.Confirmed.String()
		}
		if !sure {
			t.Fatalf("seed %d: the first site is never sure", seed)
		}
		cfg = h.config(newFileSource(play.play("bank.example", from.Add(4*time.Hour), 150, 3)))
		cfg.File = file
		s, err := NewService(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if tell {
			guard, err := outbound.New(outbound.Config{})
			if err != nil {
				t.Fatal(err)
			}
			l, err := library.New(library.Config{Guard: guard, Keep: h.states, Now: h.now, Seen: s.Now, Publish: s.Inform, Networks: cfg.Networks()})
			if err != nil {
				t.Fatal(err)
			}
			k, err := NewKnowledge(t.Context(), l, h.records, cfg.Log)
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Tell(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		found := false
		s.part.bench.judged = func(j *judge.Judge, o *observe.Observation) {
			if j.Config().Site.Name != "bank" || !o.AgentTool || found {
				return
			}
			n++
			found = slices.ContainsFunc(j.Attacks(), func(f attack.Finding) bool { return f.Verdict >= taxonomy.Likely })
		}
		end := h.start(s, cfg)
		<-cfg.Sources[0].(*fileSource).ended
		h.idle(s)
		end()
		_, known = s.Known()
		for _, a := range s.Report().Attacks {
			for _, ip := range a.Actors.IPs {
				if len(ip) > 4 && ip[:4] == "101." {
					wronged = append(wronged, a.Site+" "+a.Kind+" "+ip)
				}
			}
		}
		if !found {
			t.Fatalf("seed %d: the second site is never sure, with %d probes judged, %+v", seed, n, s.Report().Input)
		}
		return n, known, wronged
	}
	with, without := 0, 0
	for seed := range uint64(3) {
		cold, none, bad := probes(seed, false)
		warm, known, bad2 := probes(seed, true)
		if none != 0 || known == 0 {
			t.Errorf("seed %d: judges know %d things without, %d with intelligence", seed, none, known)
		}
		if len(bad)+len(bad2) > 0 {
			t.Errorf("seed %d: people are accused: %v, %v", seed, bad, bad2)
		}
		t.Logf("seed %d: sure after %d probes with %d things known, %d without", seed, warm, known, cold)
		with, without = with+warm, without+cold
	}
	if with*2 > without {
		t.Errorf("%d probes with intelligence, %d without: that is no use", with, without)
	}
}
