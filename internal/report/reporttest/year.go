// Package reporttest makes reports for the tests of report formats, as
// httptest makes servers for the tests of handlers.
//
// It takes a seed or a size and gives complete reports of made-up sites: a
// year of attacks with campaigns, ten thousand APIs, one hostile string in
// every field. Invariant: the same arguments give the same report. Limits: the
// figures are plausible, not measured; nothing here judges.
package reporttest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// shop is what a made-up site is like.
type shop struct {
	name, host, industry string
	apis                 []string // method, template, role
}

var shops = []shop{
	{"loan", "api.loan.example", "finance", []string{"POST /api/v1/login login", "POST /api/v1/register register", "POST /api/v1/sms/code code_send", "GET /api/v1/card/progress query_progress", "GET /api/v1/users/{id} profile", "GET /api/v1/contracts/{id} detail"}},
	{"citizen", "www.citizen.example", "government", []string{"GET /gw/social/{resident} query_progress", "GET /gw/notice list", "POST /gw/login login", "GET /gw/archive/{id} detail"}},
	{"mall", "m.mall.example", "ecommerce", []string{"POST /coupon/claim claim", "POST /order order_create", "GET /item/{id} detail", "GET /search search", "POST /user/login login", "GET /order/{id} order_query"}},
	{"arena", "passport.arena.example", "gaming", []string{"POST /passport/login login", "POST /passport/reset password_reset", "GET /role/{id} profile"}},
	{"circle", "api.circle.example", "social", []string{"POST /post/{id}/like like", "POST /post/{id}/comment comment", "GET /feed list", "GET /u/{id} profile"}},
	{"parking", "p.parking.example", "parking", []string{"GET /bill/{plate} detail", "POST /bill/pay payment", "GET /lot list"}},
	{"drop", "nft.drop.example", "digital_collectibles", []string{"POST /drop/claim claim", "POST /drop/order order_create", "GET /drop/{id} detail", "POST /auth/code code_send"}},
}

// plan is one kind of attack that hits one API of a site.
type plan struct {
	site, api int
	kind      taxonomy.AttackKind
	months    []int // 1 to 12
	volume    uint64
	family    []string
}

var plans = []plan{
	{2, 0, taxonomy.AttackPromotionAbuse, []int{1, 2, 4, 5, 6, 9, 11, 12}, 61000, []string{"herd", "sequence", "network"}},
	{6, 0, taxonomy.AttackPromotionAbuse, []int{3, 4, 5, 6, 7}, 240000, []string{"herd", "timing", "protocol"}},
	{6, 3, taxonomy.AttackSMSAbuse, []int{4, 5, 6}, 41000, []string{"set", "timing"}},
	{0, 0, taxonomy.AttackAccountScanning, []int{2, 3, 4, 5, 6, 8, 10}, 32000, []string{"set", "outcome", "parameter"}},
	{0, 2, taxonomy.AttackAccountScanning, []int{4, 5, 6, 7}, 27000, []string{"set", "outcome"}},
	{3, 0, taxonomy.AttackCredentialStuffing, []int{1, 3, 5, 6, 7, 8, 11}, 88000, []string{"outcome", "set", "herd"}},
	{3, 0, taxonomy.AttackBruteForce, []int{2, 6, 10}, 7300, []string{"outcome", "timing"}},
	{3, 1, taxonomy.AttackPasswordSpraying, []int{5, 9}, 2900, []string{"outcome", "set"}},
	{0, 3, taxonomy.AttackScraping, []int{5, 6, 7, 8}, 19000, []string{"set", "sequence", "timing"}},
	{1, 0, taxonomy.AttackScraping, []int{2, 4, 5, 6, 9, 12}, 54000, []string{"set", "sequence", "network"}},
	{5, 0, taxonomy.AttackScraping, []int{6, 7, 8, 9}, 23000, []string{"set", "sequence"}},
	{1, 3, taxonomy.AttackBOLAExploitation, []int{6, 7}, 1800, []string{"outcome", "set"}},
	{4, 0, taxonomy.AttackFakeEngagement, []int{1, 2, 3, 5, 8, 9, 10, 11}, 72000, []string{"herd", "timing"}},
	{2, 1, taxonomy.AttackScalping, []int{6, 11}, 38000, []string{"herd", "timing", "protocol"}},
	{4, 2, taxonomy.AttackBot, []int{3, 4, 7, 10}, 15000, []string{"protocol", "timing"}},
	{2, 3, taxonomy.AttackVulnerabilityScan, []int{1, 4, 6, 8, 9, 12}, 5200, []string{"set", "outcome", "parameter"}},
	{1, 1, taxonomy.AttackFlood, []int{7}, 31000, []string{"timing", "set"}},
}

