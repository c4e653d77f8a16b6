package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

// setting is one thing that people set here; what a configuration file says is
// not among them.
type setting struct {
	name    string
	initial string
	check   func(string) bool
}

func whole(least, most int) func(string) bool {
	return func(s string) bool {
		n, err := strconv.Atoi(s)
		return err == nil && n >= least && n <= most && strconv.Itoa(n) == s
	}
}

func oneOf(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

const (
	settingIdle = "session.idle_minutes"
	settingMost = "session.hours"
)

// known lists the settings.
var known = []setting{
	{"console.language", "auto", oneOf("auto", "zh", "en")},
	{"organisation.name", "", func(s string) bool { return len(s) <= 200 && utf8.ValidString(s) }},
	{"report.language", "auto", oneOf("auto", "zh", "en")},
	{settingMost, "12", whole(1, 168)},
	{settingIdle, "60", whole(5, 1440)},
}

func knownSetting(name string) *setting {
	for i := range known {
		if known[i].name == name {
			return &known[i]
		}
	}
	return nil
}

// readSettings fills what requests look at.
func (a *API) readSettings(ctx context.Context) error {
	all, err := a.allSettings(ctx)
	if err != nil {
		return err
	}
	m := map[string]string{}
	for _, s := range all {
		m[s.Name] = s.Value
	}
	a.settings.Store(&m)
	return nil
}

func (a *API) allSettings(ctx context.Context) ([]v1.Setting, error) {
	var out []v1.Setting
	for _, k := range known {
		s, err := a.oneSetting(ctx, k)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (a *API) oneSetting(ctx context.Context, k setting) (v1.Setting, error) {
	s := v1.Setting{Name: k.name, Value: k.initial, Default: k.initial}
	r, err := a.cfg.Store.Get(ctx, record.Setting, k.name)
	if errors.Is(err, record.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Rev = int64(r.Rev)
	var v string
	if json.Unmarshal(r.Body, &v) == nil && k.check(v) { // another version may have allowed others
		s.Value = v
	}
	return s, nil
}

// idle is how long a session lives unused, most how long at all.
func (a *API) idle() time.Duration { return a.span(settingIdle, time.Minute) }
func (a *API) most() time.Duration { return a.span(settingMost, time.Hour) }

func (a *API) span(name string, unit time.Duration) time.Duration {
	n, _ := strconv.Atoi((*a.settings.Load())[name]) // checked when it was written
	return time.Duration(n) * unit
}

// ListSettings gives all settings.
func (a *API) ListSettings(ctx context.Context, _ v1.ListSettingsRequestObject) (v1.ListSettingsResponseObject, error) {
	all, err := a.allSettings(ctx)
	return v1.ListSettings200JSONResponse{Items: all}, err
}

// ChangeSetting changes one.
func (a *API) ChangeSetting(ctx context.Context, q v1.ChangeSettingRequestObject) (v1.ChangeSettingResponseObject, error) {
	k := knownSetting(q.Id)
	if k == nil {
		return nil, notFound()
	}
	if !k.check(q.Body.Value) {
		return nil, &problem{status: http.StatusUnprocessableEntity, code: "setting", fields: []field{{name: "value", id: "value"}}}
	}
	body, err := json.Marshal(q.Body.Value)
	if err != nil {
		return nil, err
	}
	r := a.kept(ctx, record.Setting, k.name, uint64(q.Body.Rev)+1)
	r.Body = body
	if err := a.commit(ctx, "setting.change", k.name, map[string]any{"value": q.Body.Value}, record.Batch{Put: []record.Record{r}}); err != nil {
		return nil, err
	}
	if err := a.readSettings(ctx); err != nil {
		return nil, err
	}
	s, err := a.oneSetting(ctx, *k)
	return v1.ChangeSetting200JSONResponse(s), err
}
