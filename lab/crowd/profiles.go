package crowd

import "xiezhi/lab/stage"

func heads(pairs ...string) []stage.Head {
	var out []stage.Head
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, stage.Head{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

// genuine is a program of honest people with the agents it comes with.
type genuine struct {
	profile stage.Profile
	agents  []string
	share   int
	needs   string // "web", "app" or "mini": what the application must have
}

var programs = []genuine{
	{stage.Profile{Name: "chrome", Proto: 20, JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1", H2: "1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p",
		Headers: heads("Host", "{host}", "Content-Length", "{length}", "sec-ch-ua", `"Chromium";v="104", " Not A;Brand";v="99", "Google Chrome";v="104"`, "Accept", "application/json, text/plain, */*", "Content-Type", "{type}", "Authorization", "{auth}", "Token", "{token}",
			"sec-ch-ua-mobile", "?0", "User-Agent", "{agent}", "sec-ch-ua-platform", `"Windows"`, "Origin", "{origin}", "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Referer", "{referer}", "Accept-Encoding", "gzip, deflate, br", "Accept-Language", "{lang}", "Cookie", "{cookie}")},
		[]string{
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/104.0.0.0 Safari/537.36",
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/97.0.4692.99 Safari/537.36",
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/103.0.0.0 Safari/537.36",
		}, 20, "web"},
	{stage.Profile{Name: "android-chrome", Proto: 20, JA4: "t13d1516h2_8daaf6152771_02713d6af862", H2: "1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p",
		Headers: heads("Host", "{host}", "Content-Length", "{length}", "User-Agent", "{agent}", "Content-Type", "{type}", "Accept", "*/*", "Authorization", "{auth}", "Token", "{token}", "Origin", "{origin}", "X-Requested-With", "com.android.browser",
			"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Referer", "{referer}", "Accept-Encoding", "gzip, deflate, br", "Accept-Language", "{lang}", "Cookie", "{cookie}")},
		[]string{
			"Mozilla/5.0 (Linux; Android 11; M2012K11AC) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/92.0.4515.159 Mobile Safari/537.36",
			"Mozilla/5.0 (Linux; Android 12; V2148A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0.4896.127 Mobile Safari/537.36",
			"Mozilla/5.0 (Linux; Android 10; HUAWEI TAS-AN00) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/95.0.4638.74 Mobile Safari/537.36",
		}, 20, "web"},
	{stage.Profile{Name: "safari-ios", Proto: 20, JA4: "t13d2014h2_a09f3c656075_14788d8d241b", H2: "2:0;4:4194304;3:100|10485760|0|m,s,p,a",
		Headers: heads("Host", "{host}", "Accept", "application/json, text/plain, */*", "Content-Type", "{type}", "Origin", "{origin}", "Accept-Language", "{lang}", "User-Agent", "{agent}", "Authorization", "{auth}", "Token", "{token}", "Referer", "{referer}", "Content-Length", "{length}", "Accept-Encoding", "gzip, deflate, br", "Cookie", "{cookie}")},
		[]string{
			"Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.5 Mobile/15E148 Safari/604.1",
			"Mozilla/5.0 (iPhone; CPU iPhone OS 14_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1.2 Mobile/15E148 Safari/604.1",
		}, 16, "web"},
	{stage.Profile{Name: "firefox", Proto: 20, JA4: "t13d1715h2_5b57614c22b0_3d5424432f57", H2: "1:65536;4:131072;5:16384|12517377|3:0:0:201|m,p,a,s",
		Headers: heads("Host", "{host}", "User-Agent", "{agent}", "Accept", "application/json, text/plain, */*", "Accept-Language", "{lang}", "Accept-Encoding", "gzip, deflate, br", "Content-Type", "{type}", "Authorization", "{auth}", "Token", "{token}", "Content-Length", "{length}", "Origin", "{origin}", "Referer", "{referer}", "Cookie", "{cookie}", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-site", "TE", "trailers")},
		[]string{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:102.0) Gecko/20100101 Firefox/102.0", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:98.0) Gecko/20100101 Firefox/98.0"}, 5, "web"},
	{stage.Profile{Name: "wechat-view", Proto: 11, JA4: "t13d1512h2_8daaf6152771_45f260be83e2",
		Headers: heads("Host", "{host}", "Connection", "keep-alive", "Content-Length", "{length}", "Accept", "application/json, text/plain, */*", "User-Agent", "{agent}", "Content-Type", "{type}", "Authorization", "{auth}", "Token", "{token}", "Origin", "{origin}", "X-Requested-With", "com.tencent.mm", "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Referer", "{referer}", "Accept-Encoding", "gzip, deflate", "Accept-Language", "{lang}", "Cookie", "{cookie}")},
		[]string{"Mozilla/5.0 (Linux; Android 11; PEGM00 Build/RKQ1) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/86.0.4240.99 XWEB/3263 MMWEBSDK/20220505 Mobile Safari/537.36 MMWEBID/1327 MicroMessenger/8.0.23.2160(0x28001759) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"}, 18, "web"},
	{stage.Profile{Name: "mini-program", Proto: 11, JA4: "t13d1311h2_f57a46bbacb6_ab7e3b40a677",
		Headers: heads("Host", "{host}", "Connection", "keep-alive", "Content-Length", "{length}", "charset", "utf-8", "Token", "{token}", "Authorization", "{auth}", "User-Agent", "{agent}", "content-type", "{type}", "Accept-Encoding", "gzip,compress,br,deflate", "Referer", "{program}")},
		[]string{
			"Mozilla/5.0 (iPhone; CPU iPhone OS 15_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.20(0x18001442) NetType/4G Language/zh_CN",
			"Mozilla/5.0 (Linux; Android 12; LIO-AN00) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/86.0.4240.99 XWEB/3211 MMWEBSDK/20220303 Mobile Safari/537.36 MMWEBID/6412 MicroMessenger/8.0.21.2120 WeChat/arm64 Weixin NetType/5G Language/zh_CN ABI/arm64 MiniProgramEnv/android",
		}, 30, "mini"},
	{stage.Profile{Name: "android-app", Proto: 20, JA4: "t13d1314h2_f57a46bbacb6_14788d8d241b", H2: "4:16777216|16711681|0|m,p,a,s",
		Headers: heads("Host", "{host}", "User-Agent", "{agent}", "Token", "{token}", "Authorization", "{auth}", "X-App-Version", "6.3.1", "X-Platform", "android", "Content-Type", "{type}", "Content-Length", "{length}", "Accept-Encoding", "gzip", "Cookie", "{cookie}")},
		[]string{"okhttp/4.9.1"}, 30, "app"},
	{stage.Profile{Name: "ios-app", Proto: 20, JA4: "t13d2013h2_a09f3c656075_7f0f34a4126d", H2: "2:0;4:2097152;3:100|10420225|0|m,s,p,a",
		Headers: heads("Host", "{host}", "Accept", "*/*", "Content-Type", "{type}", "X-App-Version", "6.3.0", "X-Platform", "ios", "Token", "{token}", "Authorization", "{auth}", "Accept-Language", "{lang}", "Accept-Encoding", "gzip, deflate, br", "Content-Length", "{length}", "User-Agent", "{agent}", "Cookie", "{cookie}")},
		[]string{"%s/6.3.0 (iPhone; iOS 15.5; Scale/3.00)", "%s/630 CFNetwork/1333.0.4 Darwin/21.5.0"}, 24, "app"},
}

// Robots, partners and monitors.
var (
	spider = stage.Profile{Name: "spider", Proto: 11, JA4: "t12d1209h1_d34a8e72043a_eb7c9aabf852",
		Headers: heads("Host", "{host}", "Connection", "close", "User-Agent", "{agent}", "Accept-Encoding", "gzip", "Accept-Language", "zh-cn,zh-tw", "Accept", "*/*")}
	probe = stage.Profile{Name: "monitor", Proto: 11, JA4: "t13d190900_9dc949149365_97f8aa674fd9",
		Headers: heads("Host", "{host}", "User-Agent", "{agent}", "Accept", "*/*", "Connection", "close")}
	partner = stage.Profile{Name: "partner", Proto: 11, JA4: "t13d4907h1_0d8feac7bc37_7395dae3b2f3",
		Headers: heads("Content-Type", "{type}", "X-Partner-Id", "P20210087", "X-Timestamp", "{stamp}", "X-Signature", "{sign}", "Token", "{token}", "Authorization", "{auth}", "User-Agent", "{agent}", "Host", "{host}", "Connection", "Keep-Alive", "Accept-Encoding", "gzip,deflate", "Content-Length", "{length}", "Cookie", "{cookie}")}
)

const spiderAgent = "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"
