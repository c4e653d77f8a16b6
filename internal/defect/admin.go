package defect

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// adminWords are path segments and host labels of back ends.
var adminWords = map[string]bool{
	"admin": true, "admins": true, "administrator": true, "sysadmin": true, "superadmin": true, "siteadmin": true, "webadmin": true,
	"manage": true, "manager": true, "management": true, "mgmt": true, "mgr": true, "console": true, "backend": true, "backoffice": true, "backstage": true,
	"houtai": true, "guanli": true, "guanlihoutai": true, "cms": true, "boss": true, "ops": true, "staff": true, "manage-api": true, "admin-api": true, "adminapi": true,
}

// AdminWord reports whether a segment of a path or a label of a host is one of
// a back end: admin, admin-api, manage2.
func AdminWord(s string) bool {
	if len(s) == 0 || len(s) > 32 {
		return false
	}
	s = strings.ToLower(s)
	if adminWords[s] {
		return true
	}
	first, _, joined := strings.Cut(s, "-")
	if !joined {
		first, _, joined = strings.Cut(s, "_")
	}
	return joined && adminWords[first] || adminWords[strings.TrimRight(s, "0123456789")]
}

// Administrative reports whether the API belongs to a back end, by its role, its
// path or its host.
func Administrative(api *catalog.API) bool {
	if api.Role == taxonomy.RoleAdmin {
		return true
	}
	for seg := range strings.SplitSeq(api.Template, "/") {
		if AdminWord(seg) {
			return true
		}
	}
	label, _, more := strings.Cut(api.Host, ".")
	return more && AdminWord(label)
}

// Backends remembers which APIs belong to a back end, so that detectors may ask
// at every event.
type Backends struct{ known []uint8 } // by handle: 0 not asked yet, 1 no, 2 yes

func (b *Backends) has(api *catalog.API) bool {
	if api.Role == taxonomy.RoleAdmin {
		return true
	}
	h := int(api.Handle)
	if h >= len(b.known) {
		b.known = append(b.known, make([]uint8, h+64-len(b.known))...)
	}
	if b.known[h] == 0 {
		b.known[h] = 1
		if Administrative(api) {
			b.known[h] = 2
		}
	}
	return b.known[h] == 2
}

// Administrative reports whether the event's API belongs to a back end.
func (e *Event) Administrative() bool {
	if e.Backends == nil {
		return Administrative(e.API)
	}
	return e.Backends.has(e.API)
}
