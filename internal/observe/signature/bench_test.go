package signature

import (
	"strings"
	"testing"
)

var prose = []byte(strings.Repeat(`Ordinary text of a comment field, with 中文 words, numbers 12345 and no marks in it: nothing that a rule knows. `, 40))

// quoting wakes rules that then do not match.
var quoting = []byte(strings.Repeat(`He said "yes" and "no" to the offer, or 12 of them. `, 40))

var jsonBody = []byte(`{"code":0,"msg":"success","data":{"total":137,"list":[` + strings.Repeat(`{"id":10234,"name":"商品名称 A","price":"129.00","tags":["new","hot"],"owner":{"uid":"u_8812","level":3},"createdAt":"2024-05-01T08:00:00Z","url":"https://cdn.example.com/a/b/c.png"},`, 10) + `{}]}}`)

func BenchmarkMatchRequest(b *testing.B) {
	s := load(b)
	for _, c := range []struct {
		name string
		in   RequestPart
		v    []byte
	}{
		{"prose", PartJSON, prose}, {"quoting", PartJSON, quoting}, {"short", PartQuery, []byte("page=2&size=20")}, {"path", PartPath, []byte("/api/v1/orders/20240501/items")},
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

func BenchmarkMatchResponse(b *testing.B) {
	s := load(b)
	header := func(string) []byte { return nil }
	trace := []byte(`{"code":500,"msg":"java.lang.NullPointerException: null\n\tat com.x.UserService.find(UserService.java:42)\n\tat com.x.A.b(A.java:1)"}`)
	page := []byte("<!DOCTYPE html><html><head><title>商品列表</title></head><body>" + strings.Repeat("<div class=\"item\"><a href=\"/goods/1\">名称</a><span>12.50</span></div>", 400) + "</body></html>")
	for _, c := range []struct {
		name, contentType string
		status            int
		body              []byte
	}{{"json", "application/json", 200, jsonBody}, {"html", "text/html", 200, page}, {"trace", "application/json", 500, trace}, {"empty", "", 204, nil}} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			emit := func(*Rule, string, []byte) { n++ }
			r := &Response{Status: c.status, Path: []byte("/api/v1/orders"), ContentType: []byte(c.contentType), Body: c.body, Header: header}
			b.ReportAllocs()
			b.SetBytes(int64(len(c.body)))
			for b.Loop() {
				s.MatchResponse(r, emit)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load(b)
	}
}