// Year is a report of seven sites over the months of a year. The same seed
// gives the same report.
func Year(seed uint64, msgs *message.Catalog) *report.Report {
	y := &year{rnd: rand.New(rand.NewPCG(seed, 2)), msgs: msgs, year: 2025}
	first, last := time.Date(2024, 12, 31, 16, 4, 11, 0, time.UTC), time.Date(2025, 12, 31, 15, 58, 2, 0, time.UTC)
	in := report.NewInput()
	in.First, in.Last, in.Addresses = &first, &last, "plain"
	in.Exchanges, in.Analysed, in.Observations, in.Bytes = 38_412_907, 38_401_220, 38_433_871, 91_230_441_552
	in.Dropped = []report.ReasonCount{{Reason: "truncated", Count: 9120}, {Reason: "encrypted", Count: 2321}, {Reason: "corrupt", Count: 246}}
	in.Quality = []report.QualityCount{{Code: "no_bodies", Count: 1_204_331}, {Code: "tls_fingerprint_unavailable", Count: 38_401_220}, {Code: "duplicate_packets", Count: 3310}}
	in.Blind = []report.Blind{{Server: "203.0.113.9:443", Name: "pay.mall.example", Protocol: "tls", Connections: 2321, Bytes: 1_950_220_114}}
	in.Problems = []report.Problem{{File: "gateway-07.log.gz", Line: 88213, Reason: "corrupt", Text: message.Text{Zh: "这一行不符合日志格式", En: "the line does not have the log's layout"}}}
	in.NotJudged = []report.NotJudged{{Kind: "bfla", Why: msgs.Text("not_judged.no_detector", nil)}, {Kind: "carding", Why: msgs.Text("not_judged.no_detector", nil)}}
	y.r = &report.Report{Schema: report.SchemaID, Version: "v0.3.0", Input: in, Sites: []report.Site{}, APIs: []report.API{}, Defects: []report.Defect{}, Attacks: []report.Attack{}, Campaigns: []report.Campaign{}}
	y.sites()
	y.attacks()
	y.defects()
	y.link()
	y.campaigns()
	report.Order(y.r)
	y.r.Statistics = report.Count(y.r)
	return y.r
}

type year struct {
	rnd  *rand.Rand
	msgs *message.Catalog
	r    *report.Report
	year int
	api  [][]string // ids by shop
}

func (y *year) id(n int) string { return fmt.Sprintf("%016x", y.rnd.Uint64())[:n] }

func split(s string) (method, template, role string) {
	_, _ = fmt.Sscan(s, &method, &template, &role)
	return
}

func (y *year) sites() {
	start := time.Date(y.year, 1, 1, 3, 0, 0, 0, time.UTC)
	for _, s := range shops {
		y.r.Sites = append(y.r.Sites, report.Site{Name: s.name, Industry: s.industry, TimeZone: "Asia/Shanghai", Exchanges: 2_000_000 + y.rnd.Uint64N(9_000_000)})
		var ids []string
		for i, line := range s.apis {
			method, template, role := split(line)
			a := report.API{ID: y.id(16), Site: s.name, Host: s.host, Method: method, Template: template, Role: role, Lifecycle: "active", Exposure: "internet",
				Exchanges: 20_000 + y.rnd.Uint64N(2_000_000), Actors: 1000 + y.rnd.Uint64N(90_000), Auth: []string{"none", "required", "optional"}[y.rnd.IntN(3)],
				Sensitive: []report.SensitiveData{}, FirstSeen: start.AddDate(0, 0, i), LastSeen: start.AddDate(0, 11, 20)}
			if role == "profile" || role == "detail" || role == "query_progress" {
				a.Sensitive = append(a.Sensitive, report.SensitiveData{Path: "data.mobile", Type: "cn_mobile", In: "response", Exchanges: a.Exchanges, MaxPerResponse: 1},
					report.SensitiveData{Path: "data.idCard", Type: "cn_resident_id", In: "response", Exchanges: a.Exchanges / 2, MaxPerResponse: 1})
			}
			ids = append(ids, a.ID)
			y.r.APIs = append(y.r.APIs, a)
		}
		y.api = append(y.api, ids)
	}
}

