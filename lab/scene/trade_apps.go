package scene

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"xiezhi/lab/people"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// operation is an API before a team has named it: its paths as resources, as
// verbs and in pinyin.
type operation struct {
	method string
	paths  [3]string
	fields string // the lab's words
	open   bool
	handle func(*Call) Answer
}

// operations are what applications of the arena are put together from.
var operations = map[string]operation{
	"home":         {"GET", [3]string{"", "", ""}, "", true, homepage},
	"asset":        {"GET", [3]string{"", "", ""}, "id", true, asset},
	"config":       {"GET", [3]string{"config", "common/getConfig", "gonggong/peizhi"}, "", true, config},
	"track":        {"POST", [3]string{"events", "log/report", "maidian/shangbao"}, "event body ts", true, track},
	"puzzle":       {"GET", [3]string{"captcha", "captcha/getImage", "yanzheng/tupian"}, "", true, puzzle},
	"list":         {"GET", [3]string{"{noun}", "{noun}/queryList", "{noun}/liebiao"}, "page size", true, list},
	"search":       {"GET", [3]string{"{noun}/search", "{noun}/doSearch", "{noun}/sousuo"}, "q page", true, search},
	"detail":       {"GET", [3]string{"{noun}/{id}", "{noun}/getDetail", "{noun}/xiangqing"}, "id", true, detail},
	"recommend":    {"GET", [3]string{"{noun}/recommended", "{noun}/guessLike", "{noun}/tuijian"}, "page", true, list},
	"login":        {"POST", [3]string{"auth/login", "user/doLogin", "yonghu/denglu"}, "account password", true, login},
	"login_code":   {"POST", [3]string{"auth/sms-login", "user/loginBySms", "yonghu/duanxinDenglu"}, "phone code", true, loginCode},
	"send_code":    {"POST", [3]string{"auth/sms-code", "sms/sendVerifyCode", "duanxin/fasong"}, "phone kind", true, sendCode},
	"register":     {"POST", [3]string{"users", "user/doRegister", "yonghu/zhuce"}, "phone code password nickname", true, register},
	"check":        {"POST", [3]string{"users/exists", "user/checkMobile", "yonghu/jianchaShouji"}, "phone channel", true, check},
	"reset":        {"POST", [3]string{"auth/password-reset", "user/resetPwd", "yonghu/chongzhiMima"}, "phone code password", true, reset},
	"profile":      {"GET", [3]string{"users/me", "user/getInfo", "yonghu/ziliao"}, "", false, profile},
	"logout":       {"POST", [3]string{"auth/logout", "user/logout", "yonghu/tuichu"}, "", false, logout},
	"orders":       {"GET", [3]string{"orders", "order/queryMyList", "dingdan/wode"}, "page size", false, orders},
	"order":        {"GET", [3]string{"orders/{id}", "order/getDetail", "dingdan/xiangqing"}, "id", false, orderDetail},
	"create":       {"POST", [3]string{"orders", "order/submit", "dingdan/tijiao"}, "item count address", false, create},
	"pay":          {"POST", [3]string{"payments", "pay/confirm", "zhifu/queren"}, "order channel", false, pay},
	"pay_card":     {"POST", [3]string{"payments/card", "pay/cardPay", "zhifu/yinhangka"}, "order card expiry cvv amount", false, payCard},
	"cancel":       {"POST", [3]string{"orders/cancel", "order/doCancel", "dingdan/quxiao"}, "order", false, cancel},
	"claim":        {"POST", [3]string{"coupons/claim", "activity/receiveCoupon", "huodong/lingquan"}, "activity coupon", false, claim},
	"invite":       {"POST", [3]string{"invitations", "activity/bindInviter", "huodong/yaoqing"}, "invite", false, inviting},
	"checkin":      {"POST", [3]string{"checkins", "task/signIn", "renwu/qiandao"}, "ts", false, checkin},
	"drop":         {"GET", [3]string{"drops/info", "seckill/getInfo", "miaosha/xinxi"}, "item", true, drop},
	"grab":         {"POST", [3]string{"drops/orders", "seckill/doOrder", "miaosha/xiadan"}, "item count ts", false, grab},
	"view":         {"POST", [3]string{"views", "stat/addView", "tongji/liulan"}, "target ts", true, touch},
	"like":         {"POST", [3]string{"likes", "post/doLike", "tiezi/dianzan"}, "target", false, touch},
	"follow":       {"POST", [3]string{"follows", "relation/follow", "guanxi/guanzhu"}, "target channel", false, touch},
	"vote":         {"POST", [3]string{"votes", "activity/doVote", "huodong/toupiao"}, "target activity", false, touch},
	"comment":      {"POST", [3]string{"comments", "post/addComment", "tiezi/pinglun"}, "target text", false, touch},
	"profile_card": {"GET", [3]string{"users/{id}", "user/getCard", "yonghu/mingpian"}, "id", true, profileCard},
	"friend":       {"POST", [3]string{"contacts/match", "friend/findByPhone", "haoyou/tongxunlu"}, "contacts", false, friend},
	"fee":          {"GET", [3]string{"vehicles/fee", "parking/queryFee", "tingche/feiyong"}, "plate lot", true, fee},
	"progress":     {"GET", [3]string{"applications/progress", "apply/queryProgress", "shenqing/jindu"}, "idno kind", true, progress},
	"contact":      {"GET", [3]string{"{noun}/{id}/contact", "{noun}/getPhone", "{noun}/lianxi"}, "id", true, contact},
	"bulk":         {"GET", [3]string{"partner/customers", "open/syncCustomer", "hezuo/tongbu"}, "key page", true, bulk},
	"staff_login":  {"POST", [3]string{"admin/login", "manage/doLogin", "guanli/denglu"}, "account password", true, staffLogin},
	"customer":     {"GET", [3]string{"admin/customers", "manage/queryCustomer", "guanli/kehu"}, "phone", false, customer},
	"members":      {"GET", [3]string{"admin/members", "manage/memberList", "guanli/huiyuan"}, "page size", false, members},
}

