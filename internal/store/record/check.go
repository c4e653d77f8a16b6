package record

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Account is the body of a User.
type Account struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	Password string `json:"password,omitempty"` // argon2id hash; empty: signs in elsewhere
	Disabled bool   `json:"disabled,omitempty"`
	Subject  string `json:"subject,omitempty"` // who it is at the service that vouches for the user; empty: at none
}

// Access is the body of a Token, whose id is the SHA-256 of the token in
// hexadecimal.
type Access struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Scope   string    `json:"scope,omitempty"` // what it is for; empty: all that the role may
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// Check says what is wrong with a batch before anything of it is written. Its
// errors hold no value of a body.
func (b *Batch) Check() error {
	if n := len(b.Delete) + len(b.Put) + len(b.Audit); n > MaxBatch {
		return invalid("%d changes in one batch, at most %d", n, MaxBatch)
	}
	type key struct{ kind, id string }
	seen := map[key]bool{}
	once := func(kind, id string, err error) error {
		if k := (key{kind, id}); err == nil && seen[k] {
			return invalid("%s %s is twice in one batch", kind, id)
		} else if err == nil {
			seen[k] = true
		}
		return err
	}
	for i := range b.Delete {
		k := &b.Delete[i]
		if err := once(string(k.Kind), k.ID, name(k.Kind, k.ID, k.Rev)); err != nil {
			return err
		}
	}
	for i := range b.Put {
		if err := once(string(b.Put[i].Kind), b.Put[i].ID, b.Put[i].check()); err != nil {
			return err
		}
	}
	for i := range b.Audit {
		if err := once("audit entry", b.Audit[i].ID, b.Audit[i].check()); err != nil {
			return err
		}
	}
	return nil
}

func name(k Kind, id string, rev uint64) error {
	if !slices.Contains(Kinds[:], k) {
		return invalid("no kind %.40q", string(k))
	}
	if id == "" || !text(id) {
		return invalid("the id of a %s: 1 to %d bytes of UTF-8", k, MaxText)
	}
	if rev == 0 || rev > math.MaxInt64 {
		return invalid("%s %s: revision %d", k, id, rev)
	}
	return nil
}

