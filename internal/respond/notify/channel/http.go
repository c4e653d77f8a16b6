package channel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/respond/outbox"
)

const (
	maxReply = 64 << 10
	askTime  = 15 * time.Second
)

// Client is the guard's client for what is handed over: a redirect is not
// followed, since a hand-over that ended somewhere else would look like one
// that was taken.
func Client(g *outbound.Guard) *http.Client {
	c := *g.Client()
	c.Timeout = askTime
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// Post hands a body over and gives what was answered. An error is an
// *outbox.Failure that names the host and no more of the URL.
func Post(ctx context.Context, client *http.Client, target string, header http.Header, body []byte, now time.Time) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, &outbox.Failure{Why: "its URL cannot be asked", Final: true}
	}
	for k, v := range header {
		r.Header[k] = v
	}
	r.Header.Set("User-Agent", "xiezhi")
	res, err := client.Do(r)
	if err != nil {
		return nil, Unreached(r.URL.Hostname(), err)
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return nil, &outbox.Failure{Why: r.URL.Hostname() + ": the answer broke off"}
	}
	return reply, status(r.URL.Hostname(), res, now)
}

// Unreached says why a host could not be asked.
func Unreached(host string, err error) error {
	var ue *url.Error // repeats the URL
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var ne net.Error
	final := errors.Is(err, outbound.ErrInner) || errors.Is(err, outbound.ErrURL)
	why := err.Error()
	if errors.As(err, &ne) && ne.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		why = "no answer in time"
	}
	return &outbox.Failure{Why: host + ": " + strings.TrimPrefix(why, host+": "), Final: final}
}

func status(host string, res *http.Response, now time.Time) error {
	switch s := res.StatusCode; {
	case s >= 200 && s < 300:
		return nil
	case s >= 300 && s < 400:
		return &outbox.Failure{Why: fmt.Sprintf("%s redirects (status %d), which is not followed; name the address that it leads to", host, s), Final: true}
	case s == 408, s == 425, s == 429, s >= 500:
		return &outbox.Failure{Why: fmt.Sprintf("%s answers with status %d", host, s), After: retryAfter(res.Header.Get("Retry-After"), now)}
	default:
		return &outbox.Failure{Why: fmt.Sprintf("%s answers with status %d", host, s), Final: true}
	}
}

// retryAfter reads seconds or a date.
func retryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(v); err == nil && n > 0 && n < 1<<20 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// answered reads the code that a robot answers with.
type answered struct {
	ok    func(code int64) bool
	later func(code int64) time.Duration // 0: trying again does not help
}

// check looks at an answer whose status was fine. A page that is no answer of
// the robot may come from something in between, so it may pass.
func (a answered) check(host string, reply []byte, field ...string) error {
	var m map[string]any
	if err := json.Unmarshal(reply, &m); err != nil {
		return &outbox.Failure{Why: host + " answers with something else than this kind of robot does"}
	}
	for _, f := range field {
		v, there := m[f].(float64)
		if !there {
			continue
		}
		code := int64(v)
		if a.ok(code) {
			return nil
		}
		text := ""
		for _, k := range []string{"errmsg", "msg", "StatusMessage"} {
			if s, ok := m[k].(string); ok && s != "" {
				text = ": " + Inert(cut(s, 160))
				break
			}
		}
		wait := a.later(code)
		return &outbox.Failure{Why: fmt.Sprintf("%s answers with code %d%s", host, code, text), Final: wait == 0, After: wait}
	}
	return &outbox.Failure{Why: host + " answers with something else than this kind of robot does"}
}

func zero(code int64) bool { return code == 0 }

// lateFor gives the wait of codes that may pass.
func lateFor(codes ...int64) func(int64) time.Duration {
	return func(code int64) time.Duration {
		for _, c := range codes {
			if c == code {
				return time.Minute
			}
		}
		return 0
	}
}

// sendJSON is the way of all robots.
func (p *post) sendJSON(ctx context.Context, target string, x any) ([]byte, error) {
	body, err := json.Marshal(x)
	if err != nil {
		return nil, &outbox.Failure{Why: err.Error(), Final: true}
	}
	return Post(ctx, p.client, target, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body, p.now())
}
