package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

// userName says how users may be called: letters of any script, digits and
// some signs, so that a name is the same to who reads it and who types it.
var userName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@-]{0,63}$`)

// foldName gives the form in which names are compared.
func foldName(name string) string { return strings.ToLower(norm.NFKC.String(name)) }

// userID is made of the name, so that two users never have one name.
func userID(name string) string {
	sum := sha256.Sum256([]byte(foldName(name)))
	return "u-" + hex.EncodeToString(sum[:10])
}

// setup is the one-time right to make the first administrator.
type setup struct {
	mu   sync.Mutex
	hash []byte // nil: nobody has it
	told string // for whoever starts the service, until it is used
}

// openSetup gives out the right where nobody can sign in.
func (a *API) openSetup(ctx context.Context) error {
	p, err := a.cfg.Store.List(ctx, record.Query{Kind: record.User, Limit: 1})
	if err != nil || len(p.Records) > 0 {
		return err
	}
	token, err := a.random(20)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(token))
	a.setup.hash, a.setup.told = sum[:], token
	return nil
}

// SetupToken gives the token that the first start prints in a link, empty when
// somebody can sign in.
func (a *API) SetupToken() string {
	a.setup.mu.Lock()
	defer a.setup.mu.Unlock()
	return a.setup.told
}

// GetSetup says whether the first administrator is still to be made.
func (a *API) GetSetup(context.Context, v1.GetSetupRequestObject) (v1.GetSetupResponseObject, error) {
	return v1.GetSetup200JSONResponse{Needed: a.SetupToken() != ""}, nil
}

// DoSetup makes the first administrator.
func (a *API) DoSetup(ctx context.Context, q v1.DoSetupRequestObject) (v1.DoSetupResponseObject, error) {
	x := ask(ctx)
	if wait, _ := a.throttle.wait("setup", x.client, x.when); wait > 0 {
		return nil, throttled(wait)
	}
	a.setup.mu.Lock()
	defer a.setup.mu.Unlock()
	sum := sha256.Sum256([]byte(q.Body.Token))
	if a.setup.hash == nil || subtle.ConstantTimeCompare(sum[:], a.setup.hash) != 1 {
		return nil, refuse(http.StatusForbidden, "setup", nil)
	}
	a.throttle.passed("setup", x.client)
	u, err := a.newUser(ctx, q.Body.Name, q.Body.Password, v1.RoleAdministrator)
	if err != nil {
		return nil, err
	}
	if err := a.commitAs(ctx, u.ID, "user.setup", u.ID, map[string]any{"name": q.Body.Name, "role": string(v1.RoleAdministrator)}, record.Batch{Put: []record.Record{u}}); err != nil {
		return nil, err
	}
	a.setup.hash, a.setup.told = nil, ""
	me, cookie, err := a.signIn(ctx, u.ID, norm.NFKC.String(q.Body.Name), v1.RoleAdministrator)
	if err != nil {
		return nil, err
	}
	return withCookie{cookie: cookie, setup: v1.DoSetup201JSONResponse(me)}, nil
}

// newUser checks and makes the record of a user who is not there yet.
func (a *API) newUser(ctx context.Context, name, password string, role v1.Role) (record.Record, error) {
	name = norm.NFKC.String(name)
	if !userName.MatchString(name) {
		return record.Record{}, wrong(field{name: "name", id: "user_name"})
	}
	if err := strong(password, name); err != nil {
		return record.Record{}, err
	}
	hash, err := a.hash.make(ctx, password)
	if err != nil {
		return record.Record{}, err
	}
	return a.userRecord(ctx, record.Account{Name: name, Role: string(role), Password: hash}, 1)
}

func (a *API) userRecord(ctx context.Context, u record.Account, rev uint64) (record.Record, error) {
	r := a.kept(ctx, record.User, userID(u.Name), rev)
	r.Type = u.Role
	var err error
	r.Body, err = json.Marshal(u)
	return r, err
}

// anonymous stands in the audit log for who is not signed in.
const anonymous = "anonymous"

// Login signs in.
func (a *API) Login(ctx context.Context, q v1.LoginRequestObject) (v1.LoginResponseObject, error) {
	x := ask(ctx)
	id := userID(q.Body.Name)
	wait, begins := a.throttle.wait(id, x.client, x.when)
	if wait > 0 {
		return nil, throttled(wait)
	}
	u, there, err := a.account(ctx, id)
	if err != nil {
		return nil, err
	}
	ok, err := a.hash.check(ctx, q.Body.Password, u.Password)
	if err != nil {
		return nil, err
	}
	if ok && there && u.Disabled { // told only to who knows the password
		return nil, refuse(http.StatusUnauthorized, "disabled", nil)
	}
	if !ok || !there {
		if begins { // not each failure: whoever fails would else fill the log
			if err := a.commitAs(ctx, anonymous, "session.throttled", id, nil, record.Batch{}); err != nil {
				return nil, err
			}
		}
		return nil, refuse(http.StatusUnauthorized, "credentials", nil)
	}
	a.throttle.passed(id, x.client)
	if err := a.commitAs(ctx, id, "session.login", id, nil, record.Batch{}); err != nil {
		return nil, err
	}
	me, cookie, err := a.signIn(ctx, id, u.Name, v1.Role(u.Role))
	if err != nil {
		return nil, err
	}
	return withCookie{cookie: cookie, login: v1.Login201JSONResponse(me)}, nil
}

func (a *API) signIn(ctx context.Context, id, name string, role v1.Role) (v1.Me, *http.Cookie, error) {
	x := ask(ctx)
	s, value, err := a.sessions.start(id, x.when)
	if err != nil {
		return v1.Me{}, nil, err
	}
	end := x.when.Add(min(a.idle(), a.most()))
	return v1.Me{Id: id, Name: name, Role: role, By: v1.MeBySession, Csrf: s.csrf, Expires: end.UTC()}, a.cookie(value, x.secure, a.most()), nil
}

// withCookie is an answer that also sets the cookie.
type withCookie struct {
	cookie   *http.Cookie
	login    v1.LoginResponseObject
	setup    v1.DoSetupResponseObject
	password v1.ChangePasswordResponseObject
	logout   v1.LogoutResponseObject
	enter    v1.EnterResponseObject
}

func (c withCookie) VisitLoginResponse(w http.ResponseWriter) error {
	http.SetCookie(w, c.cookie)
	return c.login.VisitLoginResponse(w)
}

func (c withCookie) VisitDoSetupResponse(w http.ResponseWriter) error {
	http.SetCookie(w, c.cookie)
	return c.setup.VisitDoSetupResponse(w)
}

func (c withCookie) VisitChangePasswordResponse(w http.ResponseWriter) error {
	http.SetCookie(w, c.cookie)
	return c.password.VisitChangePasswordResponse(w)
}

func (c withCookie) VisitLogoutResponse(w http.ResponseWriter) error {
	http.SetCookie(w, c.cookie)
	return c.logout.VisitLogoutResponse(w)
}

// GetSession says who asks.
func (a *API) GetSession(ctx context.Context, _ v1.GetSessionRequestObject) (v1.GetSessionResponseObject, error) {
	c := &ask(ctx).who
	me := v1.Me{Id: c.id, Name: c.name, Role: c.role, By: v1.MeByToken, Expires: c.expires.UTC()}
	if c.session != nil {
		me.By, me.Csrf = v1.MeBySession, c.session.csrf
	}
	return v1.GetSession200JSONResponse(me), nil
}

// Logout ends the session.
func (a *API) Logout(ctx context.Context, _ v1.LogoutRequestObject) (v1.LogoutResponseObject, error) {
	x := ask(ctx)
	if err := a.commit(ctx, "session.logout", x.who.id, nil, record.Batch{}); err != nil {
		return nil, err
	}
	a.sessions.endOne(x.who.session)
	return withCookie{cookie: a.cookie("", x.secure, 0), logout: v1.Logout204Response{}}, nil
}

// ChangePassword changes the own password, ends the other sessions and gives
// this one another id.
func (a *API) ChangePassword(ctx context.Context, q v1.ChangePasswordRequestObject) (v1.ChangePasswordResponseObject, error) {
	x := ask(ctx)
	if wait, _ := a.throttle.wait(x.who.id, x.client, x.when); wait > 0 {
		return nil, throttled(wait)
	}
	r, err := a.cfg.Store.Get(ctx, record.User, x.who.id)
	if err != nil {
		return nil, err
	}
	var u record.Account
	if err := json.Unmarshal(r.Body, &u); err != nil {
		return nil, err
	}
	ok, err := a.hash.check(ctx, q.Body.Current, u.Password)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse(http.StatusForbidden, "current_password", nil)
	}
	a.throttle.passed(x.who.id, x.client)
	if err := strong(q.Body.New, u.Name); err != nil {
		return nil, err
	}
	if u.Password, err = a.hash.make(ctx, q.Body.New); err != nil {
		return nil, err
	}
	next, err := a.userRecord(ctx, u, r.Rev+1)
	if err != nil {
		return nil, err
	}
	if err := a.commit(ctx, "user.password", x.who.id, nil, record.Batch{Put: []record.Record{next}}); err != nil {
		return nil, err
	}
	a.sessions.endUser(x.who.id, nil)
	me, cookie, err := a.signIn(ctx, x.who.id, u.Name, x.who.role)
	if err != nil {
		return nil, err
	}
	return withCookie{cookie: cookie, password: v1.ChangePassword200JSONResponse(me)}, nil
}
