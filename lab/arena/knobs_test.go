package arena_test

import (
	"bytes"

	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/arena"
	"xiezhi/lab/arena/knob"
	"xiezhi/lab/arena/line"
	"xiezhi/lab/stage"
)

func arenaKind(k string) taxonomy.AttackKind { return taxonomy.AttackKind(k) }

// measured is what a campaign shows on the wire beside the public's.
type measured struct {
	attacks, support, reports, gained int
	addresses                         map[netip.Addr]bool
	honest                            map[netip.Addr]bool
	networks                          map[knob.Network]int
	prints, honestPrints              map[string]int
	shapes, honestShapes              map[string]int
	phones                            []int
	times                             []time.Time
	solved, puzzled                   int
}

func (m *measured) requests() int { return m.attacks + m.support }

var (
	any11 = regexp.MustCompile(`1\d{10}`)
	blank = regexp.MustCompile(`:( ?)("[^"]*"|[-\w.]+)`)
)

// shape is a body without its values.
func shape(body []byte) string { return string(blank.ReplaceAll(body, []byte(":$1_"))) }

func measure(t *testing.T, m arena.Match) *measured {
	t.Helper()
	got := &measured{addresses: map[netip.Addr]bool{}, honest: map[netip.Addr]bool{}, networks: map[knob.Network]int{}, prints: map[string]int{}, honestPrints: map[string]int{}, shapes: map[string]int{}, honestShapes: map[string]int{}}
	kinds := map[string]int{}
	play(t, m, func(e *stage.Event) {
		x := e.Exchange
		a := x.Client.Addr()
		if e.Label.Campaign == "" {
			got.honest[a] = true
			got.honestPrints[string(x.JA4)]++
			if e.API != nil && e.API.Name == "check" {
				got.honestShapes[shape(x.Request.Body)]++
			}
			return
		}
		if !got.addresses[a] {
			got.networks[line.Of(a)]++
		}
		got.addresses[a] = true
		got.prints[string(x.JA4)]++
		if e.API != nil && e.API.Name == "track" {
			got.reports++
		}
		if e.Label.Attack == "" {
			got.support++
			return
		}
		got.attacks++
		got.gained += e.Gained
		kinds[e.Label.Kind]++
		got.times = append(got.times, time.Unix(0, x.Start))
		got.shapes[shape(x.Request.Body)]++
		if n := any11.Find(x.Request.Body); n != nil {
			v, _ := strconv.Atoi(string(n))
			got.phones = append(got.phones, v)
		}
		if e.App.Guarded(e.API.Name) {
			got.puzzled++
			if x.Status < 400 && !bytes.Contains(x.Response.Body, []byte("40013")) && !regexp.MustCompile(`\d40013`).Match(x.Response.Body) && !bytes.Contains(x.Response.Body, []byte("图形验证码")) && !bytes.Contains(x.Response.Body, []byte("captcha")) {
				got.solved++
			}
		}
	})
	return got
}

func scan(t *testing.T, turn func(*knob.Knobs)) *measured {
	t.Helper()
	k := plain()
	turn(&k)
	m := single(3, "account_scanning", "loan", k)
	m.Campaigns[0].Moves[0].Way = "check"
	return measure(t, m)
}

func TestAddressesPerRequest(t *testing.T) {
	for _, c := range []struct{ knob, lo, hi float64 }{{0, 0, .006}, {.1, .07, .13}, {.5, .42, .58}, {1, .93, 1}} {
		got := scan(t, func(k *knob.Knobs) { k.AddressesPerRequest, k.Networks = c.knob, []knob.Network{knob.Residential} })
		if r := float64(len(got.addresses)) / float64(got.requests()); r < c.lo || r > c.hi {
			t.Errorf("%v addresses per request: %d of %d, %.3f", c.knob, len(got.addresses), got.requests(), r)
		}
	}
	// Also within flows, where a request is a page, a puzzle or the attack.
	got := scan(t, func(k *knob.Knobs) {
		k.AddressesPerRequest, k.Flow, k.Networks = .1, 1, []knob.Network{knob.Residential}
	})
	if r := float64(len(got.addresses)) / float64(got.requests()); r < .06 || r > .14 {
		t.Errorf(".1 addresses per request with the whole flow: %.3f of %d", r, got.requests())
	}
}

