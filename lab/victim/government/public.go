package government

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
	"xiezhi/lab/victim/visit"
)

// App is the application.
var App = &victim.App{
	Name: "government", Host: host, Industry: "government", Days: 42, Dialects: dialects,
	Flaws: []victim.Flaw{
		{Name: WholeLists, Signs: []victim.Sign{
			{Kinds: []string{"unneeded_sensitive"}, Method: "GET", Template: "/api/notices/persons"},
			{Kinds: []string{"masked_plain_twin"}, Method: "GET", Template: "/api/notices/persons"},
			{Kinds: []string{"unused_by_frontend"}, Method: "GET", Template: "/api/notices/persons"},
			{Kinds: []string{"unauthenticated_sensitive"}, Method: "GET", Template: "/api/notices/persons"},
		}},
		{Name: WholeFiles, Signs: []victim.Sign{
			{Kinds: []string{"unauthenticated_file"}, Method: "GET", Template: "/files/notice/{}"},
			{Kinds: []string{"unneeded_sensitive", "unauthenticated_sensitive"}, Method: "GET", Template: "/files/notice/{}", Extra: true},
		}},
		{Name: WholeSchool, Signs: []victim.Sign{
			{Kinds: []string{"bulk_response"}, Method: "GET", Template: "/api/school/pupils"},
			{Kinds: []string{"unauthenticated_sensitive"}, Method: "GET", Template: "/api/school/pupils"},
			{Kinds: []string{"unneeded_sensitive", "unused_by_frontend"}, Method: "GET", Template: "/api/school/pupils", Extra: true},
			{Kinds: []string{"masked_plain_twin"}, Method: "GET", Template: "/api/school/pupils", Extra: true}, // who does not know the family name takes parent and pupil for one
		}},
		victim.One(ToldApplicants, "POST", "/api/progress/query", "identity_oracle"),
		victim.One(ToldCitizens, "POST", "/api/sms/send", "identity_oracle"),
		victim.One(CodeInCookie, "POST", "/api/sms/send", "code_in_response"),
		{Name: FourDigits, Signs: []victim.Sign{{Kinds: []string{"weak_verification_code"}}, {Kinds: []string{"weak_verification_code"}, Extra: true}}},
		victim.One(UsedCode, "POST", "/api/user/smslogin", "weak_verification_code"),
		{Name: BareRefusals, Signs: []victim.Sign{{Kinds: []string{"missing_rate_limit_header"}}, {Kinds: []string{"missing_rate_limit_header"}, Extra: true}}},
		victim.One(InitialSix, "POST", "/api/user/login", "weak_in_use"),
		victim.One(AnyPassword, "POST", "/api/user/register", "weak_accepted"),
		victim.One(ForeignCerts, "GET", "/api/certs/detail", "bola"),
		victim.One(InnerRemarks, "GET", "/api/mine/applications", "internal_fields"),
		{Name: StayingSession, Signs: []victim.Sign{{Kinds: []string{"dead_credential"}}, {Kinds: []string{"dead_credential"}, Extra: true}}},
		victim.One(BarePortal, "", "", "insecure_cookie"),
		{Name: SessionInPath, Signs: []victim.Sign{
			{Kinds: []string{"secret_in_url"}, Method: "GET", Template: "/api/mine/info"},
			{Kinds: []string{"secret_in_url"}, Method: "GET", Template: "/api/mine/applications"},
			{Kinds: []string{"secret_in_url"}, Extra: true},
		}},
		{Name: PlainPortal, Signs: []victim.Sign{{Kinds: []string{"cleartext"}}}},
		{Name: OpenTerminal, Signs: []victim.Sign{
			{Kinds: []string{"unauthenticated_sensitive", "optional_authentication"}, Method: "POST", Template: "/ws/terminal/insured"},
			{Kinds: []string{"optional_authentication", "unauthenticated_sensitive"}, Method: "POST", Template: "/ws/terminal/insured", Extra: true},
		}},
		victim.One(TerminalTrace, "POST", "/ws/terminal/insured", "verbose_trace"),
		{Name: OracleSearch, Signs: []victim.Sign{
			{Kinds: []string{"injection_suspected"}, Method: "GET", Template: "/api/guides/search"},
			{Kinds: []string{"verbose_trace"}, Method: "GET", Template: "/api/guides/search"},
		}},
		victim.Exposed(Registry, "exposed_component", "eureka", "/eureka/apps"),
		victim.Exposed(WebInf, "exposed_file", "webinf", "/WEB-INF/web.xml"),
		victim.Exposed(DocPage, "api_docs", "", "/doc.html"),
		victim.Exposed(UploadFolder, "directory_listing", "", "/upload/"),
		{Name: AgedServer, Signs: []victim.Sign{{Kinds: []string{"outdated_component"}}, {Kinds: []string{"outdated_component"}, Extra: true}}},
		{Name: VendorAccount, Signs: []victim.Sign{
			{Kinds: []string{"admin_weak_or_default"}, Method: "POST", Template: "/admin/api/login"},
			{Kinds: []string{"default_credential", "weak_in_use"}, Method: "POST", Template: "/admin/api/login", Extra: true},
		}},
		{Name: EndlessGuesses, Signs: []victim.Sign{
			{Kinds: []string{"admin_weak_or_default", "no_throttling"}, Method: "POST", Template: "/admin/api/login"},
			{Kinds: []string{"no_throttling", "admin_weak_or_default"}, Method: "POST", Template: "/admin/api/login", Extra: true},
		}},
		{Name: FirstPassword, Signs: []victim.Sign{
			{Kinds: []string{"shared_default"}, Method: "POST", Template: "/admin/api/login"},
			{Kinds: []string{"admin_weak_or_default"}, Method: "POST", Template: "/admin/api/login", Extra: true},
		}},
		victim.One(AnyWindow, "POST", "/admin/api/cases/approve", "bfla"),
		victim.One(WholeAfter, "GET", "/admin/api/cases/detail", "role_overbroad"),
	},
	Policy: victim.Batch("government", "/openapi/cases/sync", "the province's platform collects applications by decree", 14),
	New: func(env victim.Env) victim.Service {
		s := newService(env)
		return victim.Service{Handler: s, Day: s.visits}
	},
}

