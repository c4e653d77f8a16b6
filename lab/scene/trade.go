package scene

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"xiezhi/lab/people"
)

const layout = "2006-01-02 15:04:05"

func (a *App) clock(t time.Time) string { return t.In(a.Location()).Format(layout) }

// slow reports whether a control refuses a read of this address.
func slow(c *Call) bool {
	return c.App.over("read:"+c.From.String(), c.Now, time.Minute, c.App.limits.reads)
}

func config(c *Call) Answer {
	return c.App.Style.ok(c.App, Obj("version", "3.8.2", "title", c.App.Title, "banner", []string{"/static/b1.png", "/static/b2.png"}, "serverTime", c.Now.UnixMilli()))
}

func page(c *Call, total int) (from, to int) {
	n, _ := strconv.Atoi(c.Fields.Get("page"))
	size, _ := strconv.Atoi(c.Fields.Get("size"))
	n = max(n, 1)
	limit := 50
	if c.App.flaws[LongLists] {
		limit = 1000
	}
	if size <= 0 || size > limit {
		size = min(20, limit)
	}
	from = min((n-1)*size, total)
	return from, min(from+size, total)
}

func (a *App) item(it Item) JSON {
	return Obj("id", it.ID, "title", it.Name, "price", it.Price, "sold", int(it.ID*7%900))
}

func list(c *Call) Answer {
	if slow(c) {
		return c.App.Style.blocked(c.App)
	}
	return c.App.listing(c, c.App.Stock)
}

func (a *App) listing(c *Call, stock []Item) Answer {
	from, to := page(c, len(stock))
	ans := a.Style.ok(a, Obj("total", len(stock), "list", List(stock[from:to], a.item)))
	for _, it := range stock[from:to] {
		ans.IDs = append(ans.IDs, strconv.FormatInt(it.ID, 10))
	}
	return ans
}

func search(c *Call) Answer {
	var hits []Item
	for _, it := range c.App.Stock {
		if strings.Contains(it.Name, c.Fields.Get("q")) {
			hits = append(hits, it)
		}
	}
	return c.App.listing(c, hits)
}

func detail(c *Call) Answer {
	a, id := c.App, c.Fields.Get("id")
	if slow(c) {
		return a.Style.blocked(a)
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		if a.flaws[StackTraces] {
			return Answer{Status: 500, Type: jsonType, Body: Obj("timestamp", a.clock(c.Now), "status", 500, "error", "Internal Server Error", "trace",
				"java.lang.NumberFormatException: For input string: \""+id+"\"\n\tat java.base/java.lang.Long.parseLong(Long.java:692)\n\tat com."+a.Name+".web.ItemController.detail(ItemController.java:87)\n\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:897)\n",
				"path", strings.Replace(c.API.Path, "{id}", id, 1))}
		}
		return a.Style.fail(a, 400, 40000, "参数错误")
	}
	if it, ok := a.byItem[n]; ok {
		return a.Style.ok(a, a.item(it).With("desc", it.Name+" "+a.Word+"详情，支持七天无理由。", "tags", []string{"热门", "推荐"}))
	}
	return a.Style.fail(a, 404, 40400, "内容不存在")
}

func orders(c *Call) Answer {
	a, own := c.App, c.user.Orders
	from, to := page(c, len(own))
	ans := a.Style.ok(a, Obj("total", len(own), "list", List(own[from:to], func(id int64) JSON {
		o := a.orders[id]
		if o == nil {
			return Obj("orderId", id)
		}
		return Obj("orderId", o.id, "title", o.item.Name, "amount", o.item.Price, "status", o.status(), "createTime", a.clock(o.at))
	})))
	for _, id := range own[from:to] {
		ans.IDs = append(ans.IDs, strconv.FormatInt(id, 10))
	}
	return ans
}

func (o *order) status() string {
	if o.paid {
		return "PAID"
	}
	return "CREATED"
}

