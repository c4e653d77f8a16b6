// Package sso signs people in through an OpenID Connect provider: the
// authorization code flow with PKCE (RFC 7636), state and nonce.
//
// It takes a Config and gives a Provider: Begin says where a browser is sent and
// what it keeps meanwhile, Finish takes what it comes back with and gives the
// Person that the provider vouches for, or an error with the id of a message.
// Invariants: nobody is vouched for unless the ID token is signed by the
// issuer's key, for this client, not expired and of this very attempt; the role
// comes from the claims and the configuration alone; tokens of the provider are
// kept nowhere. Limits: an attempt lives ten minutes; an answer of the provider
// holds at most 1 MiB and takes at most ten seconds; 1 000 values are read of a
// claim.
package sso

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Config is the section sign_in of the configuration file.
type Config struct {
	Issuer     string `yaml:"issuer"`
	ClientID   string `yaml:"client_id"`
	SecretFile string `yaml:"client_secret_file"`
	// PublicURL is where browsers reach the console, as https://xiezhi.example.com.
	PublicURL string              `yaml:"public_url"`
	Name      string              `yaml:"name"`       // of the provider, on the button
	Scopes    []string            `yaml:"scopes"`     // beside openid; default profile, email
	UserClaim string              `yaml:"user_claim"` // default preferred_username
	RoleClaim string              `yaml:"role_claim"` // default groups
	Roles     map[string][]string `yaml:"roles"`      // role: values of the claim
	Default   string              `yaml:"default_role"`
}

// Roles from the highest to the lowest.
var roles = []string{"administrator", "responder", "analyst", "viewer"}

// CallbackPath is where the provider sends browsers back to.
const CallbackPath = "/login/callback"

// Check says what is wrong, with the field's name.
func (c *Config) Check() error {
	if err := address("issuer", c.Issuer); err != nil {
		return err
	}
	if err := address("public_url", c.PublicURL); err != nil {
		return err
	}
	if u, _ := url.Parse(c.PublicURL); strings.Trim(u.Path, "/") != "" {
		return errors.New("public_url: the console is at the root of a host; leave the path out")
	}
	if c.ClientID == "" {
		return errors.New("client_id: is missing; the provider gave it when the application was registered there")
	}
	known := func(field, role string) error {
		if !slices.Contains(roles, role) {
			return fmt.Errorf("%s: %q is no role; one of %s", field, role, strings.Join(roles, ", "))
		}
		return nil
	}
	if c.Default != "" {
		if err := known("default_role", c.Default); err != nil {
			return err
		}
	}
	owner := map[string]string{}
	for _, role := range slices.Sorted(maps.Keys(c.Roles)) {
		if err := known("roles", role); err != nil {
			return err
		}
		for _, v := range c.Roles[role] {
			if o, ok := owner[v]; ok {
				return fmt.Errorf("roles: %q stands under %s and %s", v, o, role)
			}
			owner[v] = role
		}
	}
	if c.Default == "" && len(owner) == 0 {
		return errors.New("roles: nobody could sign in; list values of the claim under roles, or give a default_role")
	}
	return nil
}

// address checks a URL: what is secret must not pass a network unprotected.
func address(field, text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return fmt.Errorf("%s: is missing; a URL like https://login.example.com", field)
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s: %q is no URL like https://login.example.com", field, text)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("%s: %q is not protected; use https, http is for this machine only", field, text)
	}
	return nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() || host == "localhost"
}

// Secret reads the client's secret; none is for public clients.
func (c *Config) Secret() (string, error) {
	if c.SecretFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.SecretFile)
	if err != nil {
		return "", fmt.Errorf("sign_in: client_secret_file: %w", err)
	}
	s := strings.TrimSpace(string(b))
	if s == "" || len(s) > 4096 {
		return "", fmt.Errorf("sign_in: client_secret_file: %s holds no secret", c.SecretFile)
	}
	return s, nil
}

// role gives the highest role that the values of the claim carry.
func (c *Config) role(values []string) string {
	for _, role := range roles {
		for _, v := range c.Roles[role] {
			if slices.Contains(values, v) {
				return role
			}
		}
	}
	return c.Default
}

// host is what the button says when the provider has no name.
func (c *Config) host() string {
	u, err := url.Parse(c.Issuer)
	if err != nil {
		return c.Issuer
	}
	if h, _, err := net.SplitHostPort(u.Host); err == nil {
		return h
	}
	return u.Host
}
