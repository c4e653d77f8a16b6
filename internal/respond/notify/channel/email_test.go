package channel

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/respond/outbox"
)

// postOffice is a mail server that keeps what it takes.
type postOffice struct {
	address string
	cert    tls.Certificate
	noTLS   bool
	codes   map[string]string // what it answers to a verb
	mu      sync.Mutex
	mails   []string
	talk    []string
}

func newPostOffice(t *testing.T) (*postOffice, string) {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &postOffice{address: l.Addr().String(), cert: s.TLS.Certificates[0], codes: map[string]string{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p, ca
}

func (p *postOffice) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 ready")
	secure := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		verb = strings.ToUpper(verb)
		p.mu.Lock()
		p.talk = append(p.talk, verb)
		code := p.codes[verb]
		p.mu.Unlock()
		if code != "" {
			say(code)
			continue
		}
		switch verb {
		case "EHLO":
			if secure || p.noTLS {
				say("250-here\r\n250 AUTH PLAIN")
			} else {
				say("250-here\r\n250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go on")
			tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.cert}})
			if tc.Handshake() != nil {
				return
			}
			c, r, secure = tc, bufio.NewReader(tc), true
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(l)
			}
			p.mu.Lock()
			p.mails = append(p.mails, b.String())
			p.mu.Unlock()
			say("250 taken")
		case "AUTH":
			say("235 come in")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestEmail(t *testing.T) {
	p, ca := newPostOffice(t)
	c := Config{Type: Email, Server: p.address, CAFile: ca, User: "xiezhi", SecretEnv: "SECRET", From: "獬豸 <xiezhi@example.com>", To: []string{"soc@example.com", "Li <li@example.com>"}}
	ch, err := c.Open(tools(t, p.address))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(hostile, "发现团伙攻击 G-3F2A") {
		m := sample()
		m.Lang, m.Brand, m.Title, m.Reason = "zh", "獬豸", Inert(s), Inert(s)
		if err := ch.Send(t.Context(), m); err != nil {
			t.Fatalf("%.40q: %v", s, err)
		}
		got, err := mail.ReadMessage(strings.NewReader(p.mails[len(p.mails)-1]))
		if err != nil {
			t.Fatalf("%.40q: %v", s, err)
		}
		if got.Header.Get("Bcc") != "" || len(got.Header) != 9 {
			t.Errorf("%.40q: headers %v", s, got.Header)
		}
		subject, err := (&mime.WordDecoder{}).DecodeHeader(got.Header.Get("Subject"))
		if err != nil || !strings.HasPrefix(subject, "【獬豸】") {
			t.Errorf("%.40q: subject %.60q, %v", s, subject, err)
		}
		body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, got.Body))
		if err != nil || !strings.Contains(string(body), cut(Inert(s), 200)[:min(len(Inert(s)), 150)]) || !strings.Contains(string(body), sample().Link) {
			t.Errorf("%.40q: body %.200q, %v", s, body, err)
		}
	}
	if talk := strings.Join(p.talk, " "); !strings.HasPrefix(talk, "EHLO STARTTLS EHLO AUTH MAIL RCPT RCPT DATA QUIT") {
		t.Errorf("it says %.80s", talk)
	}
	ids := map[string]bool{}
	for range 2 { // the same message again has the same id
		if err := ch.Send(t.Context(), sample()); err != nil {
			t.Fatal(err)
		}
		m, _ := mail.ReadMessage(strings.NewReader(p.mails[len(p.mails)-1]))
		ids[m.Header.Get("Message-ID")] = true
	}
	if len(ids) != 1 {
		t.Errorf("%d ids of one message", len(ids))
	}
}

func TestEmailFaults(t *testing.T) {
	p, ca := newPostOffice(t)
	send := func(c Config) *outbox.Failure {
		t.Helper()
		c.Type, c.Server, c.From, c.To = Email, p.address, "xiezhi@example.com", []string{"soc@example.com"}
		ch, err := c.Open(tools(t, p.address))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var f *outbox.Failure
		if err := ch.Send(ctx, sample()); err != nil && !errors.As(err, &f) {
			t.Fatalf("%T", err)
		}
		return f
	}
	for code, final := range map[string]bool{"450 later": false, "550 nobody of that name": true} {
		p.codes["RCPT"] = code
		if f := send(Config{CAFile: ca}); f == nil || f.Final != final || !strings.Contains(f.Why, code[4:]) {
			t.Errorf("%s gives %+v", code, f)
		}
	}
	delete(p.codes, "RCPT")
	if f := send(Config{}); f == nil || !strings.Contains(f.Why, "certificate") {
		t.Errorf("a certificate of nobody known gives %+v", f)
	}
	p.noTLS, p.codes["EHLO"] = true, "250 here"
	if f := send(Config{CAFile: ca}); f == nil || !f.Final || !strings.Contains(f.Why, "STARTTLS") {
		t.Errorf("no STARTTLS gives %+v", f)
	}
	if f := send(Config{TLS: NoTLS}); f != nil {
		t.Errorf("without TLS, as configured: %+v", f)
	}
	if len(p.mails) != 1 {
		t.Errorf("%d were taken", len(p.mails))
	}
}
