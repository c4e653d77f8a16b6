package decoy

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"xiezhi/internal/taxonomy"
)

// bait is one sensor: where it is, what touching it stands for, and what it says.
type bait struct {
	name   string
	paths  []string // whole, or ending in /
	kind   taxonomy.AttackKind
	answer func(s *Sensor, r *http.Request, path string, body []byte) (contentType string, answer []byte)
}

// robots names what nobody who obeys it asks for.
const robots = "User-agent: *\nDisallow: /api/internal/export\nDisallow: /api/v0/\nDisallow: /backup/\nDisallow: /console/\n"

// baits are looked through in order.
var baits = []bait{
	{"login", []string{"/api/v0/login", "/api/internal/login", "/console/login"}, taxonomy.AttackCredentialStuffing, login},
	{"sms", []string{"/api/v0/sms/send", "/api/internal/sms/send"}, taxonomy.AttackSMSAbuse, sms},
	{"export", []string{"/api/internal/export", "/api/v0/users/export", "/backup/users.csv"}, taxonomy.AttackScraping, export},
	{"query", []string{"/api/v0/users/", "/api/internal/users/", "/api/v0/orders/"}, taxonomy.AttackBOLAExploitation, query},
	{"actuator", []string{"/actuator", "/actuator/", "/env", "/heapdump", "/jolokia", "/jolokia/"}, taxonomy.AttackVulnerabilityScan, actuator},
	{"docs", []string{"/v2/api-docs", "/v3/api-docs", "/swagger-ui.html", "/swagger-resources", "/doc.html", "/openapi.json"}, taxonomy.AttackVulnerabilityScan, docs},
	{"environment", []string{"/.env", "/.env.bak", "/config.json", "/application.yml", "/.aws/credentials"}, taxonomy.AttackVulnerabilityScan, environment},
	{"admin", []string{"/console", "/console/", "/admin", "/admin/", "/manager/html", "/druid/", "/nacos/", "/phpmyadmin", "/phpmyadmin/", "/wp-admin/", "/wp-login.php"}, taxonomy.AttackVulnerabilityScan, admin},
	{"repository", []string{"/.git/", "/.svn/", "/backup.zip", "/www.zip", "/db.sql", "/dump.sql", "/id_rsa"}, taxonomy.AttackVulnerabilityScan, forbidden},
}

func baitOf(path string) *bait {
	for i := range baits {
		for _, p := range baits[i].paths {
			if path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) {
				return &baits[i]
			}
		}
	}
	return nil
}

type object = map[string]any

func login(s *Sensor, r *http.Request, path string, body []byte) (string, []byte) {
	if r.Method != http.MethodPost {
		return asJSON(object{"code": 405, "message": "method not allowed"})
	}
	if s.draw(40, path, string(body)) == 0 { // some find what they came for
		return asJSON(object{"code": 0, "message": "ok", "data": object{"token": s.secret(path, string(body)), "expires_in": 7200}})
	}
	return asJSON(object{"code": 1001, "message": "用户名或密码错误"})
}

func sms(*Sensor, *http.Request, string, []byte) (string, []byte) {
	return asJSON(object{"code": 0, "message": "ok", "data": object{"interval": 60}})
}

// person makes one up. The numbers are of a block that no operator gives out.
func (s *Sensor) person(words ...any) object {
	surnames, given := []rune("王李张刘陈杨赵黄周吴"), []rune("伟芳娜敏静磊洋艳勇杰")
	n := s.draw(1_000_000, append(words, "phone")...)
	return object{"id": 90_000_000 + s.draw(1_000_000, append(words, "id")...), "name": string([]rune{surnames[s.draw(10, append(words, "a")...)], given[s.draw(10, append(words, "b")...)]}),
		"mobile": fmt.Sprintf("10000%06d", n), "status": 1, "created_at": fmt.Sprintf("2024-%02d-%02d 10:00:00", 1+s.draw(12, append(words, "m")...), 1+s.draw(28, append(words, "d")...))}
}

func query(s *Sensor, _ *http.Request, path string, _ []byte) (string, []byte) {
	return asJSON(object{"code": 0, "message": "ok", "data": s.person(path)})
}

func export(s *Sensor, _ *http.Request, path string, _ []byte) (string, []byte) {
	var b bytes.Buffer
	b.WriteString("id,name,mobile,status,created_at\n")
	for i := range 50 {
		p := s.person(path, i)
		fmt.Fprintf(&b, "%d,%s,%s,%d,%s\n", p["id"], p["name"], p["mobile"], p["status"], p["created_at"])
	}
	return "text/csv; charset=utf-8", b.Bytes()
}

func actuator(s *Sensor, _ *http.Request, path string, _ []byte) (string, []byte) {
	if !strings.HasSuffix(path, "env") {
		return asJSON(object{"_links": object{"self": object{"href": "/actuator"}, "env": object{"href": "/actuator/env"}, "health": object{"href": "/actuator/health"}}})
	}
	return asJSON(object{"activeProfiles": []string{"prod"}, "propertySources": []object{{"name": "applicationConfig", "properties": object{
		"spring.datasource.username": object{"value": "svc_backup"}, "spring.datasource.password": object{"value": "******"}, "export.token": object{"value": s.secret("export")}}}}})
}

func docs(*Sensor, *http.Request, string, []byte) (string, []byte) {
	paths := object{}
	for _, p := range []string{"/api/v0/login", "/api/v0/users/{id}", "/api/internal/export", "/api/v0/sms/send"} {
		paths[p] = object{"get": object{"summary": p, "responses": object{"200": object{"description": "OK"}}}}
	}
	return asJSON(object{"openapi": "3.0.1", "info": object{"title": "internal", "version": "0.9"}, "paths": paths})
}

func environment(s *Sensor, _ *http.Request, _ string, _ []byte) (string, []byte) {
	return "text/plain", fmt.Appendf(nil, "APP_ENV=production\nDB_HOST=127.0.0.1\nDB_USER=svc_backup\nDB_PASSWORD=%s\nEXPORT_URL=/api/internal/export\nEXPORT_TOKEN=%s\n", s.secret("db"), s.secret("export"))
}

func admin(*Sensor, *http.Request, string, []byte) (string, []byte) {
	return "text/html; charset=utf-8", []byte("<!doctype html><title>Console</title><form method=post action=/console/login><input name=username><input name=password type=password><button>Sign in</button></form>")
}

func forbidden(*Sensor, *http.Request, string, []byte) (string, []byte) {
	return "text/html", []byte("<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>")
}
