package defect

import "strings"

// Pictured reports whether a code is read off a picture: it proves that a
// person asks, not which.
func Pictured(name string) bool {
	name = strings.ToLower(name)
	for _, w := range [...]string{"captcha", "kaptcha", "image", "img", "pic", "graph", "tuxing", "tupian", "txyz", "tpyz"} {
		if strings.Contains(name, w) {
			return !strings.Contains(name, "sms") && !strings.Contains(name, "mail") && !strings.Contains(name, "phone")
		}
	}
	return false
}
