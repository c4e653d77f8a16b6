package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond/outbox"
)

// maxLines is how many notices a digest names; the others are a number.
const maxLines = 20

// Lanes gives the lanes of channels.
func Lanes(list []Opened, texts *message.Catalog, public string, zone *time.Location) ([]outbox.Lane, error) {
	v := voice{texts, public}
	var out []outbox.Lane
	for _, x := range list {
		l := outbox.Lane{Name: x.Name, PerMinute: cmp.Or(x.PerMinute, x.Config.PerMinute()), Burst: cmp.Or(x.Burst, defaultBurst), Gather: defaultOver, Join: v.join,
			Send: func(ctx context.Context, items []outbox.Item) error { return v.send(ctx, &x, items) }}
		if x.DigestOver != nil {
			l.Gather = max(*x.DigestOver, 1)
		}
		if x.Quiet != nil {
			var err error
			if l.Quiet, err = x.Quiet.open(zone); err != nil {
				return nil, err
			}
		}
		out = append(out, l)
	}
	return out, nil
}

func (v voice) send(ctx context.Context, x *Opened, items []outbox.Item) error {
	for i := range items {
		var n Notice
		if err := json.Unmarshal(items[i].Body, &n); err != nil {
			return &outbox.Failure{Why: "the notice cannot be read", Final: true}
		}
		if err := x.Send(ctx, v.say(&n, items[i].ID, x.Lang)); err != nil {
			return err
		}
	}
	return nil
}

// Test sends a test message, once and at once.
func Test(ctx context.Context, x *Opened, texts *message.Catalog, public, id string, now time.Time) error {
	v := voice{texts, public}
	return x.Send(ctx, v.say(v.test(x.Name, now), id, x.Lang))
}

func (v voice) test(name string, now time.Time) *Notice {
	return &Notice{Kind: "test", Severity: Info, At: now.UTC(), Title: v.texts.Text("notify.test", nil), Reason: v.texts.Text("notify.test.reason", message.Args{"name": name}), Path: "/settings/notifications"}
}

// join makes one notice of several. What joined before is not named again but
// opened.
func (v voice) join(items []outbox.Item) (outbox.Item, error) {
	n := Notice{Kind: "digest", Severity: Info, Reason: v.texts.Text("notify.digest.reason", nil), Path: "/"}
	count := 0
	for i := range items {
		var x Notice
		if err := json.Unmarshal(items[i].Body, &x); err != nil {
			return outbox.Item{}, err
		}
		n.At = x.At
		if rank(x.Severity) > rank(n.Severity) {
			n.Severity = x.Severity
		}
		if x.Kind == "digest" {
			n.Lines = append(n.Lines, x.Lines...)
			count += len(x.Lines)
			continue
		}
		n.Lines = append(n.Lines, Line{x.Title, x.Path})
		count++
	}
	if len(n.Lines) > maxLines {
		n.Lines = append(slices.Clone(n.Lines[:maxLines]), Line{Title: v.texts.Text("notify.digest.more", message.Args{"n": count - maxLines})})
	}
	n.Title = v.texts.Text("notify.digest", message.Args{"n": count})
	x, err := item(&n, items[0].Lane)
	x.At = items[len(items)-1].At
	return x, err
}

func rank(severity string) int { return slices.Index([]string{Info, Warning, Critical}, severity) }

// item makes an item of a notice for a lane.
func item(n *Notice, lane string) (outbox.Item, error) {
	body, err := json.Marshal(n)
	return outbox.Item{Lane: lane, Kind: n.Kind, Title: n.Title, At: n.At, Urgent: n.Severity == Critical, Body: body}, err
}
