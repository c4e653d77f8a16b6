package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
)

// lot is one car park of the story: how it is asked about a car, and paid.
type lot struct{ host, look, pay string }

// lots are car parks of several makers.
func lots() (list []lot) {
	ways := []lot{
		{look: "GET /parking/api/fee/query?plateNo=", pay: "/parking/api/pay"},
		{look: "POST /tcj/getParkingFee carNo", pay: "/tcj/zhifu"},
		{look: "GET /park/chaxun?chepai=", pay: "/park/order/create"},
		{look: "POST /api/v2/car/queryParking licensePlate", pay: "/api/v2/pay/submit"},
	}
	for i := range 10 {
		w := ways[i%len(ways)]
		w.host = fmt.Sprintf("lot%d.example.cn", i)
		list = append(list, w)
	}
	return list
}

type town struct {
	traffic
	rng   *rand.Rand
	lots  []lot
	begin time.Time
}

func newTown(seed uint64) *town {
	s := &town{traffic: *newTraffic(""), rng: rand.New(rand.NewPCG(seed, 1)), lots: lots()}
	s.begin = s.at
	return s
}

func plate(n int) string { return fmt.Sprintf("粤B%c%04d", 'A'+n/10000%8, n%10000) }

// look asks a lot about a car at sec seconds.
func (s *town) look(l lot, sec float64, client, plate string, there bool, headers ...pair) {
	s.host, s.at = l.host, s.begin.Add(time.Duration(sec*1e9))
	a := ask{client: client, headers: headers, resp: `{"code":404,"msg":"未找到车辆"}`}
	if there {
		a.resp = fmt.Sprintf(`{"code":0,"msg":"ok","data":{"plateNo":"%s","lot":"B2","enterTime":"2026-03-02 08:%02d:00","fee":%d}}`, plate, s.rng.IntN(60), s.rng.IntN(40))
	}
	method, rest, _ := strings.Cut(l.look, " ")
	path, field, post := strings.Cut(rest, " ")
	a.method, a.target = method, path
	if post {
		a.body = fmt.Sprintf(`{"%s":"%s"}`, field, plate)
	} else {
		a.target += strings.ReplaceAll(plate, "粤", "%E7%B2%A4")
	}
	s.send(a)
}

func (s *town) pay(l lot, sec float64, client, plate string) {
	s.host, s.at = l.host, s.begin.Add(time.Duration(sec*1e9))
	s.send(ask{client: client, method: "POST", target: l.pay, body: fmt.Sprintf(`{"plate":"%s","amount":%d}`, plate, 5+s.rng.IntN(30)), resp: `{"code":0,"msg":"ok","data":{"paid":true}}`})
}

// drivers park their cars over hours seconds, most of them pay.
func (s *town) drivers(each int, over float64) {
	for k, l := range s.lots {
		for i := range each {
			client, car := fmt.Sprintf("198.51.%d.%d", k, 1+i), plate(20000+k*1000+i)
			at := s.rng.Float64() * over
			s.look(l, at, client, car, true)
			if i%4 != 0 {
				s.pay(l, at+30, client, car)
			}
			if i%10 == 1 { // looked at the lot next door before
				s.look(s.lots[(k+1)%len(s.lots)], at-60, client, car, false)
			}
		}
	}
}

// fleet asks about its own cars at all lots and pays where they stand. Its key
// proves nothing where strangers are answered as well; one that settles by the
// month would look like a finder and needs an approval.
func (s *town) fleet(cars int, from float64) {
	for c := range cars {
		at := from + float64(c*20)
		for k, l := range s.lots {
			s.look(l, at+float64(k), "192.0.2.77", plate(50000+c), k == c%10, pair{"X-Api-Key", "ak_9f8e7d6c5b4a39281706f5e4d3c2b1a0"})
		}
		s.pay(s.lots[c%10], at+12, "192.0.2.77", plate(50000+c))
	}
}

// finder looks for cars at all lots, each request from an address of its own.
func (s *town) finder(cars int, from, every float64) (n int) {
	for c := range cars {
		for i, k := range s.rng.Perm(len(s.lots)) {
			s.look(s.lots[k], from+float64(c)*every+float64(i)*(20+10*s.rng.Float64()), fmt.Sprintf("203.0.%d.%d", 1+n/200, 1+n%200), plate(60000+c*137), k == c%10)
			n++
		}
	}
	return n
}