func at(midnight time.Time, r *rand.Rand) time.Time {
	return midnight.Add(time.Duration(8+r.IntN(13))*time.Hour + time.Duration(r.IntN(3_600_000))*time.Millisecond)
}

// visits lets the day's visitors come.
func (s *service) visits(w *visit.World, midnight time.Time, r *rand.Rand) {
	for range 3 + r.IntN(3) {
		n := 9000 + r.IntN(4000)
		w.Enter(at(midnight, r), "reader", visit.Browser(n), func(a *visit.Actor) { s.read(a) })
	}
	for range 2 { // parents look for the school
		c := visit.Browser(14_000 + r.IntN(900))
		w.Enter(at(midnight, r), "parent", c, func(a *visit.Actor) {
			a.Open("/school.html")
			school := 11 + a.Rand.IntN(schools)
			for n := range 1 + a.Rand.IntN(3) {
				a.Get(fmt.Sprintf("/api/school/pupils?schoolId=%d&pageNo=%d", school, n+1))
				a.Think(8 * time.Second)
			}
		})
	}
	for range 3 + r.IntN(2) {
		c := s.cases[r.IntN(len(s.cases))]
		w.Enter(at(midnight, r), "applicant", visit.Browser(6000+c.owner.Index), func(a *visit.Actor) { s.askProgress(a, s.byCase[c.owner.ID]) })
	}
	for range 1 + r.IntN(2) { // was told to look, and never applied for anything
		p := s.env.Town.Person(20_000 + r.IntN(9000))
		w.Enter(at(midnight, r), "mistaken", visit.Browser(p.Index), func(a *visit.Actor) {
			a.Open("/progress.html")
			for range 1 + a.Rand.IntN(2) {
				a.Form("/api/progress/query", victim.Fields("idNo", p.ID, "queryCode", fmt.Sprintf("%06d", a.Rand.IntN(1_000_000))))
				a.Think(12 * time.Second)
			}
		})
	}
	for range 5 + r.IntN(3) {
		c := s.all[r.IntN(citizens)]
		w.Enter(at(midnight, r), "citizen", s.device(c, r), func(a *visit.Actor) { s.citizen(a, c) })
	}
	for range 2 {
		p := s.env.Town.Person(50_000 + r.IntN(40_000))
		w.Enter(at(midnight, r), "newcomer", visit.Browser(p.Index), func(a *visit.Actor) { s.join(a, p) })
	}
	for range 1 + r.IntN(2) { // takes the city's portal for the province's, and has no account here
		p := s.env.Town.Person(30_000 + r.IntN(9000))
		w.Enter(at(midnight, r), "stranger", visit.Browser(p.Index), func(a *visit.Actor) {
			a.Open("/mine.html")
			a.Form("/api/sms/send", victim.Fields("idNo", p.ID))
		})
	}
	if r.IntN(5) == 0 { // the text message does not come, and is asked for again and again
		c := s.all[r.IntN(citizens)]
		w.Enter(at(midnight, r), "impatient", visit.Browser(6000+c.person.Index), func(a *visit.Actor) {
			for range 8 {
				a.Form("/api/sms/send", victim.Fields("idNo", c.person.ID))
				a.Wait(15 * time.Second)
			}
		})
	}
	s.machines(w, midnight, r)
	s.office(w, midnight, r)
}

