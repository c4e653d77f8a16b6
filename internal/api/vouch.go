package api

import (
	"context"
	"encoding/json"
	"errors"

	"golang.org/x/text/unicode/norm"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

// Why somebody whom another service vouches for is not let in.
var (
	ErrNameTaken = errors.New("the name is that of another user")
	ErrBadName   = errors.New("the name cannot be that of a user")
	ErrShutOut   = errors.New("the user may not sign in")
	ErrFull      = errors.New("there is no room for another user")
)

// Vouch gives a token with which somebody signs in once, as Invite does, on the
// word of another service. subject is who it is there: a user of that name who
// is somebody else, there or here, is not touched. The user is made at the first
// time, and has the role that is told each time.
func (a *API) Vouch(ctx context.Context, subject, name string, role v1.Role) (string, error) {
	name = norm.NFKC.String(name)
	if _, known := ranks[role]; !known || subject == "" {
		return "", errors.New("vouch: a subject and one of the roles have to be given")
	}
	if !userName.MatchString(name) {
		return "", ErrBadName
	}
	a.deciding.Lock()
	defer a.deciding.Unlock()
	id := userID(name)
	r, err := a.cfg.Store.Get(ctx, record.User, id)
	switch {
	case errors.Is(err, record.ErrNotFound):
		list, err := a.users(ctx)
		if err != nil {
			return "", err
		}
		if len(list) >= maxUsers {
			return "", ErrFull
		}
		if err := a.vouched(ctx, "user.create", record.Account{Name: name, Role: string(role), Subject: subject}, 1); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	default:
		var u record.Account
		if err := json.Unmarshal(r.Body, &u); err != nil {
			return "", err
		}
		switch {
		case u.Subject != subject:
			return "", ErrNameTaken
		case u.Disabled:
			return "", ErrShutOut
		case u.Role != string(role):
			u.Role = string(role)
			if err := a.vouched(ctx, "user.change", u, r.Rev+1); err != nil {
				return "", err
			}
			a.sessions.endUser(id, nil) // they had the role before
		}
	}
	token, err := a.random(20)
	if err != nil {
		return "", err
	}
	a.invite(token, id)
	return token, nil
}

// vouched keeps a user as another service wants it.
func (a *API) vouched(ctx context.Context, action string, u record.Account, rev uint64) error {
	r, err := a.userRecord(ctx, u, rev)
	if err != nil {
		return err
	}
	return a.commitAs(ctx, program, action, r.ID, map[string]any{"name": u.Name, "role": u.Role, "sign_in": "provider"}, record.Batch{Put: []record.Record{r}})
}
