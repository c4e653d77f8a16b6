package office

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"xiezhi/lab/victim"
)

// The switches of what came along with the application.
const (
	Actuator      = "actuator"      // Spring Boot's actuator answers everybody
	DruidMonitor  = "druid_monitor" // the data source monitor needs no login
	NacosUsers    = "nacos_users"   // the configuration centre lists its users
	NacosKey      = "nacos_key"     // its tokens are signed with the key in its manual
	BrokerGuest   = "broker_guest"  // the message broker's guest account works from anywhere
	APIDocs       = "api_docs"      // the OpenAPI document and its page
	GitFolder     = "git_folder"    // the repository was deployed with the site
	EnvFile       = "env_file"      // so was the environment file
	Backup        = "backup"        // a dump of the database lies in the web root
	Listing       = "listing"       // folders without an index show their content
	DebugPage     = "debug_page"    // an error opens the framework's debugger
	Introspection = "introspection" // GraphQL tells its schema
	SourceMap     = "source_map"    // bundles are deployed with their sources
	OldVersions   = "old_versions"  // the server names versions with published holes
)

// banner is what the server says of itself.
func (s *service) banner(w http.ResponseWriter) {
	w.Header().Set("Server", "nginx")
	if s.env.On(OldVersions) {
		w.Header().Set("Server", "nginx/1.14.0")
		w.Header().Set("X-Powered-By", "PHP/5.6.40")
	}
}

// missing is what the server says of what it does not have.
func missing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"))
}

// behind serves something while a flaw is on.
func (s *service) behind(flaw, pattern, kind, body string) {
	s.mux.HandleFunc("GET "+pattern, victim.Behind(s.env.On, flaw, kind, body, missing))
}

