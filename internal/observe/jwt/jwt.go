// Package jwt reads JSON Web Tokens and guesses their HMAC secret.
package jwt

import "io/fs"

// Claim is a top-level claim: its name and its value, unescaped, strings
// without quotes; objects and arrays as raw JSON.
type Claim struct{ Name, Value []byte }

// Token is what a JSON Web Token says about itself. Its slices point into
// buffers that the next Parse reuses.
type Token struct {
	Alg, KeyID, Issuer []byte
	Claims             []Claim
	IssuedAt, Expires  int64 // seconds since the epoch, 0 absent
	None               bool  // alg none, or an empty signature
}

// Parse reads b into t and reports whether b is a JSON Web Token.
func Parse(b []byte, t *Token) bool { return false }

// Guesser tests tokens against lists of known secrets.
type Guesser struct{}

// NewGuesser reads jwt_secrets.yaml.
func NewGuesser(fsys fs.FS) (*Guesser, error) { return &Guesser{}, nil }

// Clone gives a guesser with its own memo.
func (g *Guesser) Clone() *Guesser { return g }

// Guess returns the shape of the secret and the id of the list it stands in.
func (g *Guesser) Guess(token []byte) (secretShape, list string, ok bool) { return "", "", false }
