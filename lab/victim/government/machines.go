package government

import (
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"time"

	"xiezhi/lab/victim/visit"
)

// paths are what the city's own scanners ask for every day.
var paths = []string{"/eureka/apps", "/WEB-INF/web.xml", "/doc.html", "/upload/"}

// machines lets the day's programs come.
func (s *service) machines(w *visit.World, midnight time.Time, r *rand.Rand) {
	for n := range 3 { // terminals in the halls
		w.Enter(at(midnight, r), "terminal", visit.NewClient(visit.Partner, visit.Line(20+n), n), func(a *visit.Actor) {
			for range 1 + a.Rand.IntN(3) {
				s.insuredAt(a, "X-Terminal-Key", termKey)
			}
		})
	}
	for range 1 + r.IntN(2) { // pages of the counties use the interface, and were never given a key
		n := r.IntN(900)
		w.Enter(at(midnight, r), "county page", visit.Browser(16_000+n), func(a *visit.Actor) { s.insuredAt(a) })
	}
	w.Enter(midnight.Add(2*time.Hour), "province", visit.NewClient(visit.Partner, visit.Line(14), 0), func(a *visit.Actor) {
		a.Get("/openapi/cases/sync?day="+midnight.AddDate(0, 0, -1).Format("20060102"), "X-App-Key", syncKey, "X-App-Secret", syncPass)
	})
	w.Enter(midnight.Add(3*time.Hour), "monitor", visit.NewClient(visit.Monitor, visit.Line(3), 0), func(a *visit.Actor) {
		for range 4 {
			a.Get("/health")
			a.Wait(5 * time.Hour)
		}
	})
	if r.IntN(3) == 0 {
		w.Enter(at(midnight, r), "search engine", visit.NewClient(visit.Spider, visit.Line(40), 0), func(a *visit.Actor) {
			a.Get("/robots.txt")
			a.Get("/")
			a.Think(4 * time.Second)
			a.Get("/api/notices/list?pageNo=1")
			a.Get(fmt.Sprintf("/api/notices/persons?noticeId=%d&pageNo=1", 2601+a.Rand.IntN(notices)))
		})
	}
	if midnight.Weekday() != time.Sunday {
		for _, n := range []int{50, 51} {
			w.Enter(at(midnight, r), "own scanner", visit.NewClient(visit.Script, visit.Line(n), 0), func(a *visit.Actor) {
				for _, p := range paths {
					a.Get(p)
					a.Wait(3 * time.Second)
				}
			})
		}
	}
}

// insuredAt looks up somebody who stands there; some mistype.
func (s *service) insuredAt(a *visit.Actor, header ...string) {
	ask := func(id string) {
		body, err := xml.Marshal(question{ID: id})
		if err != nil {
			panic(err) // only plain values are asked
		}
		a.Do(visit.Request{Method: "POST", Target: "/ws/terminal/insured", Type: "text/xml;charset=UTF-8", Body: body, Header: header})
	}
	id := s.all[a.Rand.IntN(citizens)].person.ID
	if a.Rand.IntN(8) == 0 {
		ask(id[:17])
		a.Think(6 * time.Second)
	}
	ask(id)
	a.Think(20 * time.Second)
}
