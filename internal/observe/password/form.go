package password

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
)

// recognise tells how a password was sent and gives the password itself when
// that is known: as sent, or the listed one that it is the hash of.
func (a *Assessor) recognise(pw []byte) (Form, []byte) {
	switch {
	case len(pw) < 8:
		return Plain, pw
	case isHex(pw):
		return a.hexForm(pw)
	case bytes.HasPrefix(pw, []byte("$2")) && len(pw) == 60, bytes.HasPrefix(pw, []byte("$argon2")), bytes.HasPrefix(pw, []byte("{SHA}")),
		bytes.HasPrefix(pw, []byte("pbkdf2")), bytes.HasPrefix(pw, []byte("$5$")), bytes.HasPrefix(pw, []byte("$6$")):
		return Hashed, pw
	}
	return a.base64Form(pw)
}

// isHex reports whether pw is hexadecimal and more than a number or a word.
func isHex(pw []byte) bool {
	if len(pw)%2 != 0 || len(pw) < 16 {
		return false
	}
	var digit, letter, lower, upper bool
	for _, c := range pw {
		switch {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'a' && c <= 'f':
			letter, lower = true, true
		case c >= 'A' && c <= 'F':
			letter, upper = true, true
		default:
			return false
		}
	}
	return digit && letter && !(lower && upper)
}

func (a *Assessor) hexForm(pw []byte) (Form, []byte) {
	switch n := len(pw) / 2; n {
	case 8, 16, 20, 28, 32, 48, 64:
		var d [64]byte
		if _, err := hex.Decode(d[:], pw); err == nil {
			if text, ok := a.lists.listed(d[:8]); ok {
				return Guessed, []byte(text)
			}
		}
		if n == 8 && !scattered(pw) {
			return Plain, pw // sixteen characters: a word and digits, perhaps
		}
		return Hashed, pw
	default:
		if n >= 48 {
			return Sealed, pw
		}
		return Plain, pw
	}
}

// scattered reports whether digits and letters alternate often, as they do in
// a digest: 8 of 15 places on average.
func scattered(pw []byte) bool {
	n := 0
	for i := 1; i < len(pw); i++ {
		if (pw[i] <= '9') != (pw[i-1] <= '9') {
			n++
		}
	}
	return n >= 4
}

// base64Form reads encodings: of the password itself, of a digest, of a
// ciphertext. Only what cannot well be a password is called one of them.
func (a *Assessor) base64Form(pw []byte) (Form, []byte) {
	var buf [maxPassword]byte
	n, ok := decodeBase64(buf[:], pw)
	if !ok {
		return Plain, pw
	}
	d := buf[:n]
	if n >= 4 && n <= 64 {
		var low [64]byte
		if a.lists.rank(d, lower(low[:0], d)) != 0 {
			return Guessed, bytes.Clone(d)
		}
	}
	if n == 16 || n == 20 || n == 32 {
		if text, ok := a.lists.listed(d[:8]); ok {
			return Guessed, []byte(text)
		}
	}
	padded := pw[len(pw)-1] == '='
	switch {
	case printable(d):
		return Plain, pw
	case n == 20 && padded:
		return Hashed, pw
	case n%16 == 0 && padded || n >= 48 && n%8 == 0 || n >= 96:
		return Sealed, pw
	}
	return Plain, pw
}

func decodeBase64(dst, b []byte) (int, bool) {
	if len(b)%4 != 0 {
		return 0, false
	}
	enc := base64.StdEncoding
	if bytes.ContainsAny(b, "-_") {
		enc = base64.URLEncoding
	}
	if bytes.ContainsAny(b, "\r\n") {
		return 0, false
	}
	n, err := enc.Decode(dst, b)
	return n, err == nil
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
