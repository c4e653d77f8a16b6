package unauthorized

import "strings"

// spoken reports whether a segment of a template is one of some words.
func spoken(template string, words func(string) bool) bool {
	for seg := range strings.SplitSeq(template, "/") {
		seg, _, _ = strings.Cut(strings.ToLower(seg), ".")
		if words(seg) {
			return true
		}
	}
	return false
}

// rightsWord reports whether a word speaks of what somebody may do.
func rightsWord(s string) bool {
	switch s {
	case "shouquan", "quanxian", "juese", "role", "roles", "permission", "permissions", "privilege", "privileges", "grant", "grants", "acl", "authority", "authorities":
		return true
	}
	return false
}

func privilegedWord(s string) bool {
	switch s {
	case "shenpi", "authorize", "approve", "approval", "approvals", "ban", "unban", "freeze", "unfreeze", "impersonate", "promote", "staff", "operators", "resetpwd", "reset-password",
		"sysconfig", "audit-log", "auditlog", "operlog":
		return true
	}
	return rightsWord(s)
}
