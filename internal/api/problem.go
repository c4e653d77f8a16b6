package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/text/language"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
)

// problem is an error that is told to who asked. Its texts are
// http.title.CODE and http.detail.CODE of the message catalogue.
type problem struct {
	status int
	code   string
	args   message.Args
	fields []field
	after  time.Duration // when to come again
}

// field says what is wrong with one field: a message's id, or a text of the
// program's own that names a place.
type field struct {
	name string
	id   string // http.field.ID
	args message.Args
	text string
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s", p.status, p.code) }

func refuse(status int, code string, args message.Args) *problem {
	return &problem{status: status, code: code, args: args}
}

func wrong(fields ...field) *problem {
	return &problem{status: http.StatusBadRequest, code: "invalid", fields: fields}
}

func notFound() *problem { return refuse(http.StatusNotFound, "not_found", nil) }

// asProblem gives what an error means to who asked. What is nobody's business
// becomes "internal".
func asProblem(err error) *problem {
	var p *problem
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &big):
		return refuse(http.StatusRequestEntityTooLarge, "too_large", message.Args{"bytes": strconv.FormatInt(big.Limit, 10)})
	case errors.Is(err, record.ErrNotFound):
		return notFound()
	case errors.Is(err, record.ErrConflict):
		return refuse(http.StatusConflict, "conflict", nil)
	case errors.Is(err, record.ErrInvalid):
		return refuse(http.StatusBadRequest, "query", nil)
	case errors.Is(err, store.ErrFull), errors.Is(err, store.ErrReadOnly):
		return refuse(http.StatusServiceUnavailable, "storage", nil)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return refuse(http.StatusServiceUnavailable, "timeout", nil)
	}
	return refuse(http.StatusInternalServerError, "internal", nil)
}

// fail answers with the problem that an error is.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	if p.code == "internal" {
		a.faults.Add(1)
		a.cfg.Log.Error("a request failed", "operation", r.Pattern, "error", err)
	}
	a.write(w, r, p)
}

// badRequest answers what the generated code cannot read.
func (a *API) badRequest(w http.ResponseWriter, r *http.Request, err error) {
	var big *http.MaxBytesError
	var value *v1.InvalidParamFormatError
	var absent *v1.RequiredParamError
	switch {
	case errors.As(err, &big):
		a.fail(w, r, err)
	case errors.As(err, &value):
		a.write(w, r, wrong(field{name: value.ParamName, id: "format"}))
	case errors.As(err, &absent):
		a.write(w, r, wrong(field{name: absent.ParamName, id: "missing"}))
	default:
		a.write(w, r, refuse(http.StatusBadRequest, "malformed", nil))
	}
}

var languages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// lang gives the language that a request prefers.
func (a *API) lang(r *http.Request) string {
	accept := r.Header.Get("Accept-Language")
	if accept == "" || len(accept) > 1000 {
		return a.cfg.Lang
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return a.cfg.Lang
	}
	if _, i, sure := languages.Match(tags...); sure != language.No {
		return [...]string{"en", "zh"}[i]
	}
	return a.cfg.Lang
}

func (a *API) write(w http.ResponseWriter, r *http.Request, p *problem) {
	lang := a.lang(r)
	say := func(id string, args message.Args) string { return a.cfg.Messages.Text(id, args).In(lang) }
	out := v1.Problem{Type: "urn:xiezhi:problem:" + p.code, Title: say("http.title."+p.code, nil), Status: p.status, Code: p.code}
	out.Detail = say("http.detail."+p.code, p.args)
	for _, f := range p.fields {
		text := f.text
		if f.id != "" {
			text = say("http.field."+f.id, f.args)
		}
		out.Errors = append(out.Errors, v1.FieldProblem{Field: f.name, Detail: text})
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Language", lang)
	if p.after > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((p.after+time.Second-1)/time.Second), 10))
	}
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="xiezhi"`)
	}
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(out) // who asked may be gone
}

func throttled(wait time.Duration) *problem {
	p := refuse(http.StatusTooManyRequests, "throttled", message.Args{"seconds": int64((wait + time.Second - 1) / time.Second)})
	p.after = wait
	return p
}

// moment reports whether a text is a time that can be kept.
func moment(s string) bool {
	t, err := time.Parse(time.RFC3339, s)
	return err == nil && t.Year() >= 1970 && t.Year() <= 2200
}
