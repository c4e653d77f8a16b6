package scene

import (
	"cmp"
	"crypto/md5"
	"fmt"
	"time"
	"unicode"

	"xiezhi/lab/people"
)

// limits are the controls of an application; 0 means there is none.
type limits struct {
	failures  int // wrong passwords of one account in ten minutes
	sends     int // codes for one number a day
	sendsFrom int // codes asked for by one address an hour
	registers int // accounts made by one address a day
	reads     int // reads by one address a minute
}

// admit opens an account.
func (a *App) admit(p people.Person, password string) *Account {
	acc := &Account{UID: a.nextUID, Person: p, Password: password}
	a.nextUID += 1 + int64(a.rng.IntN(3))
	a.byLogin[a.LoginName(p)] = acc
	a.byLogin[p.Phone] = acc
	return acc
}

// LoginName is what a person types into the account field.
func (a *App) LoginName(p people.Person) string {
	if a.ByName {
		for i := range len(p.Email) {
			if p.Email[i] == '@' {
				return p.Email[:i]
			}
		}
	}
	return p.Phone
}

// acceptable is the password policy where there is one.
func (a *App) acceptable(pw string) bool {
	if a.flaws[WeakPasswords] {
		return len(pw) >= 6
	}
	var lower, upper, digit, other bool
	for _, r := range pw {
		switch {
		case unicode.IsLower(r):
			lower = true
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsDigit(r):
			digit = true
		default:
			other = true
		}
	}
	return len(pw) >= 8 && lower && upper && digit && other
}

// Strong makes an acceptable password of a person.
func Strong(p people.Person) string {
	return fmt.Sprintf("Xk%c!%s%c%d", 'a'+rune(p.Index%26), p.Plate[len(p.Plate)-3:], 'Q'+rune(p.Index%7), 1000+p.Index*37%9000)
}

// Chosen is the password a person has at this application.
func (a *App) Chosen(p people.Person) string {
	if a.acceptable(p.Password) {
		return p.Password
	}
	return Strong(p)
}

func login(c *Call) Answer {
	a, name, pw := c.App, c.Fields.Get("account"), c.Fields.Get("password")
	acc := a.byLogin[name]
	if acc != nil && acc.Staff {
		acc = nil // the back office has its own door
	}
	if a.limits.failures > 0 {
		if w := a.counts["fail:"+name]; w != nil && c.Now.Sub(w.start) < 10*time.Minute && w.n >= a.limits.failures {
			ans := a.Style.fail(a, 423, 42301, "密码错误次数过多，账号已锁定，请10分钟后再试")
			ans.Blocked = true
			return ans
		}
	}
	if acc == nil || acc.Password != pw {
		a.over("fail:"+name, c.Now, 10*time.Minute, max(a.limits.failures, 1))
		switch {
		case !a.flaws[IdentityOracle]:
			return a.Style.fail(a, 401, 40103, "用户名或密码不正确")
		case acc == nil:
			return a.Style.fail(a, 404, 40104, "该账号未注册")
		}
		ans := a.Style.fail(a, 401, 40105, "密码错误，请重新输入")
		ans.Gained = 1 // the account is confirmed
		return ans
	}
	delete(a.counts, "fail:"+name)
	return a.welcome(c, acc)
}

// welcome is the answer to a successful sign-in.
func (a *App) welcome(c *Call, acc *Account) Answer {
	token, until := a.signIn(acc, c.Now)
	data := Obj("userId", acc.UID, "nickname", acc.Person.Nick)
	var headers []Field
	if a.Credential == Cookie {
		secure := "; Secure"
		if a.Plain {
			secure = ""
		}
		headers = append(headers, Field{"Set-Cookie", a.CredentialName + "=" + token + "; Path=/; HttpOnly; SameSite=Lax" + secure})
	} else {
		data = data.With("token", token, "expiresIn", int(until.Sub(c.Now)/time.Second))
	}
	ans := a.Style.ok(a, data)
	ans.Headers = append(ans.Headers, headers...)
	ans.Token, ans.Account, ans.Gained = token, acc, 1
	return ans
}

func staffLogin(c *Call) Answer {
	a, name := c.App, c.Fields.Get("account")
	acc := a.byLogin[name]
	if !a.flaws[StaffDefault] && a.over("staff:"+c.From.String(), c.Now, 10*time.Minute, 8) {
		return a.Style.blocked(a)
	}
	if acc == nil || !acc.Staff || acc.Password != c.Fields.Get("password") {
		return a.Style.fail(a, 401, 40103, "用户名或密码不正确")
	}
	return a.welcome(c, acc)
}

func sendCode(c *Call) Answer {
	a, phone := c.App, c.Fields.Get("phone")
	if len(phone) != 11 {
		return a.Style.fail(a, 400, 40001, "手机号格式不正确")
	}
	if a.over("sendfrom:"+c.From.String(), c.Now, time.Hour, a.limits.sendsFrom) {
		return a.Style.blocked(a)
	}
	if a.over("send:"+phone, c.Now, 24*time.Hour, a.limits.sends) {
		return a.Style.fail(a, 429, 42901, "今日验证码发送次数已达上限")
	}
	code := fmt.Sprintf("%06d", a.rng.IntN(1_000_000))
	if len(a.kept) >= MaxKept {
		delete(a.codes, a.kept[0])
		a.kept = a.kept[1:]
	}
	if _, known := a.codes[phone]; !known {
		a.kept = append(a.kept, phone)
	}
	a.codes[phone] = sentCode{code: code, at: c.Now}
	data := Obj("interval", 60)
	if a.flaws[CodeInAnswer] {
		data = data.With("smsCode", code)
	}
	ans := a.Style.ok(a, data)
	ans.IDs = []string{code} // what the owner of the number reads on the phone
	return ans
}

