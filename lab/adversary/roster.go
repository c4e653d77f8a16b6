package adversary

import (
	"time"
)

const (
	chrome99  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.4844.51 Safari/537.36"
	chrome81  = "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/81.0.4044.138 Safari/537.36"
	chrome86  = "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.198 Safari/537.36"
	iphone    = "Mozilla/5.0 (iPhone; CPU iPhone OS 13_2_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0.3 Mobile/15E148 Safari/604.1"
	androidWV = "Mozilla/5.0 (Linux; Android 9; MI 6X) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/76.0.3809.89 Mobile Safari/537.36"
	msie      = "Mozilla/4.0 (compatible; MSIE 9.0; Windows NT 6.1)"
)

var everywhere = []string{"yuancang", "taohui", "qianbei", "weiyu", "lvxing", "chebao", "huixin", "xuanjie", "zhengwu", "tingbo"}

// networks of hijacked home lines; two gangs are customers of each.
var (
	networkA = []byte{12, 33, 61, 87, 104, 150}
	networkB = []byte{21, 45, 78, 119, 143, 181}
)

const (
	minute = time.Minute
	hour   = time.Hour
)

// roster is the underworld of the lab.
func roster() []gang {
	return []gang{
		{id: "bombers", tool: tool(nodeAxios), agent: []string{"axios/0.21.4"}, infra: block(247, 14, 12), ops: []op{
			{kind: "sms_abuse", apps: everywhere, waves: peak(4, 7), size: [2]int{240, 640}, span: [2]time.Duration{25 * minute, 3 * hour}, script: bombing},
		}},
		{id: "pumpers", tool: with(tool(aiohttp, h("X-Requested-With", "XMLHttpRequest")), "deviceNo"), agent: []string{iphone}, infra: proxies(networkB...), ops: []op{
			{kind: "sms_abuse", apps: []string{"yuancang", "weiyu", "taohui"}, waves: peak(1, 4), size: [2]int{300, 800}, span: [2]time.Duration{2 * hour, 9 * hour}, script: pumping},
		}},
		{id: "loan-scanners", tool: tool(pythonRequests), agent: []string{chrome81}, infra: server(248, 93), ops: []op{
			{kind: "account_scanning", apps: []string{"qianbei"}, waves: peak(1, 2), size: [2]int{260, 700}, span: [2]time.Duration{20 * minute, 2 * hour}, script: scanCheck},
			{kind: "account_scanning", apps: []string{"zhengwu"}, waves: in(1, 8, 9, 10, 11), size: [2]int{260, 500}, span: [2]time.Duration{20 * minute, 2 * hour}, script: scanCheck},
		}},
		{id: "number-sellers", tool: with(tool(goHTTP), "sign"), agent: []string{androidWV}, infra: block(249, 40, 20), ops: []op{
			{kind: "account_scanning", apps: []string{"yuancang"}, waves: in(1, 3, 4, 5, 6, 7), size: [2]int{250, 600}, span: [2]time.Duration{1 * hour, 5 * hour}, script: scanLogin},
		}},
		{id: "card-thieves", tool: tool(goHTTP, h("X-Forwarded-Proto", "https")), agent: []string{chrome86}, infra: proxies(networkA...), ops: []op{
			{kind: "scraping", apps: []string{"huixin"}, waves: in(2, 4, 7, 8, 9), size: [2]int{300, 700}, span: [2]time.Duration{2 * hour, 8 * hour}, script: scrapeProgress},
		}},
		{id: "plate-finders", tool: tool(javaClient, h("X-Requested-With", "XMLHttpRequest")), agent: []string{"okhttp/3.12.0"}, infra: block(248, 201, 8), ops: []op{
			{kind: "targeted_lookup", apps: []string{"tingbo"}, waves: every(1), size: [2]int{250, 600}, span: [2]time.Duration{1 * hour, 6 * hour}, script: scrapePlates},
		}},
		{id: "game-thieves", tool: tool(dotNet, h("Pragma", "no-cache")), agent: []string{msie}, infra: proxies(networkA...), ops: []op{
			{kind: "credential_stuffing", apps: []string{"xuanjie", "xuanjie", "taohui"}, waves: peak(1, 2), size: [2]int{260, 650}, span: [2]time.Duration{1 * hour, 7 * hour}, script: stuffing},
			{kind: "brute_force", apps: []string{"xuanjie"}, waves: in(1, 2, 3, 5, 6, 8, 10, 12), size: [2]int{180, 420}, span: [2]time.Duration{20 * minute, 90 * minute}, script: brute},
		}},
		{id: "farmers", tool: with(tool(cloudPhone), "imei"), agent: []string{"okhttp/3.14.9"}, infra: proxies(networkB...), ops: []op{
			{kind: "mass_registration", apps: []string{"weiyu", "xuanjie"}, waves: peak(1, 2), size: [2]int{110, 260}, span: [2]time.Duration{90 * minute, 6 * hour}, script: farming},
		}},
		{id: "water-army", tool: tool(headless, h("sec-ch-ua-platform", `"Linux"`)), agent: []string{chrome99}, infra: block(247, 66, 16), ops: []op{
			{kind: "bot", apps: []string{"weiyu", "taohui", "weiyu", "lvxing"}, waves: peak(2, 3), size: [2]int{300, 640}, span: [2]time.Duration{1 * hour, 5 * hour}, script: engaging},
		}},
		{id: "parts-thieves", tool: tool(pythonRequests, h("X-Requested-With", "XMLHttpRequest"), h("DNT", "1")), agent: []string{chrome86}, infra: server(249, 121), ops: []op{
			{kind: "password_spraying", apps: []string{"chebao"}, waves: in(1, 2, 5, 9), size: [2]int{180, 240}, span: [2]time.Duration{40 * minute, 3 * hour}, script: spraying},
			{kind: "bola_exploitation", apps: []string{"chebao"}, waves: in(1, 3, 6, 10), size: [2]int{200, 450}, span: [2]time.Duration{30 * minute, 3 * hour}, script: trespassing},
			{kind: "scraping", apps: []string{"taohui", "lvxing"}, waves: in(1, 1, 4, 6, 7, 11), size: [2]int{250, 500}, span: [2]time.Duration{8 * minute, 40 * minute}, script: scrapeCatalogue},
		}},
		{id: "file-thieves", tool: with(tool(rawSockets), "v"), agent: []string{chrome81}, infra: block(248, 150, 6), ops: []op{
			{kind: "bola_exploitation", apps: []string{"zhengwu"}, waves: in(1, 4, 5, 6, 11, 12), size: [2]int{250, 600}, span: [2]time.Duration{40 * minute, 4 * hour}, script: trespassing},
			{kind: "code_cracking", apps: []string{"xuanjie"}, waves: in(1, 4, 6, 9), size: [2]int{220, 480}, span: [2]time.Duration{4 * minute, 5 * minute}, script: cracking},
		}},
		{id: "scanners", tool: tool(goHTTP, h("Accept", "*/*")), agent: []string{"Mozilla/5.0 (compatible; CensysInspect/1.1)", "Mozilla/5.0 zgrab/0.x"}, infra: server(249, 8), ops: []op{
			{kind: "vulnerability_scan", apps: everywhere, waves: every(2), size: [2]int{120, 320}, span: [2]time.Duration{3 * minute, 40 * minute}, script: probing},
		}},
		{id: "vandals", tool: tool(rawSockets, h("Cache-Control", "no-cache")), agent: []string{msie}, infra: block(249, 230, 10), ops: []op{
			{kind: "flood", apps: []string{"xuanjie", "zhengwu"}, waves: in(1, 1, 8), size: [2]int{1200, 1800}, span: [2]time.Duration{20 * time.Second, 60 * time.Second}, script: flooding},
		}},
	}
}
