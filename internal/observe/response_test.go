package observe

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/taxonomy"
)

func TestSchemaRecordsLeaves(t *testing.T) {
	a := observe(t, call{target: "/x", respBody: `{"books":[{"id":1,"owner":"bob"}],"total":1}`})
	b := observe(t, call{target: "/x", respBody: `{"total":2,"books":[{"owner":"eve","id":9},{"id":3,"owner":"zoe"}]}`})
	c := observe(t, call{target: "/x", respBody: `{"total":"2","books":[{"owner":"eve","id":9}]}`})
	if a.Schema == 0 || a.Schema != b.Schema || a.Schema == c.Schema {
		t.Errorf("schema %x %x %x", a.Schema, b.Schema, c.Schema)
	}
	if b.Records != 2 || len(b.Leaves) != 4 || b.Leaves[2].Record != 1 || b.Leaves[2].Path != "books[].id" || b.Leaves[3].Path != "books[].owner" {
		t.Errorf("records %d leaves %+v", b.Records, b.Leaves)
	}
	same := observe(t, call{target: "/y", body: `{"books":[{"id":1,"owner":"x"}]}`, respBody: `{"books":[{"id":1,"owner":"bob"}],"total":1}`})
	if same.Schema != a.Schema {
		t.Error("the request changes the response's schema")
	}
	var sb strings.Builder
	for range 400 {
		sb.WriteString(`,{"id":"a1","name":"n2"}`)
	}
	big := observe(t, call{target: "/x", respBody: `[` + sb.String()[1:] + `]`})
	if len(big.Leaves) > MaxLeaves || big.Overflow == 0 || big.Records != 400 {
		t.Errorf("%d leaves, overflow %d, records %d", len(big.Leaves), big.Overflow, big.Records)
	}
}

func TestExposures(t *testing.T) {
	var sb strings.Builder
	for i := range 300 {
		if i > 0 {
			sb.WriteByte(',')
		}
		sb.WriteString(`{"phone":"138001` + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10)) + `88"}`)
	}
	o := observe(t, call{target: "/x", respBody: `{"list":[` + sb.String() + `],"masked":[{"phone":"138****0088"}]}`})
	if len(o.Exposures) != 2 {
		t.Fatalf("%+v", o.Exposures)
	}
	e := o.Exposures[0]
	if e.Path != "list[].phone" || e.Type != taxonomy.SensCNMobile || e.Count != 300 || e.Distinct != 300 || len(e.Subjects) != MaxSubjects || !e.Response || e.Masked {
		t.Errorf("%+v", e)
	}
	if m := o.Exposures[1]; !m.Masked || len(m.Subjects) != 0 {
		t.Errorf("masked: %+v", m)
	}
	if r := observe(t, call{target: "/x?phone=13800138000"}).Exposures; len(r) != 1 || r[0].Response {
		t.Errorf("request: %+v", r)
	}
	html := observe(t, call{target: "/x", respHead: []string{"Content-Type", "text/html"}, respBody: "<html><body>联系人 13800138000</body></html>"})
	if len(html.Exposures) != 1 || html.Exposures[0].Path != "body" {
		t.Errorf("html: %+v", html.Exposures)
	}
}

func TestHeaders(t *testing.T) {
	base := []string{"Host", "x", "User-Agent", "okhttp/4.12.0", "Accept", "*/*", "Accept-Language", "zh-CN,zh;q=0.9", "Accept-Encoding", "gzip"}
	hash := func(head ...string) uint64 { return observe(t, call{target: "/", head: head}).HeaderOrder }
	want := hash(base...)
	if want == 0 {
		t.Fatal("no header order")
	}
	with := func(add ...string) []string { return append(append([]string{}, base...), add...) }
	for name, same := range map[string][]string{
		"per-request headers": with("Cookie", "a=b", "Authorization", "Bearer xyzxyzxyz", "X-Request-Id", "1", "X-Forwarded-For", "1.2.3.4", "If-None-Match", "1"),
		"another agent text":  {"Host", "y", "User-Agent", "okhttp/3.0", "Accept", "*/*", "Accept-Language", "en-US,en;q=0.5", "Accept-Encoding", "gzip"},
	} {
		if hash(same...) != want {
			t.Errorf("%s change the hash", name)
		}
	}
	for name, other := range map[string][]string{
		"order":    {"User-Agent", "okhttp/4.12.0", "Host", "x", "Accept", "*/*", "Accept-Language", "zh-CN,zh;q=0.9", "Accept-Encoding", "gzip"},
		"casing":   {"host", "x", "user-agent", "okhttp/4.12.0", "accept", "*/*", "accept-language", "zh-CN,zh;q=0.9", "accept-encoding", "gzip"},
		"encoding": {"Host", "x", "User-Agent", "okhttp/4.12.0", "Accept", "*/*", "Accept-Language", "zh-CN,zh;q=0.9", "Accept-Encoding", "gzip, deflate"},
		"more":     with("X-App", "1"),
	} {
		if hash(other...) == want {
			t.Errorf("another %s gives the same hash", name)
		}
	}
	x := call{target: "/", head: base}.exchange()
	x.Caps &^= exchange.CapHeaderOrder
	var b Batch
	newObserver(t).Observe(x, &b)
	if b.At(0).HeaderOrder != 0 {
		t.Error("a feature that the source cannot see is not zero")
	}

	o := observe(t, call{target: "/", host: "a.example", head: []string{"X-Forwarded-For", "1.2.3.4, 10.0.0.1:80", "X-Real-IP", "1.2.3.4", "Forwarded", `for="[2001:db8::1]:4711";proto=https, for=unknown`,
		"Referer", "https://www.Example.com/a?b", "Origin", "https://evil.example", "X-Forwarded-For", "not an address, 999.1.1.1"},
		respHead: []string{"Access-Control-Allow-Origin", "https://evil.example", "Access-Control-Allow-Credentials", "true", "Server", "nginx/1.18", "X-Powered-By", "PHP/7.2", "Location", "https://x.example/users/13800138000/edit?x=1"}})
	if want := []netip.Addr{netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")}; !reflect.DeepEqual(o.Forwarded, want) {
		t.Errorf("forwarded %v", o.Forwarded)
	}
	if !o.Secure || o.Referer != "www.example.com" || o.Origin != "https://evil.example" || o.CORS != CORSReflected|CORSCredentials || o.ServerBanner != "nginx/1.18; PHP/7.2" || o.Location != "/users/{}/edit" {
		t.Errorf("%v %q %q %b %q %q", o.Secure, o.Referer, o.Origin, o.CORS, o.ServerBanner, o.Location)
	}
}
