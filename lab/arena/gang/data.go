package gang

import (
	"fmt"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// scraping reads everything there is.
func scraping(r *raid) {
	way := r.choose("list", "detail", "contact", "contact", "profile_card", "progress", "progress")
	var target []string
	switch way {
	case "detail", "contact":
		target = r.itemIDs(r.size, r.app)
	case "profile_card":
		target = r.userIDs(r.size, r.app)
	case "progress":
		target = r.ids(r.size, r.app)
	}
	r.each(r.size, func(a *act, i int) {
		if i%4 == 0 || r.knobs.Flow >= .8 { // a reader's flow now and then
			a.arrive()
		}
		switch way {
		case "list":
			a.hit("list", stage.F("page", fmt.Sprint(1+i%len(a.App.Stock)), "size", "50"))
		case "progress":
			a.hit("progress", stage.F("idno", target[i], "kind", "01"))
		case "contact":
			if a.some() {
				a.look(target[i])
				a.Pause(5 * time.Second)
			}
			a.hit("contact", stage.F("id", target[i]))
		default:
			a.hit(way, stage.F("id", target[i]))
		}
		if a.some() {
			a.Report(way)
		}
	})
}

// finding looks single targets up to order: a plate at every operator's car
// parks until it turns up, a person's number at an office.
func finding(r *raid) {
	plates := r.app.Has("fee")
	n := max(3, r.size/len(r.all))
	switch {
	case plates && len(r.all) == 1:
		n = max(3, r.size*2/3)
	case !plates: // a clerk's worth: more would be reading in bulk
		n = min(n, 90)
	}
	principals := r.soldiers(r.app, 1+int(float64(n)*r.knobs.AddressesPerRequest/6))
	var wanted []string
	for range n {
		acc := draw(r.rng, draw(r.rng, r.all).Accounts())
		switch {
		case plates && r.rng.Float64() < max(r.knobs.HitRate, .3):
			wanted = append(wanted, acc.Person.Plate)
		case plates:
			wanted = append(wanted, people.AnyPlate(r.rng))
		case r.rng.Float64() < r.knobs.HitRate:
			wanted = append(wanted, acc.Person.ID)
		default:
			wanted = append(wanted, people.AnyID(r.rng))
		}
	}
	for i, at := range r.times(n) {
		if !plates {
			for _, app := range r.all {
				r.enter(app, at, func(a *act) {
					a.arrive()
					if app == r.app && !a.signIn(principals[i%len(principals)]) {
						return
					}
					a.hit("progress", stage.F("idno", wanted[i], "kind", "01"))
				})
			}
			continue
		}
		rounds := 1
		if len(r.all) == 1 { // one operator: asks again until the car is there
			rounds = 1 + r.rng.IntN(2)
		}
		for range rounds {
			for s, app := range r.all {
				r.enter(app, at.Add(time.Duration(s)*time.Duration(2+r.rng.IntN(25))*time.Second), func(a *act) {
					a.arrive()
					a.hit("fee", stage.F("plate", wanted[i], "lot", fmt.Sprint(1+a.Rand.IntN(12))))
				})
			}
			at = at.Add(time.Duration(20+r.rng.IntN(60)) * time.Minute)
		}
	}
}

// trespassing reads other people's orders with accounts of its own.
func trespassing(r *raid) {
	per := 400 // reads of an account
	switch {
	case r.knobs.Flow >= .8:
		per = 3 + r.rng.IntN(5)
	case r.knobs.AddressesPerRequest >= .3:
		per = 12 + r.rng.IntN(30)
	}
	target := r.orderIDs(r.size, r.app)
	accs := r.soldiers(r.app, (r.size+per-1)/per)
	times := r.times(r.size)
	for k := 0; k*per < len(times); k++ {
		mine := times[k*per : min((k+1)*per, len(times))]
		ids := target[k*per:]
		acc := accs[k]
		r.enter(r.app, mine[0], func(a *act) {
			a.arrive()
			if !a.signIn(acc) {
				return
			}
			if a.some() {
				a.Call("orders", stage.F("page", "1", "size", "10"))
			}
			for i, at := range mine {
				if d := at.Sub(a.Now()); d > 0 {
					a.Wait(d)
				}
				if a.Session != nil && !a.Now().Before(a.Session.Until) && !a.signIn(acc) {
					return
				}
				a.hit("order", stage.F("id", ids[i]))
			}
		})
	}
}

// abroad uses accounts of people, or of the desk, from another country.
func abroad(r *raid) {
	way := r.way
	if way == "" {
		way = draw(r.rng, []string{"members", "members", "staff"})
	}
	per := 4 + r.rng.IntN(5)
	n := max(1, r.size/per)
	desk := r.app.Desk()
	for _, at := range r.times(n) {
		acc := draw(r.rng, r.accs)
		login := draw(r.rng, desk)
		r.enter(r.app, at, func(a *act) {
			if way == "staff" {
				if !a.Call("staff_login", stage.F("account", login, "password", a.App.Registered(login).Password)).OK {
					return
				}
				for range per {
					a.Pause(8 * time.Second)
					a.hit("customer", stage.F("phone", draw(a.Rand, r.accs).Person.Phone))
				}
				return
			}
			a.arrive()
			if !a.signInAs(acc) {
				return
			}
			a.Pause(3 * time.Second)
			a.Spoils = 1
			a.hit("profile", nil)
			a.Pause(3 * time.Second)
			own := a.hit("orders", stage.F("page", "1", "size", "20")).IDs
			for i := range min(per-2, len(own)) {
				a.Pause(5 * time.Second)
				a.hit("order", stage.F("id", own[i]))
			}
		})
	}
}

// signInAs signs a stolen account in: its password was bought.
func (a *act) signInAs(acc *scene.Account) bool {
	for range 2 {
		if a.Password(a.App.LoginName(acc.Person), acc.Password) {
			return true
		}
		if a.Solves == 0 {
			return false
		}
	}
	return false
}

// carding finds out which cards are alive.
func carding(r *raid) {
	way := r.way
	if way == "" {
		way = draw(r.rng, []string{"list", "list", "bin", "cvv"})
	}
	per := 40
	if r.knobs.Flow >= .8 {
		per = 4
	} else if r.knobs.AddressesPerRequest >= .3 {
		per = 10
	}
	accs := r.soldiers(r.app, (r.size+per-1)/per)
	bin := draw(r.rng, r.accs).Person.Card[:10]
	from := r.rng.IntN(50_000)
	one := draw(r.rng, r.accs).Person.Card
	card := func(a *act, i int) (number, expiry, cvv string) {
		switch way {
		case "bin": // runs through a range, guessing what stands beside
			number = people.WithLuhn(fmt.Sprintf("%s%05d", bin, (from+i)%100_000))
			return number, fmt.Sprintf("%02d%02d", 1+a.Rand.IntN(12), 25+a.Rand.IntN(5)), fmt.Sprintf("%03d", a.Rand.IntN(1000))
		case "cvv":
			expiry, _ = scene.CardOf(one)
			cvv = fmt.Sprintf("%03d", i%1000)
			if r.knobs.Order != knob.Sequential {
				cvv = fmt.Sprintf("%03d", i*617%1000)
			}
			return one, expiry, cvv
		}
		number = a.r.town.Person(5_000 + a.Rand.IntN(15_000)).Card
		expiry, cvv = scene.CardOf(number)
		if a.Rand.Float64() > r.knobs.HitRate { // dumps are old
			expiry = fmt.Sprintf("%02d%02d", 1+a.Rand.IntN(12), 20+a.Rand.IntN(5))
		}
		return number, expiry, cvv
	}
	times := r.times(r.size)
	for k := 0; k*per < len(times); k++ {
		mine := times[k*per : min((k+1)*per, len(times))]
		first := k * per
		acc := accs[k]
		r.enter(r.app, mine[0], func(a *act) {
			a.arrive()
			if !a.signIn(acc) {
				return
			}
			order := ""
			for i, at := range mine {
				if d := at.Sub(a.Now()); d > 0 {
					a.Wait(d)
				}
				if order == "" || a.some() {
					made := a.Call("create", stage.F("item", fmt.Sprint(draw(a.Rand, a.App.Stock).ID), "count", "1", "address", "1"))
					if len(made.IDs) == 0 {
						return
					}
					order = made.IDs[0]
					a.Pause(3 * time.Second)
				}
				number, expiry, cvv := card(a, first+i)
				a.hit("pay_card", stage.F("order", order, "card", number, "expiry", expiry, "cvv", cvv, "amount", fmt.Sprint(1+a.Rand.IntN(5))))
			}
		})
	}
}
