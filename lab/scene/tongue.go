package scene

import (
	"math/rand/v2"
	"strings"
)

// tongue is how the team behind an application names things: paths, parameters
// and properties, in English, in pinyin or in both, in camel or snake case.
type tongue struct {
	prefix  string
	suffix  string
	style   int // 0 resources, 1 verbs, 2 pinyin
	snake   bool
	body    Where
	english bool // texts are English
	words   map[string]string
	keys    map[string]string // property names of answers
	shift   int               // added to business codes
}

// wires are the names that teams give to a field.
var wires = map[string][]string{
	"phone":      {"phone", "mobile", "mobileNo", "tel", "phoneNumber", "cellphone", "shoujihao", "sjh"},
	"code":       {"code", "smsCode", "verifyCode", "captchaCode", "yzm", "otp", "vcode"},
	"password":   {"password", "pwd", "passwd", "loginPwd", "mima", "secret"},
	"account":    {"account", "username", "loginName", "userName", "zhanghao", "login", "uname"},
	"nickname":   {"nickname", "nickName", "nick", "displayName", "nicheng"},
	"item":       {"itemId", "goodsId", "productId", "skuId", "spId", "resourceId"},
	"order":      {"orderId", "orderNo", "tradeNo", "dingdanId", "billNo", "orderSn"},
	"page":       {"page", "pageNo", "pageNum", "current", "pageIndex", "yema"},
	"size":       {"size", "pageSize", "limit", "perPage", "rows"},
	"q":          {"q", "keyword", "kw", "searchKey", "query", "guanjianzi"},
	"idno":       {"idNo", "certNo", "idCard", "identityNo", "sfzh", "cardId"},
	"realname":   {"realName", "name", "custName", "xingming", "fullName"},
	"plate":      {"plateNo", "carNo", "plate", "vehicleNo", "licensePlate", "chepai"},
	"lot":        {"lotId", "parkId", "parkCode", "lot", "tcc"},
	"card":       {"cardNo", "cardNumber", "pan", "bankCard", "kahao"},
	"expiry":     {"expiry", "expDate", "validThru", "youxiaoqi"},
	"cvv":        {"cvv", "cvv2", "securityCode", "cvn"},
	"amount":     {"amount", "payAmount", "total", "money", "jine"},
	"captcha_id": {"captchaId", "captchaKey", "uuid", "checkKey", "imgToken"},
	"captcha":    {"captcha", "imgCode", "picCode", "captchaValue", "txyzm"},
	"channel":    {"channel", "source", "from", "scene", "qudao"},
	"device":     {"deviceId", "did", "udid", "imei", "clientId", "shebeiId"},
	"ts":         {"timestamp", "ts", "_t", "t", "reqTime"},
	"version":    {"appVersion", "ver", "v", "clientVersion"},
	"activity":   {"activityId", "actId", "campaignId", "huodongId", "promoId"},
	"coupon":     {"couponId", "templateId", "batchId", "yhqId"},
	"invite":     {"inviteCode", "shareCode", "referrer", "yqm", "inviter"},
	"target":     {"targetId", "toUid", "objectId", "postId", "mubiaoId"},
	"text":       {"content", "text", "comment", "neirong"},
	"count":      {"count", "quantity", "num", "shuliang"},
	"address":    {"addressId", "shipTo", "receiverId", "dizhi"},
	"contacts":   {"contacts", "phones", "numbers", "tongxunlu"},
	"event":      {"event", "evt", "action", "shijian"},
	"body":       {"data", "payload", "props", "ext"},
	"key":        {"appKey", "partnerId", "accessKey", "clientKey"},
	"kind":       {"type", "bizType", "busiType", "leixing"},
}

// props are the names that teams give to a property of answers.
var props = map[string][]string{
	"userId": {"userId", "uid", "memberId", "custId", "yhId"}, "nickname": {"nickname", "nick", "nicheng", "displayName"}, "mobile": {"mobile", "phone", "tel", "phoneNo", "sjh"},
	"list": {"list", "rows", "records", "items", "liebiao"}, "total": {"total", "totalCount", "count", "zongshu"}, "token": {"token", "accessToken", "ticket", "sessionKey"},
	"orderId": {"orderId", "orderNo", "tradeNo", "dingdanhao"}, "title": {"title", "name", "subject", "biaoti"}, "price": {"price", "amount", "salePrice", "jiage"}, "amount": {"amount", "fee", "payAmount", "jine"},
	"status": {"status", "state", "zhuangtai", "stat"}, "createTime": {"createTime", "createdAt", "gmtCreate", "cjsj"}, "realName": {"realName", "name", "custName", "xm"}, "certNo": {"certNo", "idNo", "idCard", "sfzh"},
	"receiver": {"receiver", "consignee", "contactName", "shr"}, "address": {"address", "addr", "shipAddress", "dz"}, "registered": {"registered", "exists", "isMember", "sfzc"}, "plateNo": {"plateNo", "carNo", "plate", "cph"},
	"enterTime": {"enterTime", "inTime", "entryAt", "rcsj"}, "parkName": {"parkName", "lotName", "parking", "tccmc"}, "couponId": {"couponId", "voucherNo", "code", "yhqh"}, "captchaId": {"captchaId", "captchaKey", "uuid", "imgToken"},
	"image": {"image", "img", "base64", "tupian"}, "count": {"count", "cnt", "num", "sl"}, "expiresIn": {"expiresIn", "expires", "ttl", "yxq"}, "applyDate": {"applyDate", "applyTime", "submittedAt", "sqrq"}, "cardType": {"cardType", "productName", "cardName", "kzl"},
	"city": {"city", "area", "region", "cs"}, "openAt": {"openAt", "startTime", "beginAt", "kssj"}, "stock": {"stock", "remain", "inventory", "kc"}, "payTime": {"payTime", "paidAt", "payAt", "zfsj"}, "channel": {"channel", "payType", "way", "qd"},
	"interval": {"interval", "retryAfter", "nextSend", "jg"}, "desc": {"desc", "description", "detail", "ms"}, "sold": {"sold", "sales", "saleNum", "xl"}, "tags": {"tags", "labels", "marks", "bq"}, "points": {"points", "score", "integral", "jf"},
}

