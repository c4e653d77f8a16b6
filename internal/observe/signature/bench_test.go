package signature

import (
	"strings"
	"testing"
)

var prose = []byte(strings.Repeat(`Ordinary text of a comment field, with 中文 words, numbers 12345 and "quotes" in it; nothing that a rule knows. `, 40))

var jsonBody = []byte(`{"code":0,"msg":"success","data":{"total":137,"list":[` + strings.Repeat(`{"id":10234,"name":"商品名称 A","price":"129.00","tags":["new","hot"],"owner":{"uid":"u_8812","level":3},"createdAt":"2024-05-01T08:00:00Z","url":"https://cdn.example.com/a/b/c.png"},`, 10) + `{}]}}`)

func BenchmarkMatchRequest(b *testing.B) {
	s := load(b)
	for _, c := range []struct {
		name string
		in   RequestPart
		v    []byte
	}{
		{"prose", PartJSON, prose}, {"short", PartQuery, []byte("page=2&size=20")}, {"path", PartPath, []byte("/api/v1/orders/20240501/items")},
		{"agent", PartHeader, []byte("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")},
		{"json", PartJSON, jsonBody}, {"attack", PartQuery, []byte("1' UNION SELECT username,password FROM users-- -")},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			emit := func(*Rule) { n++ }
			b.ReportAllocs()
			b.SetBytes(int64(len(c.v)))
			for b.Loop() {
				s.MatchRequest(c.in, c.v, emit)
			}
		})
	}
}
