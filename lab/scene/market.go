package scene

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"xiezhi/lab/people"
)

// business is what applications of the arena remember beside accounts and
// orders. Every map is bounded by MaxKept: what finds no room is refused.
type business struct {
	puzzles map[string]string   // captcha id → text
	done    map[string]bool     // account did something once
	tally   map[string]int      // counts of objects, coupons left
	opens   map[int64]time.Time // items that go on sale at a moment
	codes   map[string]*Account // invitation codes
	down    [][2]time.Time      // sign-in is out of order
	mute    [][2]time.Time      // codes do not arrive
	guarded map[string]bool     // operations behind a picture puzzle
	key     string              // of the partner
	lots    []string            // car parks
}

func hash(parts ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, parts...)
	return h.Sum64()
}

func within(spans [][2]time.Time, now time.Time) bool {
	for _, s := range spans {
		if !now.Before(s[0]) && now.Before(s[1]) {
			return true
		}
	}
	return false
}

// Break puts sign-in out of order for a span.
func (a *App) Break(from, until time.Time) {
	a.biz.down = append(a.biz.down, [2]time.Time{from, until})
}

// Mute keeps codes from arriving for a span.
func (a *App) Mute(from, until time.Time) { a.biz.mute = append(a.biz.mute, [2]time.Time{from, until}) }

// Offer puts an item on sale at a moment, so many pieces.
func (a *App) Offer(it Item, at time.Time, pieces int) {
	a.biz.opens[it.ID] = at
	a.biz.tally[fmt.Sprint("stock:", it.ID)] = pieces
}

// Guarded reports whether an operation asks for a picture puzzle.
func (a *App) Guarded(op string) bool { return a.biz.guarded[op] }

// PartnerKey is the contract credential for bulk reads.
func (a *App) PartnerKey() string { return a.biz.key }

// once notes that something was done and reports whether it was new.
func (a *App) once(key string) bool {
	if a.biz.done[key] || len(a.biz.done) >= MaxKept {
		return false
	}
	a.biz.done[key] = true
	return true
}

// homepage is what a browser opens first.
func homepage(c *Call) Answer {
	a := c.App
	return Answer{Status: 200, Type: "text/html; charset=utf-8", OK: true, Body: fmt.Appendf(nil, `<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>%s</title><link rel="stylesheet" href="%s"></head><body><div id="app"></div><script src="%s"></script></body></html>`,
		a.Title, a.Assets[1], a.Assets[0])}
}

