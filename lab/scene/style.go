package scene

import "fmt"

// Style is how an application wraps its answers.
type Style uint8

const (
	CodeMsg    Style = iota // {"code":0,"msg":"…","data":…}, always HTTP 200
	ErrCode                 // {"errcode":0,"errmsg":"ok","result":…}
	Success                 // {"success":true,"message":null,"data":…,"traceId":…}
	Plain                   // HTTP status, bare objects, {"error":…,"message":…}
	RetMessage              // {"ret":"000000","message":…,"body":…}, upper-case codes of banks
)

const jsonType = "application/json;charset=UTF-8"

// ok wraps data.
func (s Style) ok(a *App, data JSON) Answer {
	ans := Answer{Status: 200, Type: jsonType, OK: true}
	switch s {
	case CodeMsg:
		ans.Body = Obj("code", 0, "msg", "success", "data", data)
	case ErrCode:
		ans.Body = Obj("errcode", 0, "errmsg", "ok", "result", data)
	case Success:
		ans.Body = Obj("success", true, "message", nil, "data", data, "traceId", a.trace())
	case Plain:
		ans.Body = data
		if len(data) == 0 {
			ans.Body = Obj()
		}
		ans.Type = "application/json"
	case RetMessage:
		ans.Body = Obj("ret", "000000", "message", "交易成功", "body", data)
	}
	return ans
}

// fail wraps a refusal of the business.
func (s Style) fail(a *App, status, code int, text string) Answer {
	ans := Answer{Status: 200, Type: jsonType}
	if t := a.tongue; t != nil {
		code += t.shift
		if e, ok := english[text]; ok && t.english {
			text = e
		}
	}
	switch s {
	case CodeMsg:
		ans.Body = Obj("code", code, "msg", text, "data", nil)
	case ErrCode:
		ans.Body = Obj("errcode", code, "errmsg", text)
	case Success:
		ans.Body = Obj("success", false, "message", text, "data", nil, "traceId", a.trace())
	case Plain:
		ans.Status, ans.Type = status, "application/json"
		ans.Body = Obj("error", code, "message", text)
	case RetMessage:
		ans.Body = Obj("ret", fmt.Sprintf("%06d", code), "message", text, "body", nil)
	}
	return ans
}

func (s Style) unauthorised(a *App) Answer {
	return s.fail(a, 401, 40101, "未登录或登录已过期，请重新登录")
}

// blocked is the answer of a control in front of the business.
func (s Style) blocked(a *App) Answer {
	ans := Answer{Type: jsonType, Blocked: true}
	switch s {
	case CodeMsg, Success:
		ans.Status = 429
		ans.Body = Obj("code", 429, "msg", "操作过于频繁，请稍后再试")
	case ErrCode:
		ans.Status = 403
		ans.Type = "text/html"
		ans.Body = []byte("<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>waf</center>\r\n</body>\r\n</html>\r\n")
	default:
		ans.Status = 429
		ans.Headers = []Field{{"Retry-After", "60"}}
		ans.Body = Obj("error", 429, "message", "Too Many Requests")
	}
	return ans
}

func (a *App) trace() string { return fmt.Sprintf("%016x", a.rng.Uint64()) }
