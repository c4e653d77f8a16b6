package pcaptest

import (
	"math/rand/v2"
	"strconv"
)

// goods draws what the visitors of a Shop ask and are answered: lists, items,
// orders, profiles and searches, with Chinese text, about 2.3 KB of JSON per
// answer.
type goods struct {
	records []string // of a list
	tokens  []string
	agents  []string
}

var (
	shopAdjectives = [...]string{"轻薄", "加厚", "便携", "经典", "新款", "家用", "复古", "防水", "静音", "大容量"}
	shopNouns      = [...]string{"保温杯", "蓝牙耳机", "机械键盘", "双肩包", "羽绒服", "电饭煲", "台灯", "运动鞋", "剃须刀", "空气净化器"}
	shopCities     = [...]string{"杭州市余杭区", "上海市浦东新区", "广州市天河区", "成都市武侯区", "武汉市洪山区"}
	shopNotes      = [...]string{"七天无理由退货，运费险由平台承担", "下单后四十八小时内发货", "支持以旧换新，详情咨询客服", "预售商品，付定金立减"}
)

func (s *goods) init(r *rand.Rand) {
	for i := range 512 {
		b := []byte(`{"id":`)
		b = strconv.AppendInt(b, int64(100000+r.IntN(900000)), 10)
		b = append(b, `,"name":"`+shopAdjectives[r.IntN(10)]+shopNouns[r.IntN(10)]+`","price":`...)
		b = strconv.AppendFloat(b, float64(r.IntN(99900)+100)/100, 'f', 2, 64)
		b = append(b, `,"stock":`...)
		b = strconv.AppendInt(b, int64(r.IntN(5000)), 10)
		b = append(b, `,"note":"`+shopNotes[r.IntN(4)]+`","city":"`+shopCities[r.IntN(5)]+`","tags":["`+shopAdjectives[r.IntN(10)]+`","hot"],"score":`...)
		b = strconv.AppendInt(b, int64(r.IntN(50)), 10)
		if i%50 == 0 { // a seller's number here and there
			b = append(b, `,"contact":"13`...)
			b = strconv.AppendInt(b, int64(r.IntN(900000000)+100000000), 10)
			b = append(b, '"')
		}
		s.records = append(s.records, string(append(b, '}')))
	}
	const url64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for range 997 {
		sig := make([]byte, 43)
		for i := range sig {
			sig[i] = url64[r.IntN(64)]
		}
		s.tokens = append(s.tokens, string(sig))
	}
	for v := range 12 {
		s.agents = append(s.agents, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"+strconv.Itoa(118+v)+".0.0.0 Safari/537.36")
	}
}

// draw writes the n-th transaction, one of visitor's.
func (s *goods) draw(r *rand.Rand, visitor, n int, last bool, ask, reply []byte) ([]byte, []byte) {
	num := func(b []byte, v int) []byte { return strconv.AppendInt(b, int64(v), 10) }
	post := false
	var records int
	switch k := r.IntN(100); {
	case k < 30:
		post = true
		ask = append(ask, "POST /api/v1/cart/items"...)
		records = 10
	case k < 60:
		ask = append(ask, "GET /api/v1/products/"...)
		ask = num(ask, 100000+r.IntN(3000))
		records = 6
	case k < 80:
		ask = append(ask, "GET /api/v1/products?page="...)
		ask = append(num(ask, 1+r.IntN(60)), "&size=20"...)
		records = 20
	case k < 90:
		ask = append(ask, "GET /api/v1/orders?state=paid&page="...)
		ask = num(ask, 1+r.IntN(5))
		records = 13
	default:
		ask = append(ask, "GET /api/v1/search?q=%E8%80%B3%E6%9C%BA&sort=price&from="...)
		ask = num(ask, r.IntN(1000))
		records = 14
	}
	ask = append(ask, " HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: "...)
	ask = append(ask, s.agents[visitor%len(s.agents)]...)
	ask = append(ask, "\r\nAccept: application/json, text/plain, */*\r\nAccept-Encoding: identity\r\nAccept-Language: zh-CN,zh;q=0.9\r\nReferer: https://shop.example.com/\r\n"+
		"Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1"...)
	ask = num(ask, 100000+visitor)
	ask = append(ask, "x."...)
	ask = append(ask, s.tokens[visitor%len(s.tokens)]...)
	ask = append(ask, "\r\nCookie: sid="...)
	ask = append(ask, s.tokens[(visitor*7+1)%len(s.tokens)][:32]...)
	ask = append(ask, "\r\nX-Request-Id: "...)
	ask = strconv.AppendUint(ask, r.Uint64()|1<<63, 16)
	if last {
		ask = append(ask, "\r\nConnection: close"...)
	}
	if post {
		ask = append(ask, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		at := len(ask)
		ask = append(ask, "000\r\n\r\n"...)
		body := len(ask)
		ask = append(ask, `{"items":[`...)
		for i := range 4 {
			if i > 0 {
				ask = append(ask, ',')
			}
			ask = append(ask, `{"sku":"A-`...)
			ask = num(ask, 10000+r.IntN(90000))
			ask = append(ask, `","count":`...)
			ask = num(ask, 1+r.IntN(3))
			ask = append(ask, `,"note":"尽快发货"}`...)
		}
		ask = append(ask, `],"coupon":"满二百减三十","address":`...)
		ask = num(ask, 1000+visitor)
		ask = append(ask, '}')
		size := len(ask) - body
		ask[at], ask[at+1], ask[at+2] = byte('0'+size/100), byte('0'+size/10%10), byte('0'+size%10)
	} else {
		ask = append(ask, "\r\n\r\n"...)
	}

	reply = append(reply, "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: application/json; charset=utf-8\r\n"...)
	if last {
		reply = append(reply, "Connection: close\r\n"...)
	} else {
		reply = append(reply, "Connection: keep-alive\r\n"...)
	}
	chunked := n%16 == 0
	if chunked {
		reply = append(reply, "Transfer-Encoding: chunked\r\n\r\n0000\r\n"...)
	} else {
		reply = append(reply, "Content-Length: 0000\r\n\r\n"...)
	}
	body := len(reply)
	reply = append(reply, `{"code":0,"message":"成功","data":{"total":`...)
	reply = num(reply, 1+r.IntN(9000))
	reply = append(reply, `,"list":[`...)
	records += r.IntN(5) - 2
	for i := range records {
		if i > 0 {
			reply = append(reply, ',')
		}
		reply = append(reply, s.records[r.IntN(len(s.records))]...)
	}
	reply = append(reply, `]},"trace":"`...)
	reply = strconv.AppendUint(reply, r.Uint64()|1<<63, 16)
	reply = append(reply, `"}`...)
	size := len(reply) - body
	digits, base := reply[body-8:body-4], 10
	if chunked {
		digits, base = reply[body-6:body-2], 16
		reply = append(reply, "\r\n0\r\n\r\n"...)
	}
	for i, v := len(digits)-1, size; i >= 0; i, v = i-1, v/base {
		digits[i] = "0123456789abcdef"[v%base]
	}
	return ask, reply
}
