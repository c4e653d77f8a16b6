package bank

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

// progress says how an application for a card stands: by text message to the
// number that it was made with, and to nobody else.
func (s *service) progress(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	if len(in["certNo"]) != 18 || len(in["mobile"]) != 11 {
		bad(w, 200, "PARAM01", "证件号码或手机号格式不正确")
		return
	}
	if s.sent["p"+s.day(in["certNo"])]++; s.sent["p"+s.day(in["certNo"])] > 6 {
		s.limited(w)
		return
	}
	if !s.env.On(ToldApplications) {
		good(w, obj{"accepted": true})
		return
	}
	good(w, obj{"applied": s.applied[in["certNo"]]})
}

func (s *service) apply(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	if !s.proven(in["mobile"], in["smsCode"]) {
		bad(w, 200, "CODE01", "验证码错误或已过期")
		return
	}
	s.applied[in["certNo"]] = true
	good(w, obj{"accepted": true})
}

func (s *service) proven(phone, code string) bool {
	if c := s.codes[phone]; c == "" || c != code {
		return false
	}
	delete(s.codes, phone)
	return true
}

// send sends a code: to whoever applies, or to a customer who forgot.
func (s *service) send(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	phone := in["mobile"]
	if len(phone) != 11 {
		bad(w, 200, "PARAM01", "手机号格式不正确")
		return
	}
	if s.sent[s.day(phone)]++; s.sent[s.day(phone)] > 5 {
		s.limited(w)
		return
	}
	if told := in["scene"] == "reset" && s.env.On(ToldMobiles); in["scene"] == "reset" && s.byPhone[phone] == nil {
		if told {
			bad(w, 200, "CUST04", "该手机号未开通手机银行")
			return
		}
		good(w, obj{"expire": 300})
		return
	}
	code := fmt.Sprintf("%06d", s.env.Rand.IntN(1_000_000))
	if s.env.On(ShortSMS) {
		code = code[:4]
	}
	s.codes[phone] = code
	good(w, obj{"expire": 300})
}

// Code is what the text message to a number said.
func (s *service) Code(phone string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes[phone]
}

// ranking is who invited most, for everybody to see.
func (s *service) ranking(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from := min(max(n-1, 0)*12, 96)
	whole := s.env.On(OpenInvites)
	rows := []obj{}
	for i := from; i < from+12; i++ {
		p := s.all[i].person
		row := obj{"rank": i + 1, "nickName": s.all[i].nick, "mobileMask": people.MaskPhone(p.Phone), "invited": 120 - i}
		if whole {
			row["inviterName"], row["inviterMobile"] = p.Name, p.Phone
		}
		rows = append(rows, row)
	}
	good(w, obj{"total": 108, "list": rows})
}

// unseal opens a password that the app sealed: what the lab seals with is no
// cipher, and nobody but service and visitors can tell.
func unseal(device, sealed string) (secret string) {
	b, err := hex.DecodeString(sealed)
	if err != nil || len(b) != 128 {
		return ""
	}
	n := int(b[0])
	for i := range min(n, 64) {
		pad := md5.Sum(fmt.Append(nil, device, hex.EncodeToString(b[96:]), i/16))
		secret += string(rune(b[1+i] ^ pad[i%16]))
	}
	return secret
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	phone := in["mobile"]
	c := s.byPhone[phone]
	if !signed(r) {
		bad(w, 403, "AUTH09", "请求签名校验失败")
		return
	}
	if s.failed[s.day(phone)] >= 5 && !s.env.On(EndlessTries) {
		s.limited(w)
		return
	}
	if c != nil || !s.env.On(SlowHash) {
		s.env.Spend(time.Duration(90+s.env.Rand.IntN(14)) * time.Millisecond)
	}
	if c == nil || c.password != unseal(r.Header.Get("X-Device-Id"), in["password"]) {
		s.failed[s.day(phone)]++
		bad(w, 200, "AUTH02", "手机号或密码错误")
		return
	}
	delete(s.failed, s.day(phone))
	good(w, obj{"accessToken": s.token(c), "custNo": c.no})
}

func (s *service) change(w http.ResponseWriter, r *http.Request, c *customer) {
	in := victim.Posted(r)
	device := r.Header.Get("X-Device-Id")
	secret := unseal(device, in["newPassword"])
	if unseal(device, in["oldPassword"]) != c.password || len(secret) < 8 {
		bad(w, 200, "AUTH05", "原密码错误或新密码不符合要求")
		return
	}
	c.password, c.since = secret, s.env.Now()
	good(w, obj{"accepted": true})
}

func (c *customer) card() obj {
	return obj{"custNo": c.no, "custName": people.MaskName(c.person.Name), "nickName": c.nick, "mobile": people.MaskPhone(c.person.Phone), "custLevel": c.level}
}

func (s *service) profile(w http.ResponseWriter, _ *http.Request, c *customer) {
	d := c.card()
	if s.env.On(PayHash) {
		sum := md5.Sum([]byte("pay" + c.person.Phone))
		d["payPassword"] = hex.EncodeToString(sum[:])
	}
	good(w, d)
}

// update takes the nickname. What else is in the body came back from an older
// app that returns the whole card, or from somebody who tries.
func (s *service) update(w http.ResponseWriter, r *http.Request, c *customer) {
	var in struct{ NickName, CustLevel string }
	if !victim.Read(r, &in) {
		bad(w, 200, "PARAM01", "参数错误")
		return
	}
	c.nick = cmp.Or(in.NickName, c.nick)
	if in.CustLevel != "" && in.CustLevel != c.level && s.env.On(OpenLevel) {
		c.level = in.CustLevel
	}
	good(w, c.card())
}

func maskCard(n string) string { return n[:4] + "********" + n[12:] }

func (s *service) cards(w http.ResponseWriter, _ *http.Request, c *customer) {
	row := obj{"cardType": "DEBIT", "cardNoMask": maskCard(c.person.Card), "balance": fmt.Sprintf("%d.%02d", c.no%90_000, c.no%100), "openDate": s.env.Now().AddDate(-2, -c.no%20, 0).Format(date)}
	if s.env.On(PlainTwins) {
		row["cardNo"] = c.person.Card
	}
	good(w, obj{"list": []obj{row}})
}