func (s *town) write(t *testing.T) string {
	t.Helper()
	input := filepath.Join(t.TempDir(), "town.harl")
	if err := os.WriteFile(input, s.out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return input
}

// accused gives, by kind, the attributed requests whose client begins so, and
// all others.
func accused(t *testing.T, input string, attributed []byte, prefix string) (hits, falsely map[string]int) {
	t.Helper()
	kinds := map[string]string{}
	for _, line := range bytes.Split(bytes.TrimSpace(attributed), []byte("\n")) {
		var x struct{ ID, Kind string }
		if len(line) > 0 {
			if err := json.Unmarshal(line, &x); err != nil {
				t.Fatal(err)
			}
			kinds[x.ID] = x.Kind
		}
	}
	hits, falsely = map[string]int{}, map[string]int{}
	for id, client := range clientsOf(t, input) {
		k, ok := kinds[id]
		switch {
		case !ok:
		case strings.HasPrefix(client, prefix):
			hits[k]++
		default:
			falsely[k]++
		}
	}
	return hits, falsely
}

// clientsOf gives the address of every exchange by id.
func clientsOf(t *testing.T, input string) map[string]string {
	t.Helper()
	in, err := source.Expand([]string{input}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, line := range bytes.Split(bytes.TrimSpace(convert(t, engine.HARL, in[0])), []byte("\n")) {
		var x struct {
			ID     string              `json:"_id"`
			Client struct{ IP string } `json:"_client"`
		}
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatal(err)
		}
		out[x.ID] = x.Client.IP
	}
	return out
}

// TestParkingStory: cars looked for over ten lots of several makers, one
// address for each request, by clients like everybody's.
func TestParkingStory(t *testing.T) {
	s := newTown(1)
	s.drivers(40, 7000)
	s.fleet(12, 900)
	n := s.finder(15, 1000, 300)
	input := s.write(t)
	var first []byte
	for _, workers := range []int{1, 3} {
		rep, attributed := run(t, engine.AnalyzeConfig{Workers: workers}, input)
		hits, falsely := accused(t, input, attributed, "203.0.")
		if got := hits["targeted_lookup"]; got < n*95/100 || len(falsely) > 0 {
			t.Errorf("%d of %d requests attributed: %v; falsely %v\n%s", got, n, hits, falsely, strings.Join(attacksOf(rep), "\n"))
		}
		sites := map[string]bool{}
		for _, a := range rep.Attacks {
			if a.Kind == "targeted_lookup" && a.Verdict == "confirmed" {
				sites[a.Site] = true
			}
		}
		if len(sites) != 10 {
			t.Errorf("%d sites with a confirmed finding, want 10\n%s", len(sites), strings.Join(attacksOf(rep), "\n"))
		}
		b, err := json.Marshal(rep.Attacks)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		} else if !bytes.Equal(first, b) {
			t.Error("another number of workers gives other attacks")
		}
	}
}

// TestParkingIsQuiet: drivers, a fleet and an aggregator are nobody's attack.
func TestParkingIsQuiet(t *testing.T) {
	s := newTown(2)
	s.drivers(40, 7000)
	s.fleet(40, 900)
	// A map shows where there is room and whether the car is there; its owner pays.
	for c := range 30 {
		client, at := fmt.Sprintf("203.0.1.%d", 1+c), 500+float64(c)*200
		for k := range 5 {
			s.look(s.lots[(c+k)%10], at+float64(k), client, plate(70000+c), k == 4)
		}
		s.pay(s.lots[(c+4)%10], at+90, client, plate(70000+c))
	}
	input := s.write(t)
	rep, attributed := run(t, engine.AnalyzeConfig{Workers: 2}, input)
	if hits, falsely := accused(t, input, attributed, "203.0."); len(hits)+len(falsely) > 0 {
		t.Errorf("honest requests attributed: %v %v\n%s", hits, falsely, strings.Join(attacksOf(rep), "\n"))
	}
}

func attacksOf(r *report.Report) (list []string) {
	for _, a := range r.Attacks {
		list = append(list, fmt.Sprintf("%s %s %s n=%d %s", a.Site, a.Kind, a.Verdict, a.Requests, a.Reason.En))
		for _, w := range a.Reasons {
			list = append(list, fmt.Sprintf("    %+.1f %s %s", w.Weight, w.Family, w.En))
		}
	}
	for _, c := range r.Campaigns {
		list = append(list, "campaign "+c.Reason.En)
	}
	for _, a := range r.APIs {
		if a.Site < "lot4" {
			list = append(list, a.Site+" "+a.Method+" "+a.Template+" "+a.Role)
		}
	}
	return list
}
