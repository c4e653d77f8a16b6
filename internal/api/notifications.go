package api

import (
	"context"
	"errors"
	"net/http"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/respond/outbox"
	"xiezhi/internal/store/record"
)

// Notifier is who tells findings to people and to SIEMs.
type Notifier struct {
	Box       *outbox.Box
	Receivers []Receiver
	Public    string // URL of the console in links
	// Test sends a test message to a receiver; its error is what the receiver or
	// the network said.
	Test func(ctx context.Context, name string) error
}

// Receiver is one of those whom the configuration names.
type Receiver struct {
	Name, Type, Host, Lang string
	SIEM                   bool
}

// maxLetters is how many dead letters an answer lists.
const maxLetters = 200

// errNoNotifier: this process tells nobody anything.
var errNoNotifier = refuse(http.StatusServiceUnavailable, "no_notifier", nil)

// ListNotifications says how receivers do, and what they did not take.
func (a *API) ListNotifications(context.Context, v1.ListNotificationsRequestObject) (v1.ListNotificationsResponseObject, error) {
	n := a.cfg.Notifier
	out := v1.ListNotifications200JSONResponse{Receivers: []v1.Receiver{}, Dead: []v1.DeadLetter{}}
	if n == nil {
		return out, nil
	}
	out.PublicUrl = n.Public
	for _, r := range n.Receivers {
		x := v1.Receiver{Name: r.Name, Type: r.Type, Host: r.Host, Lang: v1.ReceiverLang(r.Lang), Family: v1.ReceiverFamilyNotification, State: v1.ReceiverStateOk}
		if r.SIEM {
			x.Family = v1.ReceiverFamilySiem
		}
		h, _ := n.Box.Health(r.Name)
		x.Waiting, x.Dead, x.Sent, x.Failed, x.Joined, x.Lost = int64(h.Waiting), int64(h.Dead), int64(h.Sent), int64(h.Failed), int64(h.Joined), int64(h.Lost)
		x.LastSent, x.LastFailed, x.Next, x.Why = h.LastSent.UTC(), h.LastFailed.UTC(), h.Next.UTC(), h.Why
		switch {
		case h.Why != "":
			x.State = v1.ReceiverStateFailing
		case h.Quiet:
			x.State = v1.ReceiverStateQuiet
		case h.Waiting > 0:
			x.State = v1.ReceiverStateWaiting
		}
		out.Receivers = append(out.Receivers, x)
	}
	letters := n.Box.Dead()
	out.DeadTotal = int64(len(letters))
	for _, l := range letters[:min(len(letters), maxLetters)] {
		out.Dead = append(out.Dead, v1.DeadLetter{Id: l.Key, Receiver: l.Lane, Kind: l.Kind, Title: l.Title, At: l.At.UTC(), Tries: int64(l.Tries), Why: l.Why})
	}
	return out, nil
}

// TestReceiver sends a test message.
func (a *API) TestReceiver(ctx context.Context, q v1.TestReceiverRequestObject) (v1.TestReceiverResponseObject, error) {
	n := a.cfg.Notifier
	if n == nil {
		return nil, errNoNotifier
	}
	if _, ok := n.Box.Health(q.Name); !ok {
		return nil, notFound()
	}
	if err := a.commit(ctx, "notification.test", q.Name, nil, record.Batch{}); err != nil {
		return nil, err
	}
	if err := n.Test(ctx, q.Name); err != nil {
		return v1.TestReceiver200JSONResponse{Why: err.Error()}, nil
	}
	return v1.TestReceiver200JSONResponse{Taken: true}, nil
}

// ResendLetter sends a dead letter again.
func (a *API) ResendLetter(ctx context.Context, q v1.ResendLetterRequestObject) (v1.ResendLetterResponseObject, error) {
	return v1.ResendLetter204Response{}, a.letter(ctx, q.Id, "notification.resend", (*outbox.Box).Resend)
}

// ForgetLetter throws one away.
func (a *API) ForgetLetter(ctx context.Context, q v1.ForgetLetterRequestObject) (v1.ForgetLetterResponseObject, error) {
	return v1.ForgetLetter204Response{}, a.letter(ctx, q.Id, "notification.forget", (*outbox.Box).Forget)
}

func (a *API) letter(ctx context.Context, id, action string, do func(*outbox.Box, context.Context, string, ...record.Entry) error) error {
	if a.cfg.Notifier == nil {
		return errNoNotifier
	}
	e, err := a.entry(ctx, ask(ctx).who.by(), action, id, nil)
	if err != nil {
		return err
	}
	err = do(a.cfg.Notifier.Box, ctx, id, e)
	if errors.Is(err, outbox.ErrNone) {
		return notFound()
	}
	return err
}

// Surge says whether attack traffic surges, over all sites.
func (a *API) Surge(ctx context.Context) (v1.Surge, error) {
	if a.cfg.Observations == nil {
		return v1.Surge{}, nil
	}
	seen, err := a.seen(ctx)
	if err != nil {
		return v1.Surge{}, err
	}
	return a.surge(ctx, a.cfg.Observations, "", seen)
}
