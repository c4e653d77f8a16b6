package channel

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/respond/outbox"
)

// What robots take, in bytes.
const (
	MaxDingTalk      = 18_000 // of 20 000
	MaxFeishu        = 16_000 // of 20 KB with the JSON around it
	MaxWeComText     = 2048
	MaxWeComMarkdown = 4096
	MaxSlack         = 2800 // characters of a section: 3 000
	MaxTeams         = 20_000
)

// dingTalk is a custom robot of DingTalk. Its signature is in the query:
// HMAC-SHA256 with the secret as key over the time in ms, a line break and the
// secret.
type dingTalk struct {
	post
	secret string
}

func (d *dingTalk) signed(now time.Time) string {
	if d.secret == "" {
		return d.url
	}
	ms := strconv.FormatInt(now.UnixMilli(), 10)
	sep := "?"
	if strings.Contains(d.url, "?") {
		sep = "&"
	}
	return d.url + sep + "timestamp=" + ms + "&sign=" + url.QueryEscape(DingTalkSign(ms, d.secret))
}

// DingTalkSign signs a time in milliseconds.
func DingTalkSign(ms, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(ms + "\n" + secret))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (d *dingTalk) Send(ctx context.Context, m *Message) error {
	reply, err := d.sendJSON(ctx, d.signed(d.now()), map[string]any{
		"msgtype": "text", "text": map[string]any{"content": m.fit(MaxDingTalk, mute)},
		"at": map[string]any{"isAtAll": false, "atMobiles": []string{}, "atUserIds": []string{}},
	})
	if err != nil {
		return err
	}
	return answered{zero, lateFor(-1, 130101, 130102, 410100, 660026)}.check(d.host, reply, "errcode")
}

// feishu is a custom bot of Feishu or Lark. Its signature is in the body, and
// the inverse of DingTalk's: the time in seconds, a line break and the secret
// are the key, over nothing.
type feishu struct {
	post
	secret string
}

// FeishuSign signs a time in seconds.
func FeishuSign(seconds, secret string) string {
	h := hmac.New(sha256.New, []byte(seconds+"\n"+secret))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (f *feishu) Send(ctx context.Context, m *Message) error {
	plain := func(s string) map[string]any { return map[string]any{"tag": "plain_text", "content": s} }
	text := strings.TrimPrefix(strings.TrimPrefix(m.body(), m.head()), "\n")
	elements := []any{map[string]any{"tag": "div", "text": plain(cut(mute(text), MaxFeishu))}}
	if m.Link != "" {
		elements = append(elements, map[string]any{"tag": "action", "actions": []any{map[string]any{"tag": "button", "text": plain(m.LinkText), "url": m.Link, "type": "primary"}}})
	}
	x := map[string]any{"msg_type": "interactive", "card": map[string]any{
		"header":   map[string]any{"title": plain(cut(mute(m.head()), 500)), "template": map[string]string{"critical": "red", "warning": "orange"}[m.Severity]},
		"elements": elements,
	}}
	if f.secret != "" {
		at := strconv.FormatInt(f.now().Unix(), 10)
		x["timestamp"], x["sign"] = at, FeishuSign(at, f.secret)
	}
	reply, err := f.sendJSON(ctx, f.url, x)
	if err != nil {
		return err
	}
	return answered{zero, lateFor(9499, 11232, 11233, 1000)}.check(f.host, reply, "code", "StatusCode")
}

// weCom is a group robot of WeCom: the key is in its URL, nothing is signed.
type weCom struct {
	post
	markdown bool
}

// weComMarkup are the characters of its Markdown; their wide forms read alike
// and mean nothing.
var weComMarkup = strings.NewReplacer("<", "＜", ">", "＞", "[", "［", "]", "］", "`", "｀", "*", "＊", "#", "＃", "@", "＠")

func (w *weCom) Send(ctx context.Context, m *Message) error {
	x := map[string]any{"msgtype": "text", "text": map[string]any{"content": m.fit(MaxWeComText, mute)}}
	if w.markdown {
		x = map[string]any{"msgtype": "markdown", "markdown": map[string]any{"content": m.weComMarkdown()}}
	}
	reply, err := w.sendJSON(ctx, w.url, x)
	if err != nil {
		return err
	}
	return answered{zero, lateFor(-1, 45009, 45033)}.check(w.host, reply, "errcode")
}

func (m *Message) weComMarkdown() string {
	e := weComMarkup.Replace
	tail := ""
	if m.Link != "" && len(m.Link) < MaxWeComMarkdown/2 {
		tail = "\n[" + e(m.LinkText) + "](" + m.Link + ")"
	}
	text := "**" + cut(e(m.head()), 1000) + "**"
	if m.Reason != "" {
		text += "\n" + e(m.Reason)
	}
	for _, f := range m.Facts {
		text += "\n> " + e(f.Name) + m.colon() + e(f.Value)
	}
	for _, l := range m.Lines {
		text += "\n> " + e(l.Title)
	}
	return cut(text, MaxWeComMarkdown-len(tail)) + tail
}

// slack is an incoming webhook of Slack. Its texts are plain_text, in which
// nothing is a mention or a link; & < > are escaped all the same, for the text
// of the notification.
type slack struct{ post }

var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "＠")