// numeric words are numbers in the JSON of teams that mind types.
var numeric = map[string]bool{"page": true, "size": true, "ts": true, "count": true, "id": true, "item": true, "order": true, "address": true, "amount": true}

// trade is what applications of one industry share.
type trade struct {
	industry string
	nouns    [3]string
	titles   []string
	items    []string
	word     string
	ops      string
	flaws    []Flaw
	free     bool // registers without a code, by a name
}

const everybody = "home asset config track puzzle list detail recommend login login_code send_code register profile logout orders order create bulk staff_login customer members "

var trades = map[string]trade{
	"mall":        {"ecommerce", [3]string{"products", "goods", "shangpin"}, []string{"优购商城", "好物集市", "千选超市", "邻里优选"}, []string{"保温杯", "运动鞋", "空气炸锅", "蓝牙耳机", "洗衣液", "大米"}, "商品", everybody + "search check reset pay pay_card cancel claim invite checkin drop grab", []Flaw{IdentityOracle, WeakPasswords, ForeignOrders}, false},
	"card":        {"finance", [3]string{"cards", "card", "kapian"}, []string{"融通银行信用卡", "江岸银行卡中心", "恒丰卡"}, []string{"白金卡", "车主卡", "校园卡", "联名卡"}, "卡片", everybody + "check progress pay", []Flaw{OpenProgress, IdentityOracle}, false},
	"loan":        {"finance", [3]string{"products", "product", "chanpin"}, []string{"安心贷", "速融", "小满借"}, []string{"极速贷", "安心借", "薪易贷", "车主贷"}, "产品", everybody + "check reset pay", []Flaw{IdentityOracle}, false},
	"government":  {"government", [3]string{"services", "item", "shixiang"}, []string{"云湖政务服务", "临江一网通办", "东山社保", "南屏公积金", "西岭市民网"}, []string{"公积金提取", "社保查询", "居住证办理", "不动产登记", "驾照换证"}, "事项", everybody + "search check progress drop grab cancel", []Flaw{IdentityOracle, OpenProgress, ForeignOrders}, false},
	"social":      {"social", [3]string{"posts", "post", "tiezi"}, []string{"蜗居", "拾光", "同频", "Nearby"}, []string{"今天的晚霞", "周末徒步", "家常菜", "读书笔记", "手冲咖啡"}, "帖子", everybody + "search view like follow vote comment profile_card friend checkin", []Flaw{OptionalAuth, IdentityOracle, WeakPasswords}, true},
	"parking":     {"parking", [3]string{"lots", "park", "tingchechang"}, []string{"易泊", "畅停", "车位通", "好停车", "泊客", "云停", "小P停车", "城泊", "捷停", "停简单", "泊联"}, []string{"国贸停车场", "万象城停车场", "火车站停车场", "医院停车场"}, "车场", everybody + "fee pay", []Flaw{OpenPlates}, false},
	"game":        {"gaming", [3]string{"items", "prop", "daoju"}, []string{"星陨通行证", "山海录", "Runeland"}, []string{"玄铁剑", "灵石", "坐骑", "时装"}, "道具", everybody + "check pay claim invite checkin", []Flaw{WeakPasswords, NoThrottle, IdentityOracle}, true},
	"ticket":      {"travel", [3]string{"events", "show", "yanchu"}, []string{"票星球", "好戏", "Stagepass"}, []string{"演唱会", "话剧", "音乐节", "展览"}, "演出", everybody + "search reset pay pay_card cancel claim drop grab view vote", []Flaw{ForeignOrders, WeakPasswords}, false},
	"collectible": {"digital_collectibles", [3]string{"collections", "nft", "cangpin"}, []string{"数藏阁", "元册", "Artblock"}, []string{"敦煌飞天", "国潮麒麟", "水墨山河", "三星堆面具"}, "藏品", everybody + "pay claim invite checkin drop grab view vote", []Flaw{NoThrottle, WeakPasswords}, false},
	"lodging":     {"travel", [3]string{"listings", "house", "fangyuan"}, []string{"宿间", "租客网", "Homestay"}, []string{"两室一厅", "近地铁单间", "整租公寓", "海景民宿"}, "房源", everybody + "search contact reset pay pay_card cancel", []Flaw{ForeignOrders, WeakPasswords}, false},
}

