package catalog

import (
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// usage counts what tells an API's role, over the first exchanges and a sample
// of the later ones.
type usage struct {
	n          uint32
	password   uint32 // a password to check
	newPass    uint32 // a password to set
	account    uint32 // an account named in the body
	issued     uint32 // a credential given out
	registered uint32 // "exists already"
	wrong      uint32 // "wrong password"
	code       uint32
	phone      uint32
	search     uint32
	page       uint32
	money      uint32
	card       uint32 // names a payment card
	proof      uint32 // … with its security code or expiry date
	refresh    uint32
	plate      uint32 // names a car
	records    uint32
	html       uint32
	asset      uint32
	file       uint32
	upload     uint32
	bare       uint32 // writes of which nothing is seen but the path
	success    uint32
}

const (
	usageAll    = 64 // every exchange counts up to here
	usageSample = 32 // then one in so many
)

func (u *usage) merge(o *usage) {
	u.n += o.n
	u.password += o.password
	u.newPass += o.newPass
	u.account += o.account
	u.issued += o.issued
	u.registered += o.registered
	u.wrong += o.wrong
	u.code += o.code
	u.phone += o.phone
	u.search += o.search
	u.page += o.page
	u.money += o.money
	u.card += o.card
	u.proof += o.proof
	u.refresh += o.refresh
	u.plate += o.plate
	u.records += o.records
	u.html += o.html
	u.asset += o.asset
	u.file += o.file
	u.upload += o.upload
	u.bare += o.bare
	u.success += o.success
}

// logsIn reports whether requests show a secret to get a credential.
func (u *usage) logsIn() bool { return u.password*2 >= u.n }

// learn adds one exchange.
func (u *usage) learn(lex *Lexicon, ev *Event) {
	o := ev.Observation
	u.n++
	set := func(n *uint32, on bool) {
		if on {
			*n++
		}
	}
	current, fresh := false, false
	for i := range o.Passwords {
		if o.Passwords[i].Use == observe.PasswordCurrent {
			current = true
		} else {
			fresh = true
		}
	}
	set(&u.password, current)
	set(&u.newPass, fresh)
	for i := range o.Accounts {
		if in := o.Accounts[i].In; in == observe.InForm || in == observe.InJSON || in == observe.InBody {
			u.account++
			break
		}
	}
	set(&u.issued, len(o.Issued) > 0 && ev.Outcome == OutcomeSuccess)
	set(&u.registered, o.MessageSays&observe.SaysRegistered != 0)
	set(&u.wrong, o.MessageSays&(observe.SaysWrongSecret|observe.SaysBadPair|observe.SaysNotRegistered) != 0)
	set(&u.bare, len(o.Params) == 0 && o.ReqKind == observe.BodyNone && o.Method != "GET")
	uses := paramUse(0)
	for i := range o.Params {
		p := &o.Params[i]
		switch p.Sensitive {
		case taxonomy.SensVerificationCode:
			uses |= useCode
		case taxonomy.SensCNMobile, taxonomy.SensPhone:
			uses |= usePhone
		}
		uses |= lex.use(p.Name)
	}
	set(&u.code, uses&useCode != 0)
	set(&u.phone, uses&usePhone != 0)
	set(&u.search, uses&useSearch != 0)
	set(&u.page, uses&usePage != 0)
	set(&u.money, uses&useMoney != 0)
	set(&u.refresh, uses&useRefresh != 0)
	set(&u.plate, uses&usePlate != 0)
	card, proof := false, false
	for i := range o.Deals {
		switch o.Deals[i].Kind {
		case observe.DealCard:
			card = true
		case observe.DealCVV, observe.DealExpiry:
			proof = true
		}
	}
	set(&u.card, card)
	set(&u.proof, proof)
	set(&u.upload, o.Stream == observe.StreamNone && (o.ReqKind == observe.BodyMultipart || o.ReqKind == observe.BodyFile || o.ReqKind == observe.BodyImage || o.ReqKind == observe.BodyBinary))
	if ev.Outcome != OutcomeSuccess {
		return
	}
	u.success++
	set(&u.records, o.Records > 1 || o.Records == 1 && listLeaf(o))
	set(&u.html, o.RespKind == observe.BodyHTML)
	set(&u.asset, o.RespKind == observe.BodyScript || o.RespKind == observe.BodyImage)
	set(&u.file, o.RespKind == observe.BodyFile || o.RespKind == observe.BodyBinary)
}

// listLeaf reports whether the identifying fields stand inside an array.
func listLeaf(o *observe.Observation) bool {
	return len(o.Leaves) > 0 && strings.Contains(o.Leaves[0].Path, "[]")
}

// use says what a parameter is for, by the last part of its name.
func (l *Lexicon) use(name string) paramUse {
	name = lastName(name)
	if u, ok := l.params[name]; ok {
		return u
	}
	return l.params[plain(name)]
}

// judge keeps the role up to date: at every doubling of the exchanges and when
// the template changed.
func (c *Catalog) judge(p *op, ev *Event) {
	if p.use.n < usageAll || p.Exchanges%usageSample == 0 {
		p.use.learn(c.lex, ev)
	}
	if p.dirty || p.Exchanges&(p.Exchanges-1) == 0 {
		p.dirty = false
		p.Role = c.role(p)
	}
}

// role scores every role by the words of the path and by what requests carry
// and answers give; the best one from 3 on wins, ties go by the taxonomy's
// order.
func (c *Catalog) role(p *op) taxonomy.Role {
	if _, r := p.overridden(); r != "" {
		return r
	}
	var scores [64]float64
	words := c.pathWords(p)
	verb := p.verb()
	for i := range c.lex.roles {
		rw := &c.lex.roles[i]
		s := words.match(rw.words)
		if s > 0 && len(rw.methods) > 0 && !rw.methods[verb] && !(p.Operation != "" && verb == "POST") {
			s -= 3
		}
		scores[i] = s
	}
	u := &p.use
	best, top := taxonomy.RoleOther, 2.99
	for _, r := range taxonomy.Roles {
		s := u.score(r, p, words)
		for i := range c.lex.roles {
			if c.lex.roles[i].role == r {
				s += scores[i]
			}
		}
		if s > top {
			best, top = r, s
		}
	}
	return best
}

// score is the part of a role's score that words do not give.
func (u *usage) score(r taxonomy.Role, p *op, w words) float64 {
	half := func(n uint32) bool { return n > 0 && 2*n >= u.n }
	// An attack is mostly failures: what successes show is judged by them.
	good := func(n uint32) bool { return n > 0 && 2*n >= u.success }
	verb := p.verb()
	write := verb != "GET" && verb != "DELETE"
	s := 0.0
	add := func(on bool, v float64) {
		if on {
			s += v
		}
	}
	switch r {
	case taxonomy.RoleLogin:
		add(half(u.password) && half(u.account), 2)
		add(half(u.password) && u.issued > 0, 3)
		add(u.wrong > 0 && half(u.password), 1)
		add(half(u.newPass) && !half(u.password), -3)
		add(u.registered > 0 && u.issued == 0, -2)
	case taxonomy.RoleLoginCode:
		add(half(u.code) && !half(u.password) && u.issued > 0, 4)
		add(half(u.code) && !half(u.password) && w.has("login", "denglu"), 6)
		add(!half(u.code) && !half(u.bare), -2)
	case taxonomy.RoleRegister:
		add(half(u.password) || half(u.newPass), 1)
		add((half(u.password) || half(u.newPass)) && u.registered > 0, 4)
		add(half(u.password) && half(u.account) && u.issued == 0 && u.wrong == 0 && u.success > 0 && write, 1)
	case taxonomy.RoleIdentityCheck:
		add(half(u.account) && !half(u.password) && !half(u.newPass) && !half(u.code) && w.last("check", "exist", "available", "jiancha", "cunzai"), 5)
	case taxonomy.RolePasswordReset:
		add(half(u.newPass) && half(u.code), 4)
	case taxonomy.RolePasswordChange:
		add(half(u.newPass) && half(u.password), 4)
		add(write && w.last("password", "passwd", "pwd", "mima") && (half(u.password) || half(u.newPass)), 4)
		add(verb == "GET", -4)
	case taxonomy.RoleTokenRefresh:
		add(half(u.refresh) && u.issued > 0, 4)
	case taxonomy.RoleCodeVerify:
		add(half(u.code), 1)
		add(half(u.password), -2)
		add(sends(w), -3)
	case taxonomy.RoleCodeSend:
		add(half(u.phone) && w.has("code", "sms", "captcha", "otp", "yanzhengma", "duanxin"), 2)
		// A code that comes along where one is sent is read off a picture.
		add(half(u.code) && half(u.phone) && !sends(w), -2)
	case taxonomy.RoleUpload:
		add(half(u.upload), 3.5)
	case taxonomy.RoleDownload:
		add(good(u.file), 3)
	case taxonomy.RoleExport:
		add(good(u.file), 1)
	case taxonomy.RoleStatic:
		add(good(u.asset), 8)
	case taxonomy.RolePage:
		add(good(u.html) && verb == "GET", 4)
	case taxonomy.RoleProfile:
		add(verb == "GET" && w.selfish, 4)
		add(verb != "GET" && s > 0, -2)
	case taxonomy.RoleProfileUpdate:
		add((verb == "PUT" || verb == "PATCH" || verb == "POST") && w.selfish, 4)
	case taxonomy.RoleQueryProgress:
		// A car is asked about: where it stands, what it owes.
		add(half(u.plate) && (verb == "GET" || w.asks()), 3.6)
	case taxonomy.RoleSearch:
		add(half(u.search), 3.5)
	case taxonomy.RoleList:
		add(good(u.records) && verb == "GET", 3.2)
		add(good(u.records) && verb != "GET", 3)
		add(half(u.page), 1)
	case taxonomy.RoleDetail:
		add(verb == "GET" && w.value && !good(u.records), 3.1)
	case taxonomy.RolePayment:
		add(half(u.money) && write, 1)
		add(half(u.card) && write, 2)
		add(half(u.card) && half(u.proof) && write, 5)
	case taxonomy.RoleOrderCancel:
		add(verb == "DELETE" && w.has("order", "booking", "reservation", "appointment", "dingdan"), 6)
	case taxonomy.RoleGraphql:
		add(p.Operation != "", -10) // the operation says more
	case taxonomy.RoleAdmin:
		// What is listed, shown or searched in a back office is the back office's.
		add(w.leads && verb == "GET" && !good(u.html) && !good(u.asset), 4)
	}
	return s
}

// sends reports whether a path ends in having something sent.
func sends(w words) bool { return w.last("send", "fasong") }

// words is an API's path as role words see it.
type words struct {
	parts   []string   // literals, joined spelling, in order
	subs    [][]string // their sub-words
	tail    string     // last two literals together: sms/send
	value   bool       // ends in a parameter
	selfish bool       // speaks of the asker
	leads   bool       // begins with a word for back offices
}

func (c *Catalog) pathWords(p *op) words {
	var w words
	path := p.Template
	if p.Operation != "" {
		path = strings.TrimSuffix(strings.TrimSuffix(path, p.Operation), "#")
	}
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		if strings.HasPrefix(part, "{") {
			w.value = true
			continue
		}
		w.value = false
		w.add(c, part)
	}
	if p.Operation != "" {
		w.value = false
		for _, part := range operationWords(p.Operation) {
			w.add(c, part)
		}
	}
	if n := len(w.parts); n >= 2 {
		w.tail = w.parts[n-2] + w.parts[n-1]
	} else if n == 1 {
		w.tail = w.parts[0]
	}
	return w
}

