package gang

import (
	"fmt"
	"strings"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// trades is what gangs do, by kind of attack.
var trades = map[string]func(*raid){
	"account_scanning": scanning, "credential_stuffing": stuffing, "brute_force": brute, "password_spraying": spraying, "code_cracking": cracking,
	"mass_registration": farming, "sms_abuse": bombing, "promotion_abuse": claiming, "scraping": scraping, "targeted_lookup": finding,
	"bola_exploitation": trespassing, "cross_border_access": abroad, "fake_engagement": engaging, "scalping": grabbing, "carding": carding,
	"vulnerability_scan": probing, "flood": flooding, "bot": botting,
}

// Ways are the ways to go about a kind of attack; one that an application has
// no API for is not drawn.
var Ways = map[string][]string{
	"account_scanning":    {"check", "login", "friend"},
	"sms_abuse":           {"bombing", "pumping"},
	"promotion_abuse":     {"claim", "invite"},
	"scraping":            {"list", "detail", "contact", "profile_card", "progress"},
	"fake_engagement":     {"view", "like", "follow", "vote", "comment"},
	"carding":             {"list", "bin", "cvv"},
	"flood":               {"search", "home", "list", "config"},
	"bot":                 {"checkin", "browse"},
	"targeted_lookup":     {"fee", "progress"},
	"cross_border_access": {"members", "staff"},
}

// choose draws a way that the application has an API for.
func (r *raid) choose(ways ...string) string {
	if r.way != "" {
		return r.way
	}
	var can []string
	for _, w := range ways {
		if r.app.Has(w) {
			can = append(can, w)
		}
	}
	return draw(r.rng, can)
}

// each lets one actor in for every step of the move.
func (r *raid) each(n int, script func(a *act, i int)) {
	for i, at := range r.times(n) {
		r.enter(r.app, at, func(a *act) { script(a, i) })
	}
}

// scanning asks who is registered.
func scanning(r *raid) {
	number := r.numbers(r.size, r.app)
	way := r.choose("check", "check", "login", "friend")
	dummy := fmt.Sprintf("aa%06d", r.rng.IntN(1_000_000)) // never right: the answer for the account is what is wanted
	var spies []*scene.Account
	if way == "friend" {
		spies = r.soldiers(r.app, 3+r.size/40)
	}
	r.each(r.size, func(a *act, i int) {
		a.arrive()
		switch way {
		case "login":
			pw := dummy
			if r.knobs.Parameters == knob.GenuineParams {
				pw = a.r.town.Person(a.Rand.IntN(people.Max)).Password
			}
			a.try("login", stage.F("account", number[i], "password", pw))
		case "friend":
			if a.signIn(spies[i%len(spies)]) {
				a.hit("friend", stage.F("contacts", number[i]))
			}
		default:
			a.hit("check", stage.F("phone", number[i], "channel", "h5"))
		}
		if a.some() {
			a.Report("check")
		}
	})
}

// stuffing tries pairs from leaks, each once.
func stuffing(r *raid) {
	r.each(r.size, func(a *act, i int) {
		a.arrive()
		p := a.r.town.Person(5_000 + a.Rand.IntN(15_000))
		name, pw := a.App.LoginName(p), p.Password
		if a.Rand.Float64() < r.knobs.HitRate {
			acc := draw(a.Rand, r.accs)
			name, pw = a.App.LoginName(acc.Person), a.r.town.Person(a.Rand.IntN(people.Max)).Password
			if a.Rand.IntN(30) == 0 { // used the same elsewhere
				pw = acc.Password
			}
		}
		if !a.try("login", stage.F("account", name, "password", pw)).OK {
			return
		}
		a.Pause(2 * time.Second) // looks what there is to take
		a.hit("profile", nil)
		a.Pause(4 * time.Second)
		if a.hit("orders", stage.F("page", "1", "size", "10")); a.some() {
			a.Call("logout", nil)
		}
	})
}

// guesses are the heads of password lists.
var guesses = strings.Fields("123456 123456789 12345678 111111 123123 000000 888888 666666 5201314 1314520 a123456 abc123 qwerty password 1qaz2wsx 112233 woaini woaini1314 654321 987654321 7758521 147258369 asd123 zxcvbnm q1w2e3r4 11111111 00000000 88888888 520520 789456123 aa123456 a123456789 123qwe qwe123 asdasd iloveyou 123321 1234567890 qazwsx 31415926")

// brute tries many passwords on few accounts.
func brute(r *raid) {
	victims := make([]*scene.Account, max(2, min(12, r.size/60)))
	for i := range victims {
		victims[i] = draw(r.rng, r.accs)
	}
	r.each(r.size, func(a *act, i int) {
		a.arrive()
		v := victims[i%len(victims)]
		k := i / len(victims)
		pw := guesses[k%len(guesses)]
		switch k / len(guesses) {
		case 0:
		case 1:
			pw += v.Person.Phone[7:]
		default:
			pw = v.Person.Birth.AddDate(0, 0, k).Format("20060102")
		}
		if a.try("login", stage.F("account", a.App.LoginName(v.Person), "password", pw)).OK {
			a.Pause(2 * time.Second)
			a.hit("profile", nil)
		}
	})
}

// spraying tries a few passwords on all the accounts it knows of.
func spraying(r *raid) {
	words := []string{"Abc@2024", "Qwe123!@#", "Aa123456!", "Spring@2024"}
	r.rng.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	words = words[:1+r.rng.IntN(3)]
	order := r.rng.Perm(len(r.accs))
	r.each(r.size, func(a *act, i int) {
		a.arrive()
		acc := r.accs[order[(i/len(words))%len(order)]]
		name := a.App.LoginName(acc.Person)
		if a.Rand.Float64() > max(r.knobs.HitRate, .5) {
			name = a.App.LoginName(a.r.town.Person(5_000 + a.Rand.IntN(15_000)))
		}
		a.try("login", stage.F("account", name, "password", words[i%len(words)]))
	})
}

// cracking guesses the codes of phones while each code lasts.
func cracking(r *raid) {
	gap := min(max(time.Duration(float64(time.Minute)/r.knobs.PerMinute), 900*time.Millisecond), 50*time.Second)
	tries := max(4, min(60, int(4*time.Minute/gap)))
	for _, at := range r.times(max(1, r.size/tries)) {
		phone := draw(r.rng, r.accs).Person.Phone
		r.enter(r.app, at, func(a *act) {
			a.arrive()
			if !a.Call("send_code", a.Puzzle("send_code", stage.F("phone", phone, "kind", "login"))).OK {
				if !a.Call("send_code", a.Puzzle("send_code", stage.F("phone", phone, "kind", "login"))).OK {
					return
				}
			}
			from := a.Rand.IntN(1_000_000)
			for i := range tries {
				a.Wait(time.Duration(float64(gap) * (.7 + .6*a.Rand.Float64())))
				code := from + i
				if r.knobs.Order != knob.Sequential {
					code = a.Rand.IntN(1_000_000)
				}
				if a.hit("login_code", stage.F("phone", phone, "code", fmt.Sprintf("%06d", code%1_000_000))).OK {
					return
				}
			}
		})
	}
}

// farming registers accounts by the dozen.
func farming(r *raid) {
	key := fmt.Sprintf("Qw@%06dzX", r.rng.IntN(1_000_000))
	personal := r.knobs.Parameters == knob.GenuineParams
	var heads []string // of the cards in the rack
	for range 2 + r.rng.IntN(4) {
		heads = append(heads, people.Stranger(r.rng)[:8])
	}
	r.each(r.size, func(a *act, i int) {
		p := a.r.person()
		pw, nick := key, fmt.Sprintf("%s%04d", p.Nick, i)
		if personal {
			pw, nick = scene.Strong(p), p.Nick
		} else if a.Rand.IntN(4) > 0 {
			p.Phone = fmt.Sprintf("%s%03d", draw(a.Rand, heads), (i*7)%1000)
		}
		a.arrive()
		if a.Has("check") && a.some() {
			a.Call("check", stage.F("phone", p.Phone, "channel", "h5"))
			a.Pause(3 * time.Second)
		}
		form := stage.F("phone", p.Phone, "password", pw, "nickname", nick)
		if !a.App.FreeEntry {
			code, ok := a.Code(p.Phone, "register")
			if !ok {
				return
			}
			form = append(form, scene.Field{Name: "code", Value: code})
		}
		ans := a.try("register", form)
		if !ans.OK && a.Solves > 0 {
			a.Pause(3 * time.Second)
			ans = a.try("register", form)
		}
		if ans.Account == nil {
			return
		}
		r.army[a.App] = append(r.army[a.App], ans.Account)
		if a.some() {
			a.Report("register")
			a.Pause(4 * time.Second)
			a.Call("profile", nil)
		}
	})
}

// bombing has codes sent: to a few victims, or to runs of numbers that nobody
// will ever type in.
func bombing(r *raid) {
	way := r.way
	if way == "" {
		way = draw(r.rng, []string{"bombing", "bombing", "pumping"})
	}
	var phones []string
	if way == "pumping" {
		phones = r.numbers(r.size, r.app)
	} else {
		victims := make([]string, max(3, min(20, r.size/25)))
		for i := range victims {
			victims[i] = people.Stranger(r.rng)
			if r.rng.Float64() < r.knobs.HitRate {
				victims[i] = draw(r.rng, r.accs).Person.Phone
			}
		}
		for i := range r.size {
			phones = append(phones, victims[(i/2)%len(victims)])
		}
	}
	r.each(r.size, func(a *act, i int) {
		a.arrive()
		a.try("send_code", stage.F("phone", phones[i], "kind", "login"))
	})
}

// claiming takes coupons and rewards with accounts made for it.
func claiming(r *raid) {
	way := r.choose("claim", "claim", "invite")
	acts := r.public.Activities(r.app)
	per := 1
	if way == "claim" {
		per = 1 + r.rng.IntN(3)
	}
	bosses := r.soldiers(r.app, 2)
	n := max(8, r.size/per)
	army := r.soldiers(r.app, n+2)[2:]
	phones := n // accounts to a device
	if r.knobs.Parameters == knob.GenuineParams {
		phones = 1
	}
	var shared *stage.Client
	for i, at := range r.times(n) {
		acc := army[i%len(army)]
		c := r.client(r.app, r.rng)
		if phones > 1 && i%12 > 0 && shared != nil { // a dozen accounts on one device
			c.Facts, c.Cookie = shared.Facts, shared.Cookie
		} else {
			shared = c
		}
		r.enterAs(r.app, at, c, func(a *act) {
			if a.some() {
				a.arrive()
			}
			if !a.signIn(acc) {
				return
			}
			a.Pause(3 * time.Second)
			if way == "invite" {
				a.hit("invite", stage.F("invite", a.App.InviteCode(bosses[i%2])))
			} else {
				for k := range per {
					a.hit("claim", stage.F("activity", acts[k%len(acts)], "coupon", fmt.Sprint(1+k)))
					a.Pause(4 * time.Second)
				}
			}
			if a.some() { // something an owner would do
				a.Call("orders", stage.F("page", "1", "size", "10"))
			}
		})
	}
}
