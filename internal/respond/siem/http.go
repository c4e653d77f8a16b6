package siem

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
)

// web hands over by HTTP: lines of JSON, or as Splunk's HTTP Event Collector or
// Elasticsearch's bulk interface take them.
type web struct {
	client *http.Client
	url    string
	host   string
	kind   string // HTTP, Splunk, Elasticsearch
	index  string
	auth   string
	now    func() time.Time
}

func (w *web) where() string { return w.host }

func (w *web) send(ctx context.Context, list []line) error {
	head := http.Header{"Content-Type": {"application/x-ndjson"}, "Idempotency-Key": {list[0].ID}}
	if w.kind == Splunk {
		head.Set("Content-Type", "application/json")
	}
	if w.auth != "" {
		head.Set("Authorization", w.auth)
	}
	var b bytes.Buffer
	for _, l := range list {
		switch w.kind {
		case Splunk:
			x := map[string]any{"time": float64(l.Unix) / 1000, "source": "xiezhi", "sourcetype": "_json", "event": json.RawMessage(l.Text)}
			if w.index != "" {
				x["index"] = w.index
			}
			text, err := json.Marshal(x)
			if err != nil {
				return &outbox.Failure{Why: "an event is no JSON", Final: true}
			}
			b.Write(text)
		case Elasticsearch:
			fmt.Fprintf(&b, "{\"create\":{\"_id\":%q}}\n%s", l.ID, l.Text)
		default:
			b.WriteString(l.Text)
		}
		b.WriteByte('\n')
	}
	reply, err := channel.Post(ctx, w.client, w.target(), head, b.Bytes(), w.now())
	if err != nil {
		return err
	}
	switch w.kind {
	case Splunk:
		return w.splunk(reply)
	case Elasticsearch:
		return w.bulk(reply)
	}
	return nil
}

func (w *web) target() string {
	switch w.kind {
	case Splunk:
		if !strings.Contains(w.url, "/services/") {
			return strings.TrimSuffix(w.url, "/") + "/services/collector/event"
		}
	case Elasticsearch:
		return strings.TrimSuffix(w.url, "/") + "/" + w.index + "/_bulk?filter_path=errors,items.*.status,items.*.error.type"
	}
	return w.url
}

func (w *web) splunk(reply []byte) error {
	var a struct {
		Text string `json:"text"`
		Code *int   `json:"code"`
	}
	if err := json.Unmarshal(reply, &a); err != nil || a.Code == nil {
		return &outbox.Failure{Why: w.host + " answers with something else than an HTTP Event Collector does"}
	}
	if *a.Code != 0 {
		return &outbox.Failure{Why: fmt.Sprintf("%s answers with code %d: %.100s", w.host, *a.Code, channel.Inert(a.Text)), Final: *a.Code != 8 && *a.Code != 9}
	}
	return nil
}

// bulk looks at each item: what is there already was taken before.
func (w *web) bulk(reply []byte) error {
	var a struct {
		Errors *bool `json:"errors"`
		Items  []map[string]struct {
			Status int `json:"status"`
			Error  struct {
				Type string `json:"type"`
			} `json:"error"`
		} `json:"items"`
	}
	if err := json.Unmarshal(reply, &a); err != nil || a.Errors == nil {
		return &outbox.Failure{Why: w.host + " answers with something else than Elasticsearch does"}
	}
	if !*a.Errors {
		return nil
	}
	for _, item := range a.Items {
		for _, r := range item {
			switch {
			case r.Status < 300, r.Status == http.StatusConflict:
			case r.Status == http.StatusTooManyRequests, r.Status >= 500:
				return &outbox.Failure{Why: fmt.Sprintf("%s took not all: status %d", w.host, r.Status)}
			default:
				return &outbox.Failure{Why: fmt.Sprintf("%s refuses an event: status %d, %.60s", w.host, r.Status, channel.Inert(r.Error.Type)), Final: true}
			}
		}
	}
	return nil
}