func asset(c *Call) Answer {
	name := c.Fields.Get("id")
	switch {
	case strings.HasSuffix(name, ".css"):
		return Answer{Status: 200, Type: "text/css", OK: true, Body: []byte("body{margin:0}.hd{height:44px}")}
	case strings.HasSuffix(name, ".png"):
		return Answer{Status: 200, Type: "image/png", OK: true, Body: []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")}
	case strings.HasSuffix(name, ".js"):
		return Answer{Status: 200, Type: "application/javascript", OK: true, Body: []byte("!function(){window.__app__={ready:!0}}();")}
	}
	return Answer{Status: 404, Type: "text/html", Body: []byte("<html><body><h1>404 Not Found</h1></body></html>")}
}

func track(c *Call) Answer { return Answer{Status: 204, OK: true} }

// puzzle gives a picture to read.
func puzzle(c *Call) Answer {
	a := c.App
	if len(a.biz.puzzles) >= 4096 {
		clear(a.biz.puzzles) // the oldest are long expired
	}
	id, text := fmt.Sprintf("%016x", a.rng.Uint64()), fmt.Sprintf("%04d", a.rng.IntN(10_000))
	a.biz.puzzles[id] = text
	var noise [24]byte
	for i := range noise {
		noise[i] = byte(a.rng.IntN(256))
	}
	ans := a.Style.ok(a, Obj("captchaId", id, "image", "data:image/png;base64,iVBORw0KGgo"+base64.StdEncoding.EncodeToString(noise[:])))
	ans.IDs = []string{id, text}
	return ans
}

// solved checks and uses up a puzzle.
func (a *App) solved(c *Call) bool {
	id := c.Fields.Get("captcha_id")
	want, ok := a.biz.puzzles[id]
	delete(a.biz.puzzles, id)
	return ok && want == c.Fields.Get("captcha")
}

// claim gives an account one coupon of an activity while there are any.
func claim(c *Call) Answer {
	a, act := c.App, c.Fields.Get("activity")
	left := "coupons:" + act
	if _, ok := a.biz.tally[left]; !ok {
		if len(a.biz.tally) >= MaxKept {
			return a.Style.fail(a, 200, 50010, "优惠券已领完")
		}
		a.biz.tally[left] = 4000
	}
	if a.biz.tally[left] <= 0 {
		return a.Style.fail(a, 200, 50010, "优惠券已领完")
	}
	if !a.once(fmt.Sprint("claim:", act, c.user.UID)) {
		return a.Style.fail(a, 200, 50011, "您已领取过")
	}
	a.biz.tally[left]--
	ans := a.Style.ok(a, Obj("couponId", fmt.Sprintf("Q%d%04d", c.user.UID, a.biz.tally[left]), "amount", 5+len(act)%3*10, "expireAt", a.clock(c.Now.AddDate(0, 0, 7))))
	ans.Gained = 1
	return ans
}

// InviteCode is what an account hands to friends.
func (a *App) InviteCode(acc *Account) string {
	code := strings.ToUpper(strconv.FormatInt(acc.UID*7919%60_466_176, 36))
	if len(a.biz.codes) < MaxKept {
		a.biz.codes[code] = acc
	}
	return code
}

func inviting(c *Call) Answer {
	a := c.App
	by := a.biz.codes[c.Fields.Get("invite")]
	switch {
	case by == nil || by == c.user:
		return a.Style.fail(a, 200, 50020, "邀请码无效")
	case !a.once(fmt.Sprint("invited:", c.user.UID)):
		return a.Style.fail(a, 200, 50021, "已绑定邀请人")
	}
	ans := a.Style.ok(a, Obj("points", 100, "nickname", by.Person.Nick))
	ans.Gained = 1
	return ans
}

func checkin(c *Call) Answer {
	a := c.App
	if !a.once(fmt.Sprint("checkin:", c.user.UID, c.Now.In(a.Location()).YearDay())) {
		return a.Style.fail(a, 200, 50030, "今日已签到")
	}
	ans := a.Style.ok(a, Obj("points", 10+int(c.user.UID%5), "count", 1+int(c.Now.Unix()/86400%30)))
	ans.Gained = 1
	return ans
}

// grab orders something that goes on sale at a moment.
func grab(c *Call) Answer {
	a := c.App
	id, _ := strconv.ParseInt(c.Fields.Get("item"), 10, 64)
	it, ok := a.byItem[id]
	opens, timed := a.biz.opens[id]
	stock := fmt.Sprint("stock:", id)
	switch {
	case !ok:
		return a.Style.fail(a, 404, 40400, "内容不存在")
	case timed && c.Now.Before(opens):
		return a.Style.fail(a, 200, 50040, "活动未开始")
	case timed && a.biz.tally[stock] <= 0:
		return a.Style.fail(a, 200, 50041, "已售罄")
	case timed && !a.once(fmt.Sprint("grab:", id, ":", c.user.UID)):
		return a.Style.fail(a, 200, 50042, "每人限购一件")
	}
	a.biz.tally[stock]--
	o := a.newOrder(c.user, it, c.Now)
	ans := a.Style.ok(a, Obj("orderId", o.id, "amount", it.Price, "expireAt", a.clock(c.Now.Add(15*time.Minute))))
	ans.IDs = []string{strconv.FormatInt(o.id, 10)}
	ans.Gained = 1
	return ans
}

// drop tells when an item goes on sale.
func drop(c *Call) Answer {
	a := c.App
	id, _ := strconv.ParseInt(c.Fields.Get("item"), 10, 64)
	it, ok := a.byItem[id]
	if !ok {
		return a.Style.fail(a, 404, 40400, "内容不存在")
	}
	at, timed := a.biz.opens[id]
	if !timed {
		at = c.Now.Add(-24 * time.Hour)
	}
	return a.Style.ok(a, a.item(it).With("openAt", a.clock(at), "stock", max(0, a.biz.tally[fmt.Sprint("stock:", id)])))
}

func cancel(c *Call) Answer {
	a := c.App
	id, _ := strconv.ParseInt(c.Fields.Get("order"), 10, 64)
	o := a.orders[id]
	if o == nil || o.owner != c.user || o.paid {
		return a.Style.fail(a, 404, 40402, "订单不存在")
	}
	a.biz.tally[fmt.Sprint("stock:", o.item.ID)]++
	return a.Style.ok(a, Obj("orderId", o.id, "status", "CANCELLED"))
}

// CardOf is what stands on a person's card beside its number.
func CardOf(card string) (expiry, cvv string) {
	h := hash("card", card)
	return fmt.Sprintf("%02d%02d", 1+h%12, 25+h/12%5), fmt.Sprintf("%03d", h/97%1000)
}

// Alive reports whether a card's issuer would take it.
func Alive(card string) bool { return hash("alive", card)%100 < 82 }

// TakeCards lets an application be paid by card as well. Those of the lab's year
// are not, whose bytes stay what they are.
func (a *App) TakeCards(path string) {
	a.APIs = append(a.APIs, api("pay_card", "POST", path, InJSON, "order:orderId card:cardNo expiry:expireDate cvv:cvv2 amount", false, payCard))
}

// payCard pays an order, or ties a card, with what stands on it.
func payCard(c *Call) Answer {
	a, card := c.App, c.Fields.Get("card")
	exp, cvv := CardOf(card)
	switch {
	case len(card) != 16 || exp != c.Fields.Get("expiry") || cvv != c.Fields.Get("cvv"):
		return a.Style.fail(a, 402, 50050, "银行卡信息有误")
	case !Alive(card):
		return a.Style.fail(a, 402, 50051, "发卡行拒绝交易")
	case a.rng.IntN(25) == 0:
		return a.Style.fail(a, 402, 50052, "余额不足")
	}
	id, _ := strconv.ParseInt(c.Fields.Get("order"), 10, 64)
	if o := a.orders[id]; o != nil && o.owner == c.user {
		o.paid = true
	}
	ans := a.Style.ok(a, Obj("orderId", id, "status", "PAID", "channel", "bankcard", "payTime", a.clock(c.Now)))
	ans.Gained = 1
	return ans
}

// touch is a view, a like, a follow, a vote, a comment.
func touch(c *Call) Answer {
	a, op, id := c.App, c.API.Name, c.Fields.Get("target")
	if slow(c) {
		return a.Style.blocked(a)
	}
	who := "guest"
	if c.user != nil {
		who = fmt.Sprint(c.user.UID)
	}
	if op != "view" && op != "comment" && !a.once(op+":"+who+":"+id) {
		return a.Style.fail(a, 200, 50060, "已点过")
	}
	key := op + ":" + id
	if _, ok := a.biz.tally[key]; !ok {
		if len(a.biz.tally) >= MaxKept {
			return a.Style.ok(a, Obj("count", 1))
		}
		a.biz.tally[key] = int(hash(a.seed, key) % 400)
	}
	a.biz.tally[key]++
	ans := a.Style.ok(a, Obj("count", a.biz.tally[key]))
	ans.Gained = 1
	return ans
}

// fee tells what a plate owes at one operator's car parks, if it stands there.
func fee(c *Call) Answer {
	a, plate := c.App, c.Fields.Get("plate")
	if slow(c) {
		return a.Style.blocked(a)
	}
	acc := a.byPlate[plate]
	since, lot, in := a.Parked(plate, c.Now)
	if acc == nil || !in {
		return a.Style.fail(a, 404, 40404, "未查询到该车辆的在场记录")
	}
	data := Obj("plateNo", plate, "parkName", lot, "enterTime", a.clock(since), "amount", 5+int(c.Now.Sub(since)/time.Hour)*5)
	if a.flaws[OpenPlates] {
		data = data.With("realName", acc.Person.Name, "mobile", people.MaskPhone(acc.Person.Phone))
	}
	ans := a.Style.ok(a, data)
	ans.IDs = []string{lot}
	ans.Gained = 1
	return ans
}

// Parked tells since when and where a plate stands.
func (a *App) Parked(plate string, now time.Time) (since time.Time, lot string, in bool) {
	local := now.In(a.Location())
	h := hash(a.seed, plate, local.YearDay())
	from := 7 + int(h%9)
	if h>>8%10 >= 6 || local.Hour() < from || local.Hour() >= from+2+int(h>>16%8) {
		return time.Time{}, "", false
	}
	day := time.Date(local.Year(), local.Month(), local.Day(), from, int(h>>24%60), 0, 0, local.Location())
	return day, a.biz.lots[h>>32%uint64(len(a.biz.lots))], !day.After(local)
}

// friend finds a member by phone, as contact books do.
func friend(c *Call) Answer {
	a := c.App
	var found []*Account
	for _, n := range strings.Split(c.Fields.Get("contacts"), ",") {
		if acc := a.byLogin[n]; acc != nil && !acc.Staff {
			found = append(found, acc)
		}
	}
	ans := a.Style.ok(a, Obj("total", len(found), "list", List(found, func(acc *Account) JSON {
		return Obj("userId", acc.UID, "nickname", acc.Person.Nick, "mobile", acc.Person.Phone, "city", acc.Person.City)
	})))
	ans.Gained = len(found)
	return ans
}

// contact gives the number of an offer's owner.
func contact(c *Call) Answer {
	a := c.App
	if slow(c) {
		return a.Style.blocked(a)
	}
	id, _ := strconv.ParseInt(c.Fields.Get("id"), 10, 64)
	if _, ok := a.byItem[id]; !ok {
		return a.Style.fail(a, 404, 40400, "内容不存在")
	}
	p := a.people[id%int64(len(a.people))].Person
	ans := a.Style.ok(a, Obj("realName", p.Name, "mobile", p.Phone))
	ans.Gained = 1
	return ans
}

// bulk is the partner's read under contract.
func bulk(c *Call) Answer {
	a := c.App
	if c.Fields.Get("key") != a.biz.key {
		return a.Style.fail(a, 401, 40110, "签名错误")
	}
	n, _ := strconv.Atoi(c.Fields.Get("page"))
	from := min(max(n-1, 0)*20, len(a.people))
	to := min(from+20, len(a.people))
	ans := a.Style.ok(a, Obj("total", len(a.people), "list", List(a.people[from:to], func(acc *Account) JSON {
		return Obj("userId", acc.UID, "mobile", acc.Person.Phone, "status", "ACTIVE", "createTime", a.clock(c.Now.AddDate(0, -2, 0)))
	})))
	if to < len(a.people) {
		ans.IDs = []string{"more"}
	}
	return ans
}

// customer is what the call centre looks up.
func customer(c *Call) Answer {
	a := c.App
	if !c.user.Staff {
		return a.Style.fail(a, 403, 40301, "无权限")
	}
	acc := a.byLogin[c.Fields.Get("phone")]
	if acc == nil {
		return a.Style.fail(a, 404, 40401, "用户不存在")
	}
	p := acc.Person
	ans := a.Style.ok(a, Obj("userId", acc.UID, "realName", p.Name, "mobile", p.Phone, "certNo", p.ID, "address", p.Address, "count", len(acc.Orders)))
	ans.Gained = 1
	return ans
}