func TestPoolLifeAndOverlap(t *testing.T) {
	still := scan(t, func(k *knob.Knobs) { k.AddressesPerRequest = .02 })
	short := scan(t, func(k *knob.Knobs) { k.AddressesPerRequest, k.PoolLife = .02, 3*time.Minute })
	if len(short.addresses) < 2*len(still.addresses) {
		t.Errorf("%d addresses with a life of three minutes, %d without", len(short.addresses), len(still.addresses))
	}
	share := func(m *measured) float64 {
		n := 0
		for a := range m.addresses {
			if m.honest[a] {
				n++
			}
		}
		return float64(n) / float64(len(m.addresses))
	}
	none := scan(t, func(k *knob.Knobs) { k.AddressesPerRequest, k.Networks = 1, []knob.Network{knob.Residential} })
	most := scan(t, func(k *knob.Knobs) {
		k.AddressesPerRequest, k.Overlap, k.Networks = 1, .9, []knob.Network{knob.Residential}
	})
	// Not every line of the public is in use in two days.
	if share(none) > .02 || share(most) < .12 {
		t.Errorf("overlap 0 shares %.2f, overlap 0.9 shares %.2f", share(none), share(most))
	}
}

func TestNetworks(t *testing.T) {
	for _, n := range []knob.Network{knob.DataCentre, knob.Residential, knob.Mobile, knob.AbroadCloud, knob.AbroadHome} {
		got := scan(t, func(k *knob.Knobs) { k.AddressesPerRequest, k.Networks = .5, []knob.Network{n} })
		if got.networks[n] != len(got.addresses) {
			t.Errorf("%s: %v", n, got.networks)
		}
	}
}

func TestFingerprints(t *testing.T) {
	main := func(m map[string]int) (best string) {
		for k, n := range m {
			if n > m[best] || n == m[best] && k < best {
				best = k
			}
		}
		return best
	}
	shared := func(m *measured) int {
		n := 0
		for k, v := range m.prints {
			if m.honestPrints[k] > 0 {
				n += v
			}
		}
		return n
	}
	turn := func(f knob.Fingerprint) *measured { return scan(t, func(k *knob.Knobs) { k.Fingerprint = f }) }
	if m := turn(knob.FixedTool); len(m.prints) != 1 || shared(m) > 0 {
		t.Errorf("fixed tool: %v", m.prints)
	}
	if m := turn(knob.PerRequest); len(m.prints) < m.requests()*9/10 {
		t.Errorf("per request: %d handshakes in %d requests", len(m.prints), m.requests())
	}
	if m := turn(knob.BrowserTrue); len(m.prints) < 4 || shared(m) != m.requests() {
		t.Errorf("browser true: %v", m.prints)
	}
	if m := turn(knob.Majority); len(m.prints) != 1 || shared(m) != m.requests() {
		t.Errorf("majority: %v, the public's main is %s", m.prints, main(m.honestPrints))
	}
}

func TestParameters(t *testing.T) {
	known := func(m *measured) int {
		n := 0
		for s, v := range m.shapes {
			if m.honestShapes[s] > 0 {
				n += v
			}
		}
		return n
	}
	turn := func(p knob.Parameters) *measured {
		return scan(t, func(k *knob.Knobs) { k.Parameters, k.Fingerprint = p, knob.BrowserTrue })
	}
	if m := turn(knob.OwnParams); len(m.shapes) != 1 || known(m) > 0 {
		t.Errorf("own: %v, genuine are %v", m.shapes, m.honestShapes)
	}
	if m := turn(knob.GenuineParams); known(m) != m.attacks {
		t.Errorf("genuine: %v, genuine are %v", m.shapes, m.honestShapes)
	}
	if m := turn(knob.RandomParams); len(m.shapes) < 6 {
		t.Errorf("random: %v", m.shapes)
	}
}

