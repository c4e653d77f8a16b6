// Package password assesses a submitted password in memory and forgets it.
package password

import "io/fs"

// Form says how the client sent the password. Values equal those of
// observe.PasswordForm.
type Form uint8

const (
	Plain   Form = iota + 1
	Guessed      // a client-side hash of a listed password
	Hashed       // a client-side hash of something not listed
	Sealed       // encrypted by the client
)

// Bits of Assessment.Classes.
const (
	ClassLower uint8 = 1 << iota
	ClassUpper
	ClassDigit
	ClassOther
)

// Bits of Assessment.Related. Values equal those of observe.Related*.
const (
	RelatedAccount uint8 = 1 << iota
	RelatedEmail
	RelatedPhone
	RelatedBirthday
	RelatedHost
)

// Context is what the same request says about the account.
type Context struct {
	Account, Email, Phone, Birthday, Host []byte
}

// Assessment is all that is kept of a password.
type Assessment struct {
	Form    Form
	Len     uint8
	Classes uint8
	Score   uint8
	Rank    uint32
	Related uint8
}

// Assessor is immutable and safe for concurrent use.
type Assessor struct{}

// New reads passwords.yaml.
func New(fsys fs.FS) (*Assessor, error) { return &Assessor{}, nil }

// Assess looks at one password.
func (a *Assessor) Assess(pw []byte, c Context) Assessment {
	return Assessment{Form: Plain, Len: uint8(min(len(pw), 255)), Score: 4}
}

// Weak says whether the assessed password is weak, and the id of the reason.
func Weak(a Assessment) (weak bool, why string) { return false, "" }
