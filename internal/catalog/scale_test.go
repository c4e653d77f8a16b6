package catalog

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
)

// many is a site of n APIs with a parameter each.
func many(t testing.TB, n int) (*site, []*build) {
	s := newSite(t)
	s.ids = identity.New(identity.Config{})
	var l []*build
	for i := range n {
		path := fmt.Sprintf("/svc/v%d/area-list-%s/%d/orders", i%200+1, letters(i/200), 1000+i)
		b := request("GET", path).json(200, fmt.Sprint("schema", i))
		b.leaf("data.id", fmt.Sprint(1000+i)).leaf("data.owner", "u").param("page", "1").bearer("t")
		s.do(b)
		if i%97 == 0 {
			l = append(l, b)
		}
	}
	return s, l
}

func letters(i int) string {
	b := []byte{}
	for range 3 {
		b = append(b, 'a'+byte(i%26))
		i /= 26
	}
	return "get" + string(b) + "View"
}

// 100 000 APIs with parameters stay within memory.
func TestManyAPIsFitInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("100 000 APIs")
	}
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	s, _ := many(t, MaxAPIs)
	runtime.GC()
	runtime.ReadMemStats(&m1)
	st := s.Stats()
	mb := (int64(m1.HeapAlloc) - int64(m0.HeapAlloc)) >> 20
	t.Logf("%d APIs, %d nodes: %d MB live, %d MB from the system", st.APIs, st.Nodes, mb, m1.Sys>>20)
	if st.APIs < MaxAPIs*99/100 || m1.Sys > 2<<30 {
		t.Errorf("%d APIs in %d MB", st.APIs, m1.Sys>>20)
	}
	runtime.KeepAlive(s)
}

// BenchmarkLookupAmongMany measures look-ups in a full catalogue, each of
// another API: what it has to walk is mostly not in the cache, and the request
// itself is, as when it was just decoded. cpu-ns/op is processor time: what a
// look-up costs where others want the processor, too.
func BenchmarkLookupAmongMany(b *testing.B) {
	b.ReportAllocs()
	s, l := many(b, MaxAPIs)
	var versions [200]observe.Segment
	areas := make([]observe.Segment, MaxAPIs/len(versions))
	for i := range versions {
		versions[i] = request("GET", fmt.Sprintf("/v%d", i+1)).Segments[0]
	}
	for i := range areas {
		areas[i] = request("GET", "/area-list-"+letters(i)).Segments[0]
	}
	o := &l[0].Observation
	api := 0
	runtime.GC()
	begun := cpuTime()
	for b.Loop() {
		api = (api + 61_803) % (MaxAPIs - 201) // comes to all of them; the last had no room
		o.Segments[1], o.Segments[2] = versions[api%len(versions)], areas[api/len(versions)]
		if s.Lookup(o) == nil {
			b.Fatal("not found")
		}
	}
	b.ReportMetric(float64(cpuTime()-begun)/float64(b.N), "cpu-ns/op")
}

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