func TestRates(t *testing.T) {
	gaps := func(r knob.Rate, perMinute float64) (median time.Duration, cv float64, night float64) {
		m := scan(t, func(k *knob.Knobs) { k.Rate, k.PerMinute = r, perMinute })
		var g []float64
		dark := 0
		for i, at := range m.times {
			if h := at.In(arena.Zone()).Hour(); h >= 1 && h < 6 {
				dark++
			}
			if i > 0 {
				g = append(g, at.Sub(m.times[i-1]).Seconds())
			}
		}
		sum, sq := 0.0, 0.0
		for _, x := range g {
			sum += x
		}
		mean := sum / float64(len(g))
		for _, x := range g {
			sq += (x - mean) * (x - mean)
		}
		slices.Sort(g)
		return time.Duration(g[len(g)/2] * float64(time.Second)), math.Sqrt(sq/float64(len(g))) / mean, float64(dark) / float64(len(m.times))
	}
	if _, cv, _ := gaps(knob.Steady, 3); cv > .1 {
		t.Errorf("steady: CV %.2f", cv)
	}
	if med, cv, _ := gaps(knob.Poisson, 3); cv < .8 || cv > 1.3 || med < 9*time.Second || med > 20*time.Second {
		t.Errorf("poisson: CV %.2f, median %v", cv, med)
	}
	if med, cv, _ := gaps(knob.Burst, 30); cv < 2 || med > 2*time.Second {
		t.Errorf("burst: CV %.2f, median %v", cv, med)
	}
	if med, cv, _ := gaps(knob.Drip, 1); cv > .4 || med < 50*time.Second || med > 70*time.Second {
		t.Errorf("drip: CV %.2f, median %v", cv, med)
	}
	if _, _, night := gaps(knob.DayShaped, .25); night > .09 {
		t.Errorf("day-shaped: %.2f of it between one and six", night)
	}
}

func TestOrders(t *testing.T) {
	turn := func(o knob.Order) (steps map[int]int, heads map[int]bool) {
		m := scan(t, func(k *knob.Knobs) { k.Order = o })
		steps, heads = map[int]int{}, map[int]bool{}
		for i, p := range m.phones {
			heads[p/10_000] = true
			if i > 0 {
				steps[p-m.phones[i-1]]++
			}
		}
		return steps, heads
	}
	if s, h := turn(knob.Sequential); s[1] < 230 || len(h) != 1 {
		t.Errorf("sequential: %v in %d segments", s, len(h))
	}
	if s, h := turn(knob.Strided); len(h) != 1 || s[1] > 0 || func() bool {
		for _, n := range s {
			if n > 230 {
				return false
			}
		}
		return true
	}() {
		t.Errorf("strided: %v in %d segments", s, len(h))
	}
	if s, h := turn(knob.Shuffled); s[1] > 20 || len(h) != 1 {
		t.Errorf("shuffled: %v in %d segments", s, len(h))
	}
	for _, o := range []knob.Order{knob.Random, knob.Bought} {
		if _, h := turn(o); len(h) < 200 {
			t.Errorf("%s: %d segments", o, len(h))
		}
	}
}

func TestHitRates(t *testing.T) {
	for _, o := range []knob.Order{knob.Sequential, knob.Random, knob.Bought} {
		for _, rate := range []float64{.05, .6} {
			m := scan(t, func(k *knob.Knobs) { k.Order, k.HitRate = o, rate })
			if r := float64(m.gained) / float64(m.attacks); math.Abs(r-rate) > .1 {
				t.Errorf("%s at a hit rate of %v: %.2f", o, rate, r)
			}
		}
	}
}

func TestFlowAndTelemetry(t *testing.T) {
	var beside [3]float64
	for i, f := range []float64{0, .5, 1} {
		m := scan(t, func(k *knob.Knobs) { k.Flow, k.Telemetry, k.Fingerprint = f, f == 1, knob.BrowserTrue })
		beside[i] = float64(m.support) / float64(m.attacks)
		if (m.reports > 0) != (f == 1) {
			t.Errorf("flow %v: %d reports", f, m.reports)
		}
	}
	if beside[0] != 0 || beside[1] < .8 || beside[2] < 2*beside[1] {
		t.Errorf("requests beside each attack: %v", beside)
	}
}

func TestCaptchas(t *testing.T) {
	seed := uint64(0)
	for s := uint64(1); s < 40 && seed == 0; s++ { // an application with a puzzle before codes
		m := single(s, "sms_abuse", "loan", plain())
		m.Days, m.Warm, m.Visits = 1, 1, 1
		m.Campaigns[0].Knobs.Budget = 3
		play(t, m, func(e *stage.Event) {
			if e.App.Guarded("send_code") {
				seed = s
			}
		})
	}
	if seed == 0 {
		t.Fatal("no application asks for a puzzle")
	}
	for c, want := range map[knob.Captcha][2]float64{knob.NoCaptcha: {0, 0}, knob.OCR: {.55, .77}, knob.Humans: {.9, 1}} {
		k := plain()
		k.Captcha, k.Budget = c, 300
		m := single(seed, "sms_abuse", "loan", k)
		m.Campaigns[0].Moves[0].Way = "pumping"
		got := measure(t, m)
		if r := float64(got.solved) / float64(got.puzzled); r < want[0] || r > want[1] {
			t.Errorf("%s: %.2f of %d solved", c, r, got.puzzled)
		}
	}
}
