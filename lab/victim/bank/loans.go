package bank

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"xiezhi/lab/victim"
)

func (s *service) quota(w http.ResponseWriter, _ *http.Request, c *customer) {
	d := obj{"total": 50_000, "available": 50_000 - c.no%30_000, "yearRate": "7.20%"}
	if s.env.On(InnerScores) {
		d["riskScore"], d["riskLevel"], d["auditRemark"], d["isDeleted"] = 600+c.no%200, c.no%5, "多头借贷，控制额度", 0
	}
	good(w, d)
}

func (l *loan) row() obj {
	return obj{"contractId": l.id, "amount": l.amount, "term": l.term, "signDate": l.at.Format(date), "paid": l.paid}
}

func (s *service) borrow(w http.ResponseWriter, r *http.Request, c *customer) {
	in := victim.Posted(r)
	amount, _ := strconv.Atoi(in["amount"])
	if amount < 1000 || amount > 50_000 || len(s.loans) >= mostLoans {
		bad(w, 200, "LOAN03", "暂不符合借款条件")
		return
	}
	good(w, s.lend(c, amount, 12, s.env.Now()).row())
}

func (s *service) contracts(w http.ResponseWriter, _ *http.Request, c *customer) {
	rows := []obj{}
	for i := len(c.loans) - 1; i >= max(0, len(c.loans)-10); i-- {
		rows = append(rows, c.loans[i].row())
	}
	good(w, obj{"total": len(c.loans), "list": rows})
}

// whole is a contract with who signed it.
func (l *loan) whole() obj {
	d, p := l.row(), l.owner.person
	d["custNo"], d["borrowerName"], d["certNo"], d["mobile"], d["bankCardNo"] = l.owner.no, p.Name, p.ID, p.Phone, p.Card
	d["fileName"] = fmt.Sprintf("HT%d.pdf", l.id)
	return d
}

func (s *service) contract(w http.ResponseWriter, r *http.Request, c *customer) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	l := s.loanOf(id)
	if l == nil || l.owner != c && !s.env.On(ForeignContracts) {
		bad(w, 403, "LOAN04", "无权查看该合同")
		return
	}
	good(w, l.whole())
}

func (s *service) contractFile(w http.ResponseWriter, r *http.Request, c *customer) {
	id, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.PathValue("file"), "HT"), ".pdf"))
	if l := s.loanOf(id); l == nil || l.owner != c {
		bad(w, 403, "LOAN04", "无权查看该合同")
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="`+r.PathValue("file")+`"`)
	_, _ = fmt.Fprintf(w, "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n%% contract %d\n", id)
}

func (s *service) repay(w http.ResponseWriter, r *http.Request, c *customer) {
	id, _ := strconv.Atoi(victim.Posted(r)["contractId"])
	l := s.loanOf(id)
	if l == nil || l.owner != c {
		bad(w, 403, "LOAN04", "无权操作该合同")
		return
	}
	l.paid++
	good(w, obj{"contractId": l.id, "paid": l.paid})
}

// plan is when a loan is to be paid back. A link in a text message leads to it.
func (s *service) plan(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	l, c := s.loanOf(id), s.who(r)
	if c == nil && !s.env.On(OpenPlans) {
		bad(w, 401, "AUTH01", "登录已失效，请重新登录")
		return
	}
	if l == nil || c != nil && l.owner != c {
		bad(w, 403, "LOAN04", "无权查看该借款")
		return
	}
	p := l.owner.person
	good(w, obj{"contractId": l.id, "custNo": l.owner.no, "borrowerName": p.Name, "mobile": p.Phone, "cardTail": p.Card[12:], "nextDate": l.at.AddDate(0, l.paid+1, 0).Format(date), "nextAmount": l.amount / l.term})
}

// statementName is the file of a customer's month; it is easy to guess.
func statementName(c *customer, month time.Time) string {
	return fmt.Sprintf("%d-%s.csv", c.no, month.Format("200601"))
}

// statement is the table of a month: for its owner, or for whoever has a link
// that the bank signed.
func (s *service) statement(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	no, _, _ := strings.Cut(file, "-")
	n, _ := strconv.Atoi(no)
	i := (n - 66_200_000) / 13
	if i < 0 || i >= len(s.all) || (n-66_200_000)%13 != 0 {
		bad(w, 404, "FILE01", "文件不存在")
		return
	}
	c := s.all[i]
	q := r.URL.Query()
	if s.who(r) != c && q.Get("Signature") != s.link(file, q.Get("Expires")) && !s.env.On(OpenStatements) {
		bad(w, 403, "FILE02", "链接已失效")
		return
	}
	var b bytes.Buffer
	t := csv.NewWriter(&b)
	_ = t.Write([]string{"交易日期", "户名", "卡号", "手机号", "金额", "摘要"})
	for k := range 8 {
		_ = t.Write([]string{s.env.Now().AddDate(0, 0, -30-k).Format(date), c.person.Name, c.person.Card, c.person.Phone, fmt.Sprintf("%d.%02d", 20+c.no*k%900, k*7), merchants[(c.no+k)%len(merchants)]})
	}
	t.Flush()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
	_, _ = w.Write(b.Bytes())
}

// link is the signature of a link that opens a file until then.
func (s *service) link(file, until string) string {
	if n, err := strconv.ParseInt(until, 10, 64); err != nil || n < s.env.Now().Unix() {
		return "none"
	}
	m := hmac.New(sha256.New, []byte(bureauPass))
	m.Write([]byte(file + "\n" + until))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// bureau gives the credit bureau the loans of a day: an approved batch.
func (s *service) bureau(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-App-Key") != bureauKey || r.Header.Get("X-App-Secret") != bureauPass {
		bad(w, 401, "AUTH08", "应用身份校验失败")
		return
	}
	rows := []obj{}
	for _, l := range s.loans[max(len(s.loans)-200, 0):] {
		rows = append(rows, l.whole())
	}
	good(w, obj{"total": len(rows), "list": rows})
}