func text(s string) bool {
	return len(s) <= MaxText && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// moment reports whether nanoseconds can hold the time.
func moment(t time.Time) bool {
	return t.Equal(time.Unix(0, t.UnixNano()))
}

func (r *Record) check() error {
	if err := name(r.Kind, r.ID, r.Rev); err != nil {
		return err
	}
	if !text(r.Site) || !text(r.Type) || !text(r.State) || !text(r.Severity) {
		return invalid("%s %s: site, type, state and severity have at most %d bytes of UTF-8", r.Kind, r.ID, MaxText)
	}
	if !text(r.Name) {
		return invalid("%s %s: a name has at most %d bytes of UTF-8", r.Kind, r.ID, MaxText)
	}
	if len(r.Words) > MaxWords || !utf8.ValidString(r.Words) || strings.IndexByte(r.Words, 0) >= 0 {
		return invalid("%s %s: words have at most %d bytes of UTF-8", r.Kind, r.ID, MaxWords)
	}
	if !moment(r.First) || !moment(r.Last) || r.Last.Before(r.First) {
		return invalid("%s %s: times out of range or order", r.Kind, r.ID)
	}
	if len(r.Body) > MaxBody {
		return invalid("%s %s: a body of %d bytes, at most %d", r.Kind, r.ID, len(r.Body), MaxBody)
	}
	if !json.Valid(r.Body) {
		return invalid("%s %s: the body is no JSON", r.Kind, r.ID)
	}
	switch r.Kind {
	case User:
		var a Account
		if strict(r.Body, &a) != nil || a.Name == "" || a.Role == "" {
			return invalid("user %s: the body is no account", r.ID)
		}
		if a.Password != "" && !argon2id(a.Password) {
			return invalid("user %s: the password is no argon2id hash", r.ID)
		}
	case Token:
		var a Access
		if strict(r.Body, &a) != nil || a.Name == "" || a.Role == "" {
			return invalid("a token's body is no access")
		}
		if sum, err := hex.DecodeString(r.ID); err != nil || len(sum) != 32 || strings.ToLower(r.ID) != r.ID {
			return invalid("a token's id is no SHA-256 in lower case hexadecimal") // and may be the token itself
		}
	}
	return nil
}

func strict(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// argon2id reports whether a text is a hash in its usual form:
// $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func argon2id(s string) bool {
	p := strings.Split(s, "$")
	if len(p) != 6 || p[0] != "" || p[1] != "argon2id" || p[2] != "v=19" || !strings.HasPrefix(p[3], "m=") {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(p[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(p[5])
	return err1 == nil && err2 == nil && len(salt) >= 8 && len(sum) >= 16
}

func (e *Entry) check() error {
	if e.ID == "" || e.By == "" || e.Action == "" || !text(e.ID) || !text(e.By) || !text(e.Action) || !text(e.Target) {
		return invalid("audit entry %.40q: id, by and action are needed, texts have at most %d bytes of UTF-8", e.ID, MaxText)
	}
	if !moment(e.At) {
		return invalid("audit entry %s: time out of range", e.ID)
	}
	if len(e.Detail) > MaxNote || len(e.Detail) > 0 && !json.Valid(e.Detail) {
		return invalid("audit entry %s: the detail is JSON of at most %d bytes", e.ID, MaxNote)
	}
	return nil
}

// Equal reports whether two records are the same in everything.
func (r *Record) Equal(o *Record) bool {
	return r.Kind == o.Kind && r.ID == o.ID && r.Rev == o.Rev && r.Site == o.Site && r.Type == o.Type &&
		r.State == o.State && r.Severity == o.Severity && r.Words == o.Words && r.Name == o.Name && r.Ranks == o.Ranks && r.First.Equal(o.First) && r.Last.Equal(o.Last) && bytes.Equal(r.Body, o.Body)
}

// Equal reports whether two entries are the same in everything.
func (e *Entry) Equal(o *Entry) bool {
	return e.ID == o.ID && e.At.Equal(o.At) && e.By == o.By && e.Action == o.Action && e.Target == o.Target && bytes.Equal(e.Detail, o.Detail)
}

// Check says what is wrong with a query and gives how many records a page has
// and where it begins, nil for the start.
func (q *Query) Check() (limit int, after *Place, err error) {
	if !slices.Contains(Kinds[:], q.Kind) {
		return 0, nil, invalid("no kind %.40q", string(q.Kind))
	}
	if limit, err = CheckPage(q.Limit); err != nil {
		return 0, nil, err
	}
	for _, list := range [][]string{q.Type, q.State, q.Severity, q.Words, q.Mentions} {
		if len(list) > MaxAny {
			return 0, nil, invalid("%d values of one field, at most %d", len(list), MaxAny)
		}
	}
	for _, s := range slices.Concat([]string{q.Site}, q.Type, q.State, q.Severity, q.Words, q.Mentions) {
		if !text(s) {
			return 0, nil, invalid("what is asked for has at most %d bytes of UTF-8", MaxText)
		}
	}
	if slices.ContainsFunc(q.Mentions, func(s string) bool { return !plain(s) }) {
		return 0, nil, invalid("what a body mentions has none of the characters that JSON writes as others")
	}
	for _, t := range []time.Time{q.From, q.To, q.Born.From, q.Born.To} {
		if !t.IsZero() && !moment(t) {
			return 0, nil, invalid("time out of range")
		}
	}
	if q.Sort >= sorts {
		return 0, nil, invalid("no such order of a list")
	}
	if q.After == "" {
		return limit, nil, nil
	}
	after, err = q.place()
	return limit, after, err
}

// plain reports whether JSON writes a text as it is.
func plain(s string) bool {
	for _, c := range s {
		if c < ' ' || c == 0x2028 || c == 0x2029 || strings.ContainsRune(`"\<>&`, c) {
			return false
		}
	}
	return true
}

// CheckHeld says what is wrong with words to be counted.
func CheckHeld(words []string) error {
	if len(words) > MaxHeld {
		return invalid("%d words to be counted, at most %d", len(words), MaxHeld)
	}
	for _, w := range words {
		if w == "" || !text(w) {
			return invalid("a word that is counted has 1 to %d bytes of UTF-8", MaxText)
		}
	}
	return nil
}

// CheckPage says how many records or entries a page has, 0 standing for 100.
func CheckPage(limit int) (int, error) {
	if limit < 0 || limit > MaxPage {
		return 0, invalid("a page of %d, at most %d", limit, MaxPage)
	}
	if limit == 0 {
		limit = 100
	}
	return limit, nil
}
