package channel

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"xiezhi/internal/respond/outbox"
)

// Caps of a template of an owner's own.
const (
	MaxTemplate = 16 << 10
	MaxRendered = 64 << 10
	maxNodes    = 500
	maxNested   = 2 // loops
)

// webhook is a receiver of one's own. It is signed as Standard Webhooks has it:
// over id, time and body, once with each secret, so that a receiver may change
// from an old one to a new one.
type webhook struct {
	post
	secrets [][]byte
	header  http.Header
	body    *template.Template // nil: the message as JSON
	content string
}

// Sign gives the signatures of a body, as the header webhook-signature has them.
func Sign(id string, at time.Time, body []byte, secrets ...[]byte) string {
	var list []string
	for _, s := range secrets {
		h := hmac.New(sha256.New, s)
		fmt.Fprintf(h, "%s.%d.", id, at.Unix())
		h.Write(body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(list, " ")
}

// keyOf reads a secret: whsec_ and base64, or any text as it is.
func keyOf(s string) ([]byte, error) {
	if rest, ok := strings.CutPrefix(s, "whsec_"); ok {
		key, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return nil, errors.New("what follows whsec_ is not base64")
		}
		return key, nil
	}
	if len(s) < 16 {
		return nil, errors.New("a secret has at least 16 characters")
	}
	return []byte(s), nil
}

func (w *webhook) Send(ctx context.Context, m *Message) error {
	body, err := w.render(m)
	if err != nil {
		return &outbox.Failure{Why: err.Error(), Final: true}
	}
	at := w.now()
	h := w.header.Clone()
	h.Set("Content-Type", w.content)
	h.Set("Webhook-Id", m.ID)
	h.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("Idempotency-Key", m.ID)
	if len(w.secrets) > 0 {
		h.Set("Webhook-Signature", Sign(m.ID, at, body, w.secrets...))
	}
	_, err = Post(ctx, w.client, w.url, h, body, at)
	return err
}

func (w *webhook) render(m *Message) ([]byte, error) {
	if w.body == nil {
		return json.Marshal(struct {
			Type      string    `json:"type"`
			Timestamp time.Time `json:"timestamp"`
			Data      *Message  `json:"data"`
		}{m.Kind, m.At.UTC(), m})
	}
	out := bounded{left: MaxRendered}
	if err := w.body.Execute(&out, m); err != nil {
		return nil, fmt.Errorf("the template fails: %w", err)
	}
	if strings.HasPrefix(w.content, "application/json") && !json.Valid(out.Bytes()) {
		return nil, errors.New("the template gives no JSON; write values as {{json .Title}}")
	}
	return out.Bytes(), nil
}

type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, fmt.Errorf("it gives more than %d bytes", MaxRendered)
	}
	return b.Buffer.Write(p)
}

// parseTemplate reads a template and refuses what may not end or grow: loops
// over anything but the lists of a message, definitions, deep nesting.
func parseTemplate(text string) (*template.Template, error) {
	if len(text) > MaxTemplate {
		return nil, fmt.Errorf("it has %d bytes, at most %d", len(text), MaxTemplate)
	}
	t, err := template.New("body").Option("missingkey=error").Funcs(template.FuncMap{"json": func(x any) (string, error) {
		b, err := json.Marshal(x)
		return string(b), err
	}}).Parse(text)
	if err != nil {
		return nil, err
	}
	if len(t.Templates()) > 1 {
		return nil, errors.New("define and block are not for these templates")
	}
	if t.Tree == nil {
		return nil, errors.New("it is empty")
	}
	n := maxNodes
	return t, walk(t.Root, &n, 0)
}

func walk(x parse.Node, left *int, loops int) error {
	if *left--; *left < 0 {
		return fmt.Errorf("it has more than %d parts", maxNodes)
	}
	list := func(l *parse.ListNode, loops int) error {
		if l == nil {
			return nil
		}
		for _, n := range l.Nodes {
			if err := walk(n, left, loops); err != nil {
				return err
			}
		}
		return nil
	}
	both := func(b *parse.BranchNode, loops int) error {
		return errors.Join(list(b.List, loops), list(b.ElseList, loops))
	}
	switch x := x.(type) {
	case *parse.ListNode:
		return list(x, loops)
	case *parse.IfNode:
		return both(&x.BranchNode, loops)
	case *parse.WithNode:
		return both(&x.BranchNode, loops)
	case *parse.TemplateNode:
		return errors.New("template is not for these templates")
	case *parse.RangeNode:
		p := x.Pipe.String()
		over := strings.TrimPrefix(strings.TrimSpace(p[strings.LastIndex(p, "=")+1:]), "$")
		if over != ".Facts" && over != ".Lines" {
			return fmt.Errorf("range %s: only .Facts and .Lines are lists", p)
		}
		if loops++; loops > maxNested {
			return fmt.Errorf("range within range: at most %d deep", maxNested)
		}
		return both(&x.BranchNode, loops)
	}
	return nil
}
