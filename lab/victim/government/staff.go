package government

import (
	"fmt"
	"math/rand/v2"
	"time"

	"xiezhi/lab/victim"
	"xiezhi/lab/victim/visit"
)

const (
	class   = 6  // new staff begin together
	curious = 16 // the day from which on windows try to approve
)

// office lets the departments work.
func (s *service) office(w *visit.World, midnight time.Time, r *rand.Rand) {
	days := int(midnight.Sub(victim.Start).Hours() / 24)
	work := func() time.Time {
		return midnight.Add(9*time.Hour + time.Duration(r.IntN(8*3600_000))*time.Millisecond)
	}
	if wd := midnight.Weekday(); wd != time.Saturday && wd != time.Sunday {
		for i, o := range s.desk.staff {
			if i >= len(officers) || r.IntN(2) == 0 {
				continue
			}
			w.Enter(work(), o.role, visit.NewClient(visit.Chrome, visit.Home(700+i/4), i), func(a *visit.Actor) { s.shift(a, o, days) })
		}
	}
	if days%14 == 2 {
		for i := range class {
			name := fmt.Sprintf("xr%02d", days/14*class+i+1)
			start := midnight.Add(9*time.Hour + time.Duration(i*20)*time.Minute)
			w.Enter(start, chief, visit.NewClient(visit.Chrome, visit.Home(700), 1), func(a *visit.Actor) {
				if seat := s.deskEnter(a, s.desk.staff[1]); seat != nil {
					a.Post("/admin/api/user/add", map[string]string{"account": name}, seat...)
				}
			})
			w.Enter(start.Add(15*time.Minute), window, visit.NewClient(visit.Chrome, visit.Home(710+i), days), func(a *visit.Actor) { s.begin(a, name) })
		}
	}
	if days%3 == 1 { // who maintains the system tries the account of the acceptance test
		w.Enter(work(), "vendor", visit.NewClient(visit.Chrome, visit.Line(61), 2), func(a *visit.Actor) {
			a.Open("/admin/login.html")
			if seat := seated(a.Post("/admin/api/login", map[string]string{"account": "test", "password": "123456"})); seat != nil {
				a.Think(9 * time.Second)
				a.Get("/admin/api/cases/list?pageNo=1", seat...)
			}
		})
	}
	if days%6 == 0 { // a robot goes on with a password that its owner has changed
		o := s.desk.byName[officers[8]]
		w.Enter(work(), "robot", visit.NewClient(visit.Script, visit.Home(706), 0), func(a *visit.Actor) {
			for range 28 {
				a.Post("/admin/api/login", map[string]string{"account": o.name, "password": "Old" + o.password})
				a.Wait(11 * time.Second)
			}
		})
	}
	if days%3 == 0 { // somebody back from leave tries every password that comes to mind
		o := s.desk.byName[officers[9+days/3%3]]
		w.Enter(work(), "forgetful", visit.NewClient(visit.Chrome, visit.Home(707), 3), func(a *visit.Actor) {
			a.Open("/admin/login.html")
			for i := range 24 {
				a.Post("/admin/api/login", map[string]string{"account": o.name, "password": fmt.Sprintf("%s%d", o.password[:5], i%9)})
				a.Wait(time.Duration(12+a.Rand.IntN(8)) * time.Second)
			}
		})
	}
}

// seated gives the header line of a session that a login opened, nil when it
// opened none.
func seated(ans *visit.Answer) []string {
	if token := ans.Text("data.token"); token != "" {
		return []string{"X-Access-Token", token}
	}
	return nil
}

// deskEnter signs an officer in.
func (s *service) deskEnter(a *visit.Actor, o *officer) []string {
	a.Open("/admin/login.html")
	password := s.current(o)
	if a.Rand.IntN(9) == 0 {
		a.Post("/admin/api/login", map[string]string{"account": o.name, "password": password + "1"})
		a.Think(8 * time.Second)
	}
	seat := seated(a.Post("/admin/api/login", map[string]string{"account": o.name, "password": password}))
	if seat != nil {
		a.Think(2 * time.Second)
		a.Get("/admin/api/user/info", seat...)
	}
	return seat
}

// shift is a session of work.
func (s *service) shift(a *visit.Actor, o *officer, days int) {
	seat := s.deskEnter(a, o)
	if seat == nil {
		return
	}
	for range 2 + a.Rand.IntN(2) {
		a.Think(20 * time.Second)
		id := a.Get(fmt.Sprintf("/admin/api/cases/list?pageNo=%d", 1+a.Rand.IntN(20)), seat...).Text(fmt.Sprintf("data.rows.%d.caseId", a.Rand.IntN(10)))
		if id == "" {
			continue
		}
		a.Think(15 * time.Second)
		a.Get("/admin/api/cases/detail?caseId="+id, seat...)
		switch {
		case o.role != window:
			a.Think(25 * time.Second)
			a.Post("/admin/api/cases/approve", map[string]string{"caseId": id, "opinion": "同意"}, seat...)
		case days >= curious && a.Rand.IntN(12) == 0: // the button is hidden, and the link is known
			a.Think(25 * time.Second)
			a.Post("/admin/api/cases/approve", map[string]string{"caseId": id, "opinion": "代批"}, seat...)
		}
	}
}

// begin is the first day of somebody new.
func (s *service) begin(a *visit.Actor, name string) {
	password := s.First(name)
	if password == "" {
		return
	}
	a.Open("/admin/login.html")
	seat := seated(a.Post("/admin/api/login", map[string]string{"account": name, "password": password}))
	if seat == nil {
		return
	}
	a.Think(5 * time.Second)
	a.Get("/admin/api/user/info", seat...)
	a.Think(40 * time.Second)
	a.Post("/admin/api/user/password", map[string]string{"oldPassword": password, "newPassword": strong(s.desk.byName[name].person)}, seat...)
	a.Think(10 * time.Second)
	a.Get("/admin/api/cases/list?pageNo=1", seat...)
}