func (s *slack) Send(ctx context.Context, m *Message) error {
	plain := func(t string, most int) map[string]any {
		return map[string]any{"type": "plain_text", "emoji": false, "text": cut(mute(t), most)}
	}
	text := strings.TrimPrefix(strings.TrimPrefix(m.body(), m.head()), "\n")
	blocks := []any{map[string]any{"type": "header", "text": plain(m.head(), 150)}}
	if text != "" {
		blocks = append(blocks, map[string]any{"type": "section", "text": plain(text, MaxSlack)})
	}
	if m.Link != "" {
		blocks = append(blocks, map[string]any{"type": "actions", "elements": []any{map[string]any{"type": "button", "text": plain(m.LinkText, 75), "url": m.Link}}})
	}
	reply, err := s.sendJSON(ctx, s.url, map[string]any{"text": cut(slackEscape.Replace(m.head()), MaxSlack), "blocks": blocks, "mrkdwn": false, "parse": "none", "link_names": false})
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(reply)) != "ok" {
		return &outbox.Failure{Why: fmt.Sprintf("%s answers with something else than this kind of robot does", s.host)}
	}
	return nil
}

// teams is a workflow of Teams that takes an Adaptive Card.
type teams struct{ post }

// teamsEscape takes the meaning from the Markdown that TextBlocks know.
var teamsEscape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "(", `\(`, ")", `\)`, "`", "\\`", "#", `\#`, "-", `\-`, "+", `\+`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "＠", "~", `\~`, "|", `\|`)

func (t *teams) Send(ctx context.Context, m *Message) error {
	block := func(text string, more map[string]any) map[string]any {
		b := map[string]any{"type": "TextBlock", "wrap": true, "text": teamsEscape.Replace(cut(text, MaxTeams/4))}
		for k, v := range more {
			b[k] = v
		}
		return b
	}
	body := []any{block(m.head(), map[string]any{"weight": "Bolder", "size": "Medium", "color": map[string]string{"critical": "Attention", "warning": "Warning", "info": "Default"}[m.Severity]})}
	if m.Reason != "" {
		body = append(body, block(m.Reason, nil))
	}
	var facts []any
	for _, f := range m.Facts {
		facts = append(facts, map[string]any{"title": teamsEscape.Replace(f.Name), "value": teamsEscape.Replace(cut(f.Value, 1000))})
	}
	if len(facts) > 0 {
		body = append(body, map[string]any{"type": "FactSet", "facts": facts})
	}
	for _, l := range m.Lines {
		body = append(body, block("• "+cut(l.Title, 400), map[string]any{"spacing": "Small"}))
	}
	card := map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "msteams": map[string]any{"width": "Full"}, "body": body}
	if m.Link != "" {
		card["actions"] = []any{map[string]any{"type": "Action.OpenUrl", "title": m.LinkText, "url": m.Link}}
	}
	_, err := t.sendJSON(ctx, t.url, map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}}})
	return err
}
