// Package notify tells people, where they are, of what cannot wait: campaigns
// and that they got worse, surges of attack traffic, trouble in operation,
// defects that are critical or came back. Never of a single event.
//
// It takes records that changed, the state of the parts of a service and the
// surge of the moment, and gives notices to the lanes of an outbox, one lane
// per channel. Invariants: a subject is told once and again only when it climbed
// a step (ladder.go), across restarts; what was there before telling began is
// not news; a notice is made of texts by id, names of APIs and counts, with no
// value of anybody. Limits: MaxChannels channels; subjects beyond
// outbox.MaxTold are forgotten, oldest first.
package notify

import (
	"strings"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond/notify/channel"
)

// Families of notices, as channels choose them.
const (
	Campaigns = "campaign"
	Surges    = "surge"
	Troubles  = "trouble"
	Defects   = "defect"
)

// Families lists them.
var Families = [...]string{Campaigns, Surges, Troubles, Defects}

// Severities of notices.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Notice is what is told, in both languages, of no channel yet.
type Notice struct {
	Kind     string       `json:"kind"` // family.what
	Severity string       `json:"severity"`
	Subject  string       `json:"subject,omitempty"`
	Sites    []string     `json:"sites,omitempty"`
	At       time.Time    `json:"at"`
	Title    message.Text `json:"title"`
	Reason   message.Text `json:"reason"`
	Facts    []Fact       `json:"facts,omitempty"`
	Lines    []Line       `json:"lines,omitempty"`
	Path     string       `json:"path,omitempty"` // in the console
}

// Fact is a figure with its name.
type Fact struct {
	Name  message.Text `json:"name"`
	Value message.Text `json:"value"`
}

// Line is one notice of a digest.
type Line struct {
	Title message.Text `json:"title"`
	Path  string       `json:"path,omitempty"`
}

func (n *Notice) family() string {
	f, _, _ := strings.Cut(n.Kind, ".")
	return f
}

// same is a text that is alike in both languages.
func same(s string) message.Text { return message.Text{Zh: s, En: s} }

// inert makes both languages of a text safe to hand over.
func inert(t message.Text) message.Text {
	return message.Text{Zh: channel.Inert(t.Zh), En: channel.Inert(t.En)}
}

// voice makes messages of notices.
type voice struct {
	texts  *message.Catalog
	public string // URL of the console; "": no links
}

// say gives a notice in a channel's language.
func (v voice) say(n *Notice, id, lang string) *channel.Message {
	m := &channel.Message{ID: id, At: n.At, Kind: n.Kind, Severity: n.Severity, Lang: lang, Subject: n.Subject, Brand: v.texts.Text("notify.brand", nil).In(lang),
		Title: inert(n.Title).In(lang), Reason: inert(n.Reason).In(lang), Facts: []channel.Fact{}, LinkText: v.texts.Text("notify.link", nil).In(lang), Link: v.link(n.Path)}
	if len(n.Sites) == 1 {
		m.Site = channel.Inert(n.Sites[0])
	}
	for _, f := range n.Facts {
		m.Facts = append(m.Facts, channel.Fact{Name: f.Name.In(lang), Value: inert(f.Value).In(lang)})
	}
	for _, l := range n.Lines {
		m.Lines = append(m.Lines, channel.Line{Title: inert(l.Title).In(lang), Link: v.link(l.Path)})
	}
	return m
}

func (v voice) link(path string) string {
	if v.public == "" || path == "" {
		return ""
	}
	return strings.TrimSuffix(v.public, "/") + path
}