// device is what a citizen uses: a browser, or a mini program that keeps no
// cookies.
func (s *service) device(c *citizen, r *rand.Rand) *visit.Client {
	n := 6000 + c.person.Index
	if c.person.Index%3 == 0 {
		return visit.NewClient(visit.MiniProgram, visit.Home(n), n)
	}
	b := visit.Browser(n)
	b.Plain = r.IntN(3) == 0 // an old bookmark
	return b
}

func (s *service) read(a *visit.Actor) {
	if a.Rand.IntN(2) == 0 {
		a.Open("/")
		a.Get("/api/guides/list?pageNo=1")
		a.Think(9 * time.Second)
		word := searched[a.Rand.IntN(len(searched))]
		a.Get("/api/guides/search?keyword=" + url.QueryEscape(word))
		a.Think(6 * time.Second)
	}
	a.Open("/notice.html")
	a.Get("/api/notices/list?pageNo=1")
	a.Think(5 * time.Second)
	n := 2601 + a.Rand.IntN(notices)
	for page := range 1 + a.Rand.IntN(3) {
		a.Get(fmt.Sprintf("/api/notices/persons?noticeId=%d&pageNo=%d", n, page+1))
		a.Think(11 * time.Second)
	}
	if a.Rand.IntN(3) == 0 {
		a.Get("/files/notice/" + attachment(n-2601))
	}
}

var searched = []string{"居住证", "公租房", "护照'加急", "'落户", "'老年优待证", "参保'", "补贴", "换发'"}

func (s *service) askProgress(a *visit.Actor, c *application) {
	a.Open("/progress.html")
	if a.Rand.IntN(3) == 0 { // reads the receipt wrongly
		n, _ := strconv.Atoi(c.code)
		a.Form("/api/progress/query", victim.Fields("idNo", c.owner.ID, "queryCode", fmt.Sprintf("%06d", (n+9)%1_000_000)))
		a.Think(10 * time.Second)
	}
	a.Form("/api/progress/query", victim.Fields("idNo", c.owner.ID, "queryCode", c.code))
}

// photo loads a picture and reads it.
func (s *service) photo(a *visit.Actor) (key, text string) {
	key = fmt.Sprintf("%08x", a.Rand.Uint32())
	a.Do(visit.Request{Target: "/api/captcha/image?key=" + key, Kind: "image"})
	a.Think(5 * time.Second)
	return key, s.Picture(key)
}

// signIn signs in by password, and by a code when that is not taken.
func (s *service) signIn(a *visit.Actor, c *citizen) bool {
	in := func(password, key, text string) *visit.Answer {
		return a.Form("/api/user/login", victim.Fields("idNo", c.person.ID, "password", password, "captchaKey", key, "captcha", text))
	}
	key, text := s.photo(a)
	ans := in(c.password, key, text)
	if a.Rand.IntN(9) == 0 && done(ans) { // the page was loaded twice, and sends the form again
		if ans = in(c.password, key, text); !done(ans) {
			key, text = s.photo(a)
			ans = in(c.password, key, text)
		}
	}
	if a.Rand.IntN(6) == 0 && !done(ans) {
		key, text = s.photo(a)
		ans = in(c.password+"0", key, text)
	}
	if done(ans) {
		return true
	}
	return s.byCode(a, c)
}

