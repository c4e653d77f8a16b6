package indicator

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reason is why an indicator is not taken.
type Reason string

// The reasons.
const (
	Malformed Reason = "malformed" // no value of its type
	Reserved  Reason = "reserved"  // an address that is nobody's
	TooWide   Reason = "too_wide"  // a network of half the world
	Guarded   Reason = "guarded"   // what the owner said must not be listed
	Expired   Reason = "expired"
	Future    Reason = "future"
	Full      Reason = "full"     // more than the source may hold
	TooMuch   Reason = "too_much" // addresses of the source altogether
	Plain     Reason = "plain"    // a phone or account that nobody can hash here
	Unknown   Reason = "unknown"  // of a type that is not kept
	Repeated  Reason = "repeated" // said twice; the stronger counts
	Revoked   Reason = "revoked"  // taken back by its source
)

// Refusal is an error with a reason that is counted.
type Refusal struct {
	Reason Reason
	What   string
}

func (r *Refusal) Error() string {
	if r.What == "" {
		return string(r.Reason)
	}
	return string(r.Reason) + ": " + r.What
}

func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{reason, fmt.Sprintf(format, args...)}
}

// ReasonOf gives the reason of an error, Malformed for any other.
func ReasonOf(err error) Reason {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return Malformed
}

// Caps of values.
const (
	MaxValue = 512 // bytes of a value
	MaxNote  = 256

	minBits4 = 8 // of a network: nothing wider is taken from anybody
	minBits6 = 19
)

// Hash makes a keyed hash of a phone or account, as "hmac:" and hexadecimal
// digits. It is of the installation, so that peers with the same key agree.
type Hash func(t Type, plain string) string

// Canonical gives the one way to write a value. Phones and accounts that come
// in plain are hashed at once, or refused where hash is nil.
func Canonical(t Type, text string, hash Hash) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > MaxValue || !utf8.ValidString(text) {
		return "", refuse(Malformed, "%s of %d bytes", t, len(text))
	}
	switch t {
	case Address:
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return "", refuse(Malformed, "no address")
		}
		return a.Unmap().String(), nil
	case Network:
		p, err := PrefixOf(text)
		if err != nil {
			return "", err
		}
		if p.IsSingleIP() {
			return "", refuse(Malformed, "a network of one address is an address")
		}
		return p.String(), nil
	case System:
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(text), "AS"), 10, 32)
		if err != nil || n == 0 {
			return "", refuse(Malformed, "no number of an autonomous system")
		}
		return "AS" + strconv.FormatUint(n, 10), nil
	case Fingerprint:
		return traitOf(text, "ja4", "headers")
	case Tool:
		return traitOf(text, "name", "agent")
	case Structure:
		return hash64(text)
	case Phone, Account:
		return secretOf(t, text, hash)
	case Segment:
		return digits(text, 3, 9)
	case BIN:
		return digits(text, 6, 8)
	case Domain:
		return domainOf(text)
	case URL:
		return urlOf(text)
	}
	return "", refuse(Unknown, "type %d", t)
}

// PrefixOf reads an address or network; bits behind the length are no mistake
// of a list that is read, they are dropped.
func PrefixOf(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, refuse(Malformed, "no address")
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, refuse(Malformed, "no network")
	}
	return p.Masked(), nil
}

// traitOf reads KIND:VALUE, the first kind being a text and the second a hash.
func traitOf(text, free, hashed string) (string, error) {
	kind, v, ok := strings.Cut(text, ":")
	switch {
	case ok && kind == hashed:
		h, err := hash64(v)
		return hashed + ":" + h, err
	case ok && kind == free && v != "" && !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return text, nil
	}
	return "", refuse(Malformed, "write %s:TEXT or %s:HASH", free, hashed)
}

func hash64(text string) (string, error) {
	if _, err := strconv.ParseUint(text, 16, 64); err != nil || len(text) != 16 {
		return "", refuse(Malformed, "no hash of 16 hexadecimal digits")
	}
	return strings.ToLower(text), nil
}

// secretOf lets nothing but a hash through.
func secretOf(t Type, text string, hash Hash) (string, error) {
	if h, ok := strings.CutPrefix(strings.ToLower(text), "hmac:"); ok {
		if b, err := hex.DecodeString(h); err != nil || len(b) < 8 || len(b) > 32 {
			return "", refuse(Malformed, "no keyed hash")
		}
		return "hmac:" + h, nil
	}
	if hash == nil {
		return "", refuse(Plain, "a %s in plain", t)
	}
	if t == Phone {
		text = strings.Map(func(r rune) rune {
			if strings.ContainsRune(" -().", r) {
				return -1
			}
			return r
		}, text)
		if n := strings.TrimPrefix(text, "+"); len(n) < 5 || len(n) > 15 || strings.Trim(n, "0123456789") != "" {
			return "", refuse(Malformed, "no phone number")
		}
		text = strings.TrimPrefix(strings.TrimPrefix(text, "+"), "86")
	}
	return hash(t, text), nil
}

func digits(text string, least, most int) (string, error) {
	if len(text) < least || len(text) > most || strings.Trim(text, "0123456789") != "" {
		return "", refuse(Malformed, "not %d to %d digits", least, most)
	}
	return text, nil
}

func domainOf(text string) (string, error) {
	text = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(text, "@"), "."))
	if len(text) > 253 || !strings.Contains(text, ".") {
		return "", refuse(Malformed, "no domain")
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && r < 0x80
		}) {
			return "", refuse(Malformed, "no domain")
		}
	}
	return text, nil
}

// urlOf keeps where a URL leads and drops what it carries.
func urlOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", refuse(Malformed, "no URL")
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", "", false
	u.Host = strings.ToLower(u.Host)
	if s := u.String(); len(s) <= MaxValue {
		return s, nil
	}
	return "", refuse(Malformed, "a URL of more than %d bytes", MaxValue)
}