// verify checks and uses up a code.
func (a *App) verify(phone, code string, now time.Time) bool {
	s, ok := a.codes[phone]
	if !ok || now.Sub(s.at) > 5*time.Minute {
		return false
	}
	if s.code != code {
		if s.tries++; s.tries >= 5 && !a.flaws[NoThrottle] {
			s.at = time.Time{}
		}
		a.codes[phone] = s
		return false
	}
	s.at = time.Time{}
	a.codes[phone] = s
	return true
}

func loginCode(c *Call) Answer {
	a, phone := c.App, c.Fields.Get("phone")
	if !a.verify(phone, c.Fields.Get("code"), c.Now) {
		return a.Style.fail(a, 400, 40011, "验证码错误或已失效")
	}
	acc := a.byLogin[phone]
	if acc == nil {
		return a.Style.fail(a, 404, 40012, "请先完成注册")
	}
	return a.welcome(c, acc)
}

func register(c *Call) Answer {
	a, phone, pw := c.App, c.Fields.Get("phone"), c.Fields.Get("password")
	if a.over("register:"+c.From.String(), c.Now, 24*time.Hour, a.limits.registers) {
		return a.Style.blocked(a)
	}
	if !a.acceptable(pw) {
		return a.Style.fail(a, 400, 40021, "密码至少8位，且需包含大小写字母、数字和特殊符号")
	}
	if !a.FreeEntry && !a.verify(phone, c.Fields.Get("code"), c.Now) {
		return a.Style.fail(a, 400, 40011, "验证码错误或已失效")
	}
	if a.byLogin[phone] != nil {
		return a.Style.fail(a, 409, 40022, "操作失败，请稍后再试或直接登录")
	}
	p := people.Person{Index: int(a.nextUID), Phone: phone, Name: "用户" + phone[7:], Nick: c.Fields.Get("nickname"), Email: phone + "@example.com", City: "北京", Password: pw}
	if p.Nick == "" {
		p.Nick = "用户" + phone[7:]
	}
	return a.welcome(c, a.admit(p, pw))
}

// check tells whether a number is registered, as a step before the form.
func check(c *Call) Answer {
	a, phone := c.App, c.Fields.Get("phone")
	if a.over("check:"+c.From.String(), c.Now, time.Hour, a.limits.sendsFrom*4) {
		return a.Style.blocked(a)
	}
	if !a.flaws[IdentityOracle] {
		return a.Style.ok(a, Obj("next", "verify"))
	}
	ans := a.Style.ok(a, Obj("registered", a.byLogin[phone] != nil))
	if a.byLogin[phone] != nil {
		ans.Gained = 1
	}
	return ans
}

func reset(c *Call) Answer {
	a, phone, pw := c.App, c.Fields.Get("phone"), c.Fields.Get("password")
	if !a.acceptable(pw) {
		return a.Style.fail(a, 400, 40021, "密码至少8位，且需包含大小写字母、数字和特殊符号")
	}
	if !a.verify(phone, c.Fields.Get("code"), c.Now) {
		return a.Style.fail(a, 400, 40011, "验证码错误或已失效")
	}
	if acc := a.byLogin[phone]; acc != nil {
		acc.Password = pw
	}
	return a.Style.ok(a, Obj("reset", true))
}

func profile(c *Call) Answer {
	a, u := c.App, c.user
	p := u.Person
	data := Obj("userId", u.UID, "nickname", p.Nick, "realName", people.MaskName(p.Name), "mobile", people.MaskPhone(p.Phone), "level", int(u.UID%5)+1)
	if a.flaws[HashInProfile] {
		data = data.With("passwordHash", fmt.Sprintf("%x", md5.Sum([]byte(u.Password))))
	}
	ans := a.Style.ok(a, data)
	if a.flaws[AnyOrigin] {
		ans.Headers = append(ans.Headers, Field{"Access-Control-Allow-Origin", cmp.Or(c.Origin, a.Origin)}, Field{"Access-Control-Allow-Credentials", "true"})
	}
	return ans
}

// profileCard is the card of a member, by id. With the flaw it comes to
// anybody, with everything.
func profileCard(c *Call) Answer {
	a := c.App
	if c.user == nil && !a.flaws[OptionalAuth] {
		return a.Style.unauthorised(a)
	}
	if acc := a.byUID[c.Fields.Get("id")]; acc != nil {
		p := acc.Person
		ans := a.Style.ok(a, Obj("userId", acc.UID, "nickname", p.Nick, "city", p.City, "mobile", p.Phone, "email", p.Email))
		ans.Gained = gain(acc, c)
		return ans
	}
	return a.Style.fail(a, 404, 40401, "用户不存在")
}

// gain is 1 where the data are another's.
func gain(of *Account, c *Call) int {
	if of == c.user {
		return 0
	}
	return 1
}

func logout(c *Call) Answer { return c.App.Style.ok(c.App, nil) }
