package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

// kept gives a record that people write, as of now.
func (a *API) kept(ctx context.Context, k record.Kind, id string, rev uint64) record.Record {
	at := a.when(ctx)
	return record.Record{Kind: k, ID: id, Rev: rev, First: at, Last: at}
}

func (a *API) when(ctx context.Context) time.Time {
	if at := ask(ctx).when; !at.IsZero() {
		return at.UTC()
	}
	return a.cfg.Now().UTC()
}

// commit writes a change and its audit entry in one batch.
func (a *API) commit(ctx context.Context, action, target string, detail map[string]any, b record.Batch) error {
	return a.commitAs(ctx, ask(ctx).who.by(), action, target, detail, b)
}

func (a *API) commitAs(ctx context.Context, by, action, target string, detail map[string]any, b record.Batch) error {
	e, err := a.entry(ctx, by, action, target, detail)
	if err != nil {
		return err
	}
	b.Audit = append(b.Audit, e)
	_, err = a.cfg.Store.Write(ctx, b)
	return err
}

// entry makes an audit entry, for a batch that somebody else writes.
func (a *API) entry(ctx context.Context, by, action, target string, detail map[string]any) (record.Entry, error) {
	id, err := a.random(16)
	if err != nil {
		return record.Entry{}, err
	}
	if detail == nil {
		detail = map[string]any{}
	}
	if c := ask(ctx).client; c.IsValid() {
		detail["address"] = c.String()
	}
	body, err := note(detail)
	return record.Entry{ID: id, At: a.when(ctx), By: by, Action: action, Target: target, Detail: body}, err
}

// note writes what an entry tells; of what is too much, the long texts go.
func note(detail map[string]any) ([]byte, error) {
	var buf bytes.Buffer
	for _, most := range []int{record.MaxNote, 500, 50, 0} {
		buf.Reset()
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		for k, v := range detail {
			if s, ok := v.(string); ok && len(s) > most {
				detail[k] = strings.ToValidUTF8(s[:most], "") + "…"
			} else if !ok && most < 500 {
				delete(detail, k)
			}
		}
		if err := e.Encode(detail); err != nil {
			return nil, err
		}
		if buf.Len() <= record.MaxNote {
			break
		}
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}

// auditScan is how many entries one request looks through.
const auditScan = 10_000

// ListAudit gives the log, newest first. A page may end before its limit: what
// a request looks through is bounded, and the cursor goes on from there.
func (a *API) ListAudit(ctx context.Context, q v1.ListAuditRequestObject) (v1.ListAuditResponseObject, error) {
	p := q.Params
	limit, before := size(p.Limit), uint64(0)
	if p.Cursor != "" {
		n, err := strconv.ParseUint(p.Cursor, 10, 62)
		if err != nil || n == 0 {
			return nil, wrong(field{name: "cursor", id: "cursor"})
		}
		before = n
	}
	out := v1.ListAudit200JSONResponse{Items: []v1.AuditEntry{}}
	for looked := 0; looked < auditScan; {
		list, err := a.cfg.Store.Audit(ctx, before, record.MaxPage)
		if err != nil {
			return nil, err
		}
		for i := range list {
			s := &list[i]
			if !p.From.IsZero() && s.At.Before(p.From) {
				return out, nil // entries are in order of time
			}
			before = s.Seq
			if p.By != "" && s.By != p.By && !strings.HasPrefix(s.By, p.By+" ") || p.Target != "" && s.Target != p.Target ||
				p.Action != "" && s.Action != p.Action && !strings.HasPrefix(s.Action, p.Action+".") || !p.To.IsZero() && !s.At.Before(p.To) {
				continue
			}
			e := v1.AuditEntry{Seq: int64(s.Seq), Id: s.ID, At: s.At, By: s.By, Action: s.Action, Target: s.Target, Seal: hex.EncodeToString(s.Seal[:])}
			if len(s.Detail) > 0 && json.Unmarshal(s.Detail, &e.Detail) != nil {
				e.Detail = map[string]any{"value": json.RawMessage(s.Detail)}
			}
			if out.Items = append(out.Items, e); len(out.Items) == limit {
				if before > 1 {
					out.Next = strconv.FormatUint(before, 10)
				}
				return out, nil
			}
		}
		if looked += len(list); len(list) < record.MaxPage {
			return out, nil
		}
	}
	out.Next = strconv.FormatUint(before, 10)
	return out, nil
}

// VerifyAudit goes through the whole log.
func (a *API) VerifyAudit(ctx context.Context, _ v1.VerifyAuditRequestObject) (v1.VerifyAuditResponseObject, error) {
	h, err := a.cfg.Store.Verify(ctx, record.Head{})
	if errors.Is(err, record.ErrTampered) {
		return v1.VerifyAudit200JSONResponse{Error: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	return v1.VerifyAudit200JSONResponse{Whole: true, Entries: int64(h.Seq), Seal: hex.EncodeToString(h.Seal[:])}, nil
}
