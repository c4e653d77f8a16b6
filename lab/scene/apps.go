package scene

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"xiezhi/lab/people"
)

// plan is an application before it has accounts.
type plan struct {
	App
	members int
	items   []string
	stock   int // how many items there are; 0 means 90
	flaws   []Flaw
}

// api describes an operation; fields are "word:wire" pairs.
func api(name, method, path string, in Where, fields string, open bool, h func(*Call) Answer) *API {
	p := &API{Name: name, Method: method, Path: path, In: in, Open: open, handle: h}
	for f := range strings.FieldsSeq(fields) {
		word, wire, ok := strings.Cut(f, ":")
		if !ok {
			wire = word
		}
		p.Fields = append(p.Fields, Field{word, wire})
	}
	return p
}

// Build makes the applications of a seed, open since before start.
func Build(seed uint64, start time.Time, town *people.Town) []*App {
	var out []*App
	for i, p := range plans() {
		a := p.App
		a.seed = seed + uint64(i)
		a.rng = rand.New(rand.NewPCG(seed^0x7363656e65, uint64(i)))
		a.flaws = map[Flaw]bool{}
		for _, f := range p.flaws {
			a.flaws[f] = true
		}
		a.Plain = a.flaws[ClearText]
		a.byItem = map[int64]Item{}
		a.byLogin, a.byID, a.byPlate, a.byUID = map[string]*Account{}, map[string]*Account{}, map[string]*Account{}, map[string]*Account{}
		a.orders, a.codes, a.counts = map[int64]*order{}, map[string]sentCode{}, map[string]*window{}
		a.nextUID = 10_000_000 + int64(a.rng.IntN(5_000_000))
		a.order = 2_100_000_000 + int64(i)*10_000_000 + int64(a.rng.IntN(1_000_000))
		a.Address = netip.AddrFrom4([4]byte{10, 20, byte(i + 1), 5})
		a.Secret = fmt.Sprintf("%016x%016x", a.rng.Uint64(), a.rng.Uint64())
		if a.flaws[WeakSecret] {
			a.Secret = "secret"
		}
		id := int64(1000 + a.rng.IntN(9000))
		for n := range cmp.Or(p.stock, 90) {
			a.Stock = append(a.Stock, Item{ID: id, Name: fmt.Sprintf("%s%d号", p.items[n%len(p.items)], n+1), Price: float64(1+a.rng.IntN(4000)) / 4})
			a.byItem[id] = a.Stock[n]
			id += 1 + int64(a.rng.IntN(3))
		}
		// Towns share their people: every application has its own part of them.
		first := a.rng.IntN(400)
		for n := range p.members {
			person := town.Person(first + n*2)
			acc := a.admit(person, a.Chosen(person))
			a.byID[person.ID], a.byPlate[person.Plate], a.byUID[fmt.Sprint(acc.UID)] = acc, acc, acc
			a.people = append(a.people, acc)
			for range 1 + a.rng.IntN(4) {
				o := a.newOrder(acc, a.Stock[a.rng.IntN(len(a.Stock))], start.Add(-time.Duration(1+a.rng.IntN(4000))*time.Hour))
				o.paid = true
			}
		}
		if a.Has("staff_login") {
			boss := &Account{UID: 1, Person: town.Person(people.Max - 1 - i), Password: Strong(town.Person(people.Max - 1 - i)), Staff: true}
			if a.flaws[StaffDefault] {
				boss.Password = "admin123"
			}
			a.byLogin["admin"] = boss
		}
		out = append(out, &a)
	}
	return out
}

// Staff gives the account of the back office, or nil.
func (a *App) Staff() *Account { return a.byLogin["admin"] }