// done reports whether an answer is the success of its kind.
func done(ans *visit.Answer) bool { return ans.Text("code") == "0" }

func (s *service) byCode(a *visit.Actor, c *citizen) bool {
	a.Think(5 * time.Second)
	if !a.Form("/api/sms/send", victim.Fields("idNo", c.person.ID)).OK() {
		return false
	}
	a.Think(15 * time.Second)
	form := victim.Fields("idNo", c.person.ID, "smsCode", s.Code(c.person.ID))
	ok := done(a.Form("/api/user/smslogin", form))
	if ok && a.Rand.IntN(4) == 0 { // opens the page once more, which sends the form again
		a.Wait(25 * time.Second)
		a.Form("/api/user/smslogin", form)
	}
	return ok
}

// mine asks for something of the citizen's: who keeps no cookies puts the
// session into the address, unless the program was mended.
func (s *service) mine(a *visit.Actor, target string) *visit.Answer {
	if a.Browser {
		return a.Get(target)
	}
	switch token := a.Cookie(cookie); {
	case token == "":
		return a.Get(target)
	case s.env.On(SessionInPath):
		path, query, _ := strings.Cut(target, "?")
		if query != "" {
			query = "?" + query
		}
		return a.Get(path + ";jsessionid=" + token + query)
	default:
		return a.Get(target, "Cookie", cookie+"="+token)
	}
}

func (s *service) citizen(a *visit.Actor, c *citizen) {
	if a.Browser {
		a.Open("/mine.html")
	}
	if a.Rand.IntN(5) == 0 { // the session of this morning is over
		s.mine(a, "/api/mine/info")
		s.mine(a, "/api/mine/applications")
		a.Think(3 * time.Second)
	}
	ok := false
	if a.Rand.IntN(3) > 0 {
		ok = s.signIn(a, c)
	} else {
		ok = s.byCode(a, c)
	}
	if !ok {
		return
	}
	s.mine(a, "/api/mine/info")
	a.Think(4 * time.Second)
	s.mine(a, "/api/mine/applications")
	if a.Rand.IntN(2) == 0 {
		a.Think(6 * time.Second)
		ans := s.mine(a, "/api/mine/certificates")
		if id := ans.Text(fmt.Sprintf("data.rows.%d.certId", a.Rand.IntN(2))); id != "" {
			a.Think(5 * time.Second)
			if f := s.mine(a, "/api/certs/detail?certId="+id).Text("data.fileName"); f != "" && a.Browser {
				a.Get("/files/cert/" + f)
			}
		}
		if a.Rand.IntN(3) > 0 { // the link to the spouse's certificate, out of a chat
			o := s.all[a.Rand.IntN(citizens)]
			a.Think(9 * time.Second)
			s.mine(a, fmt.Sprintf("/api/certs/detail?certId=%d", o.certs[0]))
		}
	}
	if a.Browser && a.Rand.IntN(6) == 0 {
		a.Think(40 * time.Second)
		a.Form("/api/mine/apply", victim.Fields("itemId", strconv.Itoa(a.Rand.IntN(len(items)))))
	}
	if a.Browser && a.Rand.IntN(2) == 0 { // signs out, while another window still asks for news
		token := a.Cookie(cookie)
		a.Think(8 * time.Second)
		if a.Form("/api/user/logout", victim.Fields("from", "menu")).OK() {
			a.SetCookie(cookie, token)
			for range 2 {
				a.Wait(40 * time.Second)
				a.Get("/api/mine/applications")
			}
		}
	}
}

// join registers; who is refused a password takes a better one.
func (s *service) join(a *visit.Actor, p people.Person) {
	a.Open("/mine.html")
	if !a.Form("/api/sms/send", victim.Fields("idNo", p.ID, "phone", p.Phone)).OK() {
		return
	}
	for _, password := range []string{p.Password, strong(p)} {
		a.Think(20 * time.Second)
		if done(a.Form("/api/user/register", victim.Fields("idNo", p.ID, "personName", p.Name, "phone", p.Phone, "smsCode", s.Code(p.ID), "password", password))) {
			a.Get("/api/mine/info")
			return
		}
	}
}
