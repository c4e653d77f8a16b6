package show

import (
	"time"

	"xiezhi/internal/message"
)

// Staff is somebody of the organisation who uses the product.
type Staff struct{ Name, Role string }

// Staff lists who there is beside the visitor.
func (s *Show) Staff() []Staff {
	return []Staff{{"chen.li", "responder"}, {"wang.jun", "analyst"}, {"sun.wei", "viewer"}}
}

// Word is something that somebody of the organisation decides when the history
// is in: what path and body of the HTTP API say. Defect is the finding that it
// is about, whose id comes from what was found; nil: none.
type Word struct {
	By     string
	Defect *Sign
	Path   string // under /api/v1/; {id} is the defect's
	Body   map[string]any
}

// Sign names a finding.
type Sign struct{ Site, Kind, Method, Template string }

// Words are the decisions, in order. The language is that of their reasons.
func (s *Show) Words(lang string) (out []Word) {
	for i := range repairs {
		r := &repairs[i]
		api := s.st.App(r.app).Find(r.api)
		out = append(out, Word{By: r.by, Defect: &Sign{r.app, r.kind, api.Method, api.Template()}, Path: "defects/{id}/fix",
			Body: map[string]any{"at": s.claimed(r).UTC().Format(time.RFC3339), "reason": r.reason.In(lang)}})
	}
	say := func(zh, en string) string { return message.Text{Zh: zh, En: en}.In(lang) }
	until := s.cfg.Until.AddDate(0, 3, 0).UTC().Format(time.RFC3339)
	return append(out,
		Word{By: "wang.jun", Defect: &Sign{"huixin", "secret_in_url", "GET", "/ccweb/apply/queryProgress.do"}, Path: "defects/{id}/verdict",
			Body: map[string]any{"verdict": "accepted_risk", "expires": until, "reason": say("旧版 H5 下季度下线，期间已关闭网关 URL 日志", "the old page goes out of service next quarter; the gateway logs no URLs until then")}},
		Word{By: "wang.jun", Defect: &Sign{"taohui", "cors", "GET", "/mall/user/center"}, Path: "defects/{id}/verdict",
			Body: map[string]any{"verdict": "confirmed", "reason": say("已复现：第三方页面可带凭证读取个人中心", "reproduced: a foreign page reads the user centre with credentials")}},
		Word{By: "wang.jun", Defect: &Sign{"lvxing", "missing_rate_limit_header", "POST", "/v3/auth/otp"}, Path: "defects/{id}/verdict",
			Body: map[string]any{"verdict": "false_positive", "reason": say("限速在网关执行，响应头按规范不返回", "the gateway limits the rate and sends no such header on purpose")}},
		Word{By: "chen.li", Path: "policy/public",
			Body: map[string]any{"site": "lvxing", "method": "GET", "template": "/healthz", "reason": say("健康检查，供监控探测", "health check for the monitors")}},
		Word{By: "chen.li", Path: "policy/approvals",
			Body: map[string]any{"approval": "partner", "site": "lvxing", "clients": []string{"248.77.3.21"}, "expires": until, "reason": say("锦海物流夜间对账，合同编号 LX-2291", "nightly reconciliation of Jinhai Logistics, contract LX-2291")}},
		Word{By: "wang.jun", Path: "templates",
			Body: map[string]any{"edit": "rename", "site": "huixin", "method": "GET", "template": "/ccweb/apply/queryProgress.do", "title": say("信用卡办理进度查询", "Progress of a card application"), "reason": say("业务名称", "what the business calls it")}},
	)
}
