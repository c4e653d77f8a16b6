// Package walk is the steps of the business flows of the arena's applications:
// opening a page with its assets, puzzles, codes, signing in.
//
// It takes an actor of the stage and walks it through a step, in the order that
// the application's own client has. Invariant: a step calls what the client
// would call and nothing else; how long somebody thinks, who solves a puzzle
// and whether reports are sent is the walker's. Limits: none of its own.
package walk

import (
	"strings"
	"time"

	"xiezhi/lab/arena/program"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// Walker is somebody, or something, on the way through an application.
type Walker struct {
	*stage.Actor
	Pause   func(mean time.Duration) // thinks
	Reports bool                     // sends the client's own reports
	Pages   bool                     // loads pages and assets where its client is a browser
	Solves  float64                  // how often a puzzle is read rightly; 0: does not even ask for one
	Reads   time.Duration            // how long a puzzle takes
	visits  int
}

// Human walks as people do.
func Human(a *stage.Actor) *Walker {
	return &Walker{Actor: a, Pause: a.Think, Reports: true, Pages: true, Solves: .9, Reads: 6 * time.Second}
}

// Has reports whether the application has an operation.
func (w *Walker) Has(op string) bool { return w.App.Has(op) }

// Open arrives: the page and its assets in a browser, the settings anywhere.
func (w *Walker) Open() {
	if w.Pages && program.Web(w.Client) {
		w.Call("home", nil)
		if w.visits == 0 && w.Rand.IntN(2) == 0 { // the others have them cached
			for _, p := range w.App.Assets {
				w.Wait(time.Duration(10+w.Rand.IntN(60)) * time.Millisecond)
				w.Call("asset", stage.F("id", strings.TrimPrefix(p, "/static/")))
			}
		}
	}
	w.visits++
	w.Wait(time.Duration(30+w.Rand.IntN(200)) * time.Millisecond)
	w.Call("config", nil)
	w.Report("page_view")
}

// Report sends the client's own report of an event; not every event is sent.
func (w *Walker) Report(event string) {
	if !w.Reports || w.Rand.IntN(3) == 0 {
		return
	}
	w.Wait(time.Duration(5+w.Rand.IntN(120)) * time.Millisecond)
	w.Call("track", stage.F("event", event, "body", w.App.AppName+event, "ts", "now"))
}

// Puzzle adds a picture puzzle's answer to a form where the operation asks for
// one.
func (w *Walker) Puzzle(op string, form scene.Fields) scene.Fields {
	if !w.App.Guarded(op) || w.Solves == 0 {
		return form
	}
	ans := w.Call("puzzle", nil)
	if len(ans.IDs) < 2 {
		return form
	}
	w.Wait(w.Reads/2 + time.Duration(w.Rand.Int64N(int64(w.Reads)+1)))
	text := ans.IDs[1]
	if w.Rand.Float64() >= w.Solves {
		text = text[1:] + text[:1]
		if text == ans.IDs[1] {
			text = "0" + text[1:]
		}
	}
	return append(form[:len(form):len(form)], stage.F("captcha_id", ans.IDs[0], "captcha", text)...)
}

// Try fills in a form behind a puzzle; somebody who reads puzzles tries again
// when one was misread.
func (w *Walker) Try(op string, form scene.Fields) scene.Answer {
	ans := w.Call(op, w.Puzzle(op, form))
	if !ans.OK && w.App.Guarded(op) && w.Solves > .5 && w.Rand.IntN(3) > 0 {
		w.Pause(3 * time.Second)
		ans = w.Call(op, w.Puzzle(op, form))
	}
	return ans
}

// Code asks for a code and reads it on the phone.
func (w *Walker) Code(phone, kind string) (string, bool) {
	ans := w.Try("send_code", stage.F("phone", phone, "kind", kind))
	if ans.OK && len(ans.IDs) == 0 || w.Rand.IntN(14) == 0 { // it does not come
		w.Wait(62*time.Second + time.Duration(w.Rand.IntN(20_000))*time.Millisecond)
		ans = w.Try("send_code", stage.F("phone", phone, "kind", kind))
	}
	if len(ans.IDs) == 0 {
		return "", false
	}
	w.Wait(time.Duration(6+w.Rand.IntN(24)) * time.Second)
	return ans.IDs[0], true
}

// Password signs in by password.
func (w *Walker) Password(account, password string) bool {
	return w.Try("login", stage.F("account", account, "password", password)).OK
}

// ByCode signs in by a code.
func (w *Walker) ByCode(phone string) bool {
	code, ok := w.Code(phone, "login")
	if !ok {
		return false
	}
	return w.Call("login_code", stage.F("phone", phone, "code", code)).OK
}
