package channel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"xiezhi/internal/respond/outbox"
)

// MaxMail is the bytes of a mail's text.
const MaxMail = 64 << 10

// How a connection to a mail server is protected.
const (
	StartTLS = "starttls"
	FullTLS  = "tls"
	NoTLS    = "none"
)

type email struct {
	dial           func(ctx context.Context, network, address string) (net.Conn, error)
	server, host   string
	mode           string
	tls            *tls.Config
	user, password string
	from           *mail.Address
	to             []*mail.Address
	now            func() time.Time
}

func (e *email) Host() string { return e.host }

func (e *email) Send(ctx context.Context, m *Message) error {
	err := e.send(ctx, m)
	if err == nil {
		return nil
	}
	var te *textproto.Error
	if errors.As(err, &te) {
		return &outbox.Failure{Why: fmt.Sprintf("%s answers with %d: %s", e.host, te.Code, Inert(cut(te.Msg, 160))), Final: te.Code >= 500}
	}
	var f *outbox.Failure
	if errors.As(err, &f) {
		return f
	}
	return Unreached(e.host, err)
}

func (e *email) send(ctx context.Context, m *Message) error {
	conn, err := e.dial(ctx, "tcp", e.server)
	if err != nil {
		return err
	}
	defer conn.Close()
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(askTime * 2) // of the machine: sockets know no other clock
	}
	if err := conn.SetDeadline(until); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if e.mode == FullTLS {
		conn = tls.Client(conn, e.tls)
	}
	c, err := smtp.NewClient(conn, e.host)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Hello("localhost"); err != nil {
		return err
	}
	if e.mode == StartTLS {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return &outbox.Failure{Why: e.host + " offers no STARTTLS, and nothing is sent without; use tls: tls if its port is for that", Final: true}
		}
		if err := c.StartTLS(e.tls); err != nil {
			return err
		}
	}
	if e.user != "" {
		if err := c.Auth(smtp.PlainAuth("", e.user, e.password, e.host)); err != nil {
			return err
		}
	}
	if err := c.Mail(e.from.Address); err != nil {
		return err
	}
	for _, to := range e.to {
		if err := c.Rcpt(to.Address); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(e.message(m)); err != nil {
		return err
	}
	if err := w.Close(); err != nil { // the acknowledgement
		return err
	}
	_ = c.Quit()
	return nil
}

// message writes the mail. What strangers wrote is in the encoded subject and
// in the encoded text and nowhere else.
func (e *email) message(m *Message) []byte {
	var b bytes.Buffer
	var to []string
	for _, a := range e.to {
		to = append(to, a.String())
	}
	_, domain, _ := strings.Cut(e.from.Address, "@")
	sum := sha256.Sum256([]byte(m.ID))
	head := [][2]string{{"From", e.from.String()}, {"To", strings.Join(to, ", ")}, {"Subject", mime.BEncoding.Encode("utf-8", cut(m.head(), 300))},
		{"Date", e.now().Format(time.RFC1123Z)}, {"Message-ID", "<" + hex.EncodeToString(sum[:16]) + "@" + domain + ">"}, {"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "base64"}}
	for _, h := range head {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(m.fit(MaxMail, nil), "\n", "\r\n") + "\r\n"))
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return b.Bytes()
}
