package observe

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
)

// typical is a JSON exchange as mobile and web clients send it: a 630-byte
// head with JWT and cookie, a small body, a 2.3 KB list in the answer.
func typical() *exchange.Exchange {
	var sb strings.Builder
	sb.WriteString(`{"code":0,"msg":"success","data":{"total":12,"list":[`)
	for i := range 12 {
		if i > 0 {
			sb.WriteByte(',')
		}
		fmt.Fprintf(&sb, `{"id":%d,"orderNo":"2024010%d83746","name":"王小明","status":"PAID","amount":%d.50,"address":"浙江省杭州市西湖区文三路 %d 号","createdAt":"2024-01-02 10:11:12","remark":null,"vip":false}`, 10000+i, i%10, i*7, i)
	}
	sb.WriteString(`]}}`)
	return call{target: "/api/v1/orders/list?page=1&size=12&sort=created", head: []string{"Host", "shop.example.com", "Connection", "keep-alive",
		"Authorization", "Bearer " + jwtOf(`{"sub":"100234","name":"alice","iat":1700000000,"exp":1700003600}`), "Content-Type", "application/json",
		"User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49",
		"Accept", "application/json, text/plain, */*", "Accept-Encoding", "gzip, deflate, br", "Accept-Language", "zh-CN,zh;q=0.9",
		"Referer", "https://shop.example.com/orders", "Cookie", "SESSION=aB3dE5fG7hI9jK1lM3; _ga=GA1.2.345678.123456", "X-Forwarded-For", "203.0.113.7"},
		respHead: []string{"Content-Type", "application/json;charset=utf-8", "Server", "nginx", "Date", "Tue, 02 Jan 2024 10:11:12 GMT"}, respBody: sb.String()}.exchange()
}

func size(x *exchange.Exchange) (n int64) {
	n = int64(len(x.Target) + len(x.Request.Body) + len(x.Response.Body) + 30)
	for _, m := range []*exchange.Message{&x.Request, &x.Response} {
		for _, f := range m.Header {
			n += int64(len(f.Name) + len(f.Value) + 4)
		}
	}
	return n
}

func benchObserve(b *testing.B, x *exchange.Exchange) {
	o := newObserver(b)
	var batch Batch
	b.SetBytes(size(x))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n%256 == 0 {
			batch.Reset()
		}
		o.Observe(x, &batch)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "exchanges/s")
}

func BenchmarkObserve(b *testing.B) { benchObserve(b, typical()) }

func BenchmarkObserveWithoutCredentials(b *testing.B) {
	x := typical()
	h := x.Request.Header[:0]
	for _, f := range x.Request.Header {
		if n := string(f.Name); n != "Authorization" && n != "Cookie" {
			h = append(h, f)
		}
	}
	x.Request.Header = h
	benchObserve(b, x)
}

func BenchmarkObserveWithoutSignatures(b *testing.B) {
	x := typical()
	cfg := newConfig(b)
	cfg.Signatures = nil
	o, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	var batch Batch
	b.SetBytes(size(x))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n%256 == 0 {
			batch.Reset()
		}
		o.Observe(x, &batch)
	}
}

func BenchmarkObserveLogin(b *testing.B) {
	benchObserve(b, call{target: "/login", head: []string{"Content-Type", "application/json", "User-Agent", "okhttp/4.12.0"},
		body: `{"username":"bob","password":"Tr0ub4dor&3"}`, respBody: `{"status":"fail","message":"Password is not correct"}`}.exchange())
}

func encoded(b *testing.B) (*Batch, []byte) {
	o := newObserver(b)
	batch := &Batch{}
	x := typical()
	for i := range 200 {
		x.ID = fmt.Appendf(x.ID[:0], "%032x", i)
		o.Observe(x, batch)
	}
	return batch, batch.AppendEncoded(nil)
}

func BenchmarkEncode(b *testing.B) {
	batch, enc := encoded(b)
	b.SetBytes(int64(len(enc)))
	b.ReportAllocs()
	for b.Loop() {
		enc = batch.AppendEncoded(enc[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200, "ns/observation")
	b.ReportMetric(float64(len(enc))/200, "B/observation")
}

func BenchmarkDecode(b *testing.B) {
	_, enc := encoded(b)
	var out Batch
	b.SetBytes(int64(len(enc)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		if err := out.Decode(enc); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200, "ns/observation")
}
