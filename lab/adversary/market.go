package adversary

import (
	"fmt"
	"math/rand/v2"
	"time"

	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// market is who lives on promotions: their gangs are not of the year, whose
// bytes stay what they are, and join on demand.
func market() []gang {
	return []gang{
		{id: "coupon-hunters", tool: with(tool(cloudPhone, h("X-Requested-With", "XMLHttpRequest")), "deviceToken"), agent: []string{"okhttp/4.9.1"}, infra: proxies(networkA...), ops: []op{
			{kind: "promotion_abuse", apps: []string{"yuancang", "chebao"}, waves: peak(2, 3), size: [2]int{70, 150}, span: [2]time.Duration{50 * minute, 3 * hour}, script: hunting},
		}},
		{id: "drop-grabbers", tool: with(tool(goHTTP, h("X-App-Version", "2.8.1")), "nonce"), agent: []string{iphone}, infra: block(248, 188, 24), ops: []op{
			{kind: "scalping", apps: []string{"taohui", "lvxing"}, waves: peak(1, 3), size: [2]int{60, 140}, span: [2]time.Duration{8 * minute, 15 * minute}, script: grabbing},
		}},
		{id: "card-testers", tool: with(tool(pythonRequests, h("X-Requested-With", "XMLHttpRequest")), "traceId"), agent: []string{chrome99}, infra: block(249, 77, 12), ops: []op{
			{kind: "carding", apps: []string{"taohui", "lvxing"}, waves: peak(1, 2), size: [2]int{90, 220}, span: [2]time.Duration{20 * minute, 2 * hour}, script: carding},
		}},
	}
}

// Promote lets the gangs of promotions join; some try cards where an application
// takes them.
func (u *Underworld) Promote() {
	for i, g := range market() {
		r := rand.New(rand.NewPCG(u.seed^0x6d61726b6574, uint64(i)))
		u.gangs = append(u.gangs, g)
		u.tools = append(u.tools, g.tool(r))
		u.infra = append(u.infra, g.infra(r))
	}
}

// army gives n accounts that a gang holds: those nobody else uses much.
func (w *raid) army(n int) []*scene.Account {
	all := w.app.Accounts()
	half := all[len(all)/2:]
	order := w.rng.Perm(len(half))
	out := make([]*scene.Account, 0, n)
	for i := range n {
		out = append(out, half[order[i%len(order)]])
	}
	return out
}

// as signs an account in; beside the attack, whose requests come after.
func as(a *stage.Actor, acc *scene.Account) bool {
	hostile := a.Label
	a.Label = stage.Label{Actor: hostile.Actor, Campaign: hostile.Campaign}
	a.Call("login", stage.F("account", a.App.LoginName(acc.Person), "password", acc.Password))
	a.Label = hostile
	return a.Session != nil
}

// hunting takes a coupon with one account after the other, by the clock.
func hunting(w *raid) {
	activity := fmt.Sprint(w.app.Stock[w.rng.IntN(10)].ID)
	step := w.span / time.Duration(max(w.size, 1))
	for i, acc := range w.army(w.size) {
		w.enter(step*time.Duration(i), func(a *stage.Actor) {
			if !as(a, acc) {
				return
			}
			a.Wait(2100 * time.Millisecond)
			a.Call("claim", stage.F("id", activity, "shareCode", "", "vin", ""))
			a.Wait(1400 * time.Millisecond)
			a.Call("claim", stage.F("id", activity, "shareCode", "S2", "vin", ""))
		})
	}
}

// grabbing waits, signed in, for the second in which something goes on sale.
func grabbing(w *raid) {
	item := fmt.Sprint(w.app.Stock[w.rng.IntN(20)].ID)
	const tries = 4
	opens := w.start.Add(w.span).Truncate(time.Minute)
	for i, acc := range w.army(w.size / tries) {
		w.enter(time.Duration(float64(w.span)*.7*float64(i*tries)/float64(w.size)), func(a *stage.Actor) {
			if !as(a, acc) {
				return
			}
			a.Wait(opens.Sub(a.Now()) + time.Duration(20+a.Rand.IntN(120))*time.Millisecond)
			for range tries {
				a.Call("create", stage.F("item", item, "count", "1", "addressId", "1", "travellers", "1"))
				a.Wait(time.Duration(90+a.Rand.IntN(120)) * time.Millisecond)
			}
		})
	}
}

// carding tries stolen cards on orders of little worth, a dozen from an account;
// most are out of date by then.
func carding(w *raid) {
	const per, fresh = 12, .15
	n := (w.size + per - 1) / per
	for i, acc := range w.army(n) {
		w.enter(w.span*time.Duration(i)/time.Duration(n), func(a *stage.Actor) {
			if !as(a, acc) {
				return
			}
			made := a.Call("create", stage.F("item", fmt.Sprint(a.App.Stock[a.Rand.IntN(10)].ID), "count", "1", "addressId", "1", "travellers", "1"))
			if len(made.IDs) == 0 {
				return
			}
			for range per {
				a.Wait(w.gap(a, w.size))
				card := w.town.Person(5_000 + a.Rand.IntN(15_000)).Card
				expiry, cvv := scene.CardOf(card)
				if a.Rand.Float64() > fresh {
					expiry = fmt.Sprintf("%02d%02d", 1+a.Rand.IntN(12), 20+a.Rand.IntN(5))
				}
				a.Call("pay_card", stage.F("order", made.IDs[0], "card", card, "expiry", expiry, "cvv", cvv, "amount", fmt.Sprint(1+a.Rand.IntN(5))))
			}
		})
	}
}
