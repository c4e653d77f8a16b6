package bank

import (
	"net/http"

	"xiezhi/lab/victim"
)

// console is the scheduler's, and the bundle's sources.
func (s *service) console() {
	s.mux.HandleFunc("GET /h5/js/progress.61b0.js.map", func(w http.ResponseWriter, _ *http.Request) {
		if !s.env.On(SourceMaps) {
			bad(w, 404, "FILE01", "文件不存在")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"version":3,"file":"progress.61b0.js","sources":["webpack:///src/pages/progress.vue","webpack:///src/utils/crypto.js"],"sourcesContent":["export default { methods: { query() { return post('/api/card/progress', this.form) } } }\n","import JSEncrypt from 'jsencrypt'\nexport const seal = s => new JSEncrypt().encrypt(s)\n"],"names":["post","seal"],"mappings":"AAAA,SAASA"}`))
	})
	s.mux.HandleFunc("POST /xxl-job-admin/login", s.consoleLogin)
	s.mux.HandleFunc("GET /xxl-job-admin/jobinfo/pageList", s.jobs)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { bad(w, 404, "FILE01", "资源不存在") })
}

const consoleCookie = "XXL_JOB_LOGIN_IDENTITY"

// consoleLogin is the scheduler's own.
func (s *service) consoleLogin(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	if in["userName"] != "admin" || in["password"] != "Qz7!sched2025mK" && (in["password"] != "123456" || !s.env.On(Scheduler)) {
		write(w, 200, obj{"code": 500, "msg": "账号或密码错误", "content": nil})
		return
	}
	w.Header().Add("Set-Cookie", consoleCookie+"=7b226964223a312c22757365726e616d65223a2261646d696e227d; Path=/xxl-job-admin; Secure; HttpOnly; SameSite=Lax")
	write(w, 200, obj{"code": 200, "msg": nil, "content": nil})
}

func (s *service) jobs(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(consoleCookie); err != nil {
		w.Header().Set("Location", "/xxl-job-admin/toLogin")
		w.WriteHeader(http.StatusFound)
		return
	}
	write(w, 200, obj{"recordsTotal": 2, "data": []obj{{"id": 1, "jobDesc": "贷款结息", "jobCron": "0 0 1 * * ?", "triggerStatus": 1}, {"id": 2, "jobDesc": "账单推送", "jobCron": "0 0 8 5 * ?", "triggerStatus": 1}}})
}
