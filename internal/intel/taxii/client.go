package taxii

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/intel/outbound"
)

// Pull is what a client read in one go.
type Pull struct {
	Objects []json.RawMessage
	Last    string // the newest time of addition: where the next Pull begins; empty: nothing was added
	Pages   int
}

// Why a collection was not read.
var (
	ErrEnvelope = errors.New("the answer is no envelope of TAXII 2.1")
	ErrRounds   = errors.New("the pages do not end")
)

// Get reads what was added to a collection after a time, which may be empty. All
// of it is read or nothing: pages of a half-read collection would hide what is
// behind them from the next round.
func Get(ctx context.Context, g *outbound.Guard, collection string, head http.Header, after string) (*Pull, error) {
	at, err := g.Check(collection)
	if err != nil {
		return nil, err
	}
	out := &Pull{}
	next, bytes := "", 0
	for {
		u := *at
		u.Path = strings.TrimSuffix(u.Path, "/") + "/objects/"
		q := url.Values{"limit": {strconv.Itoa(MaxPage)}}
		if after != "" {
			q.Set("added_after", after)
		}
		if next != "" {
			q.Set("next", next)
		}
		u.RawQuery = q.Encode()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, outbound.ErrURL
		}
		r.Header = head.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("Accept", MediaType)
		got, err := g.Do(r, int64(maxBytes-bytes))
		if err != nil {
			return nil, err
		}
		if got.Status != http.StatusOK {
			return nil, statusError(u.Host, got)
		}
		if t := got.Header.Get("Content-Type"); !strings.HasPrefix(t, "application/taxii+json") {
			return nil, fmt.Errorf("%s: %w: it comes as %.60q", u.Host, ErrEnvelope, t)
		}
		var e struct {
			More    bool              `json:"more"`
			Next    string            `json:"next"`
			Objects []json.RawMessage `json:"objects"`
		}
		if err := json.Unmarshal(got.Body, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", u.Host, ErrEnvelope)
		}
		bytes += len(got.Body)
		out.Pages++
		out.Objects = append(out.Objects, e.Objects...)
		if t := got.Header.Get("X-TAXII-Date-Added-Last"); len(e.Objects) > 0 && t != "" {
			if _, err := time.Parse(time.RFC3339Nano, t); err != nil {
				return nil, fmt.Errorf("%s: %w: X-TAXII-Date-Added-Last is no time", u.Host, ErrEnvelope)
			}
			out.Last = t
		}
		switch {
		case !e.More:
			return out, nil
		case e.Next == "" || len(e.Next) > 1024 || e.Next == next || out.Pages >= maxPages:
			return nil, fmt.Errorf("%s: %w", u.Host, ErrRounds)
		}
		next = e.Next
	}
}

// Status is an answer that is none.
type Status struct {
	Host string
	Code int
	Wait time.Duration // that the server asks for
	what string
}

func (s *Status) Error() string {
	if s.what != "" {
		return fmt.Sprintf("%s answers with status %d: %s", s.Host, s.Code, s.what)
	}
	return fmt.Sprintf("%s answers with status %d", s.Host, s.Code)
}

func statusError(host string, got *outbound.Answer) error {
	s := StatusOf(host, got)
	var f struct {
		Title string `json:"title"`
	}
	if json.Unmarshal(got.Body, &f) == nil {
		s.what = strings.ToValidUTF8(f.Title[:min(len(f.Title), maxFault)], "")
	}
	return s
}

// StatusOf makes an error of an answer that is none.
func StatusOf(host string, got *outbound.Answer) *Status {
	s := &Status{Host: host, Code: got.Status}
	if n, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil && n > 0 {
		s.Wait = time.Duration(min(n, 24*3600)) * time.Second
	}
	return s
}