func (s *service) components() {
	s.behind(Actuator, "/actuator/env", "application/vnd.spring-boot.actuator.v3+json", `{"activeProfiles":["prod"],"propertySources":[{"name":"server.ports","properties":{"local.server.port":{"value":8080}}},{"name":"applicationConfig: [classpath:/application-prod.yml]","properties":{"spring.datasource.url":{"value":"jdbc:mysql://10.12.0.8:3306/oa"},"spring.datasource.username":{"value":"oa"},"spring.datasource.password":{"value":"******"}}}]}`)
	s.behind(DruidMonitor, "/druid/index.html", "text/html; charset=utf-8", "<!DOCTYPE html>\n<html>\n<head>\n<title>Druid Stat Index</title>\n<link href='css/bootstrap.min.css' rel=\"stylesheet\"/>\n</head>\n<body><div class=\"container\"><h3>Stat Index <a href=\"basic.json\" target=\"_blank\">View JSON API</a></h3><table id=\"DataTable\"></table></div></body>\n</html>\n")
	s.behind(NacosUsers, "/nacos/v1/auth/users", "application/json;charset=UTF-8", `{"totalCount":2,"pageNumber":1,"pagesAvailable":1,"pageItems":[{"username":"nacos","password":"$2a$10$EuWPZHzz32dJN7jexM34MOeYirDdFAZm2kuWj7VEOJhhZkDrxfvUu"},{"username":"ops","password":"$2a$10$9dZpK7wZQp0mK8m2yQd5LuQ1cFzT8v6gkq3nT5cVxWlq0m3e8dY5e"}]}`)
	s.behind(APIDocs, "/v3/api-docs", "application/json", `{"openapi":"3.0.1","info":{"title":"OA API","version":"2.3"},"servers":[{"url":"https://`+host+`"}],"paths":{"/admin/api/login":{"post":{"summary":"登录","responses":{"200":{"description":"OK"}}}},"/admin/api/members":{"get":{"summary":"会员列表","responses":{"200":{"description":"OK"}}}}},"components":{}}`)
	s.behind(GitFolder, "/.git/HEAD", "application/octet-stream", "ref: refs/heads/release-2.3\n")
	s.behind(GitFolder, "/.git/config", "application/octet-stream", "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n[remote \"origin\"]\n\turl = git@git.corp.example.com:oa/web.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n")
	s.behind(EnvFile, "/.env", "application/octet-stream", "APP_ENV=production\nAPP_DEBUG=false\nDB_HOST=10.12.0.8\nDB_DATABASE=oa\nDB_USERNAME=oa\nDB_PASSWORD=9fQ2mZ7vKp41\nREDIS_HOST=10.12.0.9\n")
	s.behind(Backup, "/backup/oa.sql", "application/octet-stream", "-- MySQL dump 10.13  Distrib 5.7.40, for Linux (x86_64)\n--\n-- Host: 10.12.0.8    Database: oa\n-- ------------------------------------------------------\nDROP TABLE IF EXISTS `sys_dept`;\nCREATE TABLE `sys_dept` (\n  `dept_id` bigint(20) NOT NULL AUTO_INCREMENT,\n  `dept_name` varchar(30) DEFAULT '',\n  PRIMARY KEY (`dept_id`)\n) ENGINE=InnoDB;\n")
	s.behind(Listing, "/uploads/", "text/html", "<html>\r\n<head><title>Index of /uploads/</title></head>\r\n<body>\r\n<h1>Index of /uploads/</h1><hr><pre><a href=\"../\">../</a>\r\n<a href=\"2026/\">2026/</a>                        02-Jan-2026 08:12                   -\r\n<a href=\"logo.png\">logo.png</a>                     11-Dec-2025 10:40               18230\r\n</pre><hr></body>\r\n</html>\r\n")
	s.behind(SourceMap, "/static/admin.8f03.js.map", "application/json", `{"version":3,"file":"admin.8f03.js","sources":["webpack:///src/api/members.js","webpack:///src/utils/request.js"],"sourcesContent":["import request from '@/utils/request'\nexport const members = n => request.get('/admin/api/members?pageNum=' + n)\n","export default axios.create({ timeout: 10000 })\n"],"names":["request","members"],"mappings":"AAAA,SAASA"}`)
	s.mux.HandleFunc("GET /calc/rate", s.rate)
	s.mux.HandleFunc("POST /graphql", s.graphql)
	s.mux.HandleFunc("GET /api/overview", s.broker)
	s.mux.HandleFunc("POST /nacos/v1/auth/login", s.nacosLogin)
	s.mux.HandleFunc("GET /nacos/v1/ns/instance/list", s.nacosInstances)
	s.mux.HandleFunc("/", missing)
}

