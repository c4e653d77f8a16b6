package adversary

import (
	"fmt"
	"strings"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// spread lets so many clients work on the wave's requests at the same time.
func (w *raid) spread(workers int, each func(a *stage.Actor, i int)) {
	n := w.size
	for k := range workers {
		w.enter(time.Duration(w.rng.Int64N(int64(10*time.Second))), func(a *stage.Actor) {
			for i := k; i < n; i += workers {
				a.Session = nil // every attempt starts afresh
				each(a, i)
				a.Wait(w.gap(a, n/workers))
			}
		})
	}
}

// codeFields are what the form for a code holds at any application.
func codeFields(phone string) scene.Fields {
	return stage.F("phone", phone, "scene", "login", "type", "login", "purpose", "login", "busiType", "02", "model", "E7", "cid", "86")
}

// bombing floods the phones of a few victims with codes.
func bombing(w *raid) {
	victims := make([]string, 6+w.rng.IntN(20))
	for i := range victims {
		victims[i] = people.Stranger(w.rng)
		if w.rng.IntN(4) == 0 {
			victims[i] = w.town.Person(w.rng.IntN(1000)).Phone
		}
	}
	w.spread(4+w.rng.IntN(8), func(a *stage.Actor, i int) {
		a.Call("send_code", codeFields(victims[(i/3)%len(victims)]))
	})
}

// pumping sends codes to runs of numbers that nobody will ever type in.
func pumping(w *raid) {
	var heads []string
	for range 3 + w.rng.IntN(4) {
		heads = append(heads, people.Stranger(w.rng)[:7])
	}
	next := make([]int, len(heads))
	w.spread(1+w.rng.IntN(3), func(a *stage.Actor, i int) {
		k := a.Rand.IntN(len(heads))
		next[k] += 1 + a.Rand.IntN(9)
		a.Call("send_code", codeFields(fmt.Sprintf("%s%04d", heads[k], next[k]%10000)))
	})
}

// numbers gives phone numbers as scanners take them: a segment in order, a few
// of which belong to somebody.
func (w *raid) numbers() func(i int) string {
	head := people.Stranger(w.rng)[:7]
	from := w.rng.IntN(5000)
	accounts := w.app.Accounts()
	return func(i int) string {
		if i%17 == 5 {
			return accounts[w.rng.IntN(len(accounts))].Person.Phone
		}
		return fmt.Sprintf("%s%04d", head, (from+i*3)%10000)
	}
}

func scanCheck(w *raid) {
	number := w.numbers()
	w.spread(1, func(a *stage.Actor, i int) {
		a.Call("check", stage.F("phone", number(i), "channel", "h5", "step", "1"))
	})
}

func scanLogin(w *raid) {
	number := w.numbers()
	dummy := fmt.Sprintf("aa%06d", w.rng.IntN(1_000_000)) // never right: the answer for the account is what is wanted
	w.spread(8, func(a *stage.Actor, i int) {
		a.Call("login", stage.F("account", number(i), "password", dummy))
	})
}

// stuffing tries pairs from leaks, each once.
func stuffing(w *raid) {
	accounts := w.app.Accounts()
	w.spread(1+w.rng.IntN(3), func(a *stage.Actor, i int) {
		p := w.town.Person(2000 + a.Rand.IntN(people.Max-3000))
		pw := p.Password
		if a.Rand.IntN(3) == 0 {
			p = accounts[a.Rand.IntN(len(accounts))].Person
			if a.Rand.IntN(30) == 0 {
				pw = w.app.Chosen(p)
			} else {
				pw = w.town.Person(a.Rand.IntN(people.Max)).Password
			}
		}
		a.Call("login", stage.F("account", w.app.LoginName(p), "password", pw))
	})
}

// guesses are the heads of password lists.
var guesses = strings.Fields("123456 123456789 12345678 111111 123123 000000 888888 666666 5201314 1314520 a123456 abc123 qwerty password 1qaz2wsx 112233 woaini woaini1314 654321 987654321 7758521 147258369 asd123 zxcvbnm q1w2e3r4 11111111 00000000 88888888 520520 789456123")

// brute tries many passwords on few accounts.
func brute(w *raid) {
	accounts := w.app.Accounts()
	victims := make([]*scene.Account, 3+w.rng.IntN(4))
	for i := range victims {
		victims[i] = accounts[w.rng.IntN(len(accounts))]
	}
	w.spread(1+w.rng.IntN(3), func(a *stage.Actor, i int) {
		v := victims[i%len(victims)]
		pw := guesses[(i/len(victims))%len(guesses)]
		if i/len(victims) >= len(guesses) {
			pw = fmt.Sprintf("%s%d", pw, i)
		}
		a.Call("login", stage.F("account", w.app.LoginName(v.Person), "password", pw))
	})
}

// spraying tries one or two passwords on all the accounts it knows of.
func spraying(w *raid) {
	accounts := w.app.Accounts()
	order := w.rng.Perm(len(accounts))
	words := []string{"Abc@2022", "Chebao@123"}
	w.spread(1, func(a *stage.Actor, i int) {
		acc := accounts[order[(i/2)%len(order)]]
		a.Call("login", stage.F("account", w.app.LoginName(acc.Person), "password", words[i%2]))
	})
}

// cracking guesses the codes of a few phones.
func cracking(w *raid) {
	accounts := w.app.Accounts()
	for k := range 3 {
		phone := accounts[w.rng.IntN(len(accounts))].Person.Phone
		n := w.size / 3
		w.enter(time.Duration(k)*time.Second, func(a *stage.Actor) {
			from := a.Rand.IntN(900_000)
			for i := range n {
				a.Call("login_code", stage.F("phone", phone, "code", fmt.Sprintf("%06d", from+i)))
				a.Wait(w.gap(a, n))
			}
		})
	}
}

// farming registers accounts by the dozen.
func farming(w *raid) {
	base := w.fresh(w.size)
	key := fmt.Sprintf("Qw@%06dzX", w.rng.IntN(1_000_000)) // the same for all, as farms do
	w.spread(1+w.rng.IntN(2), func(a *stage.Actor, i int) {
		p := w.town.Person(base + i)
		a.Call("register", stage.F("phone", p.Phone, "password", key, "nickname", fmt.Sprintf("%s%04d", p.Nick, i)))
	})
}

// engaging plays accounts through the whole flow to make numbers rise.
func engaging(w *raid) {
	accounts := w.app.Accounts()
	targets := w.app.Stock[w.rng.IntN(40):][:2]
	done := 0
	for k := 0; done < w.size; k++ {
		acc := accounts[len(accounts)-1-(k+w.rng.IntN(4))%(len(accounts)/2)]
		steps := 5
		done += steps
		at := time.Duration(float64(w.span) * float64(done) / float64(w.size))
		w.enter(at, func(a *stage.Actor) {
			a.Call("login", stage.F("account", a.App.LoginName(acc.Person), "password", acc.Password))
			if a.Session == nil {
				return
			}
			a.Wait(900 * time.Millisecond)
			for _, it := range targets {
				id := fmt.Sprint(it.ID)
				a.Call("detail", stage.F("id", id))
				a.Wait(1200 * time.Millisecond)
				if a.App.Has("like") {
					a.Call("like", stage.F("id", id, "action", "1"))
				} else {
					a.Call("create", stage.F("item", id, "count", "1", "addressId", "1", "travellers", "1"))
				}
				a.Wait(800 * time.Millisecond)
			}
		})
	}
}

// trespassing reads other people's orders in order of number.
func trespassing(w *raid) {
	accounts := w.app.Accounts()
	acc := accounts[w.rng.IntN(len(accounts))]
	first := accounts[0].Orders
	from := w.rng.Int64N(200)
	var token *scene.Session
	w.enter(0, func(a *stage.Actor) {
		honest := a.Label
		a.Label = stage.Label{Actor: honest.Actor, Campaign: honest.Campaign} // signing in is no attack yet
		a.Call("login", stage.F("account", a.App.LoginName(acc.Person), "password", acc.Password))
		a.Label = honest
		token = a.Session
	})
	n, workers := w.size, 1+w.rng.IntN(4)
	for k := range workers {
		w.enter(30*time.Second, func(a *stage.Actor) {
			a.Session = token
			if token == nil {
				return
			}
			for i := k; i < n; i += workers {
				a.Call("order", stage.F("id", fmt.Sprint(first[len(first)-1]+from+int64(i))))
				a.Wait(w.gap(a, n/workers))
			}
		})
	}
}

func scrapeProgress(w *raid) {
	accounts := w.app.Accounts()
	w.spread(1+w.rng.IntN(3), func(a *stage.Actor, i int) {
		id := people.AnyID(a.Rand)
		if a.Rand.IntN(4) == 0 {
			id = accounts[a.Rand.IntN(len(accounts))].Person.ID
		}
		a.Call("progress", stage.F("idno", id, "type", "01"))
	})
}

func scrapePlates(w *raid) {
	accounts := w.app.Accounts()
	order := w.rng.Perm(len(accounts))
	w.spread(8, func(a *stage.Actor, i int) {
		plate := people.AnyPlate(a.Rand)
		if i%3 == 0 {
			plate = accounts[order[(i/3)%len(order)]].Person.Plate
		}
		a.Call("parking", stage.F("plate", plate, "lotId", "3"))
	})
}

func scrapeCatalogue(w *raid) {
	stock := w.app.Stock
	w.spread(1, func(a *stage.Actor, i int) {
		a.Call("detail", stage.F("id", fmt.Sprint(stock[i%len(stock)].ID)))
	})
}

// paths are what scanners ask everybody for.
var paths = strings.Fields(`/.git/config /.git/HEAD /.env /.env.bak /.svn/entries /.DS_Store /wp-login.php /wp-admin/ /xmlrpc.php /phpinfo.php /info.php /test.php /phpmyadmin/ /pma/ /admin/ /admin.php /manager/html
/actuator /actuator/env /actuator/heapdump /actuator/mappings /env /heapdump /jolokia /druid/index.html /druid/websession.json /nacos/ /nacos/v1/auth/users /swagger-ui.html /swagger-resources /v2/api-docs /v3/api-docs /doc.html
/solr/admin/info/system /jenkins/ /script /console /api/jsonws/invoke /struts/webconsole.html /invoker/readonly /jmx-console/ /axis2/ /cgi-bin/test.cgi /cgi-bin/luci /server-status /nginx_status /backup.zip /www.zip /db.sql /dump.sql
/web.config /WEB-INF/web.xml /config.json /config.yml /application.yml /.aws/credentials /id_rsa /debug/pprof/ /metrics /prometheus /graphql /_cat/indices /_search /eureka/apps /v1/catalog/services /zabbix/ /grafana/login /kibana/app /harbor/ /seeyon/ /weaver/ /ueditor/net/controller.ashx
/index.php?s=/Index/\think\app/invokefunction&function=phpinfo /index.php?page=../../../../etc/passwd /?id=1%20UNION%20SELECT%201,2,3-- /search?q=%3Cscript%3Ealert(1)%3C/script%3E /api/../../etc/passwd /cgi-bin/.%2e/.%2e/bin/sh /?x=${jndi:ldap://127.0.0.1/a}`)

func probing(w *raid) {
	order := w.rng.Perm(len(paths))
	own := w.app.APIs[0].Path
	own = own[:strings.Index(own[1:], "/")+1]
	folders := []string{own, "/old", "/test", "/dev"}
	w.spread(1+w.rng.IntN(3), func(a *stage.Actor, i int) {
		p := paths[order[i%len(order)]]
		if i >= len(order) {
			p = folders[(i/len(order)-1)%len(folders)] + p
		}
		a.Visit("GET", p)
	})
}

func flooding(w *raid) {
	w.spread(20, func(a *stage.Actor, i int) { a.Call("config", nil) })
}
