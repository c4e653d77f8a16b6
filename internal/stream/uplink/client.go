package uplink

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/stream"
)

// ClientConfig is what a Client is made of.
type ClientConfig struct {
	Centres []string // http:// or https:// with host and port; tried in turn
	Name    string
	Token   string // empty: none
	Sealer  *stream.Sealer
	TLS     *tls.Config // nil: the system's authorities
}

// Client is a sensor's end. It is not safe for concurrent use.
type Client struct {
	cfg  ClientConfig
	http *http.Client
	at   int // the centre that answered last
	body []byte
	seal []byte
}

// ErrRefused: the centre answers and does not take what the sensor sends.
var ErrRefused = errors.New("the centre refuses")

// requestFor bounds a request: what the centre's disk and a slow line need.
const requestFor = 90 * time.Second

// NewClient gives a client; nothing is sent yet.
func NewClient(cfg ClientConfig) (*Client, error) {
	if len(cfg.Centres) == 0 {
		return nil, fmt.Errorf("%w: no centre is named", stream.ErrRefused)
	}
	for i, c := range cfg.Centres {
		u, err := url.Parse(c)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return nil, fmt.Errorf("%w: a centre is named as http://HOST:PORT or https://HOST:PORT", stream.ErrRefused)
		}
		cfg.Centres[i] = u.Scheme + "://" + u.Host
	}
	t := &http.Transport{TLSClientConfig: cfg.TLS, MaxIdleConns: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: requestFor}
	return &Client{cfg: cfg, http: &http.Client{Transport: t, Timeout: requestFor,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Add puts a batch into the next request and reports whether there was room.
func (c *Client) Add(b stream.Batch) (bool, error) {
	var err error
	if c.seal, err = c.cfg.Sealer.Seal(c.seal[:0], &stream.Batch{ID: b.ID, Data: b.Data}); err != nil {
		return false, err
	}
	if len(c.body) > 0 && len(c.body)+len(c.seal)+len(b.ID)+16 > MaxBody {
		return false, nil
	}
	c.body = appendRecord(c.body, b.ID, c.seal)
	return true, nil
}

// Reset empties the next request.
func (c *Client) Reset() { c.body = c.body[:0] }

// Send sends the request, without a batch as a sign of life, to one centre after
// the other until one takes it, and gives how many of its batches were taken.
// The request stays until Reset.
func (c *Client) Send(ctx context.Context, st State) (taken int, err error) {
	var all error
	for range c.cfg.Centres {
		if taken, err = c.sendTo(ctx, c.cfg.Centres[c.at], st); err == nil || taken > 0 || ctx.Err() != nil {
			return taken, err
		}
		all = errors.Join(all, fmt.Errorf("%s: %w", c.cfg.Centres[c.at], err))
		c.at = (c.at + 1) % len(c.cfg.Centres)
	}
	return 0, all
}

func (c *Client) sendTo(ctx context.Context, centre string, st State) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, centre+Path, bytes.NewReader(c.body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set(sensorHeader, c.cfg.Name)
	r.Header.Set(bufferedHeader, strconv.FormatUint(st.Buffered, 10))
	r.Header.Set(oldestHeader, strconv.FormatInt(max(st.Oldest.Milliseconds(), 0), 10))
	r.Header.Set(shedHeader, strconv.FormatUint(st.Shed, 10))
	if c.cfg.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	}
	res, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is told by the caller
		}
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if err != nil {
		return 0, err
	}
	var a answer
	if json.Unmarshal(text, &a) != nil || a.Taken < 0 {
		return 0, fmt.Errorf("%w: it answers %s and is no centre", ErrRefused, res.Status)
	}
	switch res.StatusCode {
	case http.StatusOK:
		return a.Taken, nil
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusRequestTimeout:
		return a.Taken, fmt.Errorf("it cannot take anything now: %s", printable(a.Error))
	}
	return a.Taken, fmt.Errorf("%w: %s: %s", ErrRefused, res.Status, printable(a.Error))
}

// printable keeps a centre's words from doing anything to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
