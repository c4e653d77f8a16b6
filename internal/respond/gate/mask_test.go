package gate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/respond"
)

func TestMasking(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		fields         []string
		records        int
	}{
		{"a path", `{"data":[{"phone":"13812345678","id":7},{"phone":"13912345679"}]}`, `{"data":[{"phone":"13*******78","id":7},{"phone":"13*******79"}]}`, []string{"data[].phone"}, 0},
		{"another path of that name stays", `{"phone":"13812345678","data":{"phone":"13812345678"}}`, `{"phone":"13812345678","data":{"phone":"13*******78"}}`, []string{"data.phone"}, 0},
		{"a name is the field anywhere", `{"phone":"1381234","a":[[{"phone":1.5e3}]]}`, `{"phone":"*******","a":[[{"phone":0}]]}`, []string{"phone"}, 0},
		{"what is inside goes, too", `{"id_card":{"no":"110101199003078515","ok":true,"x":[1,null]}}`, `{"id_card":{"no":"11**************15","ok":true,"x":[0,null]}}`, []string{"id_card"}, 0},
		{"white space, order and numbers stay", "{ \"b\" : 1.0 ,\r\n\t\"a\": [ ] , \"n\":\"王小明\" , \"e\":\"\\u0041<\"}\n", "{ \"b\" : 1.0 ,\r\n\t\"a\": [ ] , \"n\":\"***\" , \"e\":\"\\u0041<\"}\n", []string{"n"}, 0},
		{"a name that is written with escapes", `{"ph\u006fne":"12345678"}`, `{"ph\u006fne":"12****78"}`, []string{"phone"}, 0},
		{"a cap on lists", `{"total":4,"list":[{"a":[1,2,3]}, {"a":1}, {"a":2},{"a":3} ]}`, `{"total":4,"list":[{"a":[1,2]}, {"a":1}]}`, nil, 2},
		{"a list within the cap", `[1, 2 ]`, `[1, 2 ]`, nil, 2},
		{"a list of lists", `[[1,2],[3,4],[5]]`, `[[1]]`, nil, 1},
		{"top level", `"13812345678"`, `"13812345678"`, []string{"phone"}, 0},
	} {
		m := masker{fields: c.fields, records: c.records}
		got, ok := m.mask([]byte(c.in))
		if !ok || string(got) != c.want {
			t.Errorf("%s: %v\n %s, want\n %s", c.name, ok, got, c.want)
		}
	}
	for _, bad := range []string{"", "{", `{"a"}`, `{"a":1,}`, `[1,]`, `[1 2]`, "nul", `{"a":01}`, `{"a":"` + "\n" + `"}`, strings.Repeat("[", 1000), `{} x`} {
		if out, ok := (&masker{fields: []string{"a"}}).mask([]byte(bad)); ok {
			t.Errorf("%q is read as %q", bad, out)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte(`{"data":[{"phone":"13812345678"},{"a":[1,2,3]}]}`), 1)
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		same, ok := (&masker{}).mask(in)
		if ok && !bytes.Equal(same, in) {
			t.Fatalf("%q became %q without a patch", in, same)
		}
		if ok != json.Valid(in) && ok {
			t.Fatalf("%q is taken for JSON", in)
		}
		if out, ok := (&masker{fields: []string{"phone", "data[].a"}, records: n & 3}).mask(in); ok && !json.Valid(out) {
			t.Fatalf("%q became %q", in, out)
		}
	})
}