func orderDetail(c *Call) Answer {
	a := c.App
	if slow(c) {
		return a.Style.blocked(a)
	}
	id, _ := strconv.ParseInt(c.Fields.Get("id"), 10, 64)
	o := a.orders[id]
	if o == nil || o.owner != c.user && !a.flaws[ForeignOrders] {
		return a.Style.fail(a, 404, 40402, "订单不存在")
	}
	p := o.owner.Person
	ans := a.Style.ok(a, Obj("orderId", o.id, "userId", o.owner.UID, "title", o.item.Name, "amount", o.item.Price, "status", o.status(),
		"receiver", p.Name, "mobile", p.Phone, "address", p.Address, "createTime", a.clock(o.at)))
	ans.Gained = gain(o.owner, c)
	return ans
}

func (a *App) newOrder(acc *Account, it Item, at time.Time) *order {
	o := &order{id: a.order, owner: acc, item: it, at: at}
	a.order += 1 + int64(a.rng.IntN(2))
	if len(a.orders) < MaxKept {
		a.orders[o.id] = o
		acc.Orders = append([]int64{o.id}, acc.Orders...)
		if len(acc.Orders) > 60 {
			acc.Orders = acc.Orders[:60]
		}
	}
	return o
}

func create(c *Call) Answer {
	a := c.App
	id, _ := strconv.ParseInt(c.Fields.Get("item"), 10, 64)
	if it, ok := a.byItem[id]; ok {
		o := a.newOrder(c.user, it, c.Now)
		ans := a.Style.ok(a, Obj("orderId", o.id, "amount", it.Price, "expireAt", a.clock(c.Now.Add(15*time.Minute))))
		ans.IDs = []string{strconv.FormatInt(o.id, 10)}
		return ans
	}
	return a.Style.fail(a, 404, 40400, "内容不存在")
}

func pay(c *Call) Answer {
	a := c.App
	id, _ := strconv.ParseInt(c.Fields.Get("order"), 10, 64)
	o := a.orders[id]
	if o == nil || o.owner != c.user {
		return a.Style.fail(a, 404, 40402, "订单不存在")
	}
	o.paid = true
	return a.Style.ok(a, Obj("orderId", o.id, "status", "PAID", "channel", "wxpay", "payTime", a.clock(c.Now)))
}

// act is a like, a follow, a view, a claim: something done to an object.
func act(c *Call) Answer {
	if slow(c) {
		return c.App.Style.blocked(c.App)
	}
	return c.App.Style.ok(c.App, Obj("done", true, "count", int(c.Now.Unix()%977)))
}

// progress tells how an application for a card stands.
func progress(c *Call) Answer {
	a, id := c.App, c.Fields.Get("idno")
	if slow(c) {
		return a.Style.blocked(a)
	}
	if c.user == nil && !a.flaws[OpenProgress] {
		return a.Style.unauthorised(a)
	}
	if acc := a.byID[id]; acc != nil && (a.flaws[OpenProgress] || acc == c.user) {
		p := acc.Person
		ans := a.Style.ok(a, Obj("name", p.Name, "certNo", p.ID, "mobile", p.Phone, "cardType", "标准白金卡", "applyDate", a.clock(c.Now.AddDate(0, 0, -3)), "status", "审批中"))
		ans.Gained = gain(acc, c)
		return ans
	}
	return a.Style.fail(a, 404, 40403, "未查询到申请记录")
}

// parking tells what a plate owes, and with the flaw where it stands.
func parking(c *Call) Answer {
	a, plate := c.App, c.Fields.Get("plate")
	if slow(c) {
		return a.Style.blocked(a)
	}
	if c.user == nil && !a.flaws[OpenPlates] {
		return a.Style.unauthorised(a)
	}
	if acc := a.byPlate[plate]; acc != nil {
		p := acc.Person
		ans := a.Style.ok(a, Obj("plateNo", plate, "ownerName", p.Name, "ownerPhone", p.Phone, "parkName", p.City+"国际中心B2停车场", "enterTime", a.clock(c.Now.Add(-97*time.Minute)), "fee", 15))
		ans.Gained = gain(acc, c)
		return ans
	}
	return a.Style.fail(a, 404, 40404, "未查询到该车辆的在场记录")
}

func winners(c *Call) Answer {
	a := c.App
	n := min(30, len(a.people))
	return a.Style.ok(a, Obj("activity", "周年庆抽奖", "list", List(a.people[:n], func(acc *Account) JSON {
		p := acc.Person
		j := Obj("nickname", p.Nick, "city", p.City, "phoneMask", people.MaskPhone(p.Phone), "prize", "蓝牙耳机")
		if a.flaws[PlainWinners] {
			j = j.With("realName", p.Name, "phone", p.Phone, "address", p.Address)
		}
		return j
	})))
}

