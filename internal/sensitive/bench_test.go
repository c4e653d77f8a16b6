package sensitive

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// jsonBodies generates n bytes of JSON records with Chinese text; one record
// in fifty carries a real value.
func jsonBodies(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.Grow(n + 4096)
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"sku":"SKU-%06d","title":"夏季新款男士短袖T恤 %d","price":%d.%02d,"status":"ON_SALE","created_at":"2024-0%d-1%dT08:%02d:00Z","tags":["热销","包邮"],`,
			r.IntN(1e6), r.IntN(1e6), r.IntN(100), r.IntN(1000), r.IntN(100), 1+r.IntN(9), r.IntN(10), r.IntN(60))
		fmt.Fprintf(&b, `"shop":{"name":"官方旗舰店","city":"杭州","level":%d},"image":"https://img.example.com/p/%016x.jpg","trace":"%016x%016x","description":"面料舒适透气，适合日常穿着。This item ships within two days."`,
			r.IntN(9), r.Uint64(), r.Uint64(), r.Uint64())
		if r.IntN(50) == 0 {
			fmt.Fprintf(&b, `,"contact":"138%08d","email":"user%d@example.com","order":"20240115%012d"`, r.IntN(1e8), r.IntN(1000), r.Int64N(1e12))
		}
		b.WriteString("}\n")
	}
	return []byte(b.String()[:n])
}

func BenchmarkScan(b *testing.B) {
	text := jsonBodies(16 << 20)
	hits := make([]Hit, 0, 1<<16)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		hits = Scan(text, hits[:0])
	}
	b.ReportMetric(float64(len(hits)), "hits")
}

func BenchmarkScanText(b *testing.B) {
	text := jsonBodies(4 << 20)
	hits := make([]Hit, 0, 1<<16)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		hits = ScanText(text, hits[:0])
	}
}

func BenchmarkLeaf(b *testing.B) {
	for _, c := range []struct {
		name  string
		hint  Hint
		value string
	}{
		{"word", HintNone, "ON_SALE"},
		{"number", HintNone, "1048576"},
		{"chinese", HintNone, "夏季新款男士短袖T恤"},
		{"mobile", HintMobile, "13812345678"},
		{"resident", HintResidentID, "110101199003077475"},
		{"name", HintName, "张三丰"},
		{"address", HintAddress, "浙江省杭州市西湖区文三路100号"},
		{"password", HintPassword, "Passw0rd!"},
		{"uuid", HintNone, "743b294a-cd03-11ec-9d64-0242ac120002"},
		{"jwt", HintToken, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"},
	} {
		b.Run(c.name, func(b *testing.B) {
			v := []byte(c.value)
			var buf [8]Hit
			b.SetBytes(int64(len(v)))
			b.ReportAllocs()
			for b.Loop() {
				Leaf(c.hint, v, buf[:0])
			}
		})
	}
}

func BenchmarkHintOf(b *testing.B) {
	for _, name := range []string{"data.list[].id", "user.phoneNumber", "联系人手机号", "createdAt", "shippingAddress"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				HintOf(name)
			}
		})
	}
}

func BenchmarkRedact(b *testing.B) {
	text := []byte(`login failed for user 13812345678 (password=hunter2) at 10:20:30, trace 4bf92f3577b34da6a3ce929d0e0e4736`)
	dst := make([]byte, 0, 512)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		dst = Redact(dst[:0], text)
	}
}
