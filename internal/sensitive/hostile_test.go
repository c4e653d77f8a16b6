package sensitive

import (
	"strings"
	"testing"
	"time"
)

// Texts made to be looked at again and again must stay linear: a quarter of a
// megabyte each, with a bound that only a quadratic scan exceeds.
func TestHostileTextIsLinear(t *testing.T) {
	for _, unit := range []string{
		"*", "@", "a@", "a@b.", "1 ", "12 ", "1234 ", "138-", "=", ":", "：", "password=", "password=\"", "password: '", "token=Bearer ",
		"eyJ.", "eyJhbGciOiJub25lIn0.", "-----BEGIN PRIVATE KEY", "-----BEGIN ", "http://a:", "a:b", "://a:b@", "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.",
		"京A", "护照E1234567", "_13812345678", "%2B", "\\n", "\\u4e2d", "Aa1+/", "A1b2C3d4E5f6/", "1*", "123***", "密码：", "密码：a", "电话=", "a.b.c=", "xoxb-1-", "x",
		"\xff", "\xef\xbc", "glpat-", "SG.", "110201543:AA", "user:pass@", "\"password\":\"", "1.1.1.", "2001:",
	} {
		text := []byte(strings.Repeat(unit, (256<<10)/len(unit)))
		start := time.Now()
		Scan(text, nil)
		ScanText(text, nil)
		Redact(nil, text)
		for h := HintNone; h < hintCount; h++ {
			Leaf(h, text[:min(len(text), 4096)], nil)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("256 KiB of %q took %v", unit, d)
		} else if d > 100*time.Millisecond {
			t.Logf("256 KiB of %q took %v", unit, d)
		}
	}
}
