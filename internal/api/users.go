package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/store/record"
)

// maxUsers and maxTokens bound how many there are.
const (
	maxUsers      = 500
	maxTokens     = 2000 // of all users
	maxUserTokens = 50
)

func userOf(r *record.Record) (v1.User, record.Account, error) {
	var u record.Account
	if err := json.Unmarshal(r.Body, &u); err != nil {
		return v1.User{}, u, err
	}
	return v1.User{Id: r.ID, Name: u.Name, Role: v1.Role(u.Role), Disabled: u.Disabled, Rev: int64(r.Rev), Changed: r.Last}, u, nil
}

func (a *API) users(ctx context.Context) ([]v1.User, error) {
	out := []v1.User{}
	err := a.every(ctx, record.Query{Kind: record.User}, func(r *record.Record) error {
		u, _, err := userOf(r)
		out = append(out, u)
		return err
	})
	slices.SortFunc(out, func(a, b v1.User) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// every goes through all records of a bounded kind.
func (a *API) every(ctx context.Context, q record.Query, do func(*record.Record) error) error {
	return record.Every(ctx, a.cfg.Store, q, do)
}

// ListUsers gives all users.
func (a *API) ListUsers(ctx context.Context, _ v1.ListUsersRequestObject) (v1.ListUsersResponseObject, error) {
	list, err := a.users(ctx)
	return v1.ListUsers200JSONResponse{Items: list}, err
}

// GetUser gives one.
func (a *API) GetUser(ctx context.Context, q v1.GetUserRequestObject) (v1.GetUserResponseObject, error) {
	r, err := a.cfg.Store.Get(ctx, record.User, q.Id)
	if err != nil {
		return nil, err
	}
	u, _, err := userOf(&r)
	return v1.GetUser200JSONResponse(u), err
}

// CreateUser makes one.
func (a *API) CreateUser(ctx context.Context, q v1.CreateUserRequestObject) (v1.CreateUserResponseObject, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	list, err := a.users(ctx)
	if err != nil {
		return nil, err
	}
	if len(list) >= maxUsers {
		return nil, refuse(http.StatusConflict, "full", message.Args{"most": maxUsers})
	}
	if _, there, err := a.account(ctx, userID(q.Body.Name)); err != nil {
		return nil, err
	} else if there {
		return nil, refuse(http.StatusConflict, "exists", nil)
	}
	r, err := a.newUser(ctx, q.Body.Name, q.Body.Password, q.Body.Role)
	if err != nil {
		return nil, err
	}
	u, _, err := userOf(&r)
	if err != nil {
		return nil, err
	}
	err = a.commit(ctx, "user.create", r.ID, map[string]any{"name": u.Name, "role": string(u.Role)}, record.Batch{Put: []record.Record{r}})
	return v1.CreateUser201JSONResponse(u), err
}

// ChangeUser changes role, password or whether a user may sign in.
func (a *API) ChangeUser(ctx context.Context, q v1.ChangeUserRequestObject) (v1.ChangeUserResponseObject, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	old, err := a.cfg.Store.Get(ctx, record.User, q.Id)
	if err != nil {
		return nil, err
	}
	if int64(old.Rev) != q.Body.Rev {
		return nil, record.ErrConflict
	}
	_, u, err := userOf(&old)
	if err != nil {
		return nil, err
	}
	detail := map[string]any{"name": u.Name}
	if q.Body.Role != "" {
		u.Role, detail["role"] = string(q.Body.Role), string(q.Body.Role)
	}
	if q.Body.Disabled != nil {
		u.Disabled, detail["disabled"] = *q.Body.Disabled, *q.Body.Disabled
	}
	if u.Disabled || v1.Role(u.Role) != v1.RoleAdministrator {
		if err := a.notLast(ctx, q.Id); err != nil {
			return nil, err
		}
	}
	if q.Body.Password != "" {
		if err := strong(q.Body.Password, u.Name); err != nil {
			return nil, err
		}
		if u.Password, err = a.hash.make(ctx, q.Body.Password); err != nil {
			return nil, err
		}
		detail["password"] = true
	}
	r, err := a.userRecord(ctx, u, old.Rev+1)
	if err != nil {
		return nil, err
	}
	if err := a.commit(ctx, "user.change", r.ID, detail, record.Batch{Put: []record.Record{r}}); err != nil {
		return nil, err
	}
	a.sessions.endUser(r.ID, ask(ctx).who.session)
	out, _, err := userOf(&r)
	return v1.ChangeUser200JSONResponse(out), err
}

// notLast refuses what would leave nobody who may administer.
func (a *API) notLast(ctx context.Context, id string) error {
	list, err := a.users(ctx)
	if err != nil {
		return err
	}
	others := 0
	for _, u := range list {
		if u.Id != id && u.Role == v1.RoleAdministrator && !u.Disabled {
			others++
		}
	}
	if others == 0 {
		return refuse(http.StatusConflict, "last_administrator", nil)
	}
	return nil
}

// DeleteUser removes a user with the tokens of the user: another who is called
// so later starts with nothing.
func (a *API) DeleteUser(ctx context.Context, q v1.DeleteUserRequestObject) (v1.DeleteUserResponseObject, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	r, err := a.cfg.Store.Get(ctx, record.User, q.Id)
	if err != nil {
		return nil, err
	}
	if err := a.notLast(ctx, q.Id); err != nil {
		return nil, err
	}
	u, _, err := userOf(&r)
	if err != nil {
		return nil, err
	}
	b := record.Batch{Delete: []record.Key{{Kind: record.User, ID: r.ID, Rev: r.Rev}}}
	err = a.every(ctx, record.Query{Kind: record.Token, Type: []string{q.Id}}, func(t *record.Record) error {
		b.Delete = append(b.Delete, record.Key{Kind: record.Token, ID: t.ID, Rev: t.Rev})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := a.commit(ctx, "user.delete", r.ID, map[string]any{"name": u.Name, "tokens": len(b.Delete) - 1}, b); err != nil {
		return nil, err
	}
	a.sessions.endUser(q.Id, nil)
	return v1.DeleteUser204Response{}, nil
}

func tokenOf(r *record.Record) (v1.Token, error) {
	var t record.Access
	if err := json.Unmarshal(r.Body, &t); err != nil {
		return v1.Token{}, err
	}
	return v1.Token{Id: r.ID, Name: t.Name, Role: v1.Role(t.Role), Scope: v1.TokenScope(t.Scope), By: t.By, Expires: t.Expires, Created: r.First}, nil
}

// tokens gives those of a user, or of all.
func (a *API) tokens(ctx context.Context, of string) ([]v1.Token, error) {
	q := record.Query{Kind: record.Token}
	if of != "" {
		q.Type = []string{of}
	}
	out := []v1.Token{}
	err := a.every(ctx, q, func(r *record.Record) error {
		t, err := tokenOf(r)
		out = append(out, t)
		return err
	})
	return out, err
}

// ListTokens gives the own tokens; administrators see all.
func (a *API) ListTokens(ctx context.Context, _ v1.ListTokensRequestObject) (v1.ListTokensResponseObject, error) {
	c := &ask(ctx).who
	of := c.id
	if c.role == v1.RoleAdministrator {
		of = ""
	}
	list, err := a.tokens(ctx, of)
	return v1.ListTokens200JSONResponse{Items: list}, err
}

// CreateToken makes a token that may at most what its maker may.
func (a *API) CreateToken(ctx context.Context, q v1.CreateTokenRequestObject) (v1.CreateTokenResponseObject, error) {
	c := &ask(ctx).who
	if ranks[q.Body.Role] > ranks[c.role] {
		return nil, refuse(http.StatusForbidden, "token_role", message.Args{"role": string(c.role)})
	}
	if q.Body.Scope != "" && c.role != v1.RoleAdministrator { // whom intelligence goes to is the owner's affair
		return nil, refuse(http.StatusForbidden, "role", message.Args{"role": string(v1.RoleAdministrator)})
	}
	a.deciding.Lock()
	defer a.deciding.Unlock()
	all, err := a.tokens(ctx, "")
	if err != nil {
		return nil, err
	}
	mine := 0
	for _, t := range all {
		if t.By == c.id {
			mine++
		}
	}
	if mine >= maxUserTokens || len(all) >= maxTokens {
		return nil, refuse(http.StatusConflict, "full", message.Args{"most": maxUserTokens})
	}
	secret, err := a.random(32)
	if err != nil {
		return nil, err
	}
	secret = tokenPrefix + secret
	days := q.Body.Days
	t := record.Access{Name: norm.NFC.String(q.Body.Name), Role: string(q.Body.Role), Scope: string(q.Body.Scope), By: c.id, Expires: a.when(ctx).AddDate(0, 0, days)}
	r := a.kept(ctx, record.Token, tokenID(secret), 1)
	r.Type = c.id
	if r.Body, err = json.Marshal(t); err != nil {
		return nil, err
	}
	err = a.commit(ctx, "token.create", r.ID, map[string]any{"name": t.Name, "role": t.Role, "scope": t.Scope, "days": days}, record.Batch{Put: []record.Record{r}})
	if err != nil {
		return nil, err
	}
	info, err := tokenOf(&r)
	return v1.CreateToken201JSONResponse{Token: secret, Info: info}, err
}

// DeleteToken ends a token of one's own; administrators end any.
func (a *API) DeleteToken(ctx context.Context, q v1.DeleteTokenRequestObject) (v1.DeleteTokenResponseObject, error) {
	c := &ask(ctx).who
	r, err := a.cfg.Store.Get(ctx, record.Token, q.Id)
	if err != nil {
		return nil, err
	}
	t, err := tokenOf(&r)
	if err != nil {
		return nil, err
	}
	if t.By != c.id && c.role != v1.RoleAdministrator {
		return nil, notFound()
	}
	err = a.commit(ctx, "token.delete", r.ID, map[string]any{"name": t.Name}, record.Batch{Delete: []record.Key{{Kind: record.Token, ID: r.ID, Rev: r.Rev}}})
	return v1.DeleteToken204Response{}, err
}
