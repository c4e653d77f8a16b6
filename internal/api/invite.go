package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

// Caps of invitations. The oldest goes when there is no room.
const (
	maxInvitations = 64
	invitationLife = 15 * time.Minute
)

// program stands in the audit log for whoever runs the service.
const program = "program"

// invitation is a one-time right to sign in as a user without a password.
type invitation struct {
	hash [sha256.Size]byte
	user string
	ends time.Time
}

// invitations keeps hashes only: what is in memory signs nobody in.
type invitations struct {
	mu   sync.Mutex
	list []invitation // oldest first
}

// take gives the user of an invitation and ends it. Hashes are compared, so how
// long that takes says nothing of a token.
func (i *invitations) take(token string, now time.Time) (user string, ok bool) {
	sum := sha256.Sum256([]byte(token))
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = slices.DeleteFunc(i.list, func(x invitation) bool {
		valid := now.Before(x.ends)
		if x.hash == sum && valid {
			user, ok = x.user, true
		}
		return x.hash == sum || !valid
	})
	return user, ok
}

func (i *invitations) add(x invitation) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.list) >= maxInvitations {
		i.list = i.list[1:]
	}
	i.list = append(i.list, x)
}

// Invite gives a token with which a user signs in once, without a password, for
// a short time from now. Whoever may run the service may ask for it; no request
// does.
func (a *API) Invite(ctx context.Context, user string) (string, error) {
	u, there, err := a.account(ctx, user)
	if err != nil {
		return "", err
	}
	if !there || u.Disabled {
		return "", errors.New("invite: there is no such user, or the user may not sign in")
	}
	token, err := a.random(20)
	if err != nil {
		return "", err
	}
	if err := a.commitAs(ctx, program, "session.invite", user, map[string]any{"name": u.Name}, record.Batch{}); err != nil {
		return "", err
	}
	a.invite(token, user)
	return token, nil
}

func (a *API) invite(token, user string) {
	a.invitations.add(invitation{hash: sha256.Sum256([]byte(token)), user: user, ends: a.cfg.Now().Add(invitationLife)})
}

// FirstAdministrator makes the first administrator for whoever runs the service,
// and gives the id. The setup token ends.
func (a *API) FirstAdministrator(ctx context.Context, name, password string) (string, error) {
	a.setup.mu.Lock()
	defer a.setup.mu.Unlock()
	if a.setup.hash == nil {
		return "", errors.New("make the first administrator: there are users already")
	}
	u, err := a.newUser(ctx, name, password, v1.RoleAdministrator)
	if err != nil {
		return "", err
	}
	if err := a.commitAs(ctx, program, "user.setup", u.ID, map[string]any{"name": name, "role": string(v1.RoleAdministrator)}, record.Batch{Put: []record.Record{u}}); err != nil {
		return "", err
	}
	a.setup.hash, a.setup.told = nil, ""
	return u.ID, nil
}

// Enter signs in with an invitation.
func (a *API) Enter(ctx context.Context, q v1.EnterRequestObject) (v1.EnterResponseObject, error) {
	x := ask(ctx)
	if wait, _ := a.throttle.wait("invitation", x.client, x.when); wait > 0 {
		return nil, throttled(wait)
	}
	id, ok := a.invitations.take(q.Body.Token, x.when)
	if !ok {
		return nil, refuse(http.StatusForbidden, "invitation", nil)
	}
	u, there, err := a.account(ctx, id)
	if err != nil {
		return nil, err
	}
	if !there || u.Disabled {
		return nil, refuse(http.StatusForbidden, "invitation", nil)
	}
	a.throttle.passed("invitation", x.client)
	if err := a.commitAs(ctx, id, "session.enter", id, nil, record.Batch{}); err != nil {
		return nil, err
	}
	me, cookie, err := a.signIn(ctx, id, u.Name, v1.Role(u.Role))
	if err != nil {
		return nil, err
	}
	return withCookie{cookie: cookie, enter: v1.Enter201JSONResponse(me)}, nil
}

func (c withCookie) VisitEnterResponse(w http.ResponseWriter) error {
	http.SetCookie(w, c.cookie)
	return c.enter.VisitEnterResponse(w)
}
