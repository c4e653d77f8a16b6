package envoy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// certificate makes one that signs itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "t"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestTLS: over TLS, only who shows a certificate that is asked for is heard.
func TestTLS(t *testing.T) {
	cert, pool := certificate(t)
	r := run(t, Config{TLS: &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}}, &gather{})
	for _, known := range []bool{false, true} {
		conf := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		if known {
			conf.Certificates = []tls.Certificate{cert}
		}
		conn, err := grpc.NewClient(r.s.cfg.Listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(conf)))
		if err != nil {
			t.Fatal(err)
		}
		c, err := extproc.NewExternalProcessorClient(conn).Process(t.Context())
		if err == nil {
			for _, m := range []*request2{ask(true), answer(true)} {
				m.ObservabilityMode = true
				_ = c.Send(m)
			}
			_ = c.CloseSend()
			_, err = c.Recv()
		}
		if known {
			r.wait(1)
		} else if err == nil || r.sink.len() > 0 {
			t.Errorf("a peer without a certificate was heard: %v", err)
		}
		_ = conn.Close()
	}
}
