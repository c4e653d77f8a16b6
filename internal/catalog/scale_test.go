package catalog

import (
	"fmt"
	"runtime"
	"testing"

	"xiezhi/internal/identity"
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

func BenchmarkLookupAmongMany(b *testing.B) {
	b.ReportAllocs()
	s, l := many(b, MaxAPIs)
	i := 0
	for b.Loop() {
		if s.Lookup(&l[i%len(l)].Observation) == nil {
			b.Fatal("not found")
		}
		i++
	}
}