func (y *year) attacks() {
	for pi, p := range plans {
		s := shops[p.site]
		method, template, role := split(s.apis[p.api])
		for i, m := range p.months {
			requests := uint64(float64(p.volume) / float64(len(p.months)) * (0.4 + 1.2*y.rnd.Float64()))
			from := time.Date(y.year, time.Month(m), 1+y.rnd.IntN(18), y.rnd.IntN(20), y.rnd.IntN(60), 0, 0, time.UTC)
			days := 1 + y.rnd.IntN(7)
			a := report.Attack{ID: y.id(16) + y.id(8), Kind: string(p.kind), Scenario: string(taxonomy.ScenarioOf[p.kind]), Site: s.name,
				APIs: []string{y.api[p.site][p.api]}, Verdict: "confirmed", Confidence: 0.985, FirstSeen: from, LastSeen: from.AddDate(0, 0, days-1).Add(190 * time.Minute),
				Actors:  report.Actors{IPs: []string{}, IPCount: 3 + y.rnd.Uint64N(400), Accounts: y.rnd.Uint64N(900), Fingerprints: []string{"okhttp"}},
				Through: []string{}, Reasons: []report.Reason{}, Action: report.Action{Kind: []string{"block", "rate_limit", "challenge"}[y.rnd.IntN(3)], Collateral: 0.0012},
				Activity: []report.Activity{}, Signature: []report.Mark{}}
			if y.rnd.IntN(5) == 0 {
				a.Verdict, a.Confidence = "likely", 0.91
			} else if y.rnd.IntN(9) == 0 {
				a.Verdict, a.Confidence = "suspicious", 0.71
			}
			for d := range days {
				n := requests / uint64(days) * uint64(1+(d+i)%3) / 2
				blocked := n * uint64(y.rnd.IntN(3)*30) / 100
				a.Activity = append(a.Activity, report.Activity{Day: from.AddDate(0, 0, d).Add(8 * time.Hour).Format(time.DateOnly), API: a.APIs[0], Requests: n, Blocked: blocked, Succeeded: (n - blocked) / uint64(2+pi%4)})
				a.Requests, a.Blocked, a.Succeeded = a.Requests+n, a.Blocked+blocked, a.Succeeded+(n-blocked)/uint64(2+pi%4)
			}
			if a.Scenario == "data_theft" {
				a.SubjectsExposed = a.Succeeded
			}
			for j := range a.Actors.IPCount {
				a.Actors.IPs = append(a.Actors.IPs, fmt.Sprintf("198.51.%d.%d", 100+j/200, 1+j%200))
			}
			a.Selector = report.Selector{APIs: a.APIs, Keys: report.SelectorKeys{IP: a.Actors.IPs[:1]}, From: a.FirstSeen, To: a.LastSeen}
			y.reasons(&a, p, method+" "+template, role, days)
			y.r.Attacks = append(y.r.Attacks, a)
		}
	}
}

