package crowd

import (
	"fmt"
	"strings"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

const glance = 9 * time.Second

// browse looks around: list, detail, search, list.
func browse(a *stage.Actor, steps int) {
	a.Call("config", nil)
	a.Think(2 * time.Second)
	ids := a.Call("list", stage.F("page", "1", "size", "20")).IDs
	for i := range steps {
		a.Think(glance)
		switch n := a.Rand.IntN(10); {
		case n < 6 && len(ids) > 0:
			id := ids[a.Rand.IntN(len(ids))]
			a.Call("detail", stage.F("id", id))
			if a.Rand.IntN(40) == 0 { // a link with a typing mistake in it
				a.Think(glance)
				a.Call("detail", stage.F("id", id+"a"))
			}
		case n < 7 && a.App.Has("search"):
			name := a.App.Stock[a.Rand.IntN(len(a.App.Stock))].Name
			a.Call("search", stage.F("q", strings.TrimRight(name, "0123456789号"), "page", "1", "from", "PEK", "date", a.Now().Format("2006-01-02")))
		case n < 9:
			if more := a.Call("list", stage.F("page", fmt.Sprint(i+2), "size", "20")).IDs; len(more) > 0 {
				ids = more
			}
		default:
			if a.App.Has("profile_card") {
				other := a.App.Accounts()[a.Rand.IntN(len(a.App.Accounts()))]
				a.Call("profile_card", stage.F("id", fmt.Sprint(other.UID)))
				break
			}
			for _, notice := range []string{"winners", "suppliers", "notice"} {
				if a.App.Has(notice) {
					a.Call(notice, stage.F("activityId", "20220618"))
					break
				}
			}
		}
	}
}

// signIn signs an account in the way people do: sometimes by code, sometimes
// with a mistake or two, now and then by a new password.
func signIn(a *stage.Actor, acc *scene.Account) bool {
	phone := acc.Person.Phone
	if a.App.Has("login_code") && a.Rand.IntN(3) == 0 {
		return byCode(a, phone)
	}
	name := a.App.LoginName(acc.Person)
	for a.Rand.IntN(9) == 0 { // a slip of the finger, corrected at once
		a.Call("login", stage.F("account", name, "password", people.Slip(a.Rand, acc.Password)))
		a.Think(7 * time.Second)
	}
	if a.Call("login", stage.F("account", name, "password", acc.Password)).OK {
		return true
	}
	a.Think(20 * time.Second)
	if a.App.Has("reset") {
		code, ok := sendCode(a, phone, "reset")
		if !ok {
			return false
		}
		a.Call("reset", stage.F("phone", phone, "code", code, "password", scene.Strong(acc.Person)))
		a.Think(5 * time.Second)
		return a.Call("login", stage.F("account", name, "password", acc.Password)).OK
	}
	return byCode(a, phone)
}

// sendCode asks for a code and reads it on the phone, asking again when it does
// not come.
func sendCode(a *stage.Actor, phone, scene string) (string, bool) {
	if !a.App.Has("send_code") {
		return "", false
	}
	ask := stage.F("phone", phone, "scene", scene, "type", scene, "purpose", scene, "busiType", "02", "model", "E7", "cid", "86")
	ans := a.Call("send_code", ask)
	if a.Rand.IntN(12) == 0 {
		a.Wait(65 * time.Second)
		ans = a.Call("send_code", ask)
	}
	if len(ans.IDs) == 0 {
		return "", false
	}
	a.Wait(time.Duration(8+a.Rand.IntN(25)) * time.Second)
	return ans.IDs[0], true
}

func byCode(a *stage.Actor, phone string) bool {
	code, ok := sendCode(a, phone, "login")
	if !ok {
		return false
	}
	if a.Rand.IntN(15) == 0 { // two digits swapped
		a.Call("login_code", stage.F("phone", phone, "code", code[1:2]+code[:1]+code[2:]))
		a.Think(9 * time.Second)
	}
	return a.Call("login_code", stage.F("phone", phone, "code", code)).OK
}

// join registers.
func join(a *stage.Actor, p people.Person) {
	browse(a, 1+a.Rand.IntN(3))
	a.Think(glance)
	if a.App.Has("check") {
		a.Call("check", stage.F("phone", p.Phone, "channel", "h5", "step", "1"))
		a.Think(3 * time.Second)
	}
	code := ""
	if !a.App.FreeEntry {
		var ok bool
		if code, ok = sendCode(a, p.Phone, "register"); !ok {
			return
		}
	}
	pw := p.Password
	if !a.Call("register", stage.F("phone", p.Phone, "code", code, "password", pw, "nickname", p.Nick)).OK {
		a.Think(15 * time.Second)
		pw = scene.Strong(p)
		if !a.Call("register", stage.F("phone", p.Phone, "code", code, "password", pw, "nickname", p.Nick)).OK {
			return
		}
	}
	a.Think(glance)
	a.Call("profile", nil)
	shop(a)
}

// member is the visit of somebody with an account.
func member(a *stage.Actor, acc *scene.Account) {
	if a.Rand.IntN(2) == 0 {
		browse(a, 1+a.Rand.IntN(3))
		a.Think(glance)
	}
	if a.App.Has("parking") && a.Rand.IntN(2) == 0 { // the fee needs no account
		a.Call("parking", stage.F("plate", acc.Person.Plate, "lotId", "3"))
		a.Think(glance)
	}
	if a.App.Has("progress") && a.Rand.IntN(3) == 0 {
		a.Call("progress", stage.F("idno", acc.Person.ID, "type", "01"))
		a.Think(glance)
	}
	if a.App.Has("check") && a.App.Industry == "finance" && a.Rand.IntN(2) == 0 { // the form asks for the number first
		a.Call("check", stage.F("phone", acc.Person.Phone, "channel", "app"))
		a.Think(4 * time.Second)
	}
	if !signIn(a, acc) {
		return
	}
	a.Think(2 * time.Second)
	a.Call("profile", nil)
	shop(a)
	if a.Rand.IntN(4) == 0 {
		a.Think(glance)
		a.Call("logout", nil)
	}
}

// shop is what signed-in people do with the business.
func shop(a *stage.Actor) {
	for range 1 + a.Rand.IntN(4) {
		a.Think(glance)
		it := a.App.Stock[a.Rand.IntN(len(a.App.Stock))]
		id := fmt.Sprint(it.ID)
		switch a.Rand.IntN(6) {
		case 0:
			own := a.Call("orders", stage.F("page", "1", "size", "10")).IDs
			for range min(len(own), 1+a.Rand.IntN(2)) {
				a.Think(glance)
				a.Call("order", stage.F("id", own[a.Rand.IntN(len(own))]))
			}
		case 1, 2:
			a.Call("list", stage.F("page", "1", "size", "20"))
			a.Think(glance)
			a.Call("detail", stage.F("id", id))
		case 3:
			if !a.App.Has("create") {
				continue
			}
			a.Call("detail", stage.F("id", id))
			a.Think(glance)
			made := a.Call("create", stage.F("item", id, "count", "1", "amount", "20000", "term", "12", "city", "北京", "remark", "无", "quantity", "2", "addressId", "1", "travellers", "2"))
			if len(made.IDs) > 0 && a.App.Has("pay") && a.Rand.IntN(5) > 0 {
				a.Think(12 * time.Second)
				a.Call("pay", stage.F("order", made.IDs[0], "amount", "100", "channel", "wxpay", "method", "wxpay"))
				if a.Rand.IntN(30) == 0 { // pressed twice
					a.Wait(400 * time.Millisecond)
					a.Call("pay", stage.F("order", made.IDs[0], "amount", "100", "channel", "wxpay", "method", "wxpay"))
				}
			}
		case 4:
			for _, do := range []string{"like", "comment", "follow", "claim"} {
				if a.App.Has(do) && a.Rand.IntN(2) == 0 {
					a.Call(do, stage.F("id", id, "action", "1", "text", "不错", "source", "feed", "shareCode", "", "vin", ""))
					a.Think(glance)
				}
			}
		case 5:
			if a.App.Has("profile_card") {
				other := a.App.Accounts()[a.Rand.IntN(len(a.App.Accounts()))]
				a.Call("profile_card", stage.F("id", fmt.Sprint(other.UID)))
			}
		}
	}
}
