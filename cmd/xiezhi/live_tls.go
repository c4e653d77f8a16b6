package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/spf13/pflag"
)

// tlsFlags say how the listeners of live ways speak TLS.
type tlsFlags struct {
	cert, key, clientCA string
}

func (t *tlsFlags) register(f *pflag.FlagSet) {
	f.StringVar(&t.cert, "tls-cert", "", "certificate chain of the listeners in `FILE` (PEM); with it they speak TLS")
	f.StringVar(&t.key, "tls-key", "", "private key of that certificate in `FILE` (PEM)")
	f.StringVar(&t.clientCA, "tls-client-ca", "", "ask clients for a certificate signed by one of those in `FILE` (PEM)")
}

// config gives nil when the listeners are to speak plaintext.
func (t *tlsFlags) config() (*tls.Config, error) {
	if t.cert == "" && t.key == "" {
		if t.clientCA != "" {
			return nil, usagef("--tls-client-ca needs --tls-cert and --tls-key")
		}
		return nil, nil
	}
	if t.cert == "" || t.key == "" {
		return nil, usagef("--tls-cert and --tls-key go together")
	}
	pair, err := tls.LoadX509KeyPair(t.cert, t.key)
	if err != nil {
		return nil, usagef("--tls-cert %s, --tls-key %s: %w", t.cert, t.key, err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if t.clientCA == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(t.clientCA)
	if err != nil {
		return nil, usagef("--tls-client-ca: %w", err)
	}
	cfg.ClientCAs, cfg.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !cfg.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, usagef("--tls-client-ca %s: %w", t.clientCA, errNoCertificate)
	}
	return cfg, nil
}

var errNoCertificate = fmt.Errorf("the file holds no certificate in PEM form")
