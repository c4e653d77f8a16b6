package government

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

const cookie = "ZWFWSID"

// picture gives a picture with characters to read, and its number.
func (s *service) picture(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	if len(s.pictures) >= 10_000 {
		clear(s.pictures)
		clear(s.used)
	}
	const letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	var b [4]byte
	for i := range b {
		b[i] = letters[s.env.Rand.IntN(len(letters))]
	}
	s.pictures[key] = string(b[:])
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), b[:]...)) // what a program cannot read matters to none here
}

// Picture is what a person reads on a picture.
func (s *service) Picture(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pictures[key]
}

// Code is what the text message said.
func (s *service) Code(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes[id]
}

// looked reports whether the picture was read; each is good for once.
func (s *service) looked(key, text string) bool {
	if want := s.pictures[key]; want == "" || !strings.EqualFold(want, text) || s.used[key] {
		return false
	}
	s.used[key] = true
	return true
}

// send sends a code to the phone that an identity number was registered with,
// or to the one that is to be registered.
func (s *service) send(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	id, phone := in["idNo"], in["phone"]
	if len(id) != 18 {
		bad(w, "400", "身份证号格式不正确")
		return
	}
	if s.sent[s.day(id)]++; s.sent[s.day(id)] > 5 {
		s.limited(w)
		return
	}
	if told := phone == "" && s.env.On(ToldCitizens); phone == "" && s.byID[id] == nil {
		if told {
			bad(w, "2001", "该身份证号未注册")
			return
		}
		good(w, obj{"expire": 300})
		return
	}
	code := fmt.Sprintf("%06d", s.env.Rand.IntN(1_000_000))
	if s.env.On(FourDigits) {
		code = code[:4]
	}
	s.codes[id] = code
	if s.env.On(CodeInCookie) {
		w.Header().Add("Set-Cookie", "validCode="+code+"; Path=/; Secure; HttpOnly; SameSite=Lax")
	}
	good(w, obj{"expire": 300})
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	id := in["idNo"]
	if s.failed[s.day(id)] >= 5 {
		s.limited(w)
		return
	}
	if !s.looked(in["captchaKey"], in["captcha"]) {
		bad(w, "2101", "图形验证码错误或已失效")
		return
	}
	c := s.byID[id]
	if c == nil || c.password != in["password"] {
		s.failed[s.day(id)]++
		bad(w, "2002", "证件号码或密码错误")
		return
	}
	delete(s.failed, s.day(id))
	if c.initial && !s.env.On(InitialSix) {
		bad(w, "2010", "初始密码已停用，请使用短信验证码登录后重设")
		return
	}
	s.enter(w, c)
}

// proven takes the code that was sent, once.
func (s *service) proven(id, code string) bool {
	if c := s.codes[id]; c == "" || c != code {
		return false
	}
	delete(s.codes, id)
	if len(s.shown) >= 10_000 {
		clear(s.shown)
	}
	s.shown[id] = code
	return true
}

func (s *service) codeLogin(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	id := in["idNo"]
	if s.failed["c"+s.day(id)] >= 5 {
		s.limited(w)
		return
	}
	c := s.byID[id]
	again := in["smsCode"] != "" && s.shown[id] == in["smsCode"] && s.codes[id] == ""
	if c == nil || !s.proven(id, in["smsCode"]) && !(again && s.env.On(UsedCode)) {
		s.failed["c"+s.day(id)]++
		bad(w, "2003", "验证码错误或已过期")
		return
	}
	s.enter(w, c)
}

func (s *service) register(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	id := in["idNo"]
	if c := s.codes[id]; c == "" || c != in["smsCode"] {
		bad(w, "2003", "验证码错误或已过期")
		return
	}
	if len(in["password"]) < 6 || weak(in["password"]) && !s.env.On(AnyPassword) {
		bad(w, "2011", "密码至少8位，须包含大小写字母、数字和符号")
		return
	}
	if s.byID[id] != nil || len(s.all) >= most {
		bad(w, "2012", "注册未成功，请直接登录")
		return
	}
	delete(s.codes, id)
	p := people.Person{ID: id, Name: in["personName"], Phone: in["phone"], City: "杭州"}
	s.enter(w, s.open(p, in["password"]))
}

func (s *service) enter(w http.ResponseWriter, c *citizen) {
	token := fmt.Sprintf("%016x%016x", s.env.Rand.Uint64(), s.env.Rand.Uint64())
	if len(s.sessions) >= 10_000 {
		clear(s.sessions)
		clear(s.ended)
	}
	s.sessions[token] = c
	attributes := "; Path=/; Secure; HttpOnly; SameSite=Lax"
	if s.env.On(BarePortal) {
		attributes = "; Path=/"
	}
	w.Header().Add("Set-Cookie", cookie+"="+token+attributes)
	good(w, obj{"personName": people.MaskName(c.person.Name)})
}

