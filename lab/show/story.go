package show

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/policy"
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
	{app: "taohui", flaw: scene.CodeInAnswer, api: "send_code", kind: "code_in_response", mended: .6, back: .93, claim: .6, by: "zhao.min", reason: message.Text{Zh: "已去掉调试字段 smsCode", En: "debug field smsCode removed"}},
	{app: "chebao", flaw: scene.PlainSuppliers, api: "suppliers", kind: "bulk_response", mended: .987, claim: .987, by: "liu.yang", reason: message.Text{Zh: "供应商公示仅返回名称与执照", En: "supplier list gives names and licences only"}},
	{app: "zhengwu", flaw: scene.ForeignOrders, api: "order", kind: "bola", claim: .8, by: "sun.wei", reason: message.Text{Zh: "办件查询已增加归属校验", En: "owner check added to affairs"}},
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

// Policy is the policy file of the organisation: what its people said is
// mended, in a language.
func (s *Show) Policy(lang string) []byte {
	fixes := []map[string]any{}
	for i := range repairs {
		r := &repairs[i]
		api := s.st.App(r.app).Find(r.api)
		x := map[string]any{"site": r.app, "method": api.Method, "template": api.Path, "at": s.moment(r.claim).UTC().Add(10 * time.Hour), "by": r.by, "reason": r.reason.In(lang)}
		if r.kind != "" {
			x["kind"] = r.kind
		}
		fixes = append(fixes, x)
	}
	text, err := json.Marshal(map[string]any{"version": policy.Version, "fixes": fixes}) // JSON is YAML
	if err != nil {
		panic("show: a policy of plain values cannot be written: " + err.Error())
	}
	return text
}