func pickWord(r *rand.Rand, of []string) string { return of[r.IntN(len(of))] }

// learn makes the tongue of one team.
func learn(r *rand.Rand) tongue {
	t := tongue{words: map[string]string{}, keys: map[string]string{}, style: r.IntN(3), snake: r.IntN(3) == 0, shift: r.IntN(9) * 100_000}
	t.prefix = pickWord(r, []string{"/api", "/api/v1", "/api/v2", "/gateway", "/rest/mobile", "/app", "/m/api", "/openapi/c", "/svc", "/h5"})
	if t.style > 0 {
		t.suffix = pickWord(r, []string{"", "", ".do", ".json", ".action"})
	}
	t.body = one2(r, InJSON, InJSON, InForm)
	t.english = t.style != 2 && r.IntN(3) == 0
	for _, w := range sortedKeys(wires) {
		n := pickWord(r, wires[w])
		if t.style != 2 && isPinyin(n) { // English teams name in English
			n = wires[w][r.IntN(2)]
		}
		t.words[w] = t.cased(n)
	}
	for _, w := range sortedKeys(props) {
		n := pickWord(r, props[w])
		if t.style != 2 && n == props[w][len(props[w])-1] {
			n = props[w][r.IntN(2)]
		}
		t.keys[w] = t.cased(n)
	}
	return t
}

func one2[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

var pinyin = map[string]bool{"shoujihao": true, "sjh": true, "yzm": true, "mima": true, "zhanghao": true, "nicheng": true, "dingdanId": true, "yema": true, "guanjianzi": true, "sfzh": true, "xingming": true,
	"chepai": true, "tcc": true, "kahao": true, "youxiaoqi": true, "jine": true, "txyzm": true, "qudao": true, "shebeiId": true, "huodongId": true, "yhqId": true, "yqm": true, "mubiaoId": true, "neirong": true, "shuliang": true, "dizhi": true, "tongxunlu": true, "shijian": true, "leixing": true}

func isPinyin(n string) bool { return pinyin[n] }

// cased turns camel into snake where the team writes so.
func (t *tongue) cased(n string) string {
	if !t.snake {
		return n
	}
	var b strings.Builder
	for _, c := range n {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// translate renames the properties of an answer. Only names change, never
// values.
func (t *tongue) translate(body []byte) []byte {
	if len(body) == 0 || body[0] != '{' {
		return body
	}
	out := make([]byte, 0, len(body)+len(body)/8)
	for i := 0; i < len(body); {
		if body[i] != '"' {
			out = append(out, body[i])
			i++
			continue
		}
		j := i + 1
		for j < len(body) && body[j] != '"' {
			if body[j] == '\\' {
				j++
			}
			j++
		}
		if j+1 < len(body) && body[j+1] == ':' {
			if n, ok := t.keys[string(body[i+1:j])]; ok {
				out = append(append(append(out, '"'), n...), '"')
				i = j + 1
				continue
			}
		}
		j = min(j+1, len(body))
		out = append(out, body[i:j]...)
		i = j
	}
	return out
}

// english are the texts of teams that write English.
var english = map[string]string{
	"success": "success", "交易成功": "OK", "操作过于频繁，请稍后再试": "Too many requests, please try again later", "未登录或登录已过期，请重新登录": "Please sign in first",
	"密码错误次数过多，账号已锁定，请10分钟后再试": "Too many failed attempts, account locked for 10 minutes", "用户名或密码不正确": "Incorrect account or password",
	"该账号未注册": "No such account", "密码错误，请重新输入": "Wrong password", "手机号格式不正确": "Invalid phone number", "今日验证码发送次数已达上限": "Daily limit of codes reached",
	"验证码错误或已失效": "Wrong or expired code", "请先完成注册": "Please register first", "密码至少8位，且需包含大小写字母、数字和特殊符号": "Password must be 8+ characters with upper, lower, digit and symbol",
	"操作失败，请稍后再试或直接登录": "Request failed, try again or sign in", "用户不存在": "User not found", "内容不存在": "Not found", "参数错误": "Bad parameter", "订单不存在": "Order not found",
	"未查询到申请记录": "No application found", "未查询到该车辆的在场记录": "No such vehicle in the car park", "无权限": "Forbidden", "图形验证码错误或已过期": "Wrong or expired captcha",
	"活动未开始": "Not open yet", "已售罄": "Sold out", "每人限购一件": "One per customer", "您已领取过": "Already claimed", "优惠券已领完": "All coupons are gone", "今日已签到": "Already checked in today",
	"银行卡信息有误": "Card details are wrong", "余额不足": "Insufficient funds", "发卡行拒绝交易": "Declined by the issuer", "已点过": "Already done", "系统繁忙，请稍后再试": "Service is busy, please try again later",
	"邀请码无效": "Invalid invitation code", "已绑定邀请人": "Already invited", "签名错误": "Bad signature", "账号或密码有误": "Account or password is wrong",
}
