// Package channel hands one message to one receiver: a webhook, a robot of
// DingTalk, Feishu, WeCom, Slack or Teams, or people by e-mail.
//
// It takes a Message, which is plain text in the channel's language, and gives
// nil when the receiver said that it took it, else an outbox.Failure that says
// whether trying again helps and when. Invariants: everything in a Message is
// text to a receiver, whatever markup it looks like; nobody is called by a name
// in it; secrets and URLs, which are secrets of robots, are in no error; no inner
// address is connected to unless the owner allowed it, and redirects are not
// followed at all. Limits: sizes of messages are the receivers' (see the Max
// constants), what is longer is cut and says so.
package channel

import (
	"context"
	"net/http"
	"strings"
	"time"

	"xiezhi/internal/intel/outbound"
)

// Message is what one channel says.
type Message struct {
	ID       string    `json:"id"` // the same whenever it is sent
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`     // campaign.new, campaign.grown, surge.begun, …
	Severity string    `json:"severity"` // info, warning, critical
	Lang     string    `json:"lang"`
	Brand    string    `json:"brand"`
	Title    string    `json:"title"`
	Reason   string    `json:"reason"` // one sentence
	Facts    []Fact    `json:"facts"`
	Lines    []Line    `json:"lines,omitempty"` // of a digest
	Link     string    `json:"link,omitempty"`
	LinkText string    `json:"link_text,omitempty"`
	Subject  string    `json:"subject,omitempty"` // id of the campaign or defect
	Site     string    `json:"site,omitempty"`
}

// Fact is a figure with its name.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Line is one message among those of a digest.
type Line struct {
	Title string `json:"title"`
	Link  string `json:"link,omitempty"`
}

// Channel is one receiver.
type Channel interface {
	// Send hands over. An error is an *outbox.Failure.
	Send(context.Context, *Message) error
	// Host is where it goes, to show: never a path or query.
	Host() string
}

// Tools are what channels need.
type Tools struct {
	Guard  *outbound.Guard
	Now    func() time.Time
	Getenv func(string) string
	Read   func(file string) ([]byte, error)
}

// Guarded gives the tools with a guard, which lets through to inner addresses only
// what is allowed, where they have none.
func (t Tools) Guarded(allow []string) (Tools, error) {
	if t.Guard != nil {
		return t, nil
	}
	var err error
	t.Guard, err = outbound.New(outbound.Config{Allow: allow})
	return t, err
}

// text writes a message as lines of text, link last.
func (m *Message) text() string {
	return m.body() + m.tail()
}

func (m *Message) tail() string {
	if m.Link == "" {
		return ""
	}
	return "\n" + m.LinkText + m.colon() + m.Link
}

func (m *Message) colon() string {
	if m.Lang == "zh" {
		return "："
	}
	return ": "
}

// head is the title behind who says it.
func (m *Message) head() string {
	if m.Lang == "zh" {
		return "【" + m.Brand + "】" + m.Title
	}
	return "[" + m.Brand + "] " + m.Title
}

// body is all but the link.
func (m *Message) body() string {
	var b strings.Builder
	b.WriteString(m.head())
	if m.Reason != "" {
		b.WriteString("\n" + m.Reason)
	}
	for _, f := range m.Facts {
		b.WriteString("\n" + f.Name + m.colon() + f.Value)
	}
	for _, l := range m.Lines {
		b.WriteString("\n• " + l.Title)
	}
	return b.String()
}

// cut shortens to so many bytes at the border of a rune.
func cut(s string, most int) string {
	const mark = "…"
	if len(s) <= most {
		return s
	}
	n := max(most-len(mark), 0)
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + mark
}

// fit gives the text in so many bytes, with the link whole.
func (m *Message) fit(most int, escape func(string) string) string {
	if escape == nil {
		escape = func(s string) string { return s }
	}
	tail := m.tail()
	if len(tail) > most/2 {
		tail = ""
	}
	return cut(escape(m.body()), most-len(tail)) + tail
}

// mute keeps a name from calling anybody.
func mute(s string) string { return strings.ReplaceAll(s, "@", "＠") }

// post sends JSON or other bodies over HTTP.
type post struct {
	client *http.Client
	url    string
	host   string
	now    func() time.Time
}

func (p *post) Host() string { return p.host }
