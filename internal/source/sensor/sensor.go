// Package sensor says who may deliver traffic over the network: the sensors of
// a token file and the listener they reach.
//
// It takes a token file and an address and gives sensors for tokens, and a
// listener. Invariants: a token is compared in constant time and
// kept as its SHA-256 alone; an address that other machines can reach is bound
// only when there are tokens; no error holds a byte of a token. Limits: 1 024
// lines with a token, 1 MiB of file, tokens of 16 to 512 bytes.
package sensor

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Caps of a token file.
const (
	MaxTokens    = 1024
	MaxTokenFile = 1 << 20
	MinToken     = 16
	MaxToken     = 512
	maxName      = 64
	maxSite      = 256
)

// Sensor is one of those who may deliver.
type Sensor struct {
	Name string
	Site string // its exchanges are of this application, whatever they say; "" leaves it to them
	Rate int    // exchanges per second it may deliver; 0 for any number
}

// Tokens knows sensors by their tokens. A nil Tokens knows nobody.
type Tokens struct {
	entries []entry
}

type entry struct {
	sum    [sha256.Size]byte
	sensor Sensor
}

// ParseTokens reads a token file. Each line is
//
//	NAME TOKEN|sha256:HEX [site=NAME] [rate=N]
//
// blank lines and lines that begin with # are passed over. A name may stand on
// several lines, so that a token can be changed without a pause; a token may
// not. file names the file in errors.
func ParseTokens(file string, data []byte) (*Tokens, error) {
	if len(data) > MaxTokenFile {
		return nil, fmt.Errorf("%s: larger than %d bytes", file, MaxTokenFile)
	}
	t := &Tokens{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if len(t.entries) == MaxTokens {
			return nil, fmt.Errorf("%s:%d: more than %d tokens", file, number, MaxTokens)
		}
		e, err := parseLine(words)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		for _, o := range t.entries {
			if o.sum == e.sum {
				return nil, fmt.Errorf("%s:%d: the token stands on an earlier line", file, number)
			}
			if o.sensor.Name == e.sensor.Name && o.sensor != e.sensor {
				return nil, fmt.Errorf("%s:%d: sensor %s has another site or rate on an earlier line", file, number, e.sensor.Name)
			}
		}
		t.entries = append(t.entries, e)
	}
	if len(t.entries) == 0 {
		return nil, fmt.Errorf("%s: no token in it; write lines as: NAME TOKEN", file)
	}
	return t, nil
}

func parseLine(words []string) (e entry, err error) {
	if !IsName(words[0]) {
		return e, fmt.Errorf("a sensor's name has 1 to %d letters, digits, dots, dashes or underscores", maxName)
	}
	e.sensor.Name = words[0]
	if len(words) < 2 {
		return e, fmt.Errorf("no token after the sensor's name")
	}
	token := words[1]
	switch sum, hashed := strings.CutPrefix(token, "sha256:"); {
	case hashed:
		if n, err := hex.Decode(e.sum[:], []byte(sum[:min(len(sum), 2*sha256.Size)])); err != nil || n != sha256.Size || len(sum) != 2*sha256.Size {
			return e, fmt.Errorf("after sha256: stand %d hexadecimal digits", 2*sha256.Size)
		}
	case len(token) < MinToken || len(token) > MaxToken || !isToken(token):
		return e, fmt.Errorf("a token has %d to %d printable ASCII characters; make one with: openssl rand -hex 32", MinToken, MaxToken)
	default:
		e.sum = sha256.Sum256([]byte(token))
	}
	for _, w := range words[2:] {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "site":
			if value == "" || len(value) > maxSite {
				return e, fmt.Errorf("site= wants a name of at most %d bytes", maxSite)
			}
			e.sensor.Site = value
		case "rate":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > 1e9 {
				return e, fmt.Errorf("rate= wants exchanges per second, 1 or more")
			}
			e.sensor.Rate = n
		default:
			return e, fmt.Errorf("after the token only site=NAME and rate=N may stand")
		}
	}
	return e, nil
}

// IsName reports whether s can be the name of a sensor.
func IsName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c-'0' > 9 && (c|0x20)-'a' > 25 && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= maxName
}

func isToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Lookup gives the sensor of a token. Its time does not depend on which
// token, if any, matches.
func (t *Tokens) Lookup(token string) (Sensor, bool) {
	if t == nil || len(token) > MaxToken {
		return Sensor{}, false
	}
	sum := sha256.Sum256([]byte(token))
	found := -1
	for i := range t.entries {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], t.entries[i].sum[:]), i, found)
	}
	if found < 0 {
		return Sensor{}, false
	}
	return t.entries[found].sensor, true
}

// Bearer gives the sensor of an Authorization header's value. Without tokens
// everybody is the sensor named local: such a listener is on this machine's
// own addresses only.
func (t *Tokens) Bearer(authorization string) (Sensor, bool) {
	if t == nil {
		return Sensor{Name: "local"}, true
	}
	const scheme = "bearer "
	if len(authorization) <= len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return Sensor{}, false
	}
	return t.Lookup(strings.TrimLeft(authorization[len(scheme):], " "))
}

// Plain reports whether a token file's text holds tokens themselves, not only
// their hashes: such a file is a secret.
func Plain(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		if w := strings.Fields(line); len(w) > 1 && w[0][0] != '#' && !strings.HasPrefix(w[1], "sha256:") {
			return true
		}
	}
	return false
}
