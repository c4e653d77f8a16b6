package shop

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"xiezhi/lab/victim"
)

func (s *service) place(a *account, it item, at time.Time) *order {
	o := &order{id: 2026030000 + int64(len(s.list))*3, owner: a, item: it, at: at, address: a.person.Address}
	if len(s.list) < maxOrders {
		s.list = append(s.list, o)
		s.orders[o.id] = o
		a.orders = append(a.orders, o.id)
	}
	return o
}

func (o *order) state() string {
	if o.paid {
		return "PAID"
	}
	return "CREATED"
}

func (o *order) row() obj {
	return obj{"orderId": o.id, "title": o.item.name, "amount": o.item.price, "status": o.state(), "createTime": o.at.Format(clock)}
}

// whole is an order with the person it goes to.
func (o *order) whole() obj {
	d := o.row()
	d["userId"], d["receiver"], d["mobile"], d["address"] = o.owner.uid, o.owner.person.Name, o.owner.person.Phone, o.address
	return d
}

func (s *service) own(w http.ResponseWriter, r *http.Request) {
	a := s.user(w, r)
	if a == nil {
		return
	}
	from, to := page(r, len(a.orders), 10, 20)
	rows := []obj{}
	for i := from; i < to; i++ {
		rows = append(rows, s.orders[a.orders[len(a.orders)-1-i]].row())
	}
	good(w, obj{"total": len(a.orders), "rows": rows})
}

func (s *service) create(w http.ResponseWriter, r *http.Request) {
	a := s.user(w, r)
	if a == nil {
		return
	}
	var in struct{ ItemID int64 }
	if !victim.Read(r, &in) {
		bad(w, 400, "参数错误")
		return
	}
	i := slices.IndexFunc(s.stock, func(it item) bool { return it.id == in.ItemID })
	if i < 0 {
		bad(w, 404, "商品不存在或已下架")
		return
	}
	o := s.place(a, s.stock[i], s.env.Now())
	good(w, obj{"orderId": o.id, "amount": o.item.price, "expireAt": s.env.Now().Add(15 * time.Minute).Format(clock)})
}

// order shows an order to whom it belongs.
func (s *service) order(w http.ResponseWriter, r *http.Request) {
	a := s.user(w, r)
	if a == nil {
		return
	}
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	o := s.orders[id]
	if o == nil || o.owner != a && !s.env.On(ForeignOrders) {
		bad(w, 404, "订单不存在")
		return
	}
	good(w, o.whole())
}

func (s *service) pay(w http.ResponseWriter, r *http.Request) {
	a := s.user(w, r)
	if a == nil {
		return
	}
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	o := s.orders[id]
	if o == nil || o.owner != a {
		bad(w, 404, "订单不存在")
		return
	}
	o.paid = true
	good(w, obj{"orderId": o.id, "status": "PAID", "payTime": s.env.Now().Format(clock)})
}

func (s *service) claim(w http.ResponseWriter, r *http.Request) {
	a := s.user(w, r)
	if a == nil {
		return
	}
	key := fmt.Sprint(r.PathValue("id"), "/", a.uid)
	if s.taken[key] {
		bad(w, 200, "您已领取过该优惠券")
		return
	}
	s.taken[key] = true
	good(w, obj{"couponId": r.PathValue("id"), "amount": 10, "expireAt": s.env.Now().AddDate(0, 0, 7).Format(clock)})
}

// merchant lists the orders of a merchant's shop, page by page.
func (s *service) merchant(w http.ResponseWriter, r *http.Request) {
	a := s.user(w, r)
	if a == nil {
		return
	}
	if a.staff == 0 {
		bad(w, 403, "无权限")
		return
	}
	limit := 50
	if size, _ := strconv.Atoi(r.URL.Query().Get("pageSize")); size > limit && s.env.On(LargePages) {
		limit = 2000
	}
	from, to := page(r, len(s.list), 20, limit)
	rows := []obj{}
	for i := from; i < to; i++ {
		rows = append(rows, s.list[len(s.list)-1-i].whole())
	}
	good(w, obj{"total": len(s.list), "rows": rows})
}

// file gives the orders of a month as a table; its name is easy to guess.
func (s *service) file(w http.ResponseWriter, r *http.Request) {
	month, ok := strings.CutPrefix(r.PathValue("file"), "orders-")
	month, csvFile := strings.CutSuffix(month, ".csv")
	at, err := time.Parse("200601", month)
	if !ok || !csvFile || err != nil {
		bad(w, 404, "文件不存在")
		return
	}
	signed := r.URL.Query().Get("Signature") == s.signature(r.PathValue("file"), r.URL.Query().Get("Expires"))
	if a := s.who(r); (a == nil || a.staff == 0) && !signed && !s.env.On(OpenExports) {
		bad(w, 403, "无权限或链接已失效")
		return
	}
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	_ = c.Write([]string{"订单号", "收货人", "手机号", "收货地址", "金额"})
	n := 0
	for _, o := range s.list {
		if o.at.Year() == at.Year() && o.at.Month() == at.Month() && n < 60 {
			_ = c.Write([]string{strconv.FormatInt(o.id, 10), o.owner.person.Name, o.owner.person.Phone, o.address, fmt.Sprintf("%.2f", o.item.price)})
			n++
		}
	}
	c.Flush()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+r.PathValue("file")+`"`)
	_, _ = w.Write(b.Bytes())
}

// signature is what a link that opens a file for a day carries.
func (s *service) signature(file, until string) string {
	if n, err := strconv.ParseInt(until, 10, 64); err != nil || n < s.env.Now().Unix() {
		return "none"
	}
	m := hmac.New(sha256.New, []byte(erpSecret))
	m.Write([]byte(file + "\n" + until))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// link gives such a link.
func (s *service) link(file string) string {
	until := strconv.FormatInt(s.env.Now().Unix()+86400, 10)
	return "/files/export/" + file + "?Expires=" + until + "&Signature=" + s.signature(file, until)
}

// erp gives a partner's system the orders of a day: an approved batch.
func (s *service) erp(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Api-Key") != erpKey || r.Header.Get("X-Api-Secret") != erpSecret {
		bad(w, 401, "应用身份校验失败")
		return
	}
	from := max(len(s.list)-150, 0)
	rows := []obj{}
	for _, o := range s.list[from:] {
		rows = append(rows, o.whole())
	}
	good(w, obj{"total": len(rows), "rows": rows})
}
