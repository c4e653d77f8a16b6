package sensitive

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"xiezhi/internal/taxonomy"
)

// seeds hold every recogniser's path at least once.
var seeds = []string{
	"", "a", "@", "*", "=", ":", "：", "-----BEGIN", "eyJ", "eyJ.", "eyJhbGciOiJub25lIn0..", "\xff\xfe13812345678",
	`{"phone":"13812345678","id":"110101199003077475","card":"6222021234567890128","mail":"a.b@example.com"}`,
	"我的手机号是+86 138-1234-5678，身份证号 1101 0119 9003 0774 75", "京A12345 沪AD12345 粤Z1234港 京A·12345",
	"91310000552936878J 91110108551385082Q", "护照E12345678 通行证C12345678 010-12345678 (021)62345678",
	"AKIAQYLPMN5HFIQR7XYA 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 xoxb-34532454-e039d02840a0b9379c",
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
	"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", "https://user:s3cret@host.example/x",
	"password = \"hunter2\"; token: 'abc123def456', 密码：abc123", "138****1234 3301***********123 6222********1234 t***@qq.com",
	"110201543:AAHdqTcvCH1vGWJxfSe1ofSAs0K5PALDsaw 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",
	"%2B8613812345678 \\n13812345678 \\u4e2d13812345678 photo_110101199003077475_front.jpg",
	"743b294a-cd03-11ec-9d64-0242ac120002 1700000000000 20240115103000123456 v1.2.3-beta.4",
}

func FuzzScan(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		checkOracles(t, b)
	})
}

func FuzzLeaf(f *testing.F) {
	for i, s := range seeds {
		f.Add(uint8(i), []byte(s))
	}
	f.Add(uint8(HintName), []byte("张三丰"))
	f.Add(uint8(HintBirthDate), []byte("1990-01-02"))
	f.Add(uint8(HintIP), []byte("2001:db8::1 8.8.8.8"))
	f.Fuzz(func(t *testing.T, h uint8, b []byte) {
		if len(b) > 4096 {
			return
		}
		before := Hit{Type: taxonomy.SensEmail, Start: 0, End: 1 << 30, Confidence: 1}
		hits := Leaf(Hint(h), b, []Hit{before})
		if hits[0] != before {
			t.Fatalf("the caller's hit changed: %v", hits[0])
		}
		checkHits(t, b, hits[1:])
	})
}

func FuzzCanonical(f *testing.F) {
	for i, s := range seeds {
		f.Add(uint8(i), []byte(s))
	}
	f.Add(uint8(taxonomy.SensCNMobile), []byte("+86 138-1234-5678"))
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		k := taxonomy.Sensitive(kind)
		once := Canonical([]byte("x"), k, b)
		if once[0] != 'x' {
			t.Fatal("dst was not appended to")
		}
		if len(once) > len(b)+2 {
			t.Fatalf("canonical form of %q grew to %q", b, once)
		}
		if twice := Canonical(nil, k, once[1:]); !bytes.Equal(once[1:], twice) {
			t.Fatalf("%v: Canonical(%q) = %q, again %q", k, b, once[1:], twice)
		}
		if prefix, _, _, ok := Set(k, once[1:]); ok && !bytes.HasPrefix(once[1:], prefix) {
			t.Fatalf("prefix %q of %q", prefix, once[1:])
		}
		Set(k, b)
	})
}

func FuzzRedact(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		out := Redact(nil, b)
		if !utf8.Valid(out) {
			t.Fatalf("Redact(%q) = %q is no UTF-8", b, out)
		}
		digits := 0
		for _, c := range out {
			if isDigit(c) {
				digits++
			} else {
				digits = 0
			}
			if digits >= redactDigits {
				t.Fatalf("Redact(%q) = %q keeps a long number", b, out)
			}
			if c < ' ' && c != '\n' && c != '\t' {
				t.Fatalf("Redact(%q) = %q keeps a control character", b, out)
			}
		}
		Masked(b)
	})
}