func (w *words) add(c *Catalog, part string) {
	w.parts = append(w.parts, plain(part))
	w.subs = append(w.subs, subwords(part, nil))
	if c.lex.self[strings.ToLower(part)] {
		w.selfish = true
	}
	if len(w.parts) <= 3 && backOffice(w.parts[len(w.parts)-1]) {
		w.leads = true
	}
}

// backOffice reports whether a path's segment says that what follows is for
// staff.
func backOffice(s string) bool {
	switch s {
	case "admin", "administrator", "sysadmin", "superadmin", "backend", "backstage", "houtai", "guanli", "manage", "management":
		return true
	}
	return false
}

func (w *words) has(names ...string) bool {
	for i := range w.parts {
		for _, n := range names {
			if strings.Contains(w.parts[i], n) {
				return true
			}
		}
	}
	return false
}

// asks reports whether the last literal begins like a question.
func (w *words) asks() bool {
	if len(w.parts) == 0 {
		return false
	}
	for _, q := range [...]string{"get", "query", "find", "search", "check", "chaxun", "cha", "lookup", "查"} {
		if strings.HasPrefix(w.parts[len(w.parts)-1], q) {
			return true
		}
	}
	return w.last("query", "chaxun", "查询", "fee", "feiyong")
}

func (w *words) last(names ...string) bool {
	if len(w.parts) == 0 {
		return false
	}
	for _, n := range names {
		if strings.Contains(w.parts[len(w.parts)-1], n) {
			return true
		}
	}
	return false
}

// match scores role words against the path, 6 for the whole last literal; what
// stands further left says less about what is done. Longer matches win over
// shorter ones by a little: "resetpassword" over "password".
func (w *words) match(names []string) float64 {
	best := 0.0
	for _, name := range names {
		for i, part := range w.parts {
			pos := 1.0
			switch len(w.parts) - 1 - i {
			case 0:
			case 1:
				pos = 0.6
			default:
				pos = 0.35
			}
			s := 0.0
			switch {
			case part == name:
				s = 6
			case contains(w.subs[i], name):
				s = 5
			case len(name) >= 6 && strings.Contains(part, name):
				s = 4.5
			case i == len(w.parts)-1 && len(name) >= 6 && strings.Contains(w.tail, name):
				s = 5.5
			}
			if s > 0 {
				s += float64(min(len(name), 20)) / 20
				best = max(best, s*pos)
			}
		}
	}
	return best
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