func plans() []plan {
	return []plan{
		{App: App{Name: "qianbei", Host: "api.qianbei.example", Industry: "finance", Zone: "Asia/Shanghai", Title: "钱贝借款", Style: CodeMsg, Credential: TokenHeader, CredentialName: "X-Access-Token",
			Origin: "https://m.qianbei.example", AppName: "QianBei", Server: "nginx", Word: "产品", Weight: 1, limits: limits{failures: 5, sends: 30}, APIs: []*API{
				api("config", "GET", "/loan/v2/app/config", InQuery, "", true, config),
				api("list", "GET", "/loan/v2/product/list", InQuery, "page:pageNum size:pageSize", true, list),
				api("detail", "GET", "/loan/v2/product/{id}", InQuery, "", true, detail),
				api("check", "POST", "/loan/v2/apply/checkMobile", InJSON, "phone:mobile channel", true, check),
				api("send_code", "POST", "/loan/v2/sms/send", InJSON, "phone:mobile scene", true, sendCode),
				api("register", "POST", "/loan/v2/user/register", InJSON, "phone:mobile code:smsCode password nickname", true, register),
				api("login", "POST", "/loan/v2/user/login", InJSON, "account:mobile password", true, login),
				api("login_code", "POST", "/loan/v2/user/loginBySms", InJSON, "phone:mobile code:smsCode", true, loginCode),
				api("profile", "GET", "/loan/v2/user/info", InQuery, "", false, profile),
				api("orders", "GET", "/loan/v2/bill/list", InQuery, "page:pageNum size:pageSize", false, orders),
				api("order", "GET", "/loan/v2/bill/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/loan/v2/apply/submit", InJSON, "item:productId amount:amount term", false, create),
				api("pay", "POST", "/loan/v2/bill/repay", InJSON, "order:billId amount", false, pay),
				api("reset", "POST", "/loan/v2/user/resetPassword", InJSON, "phone:mobile code:smsCode password:newPassword", true, reset),
				api("logout", "POST", "/loan/v2/user/logout", InJSON, "", false, logout),
			}}, members: 320, items: []string{"极速贷", "安心借", "薪易贷", "车主贷"}, flaws: []Flaw{IdentityOracle, StackTraces}},

		{App: App{Name: "huixin", Host: "card.huixin-bank.example", Industry: "finance", Zone: "Asia/Shanghai", Title: "汇信银行信用卡", Style: RetMessage, Credential: Cookie, CredentialName: "HXSESSION",
			Origin: "https://card.huixin-bank.example", Server: "", Word: "卡片", Weight: 0.8, limits: limits{failures: 5, sends: 30}, APIs: []*API{
				api("config", "GET", "/ccweb/common/sysinfo.do", InQuery, "", true, config),
				api("list", "POST", "/ccweb/card/queryCardList.do", InForm, "page size", true, list),
				api("detail", "GET", "/ccweb/card/detail/{id}", InQuery, "", true, detail),
				api("send_code", "POST", "/ccweb/sms/sendDynamicCode.do", InForm, "phone:mobileNo busiType", true, sendCode),
				api("login", "POST", "/ccweb/login/doLogin.do", InForm, "account:userId password:loginPwd", true, login),
				api("login_code", "POST", "/ccweb/login/dynamicLogin.do", InForm, "phone:mobileNo code:dynamicCode", true, loginCode),
				api("progress", "GET", "/ccweb/apply/queryProgress.do", InQuery, "idno:certNo type:certType", true, progress),
				api("profile", "GET", "/ccweb/cust/info.do", InQuery, "", false, profile),
				api("orders", "GET", "/ccweb/bill/history.do", InQuery, "page size", false, orders),
				api("order", "GET", "/ccweb/bill/detail/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/ccweb/apply/submit.do", InForm, "item:cardId city", false, create),
				api("pay", "POST", "/ccweb/repay/confirm.do", InForm, "order:billId amount", false, pay),
				api("logout", "POST", "/ccweb/login/logout.do", InForm, "", false, logout),
			}}, members: 320, items: []string{"白金卡", "车主卡", "校园卡", "联名卡"}, flaws: []Flaw{OpenProgress, IDInURL}},

		{App: App{Name: "zhengwu", Host: "zwfw.qingshan-gov.example", Industry: "government", Zone: "Asia/Shanghai", Title: "青山政务通", Style: Success, Credential: Bearer,
			Origin: "https://zwfw.qingshan-gov.example", Program: "wx5a1c0e7b2d94f386", Server: "Tengine", Word: "事项", Weight: 1, limits: limits{failures: 5, sends: 10}, APIs: []*API{
				api("config", "GET", "/zwfw/api/site/config", InQuery, "", true, config),
				api("list", "GET", "/zwfw/api/items", InQuery, "page:pageNo size:pageSize", true, list),
				api("search", "GET", "/zwfw/api/items/search", InQuery, "q:keyword page:pageNo", true, search),
				api("detail", "GET", "/zwfw/api/items/{id}", InQuery, "", true, detail),
				api("send_code", "POST", "/zwfw/api/sms/code", InJSON, "phone type", true, sendCode),
				api("register", "POST", "/zwfw/api/account/register", InJSON, "phone code password nickname", true, register),
				api("login", "POST", "/zwfw/api/account/login", InJSON, "account password", true, login),
				api("login_code", "POST", "/zwfw/api/account/smsLogin", InJSON, "phone code", true, loginCode),
				api("check", "POST", "/zwfw/api/account/findBack/check", InJSON, "phone step", true, check),
				api("profile", "GET", "/zwfw/api/account/me", InQuery, "", false, profile),
				api("orders", "GET", "/zwfw/api/affairs", InQuery, "page:pageNo size:pageSize", false, orders),
				api("order", "GET", "/zwfw/api/affairs/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/zwfw/api/affairs", InJSON, "item:itemId remark", false, create),
				api("docs", "GET", "/zwfw/v2/api-docs", InQuery, "", true, apiDocs),
				api("health", "GET", "/zwfw/actuator/health", InQuery, "", true, health),
				api("env", "GET", "/zwfw/actuator/env", InQuery, "", true, actuatorEnv),
			}}, members: 360, items: []string{"公积金提取", "社保查询", "居住证办理", "不动产登记"}, flaws: []Flaw{ForeignOrders, Actuator, APIDocs, IdentityOracle}},

		{App: App{Name: "xuanjie", Host: "passport.xuanjie-game.example", Industry: "gaming", Zone: "Asia/Tokyo", Title: "玄界通行证", Style: ErrCode, Credential: Bearer, ByName: true, FreeEntry: true,
			Origin: "https://www.xuanjie-game.example", AppName: "Xuanjie", Server: "openresty", Word: "道具", Weight: 1.4, limits: limits{failures: 0, sends: 30}, APIs: []*API{
				api("config", "GET", "/api/v1/client/config", InQuery, "", true, config),
				api("list", "GET", "/api/v1/shop/items", InQuery, "page size:limit", true, list),
				api("detail", "GET", "/api/v1/shop/items/{id}", InQuery, "", true, detail),
				api("send_code", "POST", "/api/v1/passport/sms", InJSON, "phone purpose", true, sendCode),
				api("register", "POST", "/api/v1/passport/register", InJSON, "phone password nickname", true, register),
				api("login", "POST", "/api/v1/passport/login", InJSON, "account:username password", true, login),
				api("login_code", "POST", "/api/v1/passport/sms_login", InJSON, "phone code", true, loginCode),
				api("profile", "GET", "/api/v1/player/me", InQuery, "", false, profile),
				api("orders", "GET", "/api/v1/player/orders", InQuery, "page size", false, orders),
				api("order", "GET", "/api/v1/player/orders/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/api/v1/shop/orders", InJSON, "item:item_id count", false, create),
				api("pay", "POST", "/api/v1/shop/pay", InJSON, "order:order_id channel", false, pay),
				api("notice", "GET", "/api/v1/notice", InQuery, "", true, config),
			}}, members: 420, items: []string{"玄铁剑", "灵石", "坐骑", "时装"}, flaws: []Flaw{WeakPasswords, NoThrottle, WeakSecret}},

		{App: App{Name: "weiyu", Host: "api.weiyu-social.example", Industry: "social", Zone: "Asia/Shanghai", Title: "微语", Style: CodeMsg, Credential: Bearer, FreeEntry: true,
			Origin: "https://weiyu-social.example", AppName: "Weiyu", Server: "nginx", Word: "帖子", Weight: 1.6, limits: limits{failures: 6, sends: 20, registers: 40}, APIs: []*API{
				api("config", "GET", "/x/app/config", InQuery, "", true, config),
				api("list", "GET", "/x/feed/recommend", InQuery, "page size:ps", true, list),
				api("search", "GET", "/x/search", InQuery, "q page", true, search),
				api("detail", "GET", "/x/post/{id}", InQuery, "", true, detail),
				api("send_code", "POST", "/x/passport/sms/send", InForm, "phone:tel cid", true, sendCode),
				api("register", "POST", "/x/passport/reg", InForm, "phone:tel password:pwd nickname:nick", true, register),
				api("login", "POST", "/x/passport/login", InForm, "account:tel password:pwd", true, login),
				api("login_code", "POST", "/x/passport/login/sms", InForm, "phone:tel code", true, loginCode),
				api("profile", "GET", "/x/space/myinfo", InQuery, "", false, profile),
				api("profile_card", "GET", "/x/space/card/{id}", InQuery, "", true, profileCard),
				api("like", "POST", "/x/post/{id}/like", InForm, "action", false, act),
				api("comment", "POST", "/x/post/{id}/comment", InForm, "text:content", false, act),
				api("follow", "POST", "/x/relation/{id}/follow", InForm, "source", false, act),
				api("orders", "GET", "/x/message/list", InQuery, "page", false, orders),
			}}, members: 420, items: []string{"今天的晚霞", "周末徒步", "家常菜", "读书笔记"}, flaws: []Flaw{OptionalAuth, HashInProfile}},

		{App: App{Name: "taohui", Host: "m.taohui-mall.example", Industry: "ecommerce", Zone: "Asia/Shanghai", Title: "淘惠商城", Style: CodeMsg, Credential: TokenHeader, CredentialName: "token",
			Origin: "https://m.taohui-mall.example", Program: "wx93b7f0a1c8e2d645", AppName: "Taohui", Server: "nginx", Word: "商品", Weight: 1.8, limits: limits{failures: 6, sends: 20, sendsFrom: 60}, APIs: []*API{
				api("config", "GET", "/mall/index/config", InQuery, "", true, config),
				api("list", "GET", "/mall/goods/list", InQuery, "page size cate", true, list),
				api("search", "GET", "/mall/goods/search", InQuery, "q:keyword page", true, search),
				api("detail", "GET", "/mall/goods/detail/{id}", InQuery, "", true, detail),
				api("send_code", "POST", "/mall/user/sendSms", InJSON, "phone type", true, sendCode),
				api("register", "POST", "/mall/user/register", InJSON, "phone code password nickname inviteCode", true, register),
				api("login", "POST", "/mall/user/login", InJSON, "account:phone password", true, login),
				api("login_code", "POST", "/mall/user/loginByCode", InJSON, "phone code", true, loginCode),
				api("profile", "GET", "/mall/user/center", InQuery, "", false, profile),
				api("orders", "GET", "/mall/order/list", InQuery, "page size", false, orders),
				api("order", "GET", "/mall/order/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/mall/order/submit", InJSON, "item:goodsId count addressId", false, create),
				api("pay", "POST", "/mall/order/pay", InJSON, "order:orderId channel", false, pay),
				api("winners", "GET", "/mall/activity/winners", InQuery, "activityId", true, winners),
				api("logout", "POST", "/mall/user/logout", InJSON, "", false, logout),
			}}, members: 480, items: []string{"抗原试剂盒", "医用口罩", "空气炸锅", "运动鞋"}, stock: 640, flaws: []Flaw{PlainWinners, CodeInAnswer, AnyOrigin}},

		{App: App{Name: "yuancang", Host: "api.yuancang-nft.example", Industry: "digital_collectibles", Zone: "Asia/Shanghai", Title: "元藏数字藏品", Style: Success, Credential: Bearer,
			Origin: "https://h5.yuancang-nft.example", Program: "wx7e2c9d1f0b6a5483", Server: "nginx/1.18.0", Word: "藏品", Weight: 1.2, limits: limits{failures: 6, sends: 30}, APIs: []*API{
				api("config", "GET", "/api/front/config", InQuery, "", true, config),
				api("list", "GET", "/api/front/collections", InQuery, "page:current size", true, list),
				api("detail", "GET", "/api/front/collections/{id}", InQuery, "", true, detail),
				api("send_code", "POST", "/api/front/sms/sendLoginCode", InJSON, "phone:mobile", true, sendCode),
				api("register", "POST", "/api/front/member/register", InJSON, "phone:mobile code password nickname", true, register),
				api("login", "POST", "/api/front/member/login", InJSON, "account:mobile password", true, login),
				api("login_code", "POST", "/api/front/member/codeLogin", InJSON, "phone:mobile code", true, loginCode),
				api("profile", "GET", "/api/front/member/info", InQuery, "", false, profile),
				api("orders", "GET", "/api/front/member/collections", InQuery, "page:current size", false, orders),
				api("order", "GET", "/api/front/member/collections/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/api/front/order/grab", InJSON, "item:collectionId", false, create),
				api("pay", "POST", "/api/front/order/pay", InJSON, "order:orderId", false, pay),
				api("claim", "POST", "/api/front/activity/{id}/draw", InJSON, "shareCode", false, act),
				api("dotenv", "GET", "/.env", InQuery, "", true, dotenv),
			}}, members: 420, items: []string{"敦煌飞天", "三星堆面具", "国潮麒麟", "水墨山河"}, flaws: []Flaw{EnvFile, IdentityOracle}},

		{App: App{Name: "chebao", Host: "dms.chebao-auto.example", Industry: "manufacturing", Zone: "Asia/Shanghai", Title: "车宝经销商门户", Style: Success, Credential: Cookie, CredentialName: "JSESSIONID", ByName: true,
			Origin: "https://dms.chebao-auto.example", Server: "Apache-Coyote/1.1", Word: "配件", Weight: 0.7, limits: limits{failures: 5, sends: 30}, APIs: []*API{
				api("config", "GET", "/dms/rest/common/settings", InQuery, "", true, config),
				api("list", "GET", "/dms/rest/parts", InQuery, "page:start size:limit", true, list),
				api("detail", "GET", "/dms/rest/parts/{id}", InQuery, "", true, detail),
				api("login", "POST", "/dms/rest/auth/login", InJSON, "account:userName password", true, login),
				api("staff_login", "POST", "/dms/admin/login", InJSON, "account:userName password", true, staffLogin),
				api("members", "GET", "/dms/admin/members", InQuery, "page size:pageSize", false, members),
				api("send_code", "POST", "/dms/rest/testdrive/smsCode", InJSON, "phone:mobile model", true, sendCode),
				api("profile", "GET", "/dms/rest/auth/current", InQuery, "", false, profile),
				api("orders", "GET", "/dms/rest/purchase-orders", InQuery, "page:start size:limit", false, orders),
				api("order", "GET", "/dms/rest/purchase-orders/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/dms/rest/purchase-orders", InJSON, "item:partId quantity", false, create),
				api("suppliers", "GET", "/dms/rest/public/suppliers", InQuery, "page size", true, suppliers),
				api("claim", "POST", "/dms/rest/campaign/{id}/coupon", InJSON, "vin", false, act),
			}}, members: 260, items: []string{"刹车片", "机油滤芯", "前照灯", "轮毂"}, flaws: []Flaw{PlainSuppliers, StaffDefault, LongLists, WeakPasswords, ForeignOrders}},

		{App: App{Name: "tingbo", Host: "park.tingbo.example", Industry: "parking", Zone: "Asia/Shanghai", Title: "停泊智慧停车", Style: CodeMsg, Credential: TokenHeader, CredentialName: "X-Token",
			Origin: "http://park.tingbo.example", Program: "wxc40d8e91a7b2f365", Server: "nginx/1.10.3", Word: "车场", Weight: 1, limits: limits{failures: 5, sends: 30}, APIs: []*API{
				api("config", "GET", "/parking/api/config", InQuery, "", true, config),
				api("list", "GET", "/parking/api/lots", InQuery, "page size city", true, list),
				api("detail", "GET", "/parking/api/lots/{id}", InQuery, "", true, detail),
				api("parking", "GET", "/parking/api/fee/query", InQuery, "plate:plateNo lotId", true, parking),
				api("send_code", "POST", "/parking/api/sms", InJSON, "phone", true, sendCode),
				api("login", "POST", "/parking/api/login", InJSON, "account:phone password", true, login),
				api("login_code", "POST", "/parking/api/login/sms", InJSON, "phone code", true, loginCode),
				api("register", "POST", "/parking/api/register", InJSON, "phone code password", true, register),
				api("profile", "GET", "/parking/api/me", InQuery, "", false, profile),
				api("orders", "GET", "/parking/api/orders", InQuery, "page size", false, orders),
				api("order", "GET", "/parking/api/orders/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/parking/api/orders", InJSON, "item:lotId plate:plateNo", false, create),
				api("pay", "POST", "/parking/api/pay", InJSON, "order:orderId channel", false, pay),
			}}, members: 420, items: []string{"国贸停车场", "万象城停车场", "火车站停车场", "医院停车场"}, flaws: []Flaw{OpenPlates, ClearText}},

		{App: App{Name: "lvxing", Host: "openapi.lvxing-travel.example", Industry: "travel", Zone: "Asia/Shanghai", Title: "旅行家", Style: Plain, Credential: Bearer,
			Origin: "https://www.lvxing-travel.example", AppName: "Lvxing", Server: "envoy", Word: "线路", Weight: 1, limits: limits{failures: 5, sends: 20, sendsFrom: 90, reads: 100}, APIs: []*API{
				api("config", "GET", "/v3/settings", InQuery, "", true, config),
				api("list", "GET", "/v3/products", InQuery, "page size:per_page", true, list),
				api("search", "GET", "/v3/flights/search", InQuery, "q:to from:from date:date", true, search),
				api("detail", "GET", "/v3/products/{id}", InQuery, "", true, detail),
				api("send_code", "POST", "/v3/auth/otp", InJSON, "phone", true, sendCode),
				api("register", "POST", "/v3/auth/signup", InJSON, "phone code password nickname:name", true, register),
				api("login", "POST", "/v3/auth/login", InJSON, "account:login password", true, login),
				api("login_code", "POST", "/v3/auth/otp/verify", InJSON, "phone code", true, loginCode),
				api("profile", "GET", "/v3/users/me", InQuery, "", false, profile),
				api("orders", "GET", "/v3/bookings", InQuery, "page size:per_page", false, orders),
				api("order", "GET", "/v3/bookings/{id}", InQuery, "", false, orderDetail),
				api("create", "POST", "/v3/bookings", InJSON, "item:product_id travellers", false, create),
				api("pay", "POST", "/v3/payments", InJSON, "order:booking_id method", false, pay),
				api("health", "GET", "/healthz", InQuery, "", true, health),
			}}, members: 360, items: []string{"三亚五日", "西安兵马俑", "丽江古城", "长白山滑雪"}, stock: 520, flaws: []Flaw{StackTraces, TokenInURL}},
	}
}