// token gives the session that a request shows.
func (s *service) token(r *http.Request) string {
	if c, err := r.Cookie(cookie); err == nil {
		return c.Value
	}
	if s.env.On(SessionInPath) {
		return r.Header.Get(pathSession)
	}
	return ""
}

func (s *service) logout(w http.ResponseWriter, r *http.Request) {
	token := s.token(r)
	if c := s.sessions[token]; c != nil {
		delete(s.sessions, token)
		s.ended[token] = c
	}
	good(w, nil)
}

type handler func(w http.ResponseWriter, r *http.Request, c *citizen)

// as finds out who asks, or refuses.
func (s *service) as(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := s.token(r)
		c := s.sessions[token]
		if old := s.ended[token]; old != nil && s.env.On(StayingSession) {
			c = old
		}
		if c == nil {
			refuse(w)
			return
		}
		h(w, r, c)
	}
}

func (s *service) info(w http.ResponseWriter, _ *http.Request, c *citizen) {
	good(w, obj{"personName": people.MaskName(c.person.Name), "phone": people.MaskPhone(c.person.Phone), "certified": true})
}

func (s *service) ownCases(w http.ResponseWriter, _ *http.Request, c *citizen) {
	rows := []obj{}
	inner := s.env.On(InnerRemarks)
	for i := len(c.cases) - 1; i >= max(len(c.cases)-10, 0); i-- {
		a := c.cases[i]
		row := obj{"caseNo": a.no, "itemName": a.item, "applyTime": a.at.Format(clock), "stage": stages[a.steps%len(stages)]}
		if inner {
			row["auditRemark"], row["riskLevel"], row["isDeleted"], row["serverIp"] = remarks[i%len(remarks)], i%3, 0, "172.18.4.21"
		}
		rows = append(rows, row)
	}
	good(w, obj{"total": len(c.cases), "rows": rows})
}

func (s *service) newCase(w http.ResponseWriter, r *http.Request, c *citizen) {
	if len(s.cases) >= 4000 {
		bad(w, "5001", "今日预约已满")
		return
	}
	n, _ := strconv.Atoi(victim.Posted(r)["itemId"])
	a := s.apply(c.person, max(n, 0), s.env.Now())
	good(w, obj{"caseNo": a.no, "queryCode": a.code})
}

func certRow(i int, id int) obj {
	return obj{"certId": id, "certName": certNames[(i+id)%len(certNames)], "issuer": departmentsOf[id%len(departmentsOf)], "validTo": "2036-12-31"}
}

func (s *service) certs(w http.ResponseWriter, _ *http.Request, c *citizen) {
	rows := []obj{}
	for i, id := range c.certs {
		rows = append(rows, certRow(i, id))
	}
	good(w, obj{"total": len(rows), "rows": rows})
}

// holderOf gives whose a certificate is.
func (s *service) holderOf(id int) *citizen {
	i := (id - 3_100_000) / 40
	if id < 3_100_000 || i >= len(s.all) || !slices.Contains(s.all[i].certs, id) {
		return nil
	}
	return s.all[i]
}

func (s *service) cert(w http.ResponseWriter, r *http.Request, c *citizen) {
	id := number(r, "certId")
	o := s.holderOf(id)
	if o == nil || o != c && !s.env.On(ForeignCerts) {
		write(w, 403, obj{"code": "403", "msg": "无权查看该证照", "data": nil})
		return
	}
	d := certRow(0, id)
	d["holderName"], d["holderIdNo"], d["holderPhone"], d["fileName"] = o.person.Name, o.person.ID, o.person.Phone, fmt.Sprintf("dzzz-%d.pdf", id)
	good(w, d)
}

// certFile is a certificate to print, for its holder.
func (s *service) certFile(w http.ResponseWriter, r *http.Request, c *citizen) {
	id, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.PathValue("file"), "dzzz-"), ".pdf"))
	if s.holderOf(id) != c {
		missing(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="`+r.PathValue("file")+`"`)
	_, _ = w.Write(sheet(fmt.Sprintf("Certificate %d", id)))
}

// sheet is a PDF of one line.
func sheet(line string) []byte {
	body := "BT /F1 12 Tf 72 720 Td (" + line + ") Tj ET"
	return fmt.Appendf(nil, "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>endobj\n4 0 obj<</Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n", len(body), body)
}