var syllables = strings.Fields("an bao chen duo feng gu hai jia kang lan mei ning ou ping qi rui shan tong wan xin yun zhi hui le ming song tian yi zhou")

// Found opens the i-th application of the arena: one of a trade, with its own
// names, envelope, controls and public.
func Found(seed uint64, i int, kind string, start time.Time, town *people.Town, members int) *App {
	tr, ok := trades[kind]
	if !ok {
		panic("scene: no trade " + kind) // checked by the match
	}
	r := rand.New(rand.NewPCG(seed^0x666f756e64, uint64(i)))
	name := pickWord(r, syllables) + pickWord(r, syllables) + pickWord(r, syllables)
	a := &App{Name: name, Industry: tr.industry, Zone: "Asia/Shanghai", Title: pickWord(r, tr.titles), Style: Style(r.IntN(5)), Credential: Credential(r.IntN(3)), Word: tr.word,
		ByName: tr.free && r.IntN(2) == 0, FreeEntry: tr.free, Weight: 1, seed: seed*31 + uint64(i), rng: rand.New(rand.NewPCG(seed^0x7363656e65, uint64(i))), flaws: map[Flaw]bool{}}
	t := learn(r)
	a.tongue = &t
	sub := pickWord(r, []string{"api", "m", "www", "h5", "app", "gw"})
	a.Host = sub + "." + name + pickWord(r, []string{"", "-" + pickWord(r, syllables)}) + pickWord(r, []string{".example", ".cn.example", ".com.example"})
	a.Origin = "https://" + cmp.Or(map[bool]string{true: a.Host}[r.IntN(2) == 0], "www."+name+".example")
	a.Server = pickWord(r, []string{"nginx", "openresty", "Tengine", "", "nginx/1.20.1", "istio-envoy"})
	a.AppName = map[bool]string{true: string(name[0]-32) + name[1:]}[r.IntN(3) > 0]
	a.Program = map[bool]string{true: fmt.Sprintf("wx%016x", r.Uint64())}[r.IntN(3) > 0]
	switch a.Credential {
	case Cookie:
		a.CredentialName = pickWord(r, []string{"SESSION", "JSESSIONID", "sid", "PHPSESSID", "token"})
	case TokenHeader:
		a.CredentialName = pickWord(r, []string{"token", "X-Token", "X-Access-Token", "satoken", "X-Auth-Token"})
	}
	for _, f := range tr.flaws {
		if f != ForeignOrders || r.IntN(5) > 0 {
			a.flaws[f] = true
		}
	}
	a.limits = limits{failures: one2(r, 0, 5, 8, 10), sends: 10 + r.IntN(20), sendsFrom: one2(r, 0, 0, 200), registers: one2(r, 0, 100), reads: one2(r, 0, 0, 240)}
	if a.flaws[NoThrottle] {
		a.limits.failures = 0
	}
	build := fmt.Sprintf("%08x", r.Uint32())
	a.Assets = [3]string{"/static/app." + build + ".js", "/static/app." + build + ".css", "/static/logo.png"}
	a.biz = &business{puzzles: map[string]string{}, done: map[string]bool{}, tally: map[string]int{}, opens: map[int64]time.Time{}, codes: map[string]*Account{}, guarded: map[string]bool{}, key: fmt.Sprintf("%s%08x", name[:2], r.Uint32())}
	for n := range 12 {
		a.biz.lots = append(a.biz.lots, fmt.Sprintf("%s%d号停车场", pickWord(r, []string{"万达广场", "人民医院", "火车南站", "科技园", "体育中心"}), n+1))
	}
	for _, g := range []struct {
		op   string
		odds int
	}{{"send_code", 2}, {"register", 3}, {"login", 4}} {
		a.biz.guarded[g.op] = r.IntN(g.odds) == 0
	}
	common := one2(r, "", "", "device", "device version", "ts", "device ts version")
	posts := t.style > 0 && r.IntN(3) == 0 // reads by POST, too
	numbers := r.IntN(3) > 0
	for op := range strings.FieldsSeq(tr.ops) {
		a.APIs = append(a.APIs, a.name(op, &t, tr.nouns[t.style], common, posts, numbers))
	}
	a.stockUp(tr.items)
	a.settle(start, town, members, kind, i, r)
	return a
}

