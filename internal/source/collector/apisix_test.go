package collector

import (
	"strings"
	"testing"

	"xiezhi/internal/exchange"
)

const full = `{"route_id":"1","service_id":"","start_time":1602211788041.5,"latency":103.99,"upstream_latency":3,"apisix_latency":100.99,"client_ip":"192.0.2.7","upstream":"127.0.0.1:1980","server":{"hostname":"gw","version":"3.2"},` +
	`"request":{"url":"http://shop.example:9080/login?x=1","uri":"/login?x=1","method":"POST","size":150,"querystring":{"x":"1"},"headers":{"host":"shop.example:9080","content-type":"application/json","content-length":"21","x-a":["1","2"]},"body":"{\"user\":\"a\",\"n\":\"\u00e9\"}"},` +
	`"response":{"status":200,"size":260,"headers":{"content-type":"application/json"},"body":"{\"token\":\"b\"}"}}`

const custom = `{"@timestamp":"2020-10-09T02:49:48+00:00","remote_addr":"192.0.2.8","request_method":"GET","request_uri":"/a?b=1","status":"404","host":"shop.example","http_user_agent":"curl/8","route_id":"1"}`

func TestAPISIX(t *testing.T) {
	other := strings.Replace(full, "103.99", "104.01", 1)
	want := "one/ POST shop.example:9080/login?x=1 200 {\"user\":\"a\",\"n\":\"é\"}|{\"token\":\"b\"}"
	for name, c := range map[string]struct {
		body   string
		answer string
		want   []string
	}{
		"array":           {"[" + full + "," + other + "]", `"accepted":2,"duplicates":0`, []string{want, want}},
		"one object":      {full, `"accepted":1,"duplicates":0`, []string{want}},
		"new_line":        {full + "\n" + other, `"accepted":2,"duplicates":0`, []string{want, want}},
		"sent again":      {"[" + full + "," + full + "]", `"accepted":1,"duplicates":1`, []string{want}},
		"custom":          {"[" + custom + ", " + custom + "]\n", `"accepted":2,"duplicates":0`, []string{"one/ GET shop.example/a?b=1 404 |", "one/ GET shop.example/a?b=1 404 |"}},
		"custom with ids": {strings.Replace(custom, `{`, `{"request_id":"00112233445566778899aabbccddeeff",`, 1) + "\n" + strings.Replace(custom, `{`, `{"request_id":"00112233445566778899aabbccddeeff",`, 1), `"accepted":1,"duplicates":1`, []string{"one/ GET shop.example/a?b=1 404 |"}},
		"broken entry":    {"[" + full + `,{"a":1},` + other + "]", `"accepted":2,"duplicates":0,"rejected":[{"line":2,"error":"not an access-log line"}]`, []string{want, want}},
		"cut":             {"[" + full + "," + other[:200], `"accepted":1,"duplicates":0,"rejected":[{"line":2,"error":"the array ends within this entry"}]`, []string{want}},
		"empty array":     {" [ ] ", `"accepted":0,"duplicates":0,"rejected":[]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &taken{}, func(c *Config) { c.Tokens = tokens(t) })
			status, text, _ := s.post("/v1/apisix", []byte(c.body), "Authorization", "Bearer secret-token-000001", "Content-Type", "application/json")
			if status != 200 || !strings.Contains(text, c.answer) {
				t.Errorf("%d %s, want %s", status, text, c.answer)
			}
			got := s.sink.all()
			for i := range got {
				_, got[i], _ = strings.Cut(got[i], " ") // ids are hashes
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestAPISIXSaysWhatItSees(t *testing.T) {
	d, err := newDecoder(DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	get := strings.Replace(strings.Replace(full, `"body":"{\"token\":\"b\"}"`, `"x":1`, 1), `"content-length":"21",`, "", 1)
	get = strings.Replace(get, `,"body":"{\"user\":\"a\",\"n\":\"\u00e9\"}"`, "", 1)
	const headers = exchange.CapRequestHeaders | exchange.CapResponseHeaders | exchange.CapClientAddr | exchange.CapResponse
	for text, want := range map[string]exchange.Caps{
		full:   headers | exchange.CapRequestBody | exchange.CapResponseBody,
		get:    headers | exchange.CapRequestBody, // nothing announced a body of the request; the response's was not logged
		custom: exchange.CapResponse,
	} {
		var b batch
		if err := d.decode(apisix, "", []byte(text), "s", "", newClaim(), &b); err != nil || b.exchanges.Len() != 1 {
			t.Fatalf("%v %+v", err, b.rejects)
		}
		x := b.exchanges.At(0)
		if x.Caps != want {
			t.Errorf("%s\ncaps %b, want %b", text, x.Caps, want)
		}
		if want != exchange.CapResponse && (x.Client.String() != "192.0.2.7:0" || x.Start != 1602211788041500000 || x.End != 1602211788145490000) {
			t.Errorf("%s %d %d", x.Client, x.Start, x.End)
		}
	}
}
