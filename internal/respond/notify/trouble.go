package notify

import (
	"strings"
	"time"

	"xiezhi/internal/message"
)

// Part is one part of a service and how it is.
type Part struct {
	Name    string // "stream", "sensor edge-1", a site
	Site    bool   // it is the judge of a site
	Bad     bool   // it does not do all that it should
	Failing bool   // it does not work
	Text    message.Text
}

// How long a part has to be otherwise until people are told. One that comes and
// goes has to stay bad for longer.
const (
	holdBad   = time.Minute
	holdAgain = 10 * time.Minute
	holdGood  = 2 * time.Minute
	oftenSpan = time.Hour
)

// troubleStep is what people were told of a part.
type troubleStep struct {
	Bad bool      `json:"bad"`
	At  time.Time `json:"at"`
}

// watched is how long a part has been otherwise than people were told. It is not
// kept: after a restart a part has to prove itself again.
type watched struct {
	bad   bool
	since time.Time
}

// next says whether people are told of a part now.
func (told troubleStep) next(w watched, now time.Time) (troubleStep, bool) {
	if w.bad == told.Bad {
		return told, false
	}
	hold := holdGood
	if w.bad {
		if hold = holdBad; !told.At.IsZero() && now.Sub(told.At) < oftenSpan {
			hold = holdAgain
		}
	}
	if now.Sub(w.since) < hold {
		return told, false
	}
	return troubleStep{w.bad, now.UTC()}, true
}

func (v voice) trouble(p *Part, since time.Time, zone *time.Location) *Notice {
	n := &Notice{Kind: "trouble.over", Severity: Info, At: since.UTC(), Subject: p.Name, Path: "/settings/health"}
	if p.Bad {
		n.Kind, n.Severity, n.Reason = "trouble.begun", Warning, p.Text
		if p.Failing {
			n.Severity = Critical
		}
	}
	n.Title = v.texts.Text("notify."+n.Kind, message.Args{"part": v.part(p)})
	v.fact(n, "since", same(clock(since, zone)))
	if p.Bad {
		v.fact(n, "todo", v.texts.Text("notify.todo.trouble", nil))
	}
	return n
}

func (v voice) part(p *Part) message.Text {
	if p.Site {
		return v.texts.Text("notify.part.site", message.Args{"site": p.Name})
	}
	if name, ok := strings.CutPrefix(p.Name, "sensor "); ok {
		return v.texts.Text("notify.part.sensor", message.Args{"name": name})
	}
	if id := "notify.part." + p.Name; v.texts.Has(id) {
		return v.texts.Text(id, nil)
	}
	return same(p.Name)
}
