package public

import (
	"fmt"
	"strings"
	"time"

	"xiezhi/lab/arena/program"
	"xiezhi/lab/arena/walk"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

const glance = 9 * time.Second

// browse looks around: list, detail, search, list.
func (p *Public) browse(w *walk.Walker, steps int) {
	w.Open()
	w.Pause(2 * time.Second)
	if since, ok := p.fresh[w.App]; ok && w.Now().After(since) && program.Web(w.Client) { // the new release's broken link
		w.Visit("GET", strings.Replace(w.App.Assets[0], "app.", "chunk-vendors.", 1))
		w.Call("recommend", stage.F("page", "1"))
	}
	ids := w.Call("list", stage.F("page", "1", "size", "20")).IDs
	for i := range steps {
		w.Pause(glance)
		switch n := w.Rand.IntN(10); {
		case n < 6 && len(ids) > 0:
			p.look(w, ids[w.Rand.IntN(len(ids))])
		case n < 8 && w.Has("search"):
			name := w.App.Stock[w.Rand.IntN(len(w.App.Stock))].Name
			w.Call("search", stage.F("q", strings.TrimRight(name, "0123456789号"), "page", "1"))
		default:
			if more := w.Call("list", stage.F("page", fmt.Sprint(i+2), "size", "20")).IDs; len(more) > 0 {
				ids = more
			}
		}
	}
}

// look opens one object.
func (p *Public) look(w *walk.Walker, id string) {
	w.Call("detail", stage.F("id", id))
	if w.Has("view") {
		w.Wait(300 * time.Millisecond)
		w.Call("view", stage.F("target", id, "ts", "now"))
	}
	w.Report("detail")
	switch {
	case w.Has("contact") && w.Rand.IntN(4) == 0:
		w.Pause(glance)
		w.Call("contact", stage.F("id", id))
	case w.Has("drop") && w.Rand.IntN(5) == 0:
		w.Pause(glance)
		w.Call("drop", stage.F("item", id))
	}
	if w.Rand.IntN(40) == 0 { // an old link
		w.Pause(glance)
		w.Call("detail", stage.F("id", "9"+id))
	}
}

// signIn signs an account in the way people do: sometimes by code, sometimes
// with a mistake or two, now and then by a new password.
func (p *Public) signIn(w *walk.Walker, acc *scene.Account) bool {
	phone := acc.Person.Phone
	if w.Rand.IntN(3) == 0 {
		code, ok := w.Code(phone, "login")
		if !ok {
			return false
		}
		if w.Rand.IntN(15) == 0 { // two digits swapped
			w.Call("login_code", stage.F("phone", phone, "code", code[1:2]+code[:1]+code[2:]))
			w.Pause(9 * time.Second)
		}
		return w.Call("login_code", stage.F("phone", phone, "code", code)).OK
	}
	name := w.App.LoginName(acc.Person)
	if w.Rand.IntN(150) == 0 { // somebody else's number by a slip
		w.Password(slipDigit(w, name), acc.Password)
		w.Pause(8 * time.Second)
	}
	for range 4 {
		if w.Rand.IntN(9) > 0 {
			break
		}
		w.Password(name, people.Slip(w.Rand, acc.Password)) // a slip of the finger, corrected at once
		w.Pause(7 * time.Second)
	}
	if w.Password(name, acc.Password) {
		return true
	}
	w.Pause(15 * time.Second)
	if w.Has("reset") && w.Rand.IntN(2) == 0 {
		code, ok := w.Code(phone, "reset")
		if !ok {
			return false
		}
		w.Call("reset", stage.F("phone", phone, "code", code, "password", scene.Strong(acc.Person)))
		w.Pause(5 * time.Second)
		return w.Password(name, acc.Password)
	}
	return w.ByCode(phone)
}

// slipDigit is an account or number with its last character wrong.
func slipDigit(w *walk.Walker, s string) string {
	if s == "" {
		return s
	}
	return s[:len(s)-1] + fmt.Sprint(w.Rand.IntN(10))
}

// join registers.
func (p *Public) join(w *walk.Walker, who people.Person) {
	p.browse(w, 1+w.Rand.IntN(3))
	w.Pause(glance)
	if w.Has("check") {
		if w.Rand.IntN(25) == 0 {
			w.Call("check", stage.F("phone", slipDigit(w, who.Phone), "channel", "h5"))
			w.Pause(3 * time.Second)
		}
		w.Call("check", stage.F("phone", who.Phone, "channel", "h5"))
		w.Pause(3 * time.Second)
	}
	form := stage.F("phone", who.Phone, "password", who.Password, "nickname", who.Nick)
	if !w.App.FreeEntry {
		code, ok := w.Code(who.Phone, "register")
		if !ok {
			return
		}
		form = append(form, scene.Field{Name: "code", Value: code})
	}
	if !w.Try("register", form).OK {
		w.Pause(15 * time.Second)
		form[1].Value = scene.Strong(who)
		if !w.Try("register", form).OK {
			return
		}
	}
	w.Report("register")
	w.Pause(glance)
	w.Call("profile", nil)
	if w.Has("invite") && w.Rand.IntN(3) == 0 { // a friend brought them
		accs := w.App.Accounts()
		w.Pause(glance)
		w.Call("invite", stage.F("invite", w.App.InviteCode(accs[w.Rand.IntN(len(accs))])))
	}
	if w.Has("claim") && w.Rand.IntN(2) == 0 {
		w.Pause(glance)
		w.Call("claim", stage.F("activity", p.acts[w.App][0], "coupon", "1"))
	}
	p.business(w)
}

// member is the visit of somebody with an account.
func (p *Public) member(w *walk.Walker, acc *scene.Account) {
	if w.Rand.IntN(2) == 0 {
		p.browse(w, 1+w.Rand.IntN(3))
	} else {
		w.Open()
	}
	w.Pause(3 * time.Second)
	person := acc.Person
	if w.Has("fee") && w.Rand.IntN(4) > 0 { // the fee needs no account
		plate := person.Plate
		if w.Rand.IntN(20) == 0 {
			plate = slipDigit(w, plate)
		}
		w.Call("fee", stage.F("plate", plate, "lot", fmt.Sprint(1+w.Rand.IntN(12))))
		w.Pause(glance)
		if w.Rand.IntN(3) == 0 {
			return
		}
	}
	if w.Has("progress") && w.Rand.IntN(3) == 0 {
		id := person.ID
		if w.Rand.IntN(30) == 0 {
			id = slipDigit(w, id)
		}
		w.Call("progress", stage.F("idno", id, "kind", "01"))
		w.Pause(glance)
	}
	if w.Has("check") && w.App.Industry == "finance" && w.Rand.IntN(3) == 0 { // the form asks for the number first
		w.Call("check", stage.F("phone", person.Phone, "channel", "app"))
		w.Pause(4 * time.Second)
	}
	if !p.signIn(w, acc) {
		return
	}
	w.Pause(2 * time.Second)
	w.Call("profile", nil)
	p.business(w)
	if w.Rand.IntN(4) == 0 {
		w.Pause(glance)
		w.Call("logout", nil)
	}
}

// business is what signed-in people do.
func (p *Public) business(w *walk.Walker) {
	if w.Has("checkin") && w.Rand.IntN(3) == 0 {
		w.Pause(4 * time.Second)
		w.Call("checkin", stage.F("ts", "now"))
	}
	if !program.Web(w.Client) && w.Rand.IntN(8) == 0 { // an app left open asks again and again
		for range 4 + w.Rand.IntN(8) {
			w.Call("orders", stage.F("page", "1", "size", "10"))
			w.Wait(60 * time.Second)
		}
	}
	for range 1 + w.Rand.IntN(4) {
		w.Pause(glance)
		id := fmt.Sprint(w.App.Stock[w.Rand.IntN(len(w.App.Stock))].ID)
		switch w.Rand.IntN(6) {
		case 0:
			own := w.Call("orders", stage.F("page", "1", "size", "10")).IDs
			for range min(len(own), 1+w.Rand.IntN(2)) {
				w.Pause(glance)
				w.Call("order", stage.F("id", own[w.Rand.IntN(len(own))]))
			}
		case 1, 2:
			p.look(w, id)
		case 3, 4:
			p.trade(w, id)
		case 5:
			p.social(w, id)
		}
	}
}

// trade orders and pays.
func (p *Public) trade(w *walk.Walker, id string) {
	p.look(w, id)
	w.Pause(glance)
	if w.Has("claim") && w.Rand.IntN(5) == 0 {
		w.Call("claim", stage.F("activity", p.acts[w.App][w.Rand.IntN(4)], "coupon", fmt.Sprint(1+w.Rand.IntN(3))))
		w.Pause(glance)
	}
	op := "create"
	if w.Has("grab") && w.Rand.IntN(4) == 0 {
		op = "grab"
	}
	made := w.Call(op, stage.F("item", id, "count", fmt.Sprint(1+w.Rand.IntN(2)), "address", fmt.Sprint(1+w.Rand.IntN(3)), "ts", "now"))
	if len(made.IDs) == 0 {
		return
	}
	order := made.IDs[0]
	w.Pause(12 * time.Second)
	switch {
	case w.Has("cancel") && w.Rand.IntN(12) == 0:
		w.Call("cancel", stage.F("order", order))
	case w.Has("pay_card") && w.Session != nil && w.Rand.IntN(3) == 0:
		p.card(w, order)
	case w.Has("pay") && w.Rand.IntN(6) > 0:
		form := stage.F("order", order, "channel", one(w, "wxpay", "alipay", "unionpay"))
		w.Call("pay", form)
		if w.Rand.IntN(30) == 0 { // pressed twice
			w.Wait(400 * time.Millisecond)
			w.Call("pay", form)
		}
	}
	w.Report("order")
}

// card pays with somebody's own card, with a slip now and then.
func (p *Public) card(w *walk.Walker, order string) {
	number := w.Session.Account.Person.Card
	exp, cvv := scene.CardOf(number)
	form := func(cvv string) scene.Fields {
		return stage.F("order", order, "card", number, "expiry", exp, "cvv", cvv, "amount", fmt.Sprint(20+w.Rand.IntN(900)))
	}
	if w.Rand.IntN(10) == 0 {
		w.Call("pay_card", form(slipDigit(w, cvv)))
		w.Pause(12 * time.Second)
	}
	if !w.Call("pay_card", form(cvv)).OK && w.Rand.IntN(2) == 0 {
		w.Pause(20 * time.Second)
		w.Call("pay_card", form(cvv))
	}
}

// social is what people do with each other.
func (p *Public) social(w *walk.Walker, id string) {
	accs := w.App.Accounts()
	if w.Has("profile_card") && w.Rand.IntN(3) == 0 {
		other := fmt.Sprint(accs[w.Rand.IntN(len(accs))].UID)
		w.Call("profile_card", stage.F("id", other))
		if w.Rand.IntN(3) == 0 {
			w.Pause(glance)
			w.Call("follow", stage.F("target", other, "channel", "card"))
		}
	}
	if w.Has("friend") && w.Rand.IntN(25) == 0 { // gives the contact book once
		var book []string
		for range 15 + w.Rand.IntN(70) {
			if w.Rand.IntN(3) == 0 {
				book = append(book, accs[w.Rand.IntN(len(accs))].Person.Phone)
			} else {
				book = append(book, people.Stranger(w.Rand))
			}
		}
		w.Call("friend", stage.F("contacts", strings.Join(book, ",")))
	}
	for _, do := range []string{"like", "comment", "vote"} {
		if w.Has(do) && w.Rand.IntN(3) == 0 {
			w.Call(do, stage.F("target", id, "activity", p.acts[w.App][1], "text", one(w, "不错", "学到了", "哈哈哈", "好看", "在哪里？")))
			w.Pause(glance)
		}
	}
}

func one[T any](w *walk.Walker, of ...T) T { return of[w.Rand.IntN(len(of))] }
