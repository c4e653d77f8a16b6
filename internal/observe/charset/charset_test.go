package charset

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

func in(t testing.TB, e encoding.Encoding, s string) []byte {
	t.Helper()
	b, err := e.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestText(t *testing.T) {
	const zh = `{"name":"张三丰","address":"浙江省杭州市西湖区文三路","msg":"密码错误，请重试"}`
	const tw = `{"name":"王小明","msg":"帳號或密碼錯誤"}`
	gb, big5 := simplifiedchinese.GB18030, traditionalchinese.Big5
	utf16le := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	utf16be := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	for name, c := range map[string]struct {
		declared string
		body     []byte
		want     string
	}{
		"ascii":                    {"", []byte("{}"), "{}"},
		"utf-8":                    {"utf-8", []byte(zh), zh},
		"utf-8 called gbk":         {"gbk", []byte(zh), zh},
		"utf-8 with mark":          {"", []byte("\xEF\xBB\xBF" + zh), zh},
		"gbk":                      {"GBK", in(t, gb, zh), zh},
		"gb2312 quoted":            {`"gb2312"`, in(t, gb, zh), zh},
		"gbk undeclared":           {"", in(t, gb, zh), zh},
		"gbk called utf-8":         {"UTF-8", in(t, gb, zh), zh},
		"gbk called latin-1":       {"ISO-8859-1", in(t, gb, zh), zh},
		"gbk by XML":               {"", in(t, gb, `<?xml version="1.0" encoding="GB2312"?><a>鑫淼焱垚㐀</a>`), `<?xml version="1.0" encoding="GB2312"?><a>鑫淼焱垚㐀</a>`},
		"gbk by meta":              {"", in(t, gb, `<html><meta http-equiv="Content-Type" content="text/html; charset=gbk"><p>囍</p>`), `<html><meta http-equiv="Content-Type" content="text/html; charset=gbk"><p>囍</p>`},
		"four bytes":               {"gb18030", in(t, gb, "㐀㐁"), "㐀㐁"},
		"like two-byte UTF-8":      {"gbk", in(t, gb, "摹"), "摹"},
		"big5":                     {"big5", in(t, big5, tw), tw},
		"big5 undeclared stays":    {"", in(t, big5, tw), string(in(t, big5, tw))},
		"utf-16 le without mark":   {"", in(t, utf16le, zh), zh},
		"utf-16 be with mark":      {"utf-16", in(t, utf16be, zh), zh},
		"latin-1 undeclared stays": {"", in(t, charmap.ISO8859_1, "café déjà vu"), string(in(t, charmap.ISO8859_1, "café déjà vu"))},
		"cyrillic":                 {"windows-1251", in(t, charmap.Windows1251, "пароль"), "пароль"},
		"shift_jis":                {"Shift_JIS", in(t, japanese.ShiftJIS, "パスワード"), "パスワード"},
		"euc-jp undeclared stays":  {"", in(t, japanese.EUCJP, "パスワードが正しくありません"), string(in(t, japanese.EUCJP, "パスワードが正しくありません"))},
		"euc-kr":                   {"euc-kr", in(t, korean.EUCKR, "비밀번호"), "비밀번호"},
		"unknown name":             {"x-none", in(t, gb, zh), zh},
		"binary stays":             {"", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"},
	} {
		var d Decoder
		for range 2 { // a used decoder gives the same
			if got := d.Text([]byte(c.declared), c.body); string(got) != c.want {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

func TestValue(t *testing.T) {
	var d Decoder
	for in, want := range map[string]string{
		"plain":                    "plain",
		"张三":                       "张三",
		"\xD5\xC5\xC8\xFD":         "张三",
		"\xC5\xB7\xD1\xF4\xF6\xCE": "欧阳鑫",
		"caf\xE9":                  "caf\xE9",
		"r\xE9sum\xE9":             "r\xE9sum\xE9",
		"\xFF\xFE\x00":             "\xFF\xFE\x00",
		"\xD5":                     "\xD5",
	} {
		if got := d.Value([]byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"gbk", "", "utf-16", "big5", "utf-16le"} {
		f.Add(s, []byte("\xD5\xC5\xC8\xFD abc"))
	}
	f.Add("", []byte("<?xml encoding='\xff"))
	var d Decoder
	f.Fuzz(func(t *testing.T, declared string, b []byte) {
		before := string(b)
		got := string(d.Text([]byte(declared), b))
		if string(b) != before {
			t.Fatal("the input was written to")
		}
		if len(got) > 3*len(b)+3 {
			t.Fatalf("%d bytes of %d", len(got), len(b))
		}
		if utf8.ValidString(before) && !strings.Contains(before, "\x00") && got != strings.TrimPrefix(before, "\uFEFF") && !doubleByte([]byte(declared)) {
			t.Fatalf("UTF-8 %q became %q", before, got)
		}
		if v := string(d.Value(b)); utf8.Valid(b) && v != before {
			t.Fatalf("value %q became %q", before, v)
		}
	})
}

func benchText(b *testing.B, body []byte) {
	var d Decoder
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		d.Text(nil, body)
	}
}

func BenchmarkTextGBK(b *testing.B) {
	benchText(b, in(b, simplifiedchinese.GBK, strings.Repeat(`{"name":"张三丰","address":"浙江省杭州市西湖区文三路"},`, 100)))
}

func BenchmarkTextUTF8(b *testing.B) {
	benchText(b, []byte(strings.Repeat(`{"name":"张三丰","address":"浙江省杭州市西湖区文三路"},`, 100)))
}