func suppliers(c *Call) Answer {
	a := c.App
	if slow(c) {
		return a.Style.blocked(a)
	}
	from, to := 0, min(len(a.people), 120)
	if c.Fields.Get("page") != "" {
		from, to = page(c, len(a.people))
	}
	return a.Style.ok(a, Obj("total", len(a.people), "rows", List(a.people[from:to], func(acc *Account) JSON {
		p := acc.Person
		j := Obj("company", p.City+p.Name[:3]+"氏汽配有限公司", "licence", "/img/"+strconv.FormatInt(acc.UID, 10)+".png", "grade", "A")
		if a.flaws[PlainSuppliers] {
			j = j.With("legalPerson", p.Name, "legalIdCard", p.ID, "legalMobile", p.Phone, "emergencyContact", people.MaskName(p.Name))
		}
		return j
	})))
}

// members is the list of a back office.
func members(c *Call) Answer {
	a := c.App
	if c.user == nil || !c.user.Staff {
		return a.Style.fail(a, 403, 40301, "无权限")
	}
	from, to := page(c, len(a.people))
	ans := a.Style.ok(a, Obj("total", len(a.people), "rows", List(a.people[from:to], func(acc *Account) JSON {
		p := acc.Person
		return Obj("userId", acc.UID, "name", p.Name, "mobile", p.Phone, "idCard", p.ID)
	})))
	ans.Gained = to - from
	return ans
}

func health(c *Call) Answer {
	return Answer{Status: 200, Type: "application/json", OK: true, Body: Obj("status", "UP")}
}

func actuatorEnv(c *Call) Answer {
	a := c.App
	return Answer{Status: 200, Type: "application/vnd.spring-boot.actuator.v3+json", OK: true, Body: Obj("activeProfiles", []string{"prod"}, "propertySources",
		List([]string{"systemProperties", "applicationConfig: [classpath:/application-prod.yml]"}, func(n string) JSON {
			return Obj("name", n, "properties", Obj("spring.datasource.url", Obj("value", "jdbc:mysql://10.20.3.11:3306/"+a.Name), "spring.datasource.password", Obj("value", "******")))
		}))}
}

func apiDocs(c *Call) Answer {
	a := c.App
	paths := JSON{'{'}
	for i, p := range a.APIs {
		if i > 0 {
			paths = append(paths, ',')
		}
		paths = append(AppendString(paths, p.Path), ':')
		paths = append(paths, Obj(strings.ToLower(p.Method), Obj("summary", p.Name, "responses", Obj("200", Obj("description", "OK"))))...)
	}
	paths = append(paths, '}')
	return Answer{Status: 200, Type: "application/json", OK: true, Body: Obj("swagger", "2.0", "info", Obj("title", a.Title, "version", "1.0"), "host", a.Host, "basePath", "/", "paths", paths)}
}

func dotenv(c *Call) Answer {
	return Answer{Status: 200, Type: "application/octet-stream", OK: true, Body: fmt.Appendf(nil, "APP_ENV=production\nAPP_DEBUG=false\nDB_HOST=10.20.3.11\nDB_DATABASE=%s\nDB_USERNAME=app\nDB_PASSWORD=%016x\nREDIS_HOST=10.20.3.12\n", c.App.Name, c.App.seed*0x9e3779b97f4a7c15)}
}

// Route finds the open API that a plain request of a path reaches, or nil.
func (a *App) Route(method, target string) *API {
	path, _, _ := strings.Cut(target, "?")
	for _, p := range a.APIs {
		if p.Method == method && p.Path == path {
			return p
		}
	}
	return nil
}

// Missing is the answer to a path that is no API.
func (a *App) Missing(target string) Answer {
	path, _, _ := strings.Cut(target, "?")
	switch a.Style {
	case Success, Plain:
		return Answer{Status: 404, Type: "application/json", Body: Obj("status", 404, "error", "Not Found", "path", path)}
	}
	return Answer{Status: 404, Type: "text/html", Body: []byte("<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")}
}
