package scene

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// jwt signs a token for an account.
func (a *App) jwt(acc *Account, now, until time.Time) string {
	enc := base64.RawURLEncoding
	head := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))
	role := "user"
	if acc.Staff {
		role = "staff"
	}
	body := enc.EncodeToString(Obj("sub", acc.UID, "role", role, "iat", now.Unix(), "exp", until.Unix()))
	mac := hmac.New(sha256.New, []byte(a.Secret))
	mac.Write([]byte(head + "." + body))
	return head + "." + body + "." + enc.EncodeToString(mac.Sum(nil))
}