// name gives an operation the team's path and words.
func (a *App) name(op string, t *tongue, noun, common string, posts, numbers bool) *API {
	o := operations[op]
	p := &API{Name: op, Method: o.method, Open: o.open, handle: o.handle}
	switch op {
	case "home":
		p.Path = "/"
		return p
	case "asset":
		p.Path = "/static/{id}"
		return p
	}
	p.Path = t.prefix + "/" + strings.Replace(o.paths[t.style], "{noun}", noun, 1) + t.suffix
	inPath := strings.Contains(p.Path, "{id}")
	if posts && !inPath && op != "config" && op != "bulk" {
		p.Method = "POST"
	}
	if p.Method == "POST" {
		p.In = t.body
	}
	words := o.fields
	if a.biz.guarded[op] {
		words += " captcha_id captcha"
	}
	if op != "config" && op != "puzzle" {
		words += " " + common
	}
	for w := range strings.FieldsSeq(words) {
		wire := w
		switch {
		case w == "id" && inPath:
			continue
		case w == "id" && op == "order":
			wire = "order"
		case w == "id" && op == "profile_card":
			wire = "target"
		case w == "id":
			wire = "item"
		}
		f := Field{w, t.words[wire]}
		if slices.ContainsFunc(p.Fields, func(x Field) bool { return x.Name == w || x.Value == f.Value }) {
			continue
		}
		p.Fields = append(p.Fields, f)
		if numbers && numeric[w] {
			p.Numbers = append(p.Numbers, w)
		}
		if w == "contacts" {
			p.Lists = append(p.Lists, w)
		}
	}
	return p
}

