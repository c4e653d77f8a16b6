package collector

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// identity makes a certificate signed by parent, or by itself.
func identity(t *testing.T, name string, parent *tls.Certificate) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	signer, signed := any(private), template
	if parent != nil {
		signer = parent.PrivateKey
		if signed, err = x509.ParseCertificate(parent.Certificate[0]); err != nil {
			t.Fatal(err)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signed, &private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k})
}

func TestTLS(t *testing.T) {
	caCert, caKey := identity(t, "ca", nil)
	ca, err := tls.X509KeyPair(caCert, caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := identity(t, "collector", &ca)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(caCert)
	own, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert}
	s := start(t, &taken{}, func(c *Config) { c.TLS, c.Tokens = conf, tokens(t) })
	mine, err := tls.X509KeyPair(identity(t, "sensor", &ca))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := tls.X509KeyPair(identity(t, "sensor", nil))
	if err != nil {
		t.Fatal(err)
	}
	send := func(c *tls.Config) (int, error) {
		client := http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}
		defer client.CloseIdleConnections()
		r, err := http.NewRequest(http.MethodPost, "https://"+s.addr+"/v1/harl", strings.NewReader(line("a", "/")))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer secret-token-000001")
		resp, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		return resp.StatusCode, nil
	}
	if status, err := send(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{mine}}); status != 200 || err != nil {
		t.Errorf("%d %v", status, err)
	}
	for name, c := range map[string]*tls.Config{
		"no certificate":      {RootCAs: roots},
		"foreign certificate": {RootCAs: roots, Certificates: []tls.Certificate{foreign}},
		"old version":         {RootCAs: roots, Certificates: []tls.Certificate{mine}, MaxVersion: tls.VersionTLS11},
	} {
		if status, err := send(c); err == nil {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// TestSilentHandshakes: a client that opens TLS and says nothing is let go.
func TestSilentHandshakes(t *testing.T) {
	own, err := tls.X509KeyPair(identity(t, "collector", nil))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, &taken{}, func(c *Config) { brisk(c); c.TLS = &tls.Config{Certificates: []tls.Certificate{own}} })
	c := dial(t, s.addr)
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := c.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("%d %v", n, err)
	}
}