func (y *year) reasons(a *report.Attack, p plan, api, role string, days int) {
	who := y.msgs.Text("attack.who.addresses", message.Args{"n": a.Actors.IPCount})
	span := y.msgs.Text("attack.span.hours", message.Args{"n": days * 24})
	id := "attack.sum." + a.Kind
	if !y.msgs.Has(id) {
		id = "attack.sum.bot"
	}
	people := message.Text{}
	if a.SubjectsExposed > 0 {
		people = y.msgs.Text("attack.people", message.Args{"n": a.SubjectsExposed})
	}
	a.Reason = y.msgs.Text(id, message.Args{"who": who, "targets": a.Actors.Accounts, "span": span, "api": api, "requests": a.Requests, "accounts": a.Actors.Accounts, "got": a.Succeeded, "blocked": a.Blocked,
		"tags": 12, "objects": a.Succeeded, "people": people, "paths": 940, "sigs": 41, "names": 20})
	why := map[string]string{"herd": "attack.why.herd", "timing": "attack.why.rate", "protocol": "attack.why.tool", "network": "attack.why.neighbours", "outcome": "attack.why.refused", "set": "attack.why.structure"}
	for i, f := range p.family {
		t := message.Text{Zh: "这些来源几乎不做其他业务请求", En: "These sources do hardly any other business"}
		if w := why[f]; w != "" {
			t = y.msgs.Text(w, message.Args{"n": 0.42, "m": 0.06})
		}
		a.Reasons = append(a.Reasons, report.Reason{Family: f, Observed: "0.42", Expected: "0.06", Weight: 5.5 - float64(i), Zh: t.Zh, En: t.En})
	}
}

// flaw is one made-up defect.
type flaw struct {
	site, api                      int
	kind                           taxonomy.DefectKind
	severity, harm, exploit, prev  string
	reasonZh, reasonEn, adZh, adEn string
}

var flaws = []flaw{
	{0, 3, taxonomy.DefectUnauthenticatedSensitive, "critical", "critical", "critical", "high", "GET /api/v1/card/progress 未出示任何凭证即返回手机号、身份证号（31240 次响应）", "GET /api/v1/card/progress returns mobile and resident ID numbers without any credential (31,240 responses)",
		"为 GET /api/v1/card/progress 加上登录校验，并核对查询人与申请人是同一人；上线前先按来源限速。", "Put GET /api/v1/card/progress behind a sign-in and check that the asker is the applicant; until then limit it per source."},
	{1, 3, taxonomy.DefectBOLA, "critical", "critical", "high", "elevated", "1 个账号在 GET /gw/archive/{id} 成功读取了约 1620 个属于他人的对象", "GET /gw/archive/{id} gives a signed-in account about 1,620 objects that belong to others",
		"在 GET /gw/archive/{id} 的查询中加上归属条件，不符时返回 404。", "Add the owner to the query behind GET /gw/archive/{id}; answer 404 when it differs."},
	{3, 0, taxonomy.DefectNoThrottling, "high", "high", "critical", "elevated", "POST /passport/login 不限制密码尝试：同一账号 1 分钟内 64 次密码错误仍照常校验", "POST /passport/login lets passwords be guessed: 64 wrong ones on one account within a minute, each checked as usual",
		"按账号和来源两个维度限速，10 次错误后临时锁定 15 分钟。", "Limit per account and per source; lock for 15 minutes after ten failures."},
	{3, 1, taxonomy.DefectWeakAccepted, "high", "high", "high", "high", "POST /passport/reset 接受了排名前 100 的弱密码 214 次", "POST /passport/reset accepted one of the 100 commonest passwords 214 times",
		"设置密码时对照弱密码表，长度不少于 8 位。", "Check new passwords against a list of known ones; ask for eight characters or more."},
	{2, 2, taxonomy.DefectBulkResponse, "elevated", "high", "elevated", "elevated", "GET /item/{id} 单次返回 640 条含手机号的评价", "GET /item/{id} returns 640 reviews with mobile numbers at once",
		"分页并去掉手机号字段。", "Page the list and drop the mobile number."},
	{5, 0, taxonomy.DefectUnauthenticatedSensitive, "high", "high", "critical", "elevated", "GET /bill/{plate} 凭车牌号即可取得车主手机号与停车地点", "GET /bill/{plate} gives the owner's mobile number and whereabouts to whoever knows a plate",
		"绑定车主身份后才返回账单，公共查询只返回金额。", "Return the bill to the bound owner only; show others nothing but the amount."},
	{0, 2, taxonomy.DefectIdentityOracle, "high", "high", "critical", "critical", "POST /api/v1/sms/code 对已注册与未注册手机号给出不同提示", "POST /api/v1/sms/code answers differently for numbers that are registered and numbers that are not",
		"两种情况返回同一提示，发送与否只在后台区分。", "Give one answer for both cases and tell them apart behind the scenes only."},
	{0, 0, taxonomy.DefectIdentityOracle, "elevated", "elevated", "critical", "critical", "POST /api/v1/login 的错误提示区分“账号不存在”与“密码错误”", "POST /api/v1/login tells “no such account” from “wrong password”",
		"统一为“用户名或密码不正确”。", "Say “user name or password is wrong” in both cases."},
	{4, 3, taxonomy.DefectVerboseTrace, "moderate", "moderate", "high", "moderate", "GET /u/{id} 出错时返回 Java 堆栈", "GET /u/{id} returns a Java stack trace on errors",
		"关闭调试输出，错误详情只写日志。", "Switch the debug output off and keep details in the log."},
	{1, 1, taxonomy.DefectExposedComponent, "critical", "critical", "critical", "moderate", "www.citizen.example 的 Spring Boot Actuator 对互联网开放", "Spring Boot Actuator of www.citizen.example is open to the internet",
		"在网关上拦截 /actuator/**，管理端口只监听内网。", "Refuse /actuator/** at the gateway and bind the management port to the internal network."},
	{6, 2, taxonomy.DefectJWTWeakSecret, "high", "critical", "high", "moderate", "nft.drop.example 的 JWT 使用公开表中的密钥 s****t 签名", "JWTs of nft.drop.example are signed with the secret s****t, which stands in public lists",
		"立即更换密钥，旧令牌全部作废。", "Change the secret at once and refuse every token of the old one."},
	{2, 4, taxonomy.DefectCleartext, "elevated", "elevated", "moderate", "elevated", "POST /user/login 以明文 HTTP 传输密码", "POST /user/login carries passwords over plain HTTP",
		"全站 HTTPS 并启用 HSTS。", "Serve everything over HTTPS and send HSTS."},
}