func (a *App) stockUp(items []string) {
	a.byItem = map[int64]Item{}
	id := int64(1000 + a.rng.IntN(900_000))
	for n := range 260 {
		a.Stock = append(a.Stock, Item{ID: id, Name: fmt.Sprintf("%s%d号", items[n%len(items)], n+1), Price: float64(1+a.rng.IntN(4000)) / 4})
		a.byItem[id] = a.Stock[n]
		id += 1 + int64(a.rng.IntN(3))
	}
}

// settle gives the application its members.
func (a *App) settle(start time.Time, town *people.Town, members int, kind string, i int, r *rand.Rand) {
	a.byLogin, a.byID, a.byPlate, a.byUID = map[string]*Account{}, map[string]*Account{}, map[string]*Account{}, map[string]*Account{}
	a.orders, a.codes, a.counts = map[int64]*order{}, map[string]sentCode{}, map[string]*window{}
	a.nextUID = 10_000_000 + int64(a.rng.IntN(5_000_000))
	a.order = 2_100_000_000 + int64(i)*10_000_000 + int64(a.rng.IntN(1_000_000))
	a.Address = netip.AddrFrom4([4]byte{10, 30, byte(i + 1), 5})
	a.Secret = fmt.Sprintf("%016x%016x", a.rng.Uint64(), a.rng.Uint64())
	first := a.rng.IntN(2000)
	if kind == "parking" { // a town's drivers stop at every operator's
		first = a.rng.IntN(60)
	}
	for n := range members {
		person := town.Person(first + n*2)
		acc := a.admit(person, a.Chosen(person))
		a.byID[person.ID], a.byPlate[person.Plate], a.byUID[fmt.Sprint(acc.UID)] = acc, acc, acc
		a.people = append(a.people, acc)
		for range 1 + a.rng.IntN(4) {
			o := a.newOrder(acc, a.Stock[a.rng.IntN(len(a.Stock))], start.Add(-time.Duration(1+a.rng.IntN(4000))*time.Hour))
			o.paid = true
		}
	}
	for n := range 6 { // the back office
		p := town.Person(people.Max - 1 - i*8 - n)
		a.byLogin[fmt.Sprintf("%s%02d", pickWord(r, []string{"kf", "op", "agent"}), n)] = &Account{UID: int64(100 + n), Person: p, Password: Strong(p), Staff: true}
	}
}

// Desk gives the accounts of the back office by login, in order.
func (a *App) Desk() (logins []string) {
	for _, n := range sortedKeys(a.byLogin) {
		if a.byLogin[n].Staff {
			logins = append(logins, n)
		}
	}
	return logins
}

// Enrol opens an account that was there before and belongs to none of the
// public: of somebody who does not come these days, or of a farm.
func (a *App) Enrol(p people.Person, password string) *Account {
	if acc := a.byLogin[p.Phone]; acc != nil {
		return acc
	}
	acc := a.admit(p, password)
	a.byID[p.ID], a.byPlate[p.Plate], a.byUID[fmt.Sprint(acc.UID)] = acc, acc, acc
	return acc
}

// LastOrder is the newest order's number.
func (a *App) LastOrder() int64 { return a.order }

// Owner gives the account an order belongs to, or nil.
func (a *App) Owner(id int64) *Account {
	if o := a.orders[id]; o != nil {
		return o.owner
	}
	return nil
}