func answerOf(status int, contentType, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}, "Set-Cookie": {"a=b"}, "X-Trace": {"1"}, "Date": {"today"}, "Etag": {"x"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// TestOneAnswerForAll: what tells an account that exists from one that does not
// becomes one answer, in every byte and field.
func TestOneAnswerForAll(t *testing.T) {
	u := &respond.Uniform{Field: "code", Values: []string{"1001", "1002"}, Status: 200, Body: `{"code":1000,"msg":"wrong name or password"}`, Type: "application/json"}
	show := func(r *http.Response) string {
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	var seen []string
	for _, r := range []*http.Response{
		answerOf(200, "application/json", `{"code":1001,"msg":"no such user"}`),
		answerOf(200, "application/json; charset=utf-8", `{"code":"1002","msg":"wrong password, 3 tries left"}`),
	} {
		body, whole := (&Gate{}).read(r)
		if !applies(u, r.StatusCode, body, whole) {
			t.Fatalf("%s is left as it is", body)
		}
		uniform(r, u)
		seen = append(seen, show(r))
	}
	if seen[0] != seen[1] || !strings.Contains(seen[0], "wrong name or password") || strings.Contains(seen[0], "Trace") {
		t.Errorf("%q\n%q", seen[0], seen[1])
	}
	ok := `{"code":0,"token":"x"}`
	if applies(u, 200, []byte(ok), true) {
		t.Error("a success becomes an error")
	}
	all := &respond.Uniform{Status: 400, Body: "{}"}
	for status, want := range map[int]bool{200: false, 302: false, 400: true, 404: true, 429: false, 500: false} {
		if applies(all, status, nil, true) != want {
			t.Errorf("%d: %v", status, !want)
		}
	}
}

func TestReadingOfAnswers(t *testing.T) {
	g := &Gate{}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"a":1}`))
	_ = z.Close()
	r := answerOf(200, "application/json", zipped.String())
	r.Header.Set("Content-Encoding", "gzip")
	if b, whole := g.read(r); !whole || string(b) != `{"a":1}` {
		t.Errorf("%q %v", b, whole)
	}
	if left, _ := io.ReadAll(r.Body); !bytes.Equal(left, zipped.Bytes()) {
		t.Error("what was read is not there any more")
	}
	r = answerOf(200, "application/json", `{"a":1}`)
	r.Header.Set("Content-Encoding", "rot13")
	if _, whole := g.read(r); whole {
		t.Error("an unknown coding is read")
	}
	long := strings.Repeat("x", MaxAnswer+5)
	r = answerOf(200, "text/plain", long)
	if _, whole := g.read(r); whole {
		t.Error("too much is read")
	}
	if left, _ := io.ReadAll(r.Body); string(left) != long {
		t.Errorf("%d bytes go on of %d", len(left), len(long))
	}
}

func TestProofOfWork(t *testing.T) {
	g := &Gate{key: make([]byte, 32)}
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ip := netip.MustParseAddr("203.0.113.9")
	token := g.token(ip, now)
	nonce := ""
	for n := 0; nonce == ""; n++ {
		if s := strconv.Itoa(n); Solves(token, s) {
			nonce = s
		}
	}
	sum := sha256.Sum256([]byte(token + ":" + nonce))
	if sum[0] != 0 || sum[1] != 0 {
		t.Fatalf("%x: the page looks for two zero bytes", sum)
	}
	with := func(proof string) *http.Request {
		r, err := http.NewRequest("GET", "http://shop.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(ProofHeader, proof)
		return r
	}
	cookie := with("")
	cookie.Header.Del(ProofHeader)
	cookie.AddCookie(&http.Cookie{Name: ProofCookie, Value: token + "." + nonce})
	for name, c := range map[string]struct {
		r    *http.Request
		ip   netip.Addr
		at   time.Time
		want bool
	}{
		"proved":             {with(token + "." + nonce), ip, now, true},
		"as a cookie":        {cookie, ip, now, true},
		"at the end":         {with(token + "." + nonce), ip, now.Add(proofLife), true},
		"too late":           {with(token + "." + nonce), ip, now.Add(proofLife + time.Second), false},
		"by another address": {with(token + "." + nonce), netip.MustParseAddr("203.0.113.10"), now, false},
		"without work":       {with(token + ".x"), ip, now, false},
		"without a nonce":    {with(token), ip, now, false},
		"made up":            {with("AAAA." + nonce), ip, now, false},
		"nothing":            {with(""), ip, now, false},
	} {
		if got := g.proved(c.r, c.ip, c.at); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	page := with("")
	page.Header.Set("Accept", "text/html,*/*")
	v := g.challenge(page, ip, "d-1", now)
	if v.Status != 403 || !strings.Contains(string(v.Body), g.token(ip, now)) || !strings.Contains(v.Header.Get("Content-Security-Policy"), pageScriptSum) {
		t.Errorf("%d %v", v.Status, v.Header)
	}
	var doc struct{ Challenge string }
	if v = g.challenge(with(""), ip, "d-1", now); json.Unmarshal(v.Body, &doc) != nil || doc.Challenge != token {
		t.Errorf("%s", v.Body)
	}
}

func TestBuckets(t *testing.T) {
	b := buckets{of: map[string]*bucket{}}
	now := time.Unix(1000, 0)
	n := 0
	for range 100 {
		if b.pass("a", 30, now) {
			n++
		}
	}
	if n != 30 || !b.pass("b", 30, now) {
		t.Errorf("%d of 100 pass at 30 a minute", n)
	}
	if b.pass("a", 30, now.Add(time.Second)) || !b.pass("a", 30, now.Add(2*time.Second)) || b.pass("a", 30, now.Add(2*time.Second)) {
		t.Error("it does not fill evenly")
	}
	for i := range maxBuckets + 10 {
		b.pass(strconv.Itoa(i), 1, now)
	}
	if len(b.of) > maxBuckets {
		t.Errorf("%d buckets", len(b.of))
	}
}
