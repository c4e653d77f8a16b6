package show

import (
	"cmp"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/taxonomy"
	"xiezhi/lab/scene"
)

// turn is a defect that is mended, or comes back, while the story goes on.
type turn struct {
	at   time.Time
	app  string
	flaw scene.Flaw
	on   bool
}

// repair is what became of a defect. Times are shares of the history.
type repair struct {
	app    string
	flaw   scene.Flaw
	api    string // the lab's word for the API that shows it
	kind   string
	mended float64 // 0: never, whatever is claimed
	back   float64 // 0: never
	claim  float64
	by     string
	reason message.Text
}

var repairs = []repair{
	{app: "weiyu", flaw: scene.HashInProfile, api: "profile", kind: "secret_in_response", mended: .68, claim: .68, by: "chen.li", reason: message.Text{Zh: "v6.2.4：不再返回 passwordHash 字段", En: "v6.2.4: passwordHash is no longer serialised"}},
	{app: "qianbei", flaw: scene.IdentityOracle, api: "check", kind: "identity_oracle", mended: .55, claim: .55, by: "wang.jun", reason: message.Text{Zh: "checkMobile 对所有号码统一应答", En: "checkMobile answers alike for every number"}},
	{app: "taohui", flaw: scene.CodeInAnswer, api: "send_code", kind: "code_in_response", mended: .6, back: .93, claim: .6, by: "chen.li", reason: message.Text{Zh: "已去掉调试字段 smsCode", En: "debug field smsCode removed"}},
	{app: "chebao", flaw: scene.PlainSuppliers, api: "suppliers", kind: "bulk_response", mended: .987, claim: .987, by: "wang.jun", reason: message.Text{Zh: "供应商公示仅返回名称与执照", En: "supplier list gives names and licences only"}},
	{app: "zhengwu", flaw: scene.ForeignOrders, api: "order", kind: "bola", claim: .8, by: "chen.li", reason: message.Text{Zh: "办件查询已增加归属校验", En: "owner check added to affairs"}},
}

// moment is midnight of the day at a share of the history.
func (s *Show) moment(share float64) time.Time {
	at := s.start.Add(time.Duration(share * float64(s.cfg.Until.Sub(s.start))))
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
}

// plan gives the turns of the story in order of time.
func (s *Show) plan() (out []turn) {
	for i := range repairs {
		r := &repairs[i]
		if r.mended > 0 {
			out = append(out, turn{s.moment(r.mended), r.app, r.flaw, false})
		}
		if r.back > 0 {
			out = append(out, turn{s.moment(r.back), r.app, r.flaw, true})
		}
	}
	slices.SortStableFunc(out, func(a, b turn) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	return out
}

// claimed is when somebody said that it was mended.
func (s *Show) claimed(r *repair) time.Time { return s.moment(r.claim).Add(10 * time.Hour) }

// Claims are what the people of the organisation said is mended, as a policy.
func (s *Show) Claims() *policy.File {
	p := &policy.File{Version: policy.Version}
	for i := range repairs {
		r := &repairs[i]
		api := s.st.App(r.app).Find(r.api)
		p.Fixes = append(p.Fixes, policy.Fix{Decision: policy.Decision{At: s.claimed(r), By: r.by, Reason: r.reason.En},
			Target: policy.Target{Site: r.app, Method: api.Method, Template: api.Template()}, Match: policy.Match{Kind: taxonomy.DefectKind(r.kind)}})
	}
	return p
}