func (y *year) defects() {
	seen := time.Date(y.year, 1, 9, 2, 30, 0, 0, time.UTC)
	for i, f := range flaws {
		d := report.Defect{ID: y.id(16), Class: string(taxonomy.ClassOf[f.kind]), Kind: string(f.kind), API: y.api[f.site][f.api], Severity: f.severity, Harm: f.harm, Exploitability: f.exploit, Prevalence: f.prev,
			Rating: message.Text{Zh: "评分 86：危害性 4/4，可利用性 4/4，普遍性 3/4", En: "Score 86: harm 4/4, exploitability 4/4, prevalence 3/4"}, Confidence: 0.95, Status: "confirmed",
			FirstSeen: seen.AddDate(0, i%4, i), LastSeen: seen.AddDate(0, 10, i), Count: 40 + y.rnd.Uint64N(30000), Evidence: []report.Evidence{},
			Reason: message.Text{Zh: f.reasonZh, En: f.reasonEn}, Advice: message.Text{Zh: f.adZh, En: f.adEn}, OWASP: []string{"API1:2023"}, CWE: []string{"CWE-639"}, ExploitedBy: []string{}}
		if f.kind == taxonomy.DefectExposedComponent {
			d.Component = "actuator"
		}
		for range 3 {
			d.Evidence = append(d.Evidence, report.Evidence{Exchange: y.id(16) + y.id(16), What: message.Text{Zh: "响应字段 data.mobile（手机号）", En: "response field data.mobile (mobile number)"}, Value: "13*******12"})
		}
		y.r.Defects = append(y.r.Defects, d)
	}
}

