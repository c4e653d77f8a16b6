package pcaptest

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// Secure records requests over TLS, one connection, between the client and the
// server of crypto/tls: its packets, and its key log. The secrets differ with
// every run. cfg may set versions and suites.
func Secure(client, server string, requests []*http.Request, handler http.Handler, cfg func(client, server *tls.Config)) (frames []Frame, keylog []byte, err error) {
	cert, err := certificate()
	if err != nil {
		return nil, nil, err
	}
	var log bytes.Buffer
	c := &tls.Config{InsecureSkipVerify: true, ServerName: "shop.example", KeyLogWriter: &log}
	s := &tls.Config{Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: true} // a ticket would wait for a reader
	if cfg != nil {
		cfg(c, s)
	}
	near, far := net.Pipe()
	l := &oneConn{conn: tls.Server(far, s), done: make(chan struct{})}
	web := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = web.Serve(l) }()
	defer func() { _ = web.Close() }()
	k := NewTalk(client, server, Epoch)
	k.Open()
	tape := &tape{Conn: near, talk: k}
	conn := tls.Client(tape, c)
	r := bufio.NewReader(conn)
	for _, q := range requests {
		if err := q.Write(conn); err != nil {
			return nil, nil, err
		}
		res, err := http.ReadResponse(r, q)
		if err != nil {
			return nil, nil, err
		}
		_, err = io.Copy(io.Discard, res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			return nil, nil, err
		}
	}
	_ = conn.Close()
	tape.mu.Lock()
	defer tape.mu.Unlock()
	k.Close()
	return k.Out, log.Bytes(), nil
}

// tape writes what goes over a connection into a script.
type tape struct {
	net.Conn
	mu   sync.Mutex
	talk *Talk
}

func (t *tape) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.talk.Send(0, b, 1448)
	t.mu.Unlock()
	return t.Conn.Write(b)
}

func (t *tape) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.mu.Lock()
	t.talk.Send(1, b[:n], 1448)
	t.mu.Unlock()
	return n, err
}

// oneConn is a listener that gives one connection.
type oneConn struct {
	conn net.Conn
	once sync.Once
	end  sync.Once
	done chan struct{}
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	l.once.Do(func() { c = l.conn })
	if c != nil {
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	l.end.Do(func() { close(l.done) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"shop.example"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
