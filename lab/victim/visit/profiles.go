package visit

import (
	"math/rand/v2"
	"net/netip"
)

func heads(pairs ...string) []Head {
	var out []Head
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, Head{pairs[i], pairs[i+1]})
	}
	return out
}

// Programs that people use.
var (
	Chrome = &Profile{Name: "chrome", Proto: 20, JA4: "t13d1516h2_8daaf6152771_02713d6af862", H2: "1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p", Follows: true, Browser: true,
		Headers: heads("Host", "{host}", "Connection", "keep-alive", "Content-Length", "{length}", "sec-ch-ua", `"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"`, "Content-Type", "{type}", "Authorization", "{auth}", "", "{extra}", "sec-ch-ua-mobile", "?0",
			"User-Agent", "{agent}", "Accept", "{accept}", "Origin", "{origin}", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "{mode}", "Sec-Fetch-Dest", "{dest}", "Referer", "{referer}", "Accept-Encoding", "gzip, deflate, br, zstd", "Accept-Language", "zh-CN,zh;q=0.9", "Cookie", "{cookie}"),
		Agents: []string{
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
			"Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
		}}
	Safari = &Profile{Name: "safari", Proto: 20, JA4: "t13d2014h2_a09f3c656075_14788d8d241b", H2: "2:0;4:2097152;3:100|10485760|0|m,s,p,a", Follows: true, Browser: true,
		Headers: heads("Host", "{host}", "Accept", "{accept}", "Content-Type", "{type}", "Authorization", "{auth}", "", "{extra}", "Sec-Fetch-Site", "same-origin", "Origin", "{origin}", "Cookie", "{cookie}", "Content-Length", "{length}", "Sec-Fetch-Mode", "{mode}", "User-Agent", "{agent}", "Referer", "{referer}", "Sec-Fetch-Dest", "{dest}",
			"Accept-Language", "zh-CN,zh-Hans;q=0.9", "Accept-Encoding", "gzip, deflate, br"),
		Agents: []string{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"}}
	Firefox = &Profile{Name: "firefox", Proto: 20, JA4: "t13d1715h2_5b57614c22b0_5c2c66f702b0", H2: "1:65536;4:131072;5:16384|12517377|3:0:0:201|m,p,a,s", Follows: true, Browser: true,
		Headers: heads("Host", "{host}", "User-Agent", "{agent}", "Accept", "{accept}", "Accept-Language", "zh-CN,zh;q=0.8,en-US;q=0.5,en;q=0.3", "Accept-Encoding", "gzip, deflate, br, zstd", "Content-Type", "{type}", "Authorization", "{auth}", "", "{extra}", "Content-Length", "{length}", "Origin", "{origin}", "Connection", "keep-alive",
			"Referer", "{referer}", "Cookie", "{cookie}", "Sec-Fetch-Dest", "{dest}", "Sec-Fetch-Mode", "{mode}", "Sec-Fetch-Site", "same-origin"),
		Agents: []string{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"}}
	AndroidApp = &Profile{Name: "android-app", Proto: 20, JA4: "t13d1314h2_f57a46bbacb6_14788d8d241b", H2: "4:16777216|16711681|0|m,p,a,s",
		Headers: heads("Host", "{host}", "User-Agent", "{agent}", "Authorization", "{auth}", "", "{extra}", "X-App-Version", "6.3.1", "X-Platform", "android", "Content-Type", "{type}", "Content-Length", "{length}", "Accept-Encoding", "gzip", "Cookie", "{cookie}"),
		Agents:  []string{"okhttp/4.12.0"}}
	MiniProgram = &Profile{Name: "mini-program", Proto: 11, JA4: "t13d1311h2_f57a46bbacb6_ab7e3b40a677",
		Headers: heads("Host", "{host}", "Connection", "keep-alive", "Content-Length", "{length}", "charset", "utf-8", "Authorization", "{auth}", "", "{extra}", "User-Agent", "{agent}", "content-type", "{type}", "Accept-Encoding", "gzip,compress,br,deflate", "Referer", "https://servicewechat.com/wx5a1f0c2e77b3d941/128/page-frame.html"),
		Agents:  []string{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x1800323d) NetType/4G Language/zh_CN", "Mozilla/5.0 (Linux; Android 13; LIO-AN00) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 XWEB/1160083 MMWEBSDK/20240501 Mobile Safari/537.36 MicroMessenger/8.0.50.2701(0x28003253) WeChat/arm64 Weixin NetType/5G Language/zh_CN ABI/arm64 MiniProgramEnv/android"}}
)

// Programs that run by themselves.
var (
	Spider = &Profile{Name: "spider", Proto: 11, JA4: "t12d1209h1_d34a8e72043a_eb7c9aabf852", Follows: true,
		Headers: heads("Host", "{host}", "Connection", "close", "User-Agent", "{agent}", "Accept-Encoding", "gzip", "Accept-Language", "zh-cn,zh-tw", "Accept", "*/*"),
		Agents:  []string{"Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"}}
	Monitor = &Profile{Name: "monitor", Proto: 11, JA4: "t13d190900_9dc949149365_97f8aa674fd9",
		Headers: heads("Host", "{host}", "User-Agent", "{agent}", "Accept", "*/*", "", "{extra}", "Connection", "close"),
		Agents:  []string{"Blackbox Exporter/0.25.0"}}
	Partner = &Profile{Name: "partner", Proto: 11, JA4: "t13d4907h1_0d8feac7bc37_7395dae3b2f3",
		Headers: heads("Content-Type", "{type}", "Authorization", "{auth}", "", "{extra}", "User-Agent", "{agent}", "Host", "{host}", "Connection", "Keep-Alive", "Accept-Encoding", "gzip,deflate", "Content-Length", "{length}"),
		Agents:  []string{"Apache-HttpClient/4.5.14 (Java/17.0.9)"}}
	Script = &Profile{Name: "script", Proto: 11, JA4: "t13d1812h1_85036bcba153_b26ce05bbdd6", Follows: true,
		Headers: heads("Host", "{host}", "User-Agent", "{agent}", "Accept-Encoding", "gzip, deflate", "Accept", "*/*", "Connection", "keep-alive", "Authorization", "{auth}", "", "{extra}", "Cookie", "{cookie}", "Content-Type", "{type}", "Content-Length", "{length}"),
		Agents:  []string{"python-requests/2.32.3"}}
)

// people's programs by share.
var shares = []*Profile{Chrome, Chrome, Chrome, Safari, Safari, Firefox}

// Browser gives the browser of a person, which is always the same.
func Browser(person int) *Client {
	r := rand.New(rand.NewPCG(uint64(person), 0x62726f77736572))
	return NewClient(shares[r.IntN(len(shares))], Home(person), person)
}

// Home gives the address a person comes from: mostly the own line, often the
// carrier's gateway, sometimes a campus or an office. The block is reserved and
// belongs to nobody.
func Home(person int) netip.Addr {
	r := rand.New(rand.NewPCG(uint64(person), 0x686f6d65))
	switch n := r.IntN(100); {
	case n < 64:
		return netip.AddrFrom4([4]byte{241, byte(r.IntN(200)), byte(r.IntN(256)), byte(1 + r.IntN(254))})
	case n < 86:
		return netip.AddrFrom4([4]byte{245, 136, byte(r.IntN(8)), byte(1 + r.IntN(60))})
	case n < 94:
		return netip.AddrFrom4([4]byte{246, 120, byte(r.IntN(2)), 17}) // campuses
	}
	return netip.AddrFrom4([4]byte{246, 200, byte(r.IntN(4)), 2}) // offices
}

// Desk gives an address inside the house.
func Desk(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 20, byte(n / 200), byte(10 + n%200)}) }

// Line gives the address of a machine elsewhere: a partner's, a monitor's.
func Line(n int) netip.Addr { return netip.AddrFrom4([4]byte{248, 77, byte(n), 21}) }
