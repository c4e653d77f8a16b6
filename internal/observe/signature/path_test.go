package signature

import "testing"

func TestPathHolds(t *testing.T) {
	for _, c := range []struct {
		rule, path string
		want       bool
	}{
		{"/.git/head", "/.git/HEAD", true},
		{"/.git/head", "/app/.git/HEAD", true},
		{"/.git/head", "/.git/HEADER", false},
		{"/.git/head", "/x.git/HEAD", false},
		{"*.zip", "/a/B.ZIP", true},
		{"*.zip", "/a.zip/b", false},
		{"/backup*.zip", "/backup.zip", true},
		{"/backup*.zip", "/files/Backup-2026-03-01.zip", true},
		{"/backup*.zip", "/backup/report.zip", false},
		{"/backup*.zip", "/my-backup.zip", false},
		{"/backup*.zip", ".zip", false},
		{"/web-inf/*.class", "/app/WEB-INF/classes/com/x/A.class", true},
		{"/web-inf/*.class", "/files/A.class", false},
		{"/", "/", true},
	} {
		if got := pathHolds([]byte(c.path), []string{c.rule}); got != c.want {
			t.Errorf("%s holds %s: %v", c.rule, c.path, got)
		}
	}
}