// rate divides by what it is given.
func (s *service) rate(w http.ResponseWriter, r *http.Request) {
	var per int
	if _, err := fmt.Sscan(r.URL.Query().Get("per"), &per); err == nil && per != 0 {
		good(w, obj{"rate": fmt.Sprintf("%.4f", 360.0/float64(per))})
		return
	}
	if !s.env.On(DebugPage) {
		bad(w, 400, "参数错误")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write([]byte(debugger))
}

const debugger = `<!doctype html>
<html lang=en>
  <head>
    <title>ZeroDivisionError: division by zero
 // Werkzeug Debugger</title>
    <link rel="stylesheet" href="?__debugger__=yes&amp;cmd=resource&amp;f=style.css">
    <script src="?__debugger__=yes&amp;cmd=resource&amp;f=debugger.js"></script>
    <script>
      var CONSOLE_MODE = false,
          EVALEX = true,
          EVALEX_TRUSTED = false,
          SECRET = "hT2mPq8sVw0cXyZ1aB3d";
    </script>
  </head>
  <body style="background-color: #fff">
    <div class="debugger">
<h1>ZeroDivisionError</h1>
<div class="detail">
  <p class="errormsg">ZeroDivisionError: division by zero
</p>
</div>
<h2 class="traceback">Traceback <em>(most recent call last)</em></h2>
<div class="traceback">
  <ul><li><div class="frame" id="frame-140210">
  <h4>File <cite class="filename">"/srv/calc/app.py"</cite>, line <em class="line">31</em>, in <code class="function">rate</code></h4>
  <div class="source"><pre class="line current">    return jsonify(rate=360 / int(per))</pre></div></div></li></ul>
</div>
<div class="footer">Brought to you by <strong class="arthur">DON'T PANIC</strong>, your friendly Werkzeug powered traceback interpreter.</div>
</div>
  </body>
</html>
`

// graphql answers what the dashboard asks, and its schema to whom it may.
func (s *service) graphql(w http.ResponseWriter, r *http.Request) {
	query := victim.Posted(r)["query"]
	switch {
	case strings.Contains(query, "__schema") && s.env.On(Introspection):
		write(w, 200, obj{"data": obj{"__schema": obj{"queryType": obj{"name": "Query"}, "types": []obj{{"kind": "OBJECT", "name": "Query", "fields": []obj{{"name": "notices"}, {"name": "holidays"}}}, {"kind": "OBJECT", "name": "Notice", "fields": []obj{{"name": "id"}, {"name": "title"}}}}}}})
	case strings.Contains(query, "__schema"):
		write(w, 200, obj{"errors": []obj{{"message": "GraphQL introspection is not allowed by Apollo Server, but the query contained __schema or __type.", "extensions": obj{"code": "GRAPHQL_VALIDATION_FAILED"}}}})
	default:
		write(w, 200, obj{"data": obj{"notices": []obj{{"id": 12, "title": "关于节假日值班的通知"}, {"id": 11, "title": "办公系统升级公告"}}}})
	}
}

// broker is a message broker's management interface.
func (s *service) broker(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != "guest" || password != "guest" || !s.env.On(BrokerGuest) {
		w.Header().Set("WWW-Authenticate", `Basic realm="RabbitMQ Management"`)
		write(w, 401, obj{"error": "not_authorised", "reason": "Login failed"})
		return
	}
	write(w, 200, obj{"management_version": "3.12.14", "rabbitmq_version": "3.12.14", "cluster_name": "rabbit@mq1", "erlang_version": "25.3.2", "object_totals": obj{"channels": 42, "connections": 18, "queues": 27}})
}

// nacosKeyManual is the key that the manual of the configuration centre shows.
const nacosKeyManual = "SecretKey012345678901234567890123456789012345678901234567890123456789"

func (s *service) nacosKey() []byte {
	if s.env.On(NacosKey) {
		b, _ := base64.StdEncoding.DecodeString(nacosKeyManual[:68]) // the last character is no whole byte
		return b
	}
	return append([]byte("nacos"), s.key...)
}

func (s *service) nacosLogin(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	if r.PostFormValue("username") != "ops-agent" || r.PostFormValue("password") != "Ug7#mLw2Rk9_tB" {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("unknown user!"))
		return
	}
	claims := fmt.Appendf(nil, `{"sub":"ops-agent","exp":%d}`, s.env.Now().Unix()+18000)
	write(w, 200, obj{"accessToken": victim.Signed(victim.Unsigned(`{"alg":"HS256"}`, claims), s.nacosKey()), "tokenTtl": 18000, "globalAdmin": false, "username": "ops-agent"})
}

func (s *service) nacosInstances(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subject(token, s.nacosKey(), s.env.Now()) == "" {
		write(w, 403, obj{"timestamp": s.env.Now().Format("2006-01-02T15:04:05.000-0700"), "status": 403, "error": "Forbidden", "message": "unknown user!", "path": "/nacos/v1/ns/instance/list"})
		return
	}
	write(w, 200, obj{"name": "DEFAULT_GROUP@@oa-web", "clusters": "", "cacheMillis": 10000, "hosts": []obj{{"instanceId": "oa-web-1", "port": 8080, "weight": 1, "healthy": true, "enabled": true}}})
}