// link ties attacks to the defects of their APIs.
func (y *year) link() {
	for i := range y.r.Attacks {
		a := &y.r.Attacks[i]
		for j := range y.r.Defects {
			if d := &y.r.Defects[j]; slices.Contains(a.APIs, d.API) && a.Verdict != "suspicious" {
				a.Through = append(a.Through, d.ID)
				d.ExploitedBy = append(d.ExploitedBy, a.ID)
			}
		}
	}
}

// campaigns joins the attacks of two gangs.
func (y *year) campaigns() {
	for _, kinds := range [][]string{{"account_scanning", "scraping", "sms_abuse"}, {"promotion_abuse", "scalping"}} {
		c := report.Campaign{ID: y.id(16), Attacks: []string{}, Sites: []string{}, Industries: []string{}, Scenarios: []string{}, Kinds: kinds, Through: []string{}, Links: []report.Link{}, Targets: []report.Target{}, Timeline: []report.Moment{}}
		c.Name = fmt.Sprintf("G-%.4X", c.ID[:2])
		var mine []*report.Attack
		for i := range y.r.Attacks {
			a := &y.r.Attacks[i]
			if slices.Contains(kinds, a.Kind) && a.Verdict != "suspicious" && a.FirstSeen.Month() >= 4 && a.FirstSeen.Month() <= 8 {
				mine = append(mine, a)
			}
		}
		slices.SortFunc(mine, func(a, b *report.Attack) int { return a.FirstSeen.Compare(b.FirstSeen) })
		target := map[string]*report.Target{}
		for _, a := range mine {
			c.Attacks = append(c.Attacks, a.ID)
			c.Requests, c.Blocked, c.Succeeded, c.SubjectsExposed, c.IPCount = c.Requests+a.Requests, c.Blocked+a.Blocked, c.Succeeded+a.Succeeded, c.SubjectsExposed+a.SubjectsExposed, c.IPCount+a.Actors.IPCount
			c.Through = append(c.Through, a.Through...)
			c.Scenarios = append(c.Scenarios, a.Scenario)
			t := target[a.Site]
			if t == nil {
				t = &report.Target{Site: a.Site, Industry: y.industry(a.Site)}
				target[a.Site] = t
				c.Timeline = append(c.Timeline, report.Moment{Time: a.FirstSeen, Event: cmp.Or(map[bool]string{true: "start"}[len(target) == 1], "spread"), Site: a.Site, Attack: a.ID, Text: a.Reason})
			}
			t.Requests, t.Blocked, t.Succeeded = t.Requests+a.Requests, t.Blocked+a.Blocked, t.Succeeded+a.Succeeded
		}
		last := mine[len(mine)-1]
		c.FirstSeen, c.LastSeen = mine[0].FirstSeen, last.LastSeen
		c.Timeline = append(c.Timeline, report.Moment{Time: last.LastSeen, Event: "end", Text: message.Text{Zh: "此后未再出现", En: "not seen since"}})
		for s, t := range target {
			t.Outcome = []string{"undetected", "partly", "blocked"}[len(s)%3]
			c.Sites, c.Industries = append(c.Sites, s), append(c.Industries, t.Industry)
			c.Targets = append(c.Targets, *t)
		}
		for _, l := range []*[]string{&c.Sites, &c.Industries, &c.Through, &c.Scenarios} {
			slices.Sort(*l)
			*l = slices.Compact(*l)
		}
		slices.SortFunc(c.Targets, func(a, b report.Target) int {
			return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Site, b.Site))
		})
		c.Links = []report.Link{{Key: "header_order", Rarity: 11.4, Attacks: c.Attacks}, {Key: "param_shape", Rarity: 8.2, Attacks: c.Attacks}}
		c.Reason = message.Text{Zh: fmt.Sprintf("%d 起攻击共用同一套罕见的请求头顺序和参数构造方式，先后攻击 %d 个站点", len(mine), len(target)), En: fmt.Sprintf("%d attacks share a rare order of headers and a rare shape of parameters; %d sites were hit one after the other", len(mine), len(target))}
		y.r.Campaigns = append(y.r.Campaigns, c)
	}
}

func (y *year) industry(site string) string {
	for _, s := range shops {
		if s.name == site {
			return s.industry
		}
	}
	return "other"
}
