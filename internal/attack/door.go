package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Doors: logins that the catalogue does not list as such. A gateway that serves
// every function at one path signs people in there too, and the login pages of
// well-known products count as probes of them until somebody is let in.

const maxDoors = 256

// door gives the index of the login that the event is an attempt on, 0 if it
// is none. At the cap no further door is opened.
func (e *Engine) door(ev *catalog.Event, i int32) int32 {
	var key uint64
	var handle catalog.Handle
	switch {
	case i != 0:
		if r := e.apis[i].role; r != "" && r != taxonomy.RoleOther || len(ev.Accounts) == 0 || !signsIn(ev) {
			return 0
		}
		handle = e.apis[i].handle
		key = join(uint64(handle), 1)
	case ev.API == nil && (ev.Method == "POST" || ev.Stream != observe.StreamNone) && ev.Status != 404 && ev.Status != 405 && namesLogin(ev):
		key = join(pathHash(ev), 2)
	default:
		return 0
	}
	if d, ok := e.doors[key]; ok {
		return d
	}
	if len(e.doors) >= maxDoors {
		e.losses.APIs++
		return 0
	}
	d := int32(len(e.apis))
	s := apiState{handle: handle, id: "door", role: taxonomy.RoleLogin, method: ev.Method, unit: -1}
	if handle == 0 {
		s.door = pathHash(ev)
	}
	if ev.API != nil {
		s.template = ev.API.Template
	} else {
		for k := range ev.Segments {
			s.template += "/" + ev.Segments[k].Text
		}
		if name := operation(ev.Observation); name != "" {
			s.template += "#" + name
		}
	}
	s.place = hashText(s.template)
	e.apis = append(e.apis, s)
	e.doors[key] = d
	e.assign(d)
	return d
}

// signsIn reports whether the request proves an account by a password.
func signsIn(ev *catalog.Event) bool {
	for k := range ev.Passwords {
		if ev.Passwords[k].Use == observe.PasswordCurrent {
			return true
		}
	}
	return false
}

// loginWords name a login in the last word of a path.
var loginWords = [...]string{"login", "signin", "sign-in", "sign_in", "logon", "xmlrpc"}

func namesLogin(ev *catalog.Event) bool {
	last := ""
	if n := len(ev.Segments); n > 0 {
		last = ev.Segments[n-1].Text
	}
	for _, w := range loginWords {
		if containsFold(last, w) || containsFold(operation(ev.Observation), w) {
			return true
		}
	}
	return false
}

// containsFold is strings.Contains for a lower-case ASCII word in any case.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		k := 0
		for k < len(word) && (s[i+k] == word[k] || s[i+k]|0x20 == word[k] && s[i+k] >= 'A' && s[i+k] <= 'Z') {
			k++
		}
		if k == len(word) {
			return true
		}
	}
	return false
}
