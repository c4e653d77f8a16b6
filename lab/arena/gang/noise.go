package gang

import (
	"fmt"
	"strings"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// engaging makes numbers rise with accounts kept for it.
func engaging(r *raid) {
	way := r.choose("view", "like", "like", "follow", "vote")
	objects := make([]string, 1+r.rng.IntN(4))
	for i := range objects {
		objects[i] = fmt.Sprint(draw(r.rng, r.app.Stock).ID)
		if way == "follow" {
			objects[i] = fmt.Sprint(draw(r.rng, r.accs).UID)
		}
	}
	acts := r.public.Activities(r.app)
	n := max(6, r.size/len(objects))
	var army []*scene.Account
	if way != "view" {
		army = r.soldiers(r.app, n)
	}
	r.each(n, func(a *act, i int) {
		if a.some() {
			a.Open()
			a.Pause(3 * time.Second)
		}
		if army != nil && !a.signIn(army[i]) {
			return
		}
		for _, id := range objects {
			a.Pause(4 * time.Second)
			if way != "follow" && a.some() { // reads before it likes
				a.Call("detail", stage.F("id", id))
				a.Report("detail")
				a.Pause(12 * time.Second)
			}
			if way != "view" && way != "follow" && a.Has("view") && a.some() {
				a.hit("view", stage.F("target", id, "ts", "now"))
			}
			a.hit(way, stage.F("target", id, "activity", acts[1], "channel", "post"))
			if a.Has("comment") && way == "like" && a.Rand.IntN(6) == 0 {
				a.Pause(6 * time.Second)
				a.hit("comment", stage.F("target", id, "text", draw(a.Rand, []string{"支持", "太棒了", "真不错", "加油"})))
			}
		}
	})
}

// grabbing buys what is scarce in the moment it goes on sale, beside the public
// that waits for it, and keeps only some.
func grabbing(r *raid) {
	sales := 1 + r.rng.IntN(2)
	per := 4 + r.rng.IntN(6) // tries of an account
	n := max(5, r.size/sales/per)
	for s := range sales {
		day := r.from.Add(time.Duration(float64(r.last.Sub(r.from)) * (float64(s) + .2 + .5*r.rng.Float64()) / float64(sales)))
		if day.Hour() < 8 { // nothing goes on sale at night
			day = day.Add(time.Duration(9-day.Hour()) * time.Hour)
		}
		if latest := r.last.Add(-2 * time.Hour); day.After(latest) {
			day = latest
		}
		it, opens := r.public.Sale(r.app, day)
		id := fmt.Sprint(it.ID)
		army := r.soldiers(r.app, n)
		early := 15*time.Minute + time.Duration(r.rng.IntN(600))*time.Second
		for i, acc := range army {
			at := opens.Add(-early + time.Duration(float64(early-90*time.Second)*float64(i)/float64(n)*r.rng.Float64()))
			r.enter(r.app, at, func(a *act) {
				a.arrive()
				if !a.signIn(acc) {
					return
				}
				if a.some() {
					a.Call("drop", stage.F("item", id))
				}
				jitter := time.Duration(20+a.Rand.IntN(120)) * time.Millisecond
				if r.knobs.Fingerprint == knob.Majority || r.knobs.Flow >= 1 { // as quick hands would
					jitter = time.Duration(200+a.Rand.IntN(900)) * time.Millisecond
				}
				if d := opens.Sub(a.Now()) + jitter - 60*time.Millisecond; d > 0 {
					a.Wait(d)
				}
				for range per {
					made := a.hit("grab", stage.F("item", id, "count", "1", "ts", "now"))
					if len(made.IDs) == 0 {
						a.Wait(time.Duration(90+a.Rand.IntN(200))*time.Millisecond + jitter/2)
						continue
					}
					switch { // sold on, or let go when nobody buys
					case a.Rand.IntN(10) < 3 && a.Has("pay"):
						a.Pause(40 * time.Second)
						a.Call("pay", stage.F("order", made.IDs[0], "channel", "alipay"))
					case a.Has("cancel") && a.Rand.IntN(2) == 0:
						a.Wait(time.Duration(9+a.Rand.IntN(5)) * time.Minute)
						a.hit("cancel", stage.F("order", made.IDs[0]))
					}
					return
				}
			})
		}
	}
}

// paths are what scanners ask for.
var paths = strings.Fields(`/.git/config /.git/HEAD /.env /.env.bak /.svn/entries /backup.zip /www.zip /web.rar /db.sql /dump.sql /config.php.bak /wp-login.php /phpmyadmin/ /admin.php /manager/html /actuator /actuator/env /actuator/heapdump /actuator/mappings /env /heapdump /jolokia/list /druid/index.html /swagger-ui.html /v2/api-docs /v3/api-docs /doc.html /swagger-resources /nacos/v1/auth/users?pageNo=1&pageSize=9 /solr/admin/info/system /console/login/LoginForm.jsp /struts2-showcase/index.action /index.action /login.action /xxl-job-admin/login /jenkins/script /script /api/v1/pods /server-status /debug/pprof/ /metrics /prometheus /graphql /_cat/indices /_search /eureka/apps /v1/catalog/services /zabbix/ /grafana/login /kibana/app /harbor/ /seeyon/ /weaver/ /ueditor/net/controller.ashx /owa/auth/logon.aspx /remote/login /cgi-bin/luci /boaform/admin/formLogin /HNAP1 /telescope/requests /storage/logs/laravel.log /.aws/credentials /.ssh/id_rsa /id_rsa /.DS_Store /config.json /appsettings.json /web.config /crossdomain.xml /phpinfo.php /info.php /test.php /shell.php /c99.php /uploads/shell.jsp /minio/health/live /api/swagger.json /openapi.json /management/env /gateway/actuator/gateway/routes
/index.php?s=/Index/\think\app/invokefunction&function=phpinfo /index.php?page=../../../../etc/passwd /?id=1%20UNION%20SELECT%201,2,3-- /search?q=%3Cscript%3Ealert(1)%3C/script%3E /api/../../etc/passwd /cgi-bin/.%2e/.%2e/bin/sh /?x=${jndi:ldap://127.0.0.1/a} /login?user=admin'%20or%201=1--`)

// probing looks for what was left open.
func probing(r *raid) {
	order := r.rng.Perm(len(paths))
	own := ""
	if api := r.app.Find("config"); api != nil {
		own = api.Path[:strings.LastIndex(api.Path, "/")]
	}
	folders := []string{"", own, "/old", "/test", "/admin", "/dev", "/bak"}
	r.each(r.size, func(a *act, i int) {
		a.arrive()
		k := i
		if r.knobs.Order != knob.Sequential {
			k = (i * 17) % max(r.size, len(order))
		}
		p := folders[(k/len(order))%len(folders)] + paths[order[k%len(order)]]
		a.as(r.attackAt(a.App), func() scene.Answer { a.Visit("GET", p); return scene.Answer{} })
	})
}

// flooding asks for something dear, as often as it can.
func flooding(r *raid) {
	way := r.choose("search", "search", "home", "list", "config")
	word := strings.TrimRight(draw(r.rng, r.app.Stock).Name, "0123456789号")
	workers := 8 + r.rng.IntN(24)
	mean := time.Duration(float64(time.Minute) / r.knobs.PerMinute * float64(workers))
	slack := r.last.Sub(r.from) - mean*time.Duration(r.size/workers+1)
	at := r.from.Add(time.Duration(r.rng.Int64N(int64(max(slack, time.Minute)))))
	for k := range workers {
		r.enter(r.app, at.Add(time.Duration(r.rng.Int64N(int64(mean)+1))), func(a *act) {
			for i := k; i < r.size; i += workers {
				if r.knobs.Flow >= .8 && i%(workers*8) == k {
					a.Open()
				}
				q := word
				if a.Rand.IntN(2) == 0 {
					q = fmt.Sprintf("%s%d", word, a.Rand.IntN(1000))
				}
				a.hit(way, stage.F("q", q, "page", fmt.Sprint(1+a.Rand.IntN(9)), "size", "50"))
				a.Wait(time.Duration(float64(mean) * (.5 + a.Rand.Float64())))
			}
		})
	}
}

// botting plays accounts through the day's tasks, all in the same way.
func botting(r *raid) {
	way := r.choose("checkin", "checkin", "list")
	steps := 5
	n := max(5, r.size/steps)
	army := r.soldiers(r.app, n)
	// The script's own times, which all its accounts share.
	var pauses [8]time.Duration
	for i := range pauses {
		pauses[i] = time.Duration(700+r.rng.IntN(6000)) * time.Millisecond
	}
	r.each(n, func(a *act, i int) {
		rest := func(k int) {
			d := pauses[k]
			if r.knobs.Flow >= .8 {
				d = time.Duration(float64(d) * (.8 + .4*a.Rand.Float64()))
			}
			a.Wait(d)
		}
		if a.some() {
			a.Open()
		}
		rest(0)
		if !a.signIn(army[i]) {
			return
		}
		rest(1)
		a.hit("profile", nil)
		rest(2)
		if way == "checkin" {
			a.hit("checkin", stage.F("ts", "now"))
			rest(3)
		}
		ids := a.hit("list", stage.F("page", "1", "size", "20")).IDs
		for k := range min(2, len(ids)) {
			rest(4 + k)
			a.hit("detail", stage.F("id", ids[k]))
			if a.Has("view") {
				rest(6)
				a.hit("view", stage.F("target", ids[k], "ts", "now"))
			}
		}
		if a.some() {
			rest(7)
			a.Call("logout", nil)
		}
	})
}
