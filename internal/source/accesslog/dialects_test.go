package accesslog

import (
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

// Examples as the servers' manuals give them, and variants of them. A group is
// one file: its lines are read in order by one parser.
func TestDialects(t *testing.T) {
	for name, lines := range map[string][][2]string{
		"Caddy 2.4: address with port, wall clock": {
			{`{"level":"info","ts":"2021/10/01 08:00:00.250","logger":"http.log.access.log0","msg":"handled request","request":{"remote_addr":"[2001:db8::9]:5123","proto":"HTTP/2.0","method":"POST","host":"shop.example","uri":"/a?b=1","headers":{"User-Agent":["curl/7"],"X-Forwarded-For":["203.0.113.7"],"Cookie":["a=1","b=2"]},"tls":{"resumed":false,"version":772}},"common_log":"2001:db8::9 - - [01/Oct/2021:08:00:00 +0000] \"POST /a?b=1 HTTP/2.0\" 201 7","duration":0.25,"size":7,"status":201,"resp_headers":{"Content-Type":["text/plain"]}}`,
				`[2001:db8::9]:5123 POST /a?b=1 20 host=shop.example secure=true status=201 size=7 end=2021-10-01T08:00:00.25Z took=250ms User-Agent="curl/7" X-Forwarded-For="203.0.113.7" Cookie="a=1" Cookie="b=2" <Content-Type="text/plain"`},
		},
		"Caddy 2.8: client behind a trusted proxy, durations in exponents": {
			{`{"level":"info","ts":1700000000.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.2","remote_port":"4100","client_ip":"203.0.113.7","proto":"HTTP/1.1","method":"GET","host":"shop.example:8080","uri":"/","headers":{"Accept":["*/*"]}},"bytes_read":0,"user_id":"","duration":2.5e-05,"size":12,"status":200,"resp_headers":{}}`,
				`203.0.113.7:0 GET / 11 host=shop.example:8080 secure=false status=200 size=12 end=2023-11-14T22:13:20.5Z took=25µs Accept="*/*"`},
			{`{"level":"error","ts":1700000001,"logger":"tls.obtain","msg":"could not get certificate"}`, whyMessage},
			{"2023/11/14 22:13:20.500\tINFO\thttp.log.access\thandled request\t" + `{"request":{"remote_ip":"10.0.0.2","remote_port":"4100","proto":"HTTP/1.1","method":"GET","host":"h","uri":"/c"},"duration":"1.5ms","size":1,"status":200}`,
				`10.0.0.2:4100 GET /c 11 host=h secure=false status=200 size=1 end=2023-11-14T22:13:20.5Z took=1.5ms`},
		},
		"Traefik": {
			{`203.0.113.7 - bob [10/Oct/2022:13:55:36 +0000] "GET /a HTTP/2.0" 200 12 "-" "curl/8" 42 "web@docker" "http://172.18.0.2:80" 13ms`,
				`203.0.113.7:0 GET /a 20 host= secure=false status=200 size=12 end=2022-10-10T13:55:36Z took=13ms User-Agent="curl/8"`},
			{`203.0.113.7 - - [10/Oct/2022:13:55:36 +0000] "GET /b HTTP/1.1" 404 19 "-" "-" 43 "-" "-" 0ms`,
				`203.0.113.7:0 GET /b 11 host= secure=false status=404 size=19 end=2022-10-10T13:55:36Z`},
			{`{"ClientAddr":"10.0.0.2:4100","ClientHost":"203.0.113.7, 198.51.100.2","ClientPort":"4100","DownstreamContentSize":5,"DownstreamStatus":401,"Duration":1500000,"RequestAddr":"shop.example","RequestHost":"shop.example","RequestMethod":"POST","RequestPath":"/login?x=1","RequestPort":"-","RequestProtocol":"HTTP/1.1","RequestScheme":"https","StartUTC":"2022-10-10T13:55:36.5Z","downstream_Content-Type":"application/json","entryPointName":"websecure","level":"info","msg":"","request_User-Agent":"curl/8","request_X-Api-Version":"3","time":"2022-10-10T13:55:36Z"}`,
				`198.51.100.2:0 POST /login?x=1 11 host=shop.example secure=true status=401 size=5 end=2022-10-10T13:55:36.5015Z took=1.5ms X-Api-Version="3" User-Agent="curl/8" X-Forwarded-For="203.0.113.7, 198.51.100.2" <Content-Type="application/json"`},
			{`time="2022-10-10T13:55:37Z" level=error msg="service not found"`, whyMessage},
		},
		"Envoy": {
			{`[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"`,
				`10.0.35.28:0 POST /api/v1/locations 20 host=locations secure=false status=204 size=0 end=2016-04-15T20:17:00.536Z took=226ms User-Agent="nsq2http" X-Forwarded-For="10.0.35.28"`},
			{`[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 3 1 "-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 outbound_.8000_._.httpbin.foo.svc.cluster.local default`,
				`10.44.1.23:37652 GET /status/418 11 host=httpbin:8000 secure=false status=418 size=135 end=2020-11-25T21:26:18.412Z took=3ms User-Agent="curl/7.73.0-DEV"`},
			{`[2020-11-25T21:26:18.409Z] "GET /a HTTP/1.1" 503 UF,URX "-" "-" 0 91 3 - "1.1.1.1,203.0.113.7" "-" "id" "h" "-"`,
				`203.0.113.7:0 GET /a 11 host=h secure=false status=503 size=91 end=2020-11-25T21:26:18.412Z took=3ms X-Forwarded-For="1.1.1.1,203.0.113.7"`},
			{`[2020-11-25T21:26:18.409Z] "- - -" 0 NR "-" "-" 0 0 0 - "-" "-" "-" "-" "-" - - 10.0.0.1:443 10.0.0.2:5 - -`, whyEmpty},
			{`{"authority":"shop.example","bytes_received":0,"bytes_sent":12,"downstream_remote_address":"10.0.0.9:4000","duration":7,"method":"GET","path":"/a?b","protocol":"HTTP/1.1","request_id":"x","requested_server_name":null,"response_code":200,"response_flags":"-","start_time":"2020-11-25T21:26:18.409Z","upstream_host":"10.0.0.3:80","user_agent":"curl/8","x_forwarded_for":"203.0.113.7"}`,
				`10.0.0.9:4000 GET /a?b 11 host=shop.example secure=false status=200 size=12 end=2020-11-25T21:26:18.416Z took=7ms User-Agent="curl/8" X-Forwarded-For="203.0.113.7"`},
		},
		"HAProxy": {
			{`Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`,
				`10.0.1.2:33317 GET /index.html 11 host=1wt.eu secure=false status=200 size=2750 end=2009-02-06T12:14:14.764Z took=109ms`},
			{`10.0.1.2:33317 [06/Feb/2009:12:14:14.655] https-in~ b/s 10/0/30/69/+109 200 +2750 sid=4 - ---- 1/1/1/1/+2 0/0 {shop.example:8443|Mozilla/5.0 (X11#7C Linux)|https://r.example/|203.0.113.7} {text/html} "GET /a#22b HTTP/1.1"`,
				`10.0.1.2:33317 GET /a"b 11 host=shop.example:8443 secure=true status=200 size=2750 end=2009-02-06T12:14:14.764Z took=109ms Cookie="sid=4" Referer="https://r.example/" User-Agent="Mozilla/5.0 (X11| Linux)" X-Forwarded-For="203.0.113.7"`},
			{`<134>Feb  6 12:14:14 haproxy[9]: 2001:db8::4:33317 [06/Feb/2009:12:14:14.655] f b/<NOSRV> -1/-1/-1/-1/0 400 187 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`, whyRequest},
			{`10.0.1.2:33318 [06/Feb/2009:12:14:14.655] f b/s 0/0/0/-1/5 -1 0 - - CD-- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"`,
				`10.0.1.2:33318 GET /x 11 host= secure=false status=0 size=0 end=2009-02-06T12:14:14.66Z took=5ms`},
			{`10.0.1.2:33318 [06/Feb/2009:12:14:14.655] f~ b/s 0/0/0/1/5 200 9 - - ---- 1/1/0/0/0 0/0 "GET /y HTTP/2.0" 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384`,
				`10.0.1.2:33318 GET /y 20 host= secure=true status=200 size=9 end=2009-02-06T12:14:14.66Z took=5ms`},
			{`10.0.1.2:33318 [06/Feb/2009:12:14:14.655] f~ b/s 0/0/0/1/5 200 9 - - ---- 1/1/0/0/0 0/0 "GET https://shop.example/y?z HTTP/2.0"`,
				`10.0.1.2:33318 GET /y?z 20 host=shop.example secure=true status=200 size=9 end=2009-02-06T12:14:14.66Z took=5ms`},
			{`10.0.1.2 - - [06/Feb/2009:12:14:14 +0000] "GET /z HTTP/1.1" 200 2750 "" "" 33317 655 "http-in" "static" "srv1" 10 0 30 69 109 "----" 1 1 1 1 0 0 0 "" ""`,
				`10.0.1.2:0 GET /z 11 host= secure=false status=200 size=2750 end=2009-02-06T12:14:14Z`},
			{`haproxy[1]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0`, whyFormat},
			{`10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0`, whyMessage},
			{`10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fe/1: SSL handshake failure`, whyMessage},
		},
		"IIS": {
			{"#Software: Microsoft Internet Information Services 10.0", whyDirective},
			{"#Version: 1.0", whyDirective},
			{"#Date: 2022-10-10 05:00:00", whyDirective},
			{"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes time-taken cs-host", whyDirective},
			{`2022-10-10 05:55:36 10.0.0.5 GET /Default.aspx id=4&x=%22 443 - 203.0.113.7 Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64) https://r.example/a 200 0 0 512 46 shop.example`,
				`203.0.113.7:0 GET /Default.aspx?id=4&x=%22 0 host=shop.example secure=true status=200 size=512 end=2022-10-10T05:55:36Z took=46ms Referer="https://r.example/a" User-Agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64)"`},
			{`2022-10-10 05:55:37 10.0.0.5 POST /a - 80 CORP\bob 2001:db8::7 - - 302 0 0 0 3 -`,
				`[2001:db8::7]:0 POST /a 0 host= secure=false status=302 size=0 end=2022-10-10T05:55:37Z took=3ms`},
			{`2022-10-10 05:55:37 10.0.0.5 POST /cut - 80`, whyFormat},
			{"#Fields: time c-ip cs-method cs-uri sc-status", whyDirective},
			{`05:55:38 203.0.113.7 GET /b?c 404`, `203.0.113.7:0 GET /b?c 0 host= secure=false status=404 size=-1 end=2022-10-10T05:55:38Z`},
			{"#Remark: quotes and X- headers", whyDirective},
			{"#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(X-Api-Key) x-note", whyDirective},
			{`2022-10-10 05:55:38 203.0.113.7 GET /b 404 k1 "two ""big"" words"`, `203.0.113.7:0 GET /b 0 host= secure=false status=404 size=-1 end=2022-10-10T05:55:38Z x-api-key="k1"`},
		},
		"IIS without its directives": {
			{`2022-10-10 05:55:36 10.0.0.5 GET /a id=4 80 - 203.0.113.7 curl/7.68.0 - 200 0 0 46`,
				`203.0.113.7:0 GET /a?id=4 0 host= secure=false status=200 size=-1 end=2022-10-10T05:55:36Z took=46ms User-Agent="curl/7.68.0"`},
			{`2022-10-10 05:55:36 10.0.0.5 GET /a - 80 - 203.0.113.7 curl/7.68.0 200 0 64 46`,
				`203.0.113.7:0 GET /a 0 host= secure=false status=200 size=-1 end=2022-10-10T05:55:36Z took=46ms User-Agent="curl/7.68.0"`},
			{`2022-10-10 05:55:36 W3SVC1 WEB1 10.0.0.5 GET /a id=4 80 - 203.0.113.7 HTTP/1.1 curl/7.68.0 a=1 - shop.example 200 0 0 512 99 46`,
				`203.0.113.7:0 GET /a?id=4 11 host=shop.example secure=false status=200 size=512 end=2022-10-10T05:55:36Z took=46ms User-Agent="curl/7.68.0" Cookie="a=1"`},
			{`2022-10-10 05:55:36 APP GET /a id=4 443 - 203.0.113.7 curl/7.68.0 - - app.azurewebsites.net 200 0 0 512 99 46`,
				`203.0.113.7:0 GET /a?id=4 0 host=app.azurewebsites.net secure=true status=200 size=512 end=2022-10-10T05:55:36Z took=46ms User-Agent="curl/7.68.0"`},
			{`2022-10-10 05:55:36 10.0.0.5 said hello - 80 - 203.0.113.7 curl/7.68.0 200 0 64 46`, whyFormat},
		},
		"CloudFront": {
			{"#Version: 1.0", whyDirective},
			{"#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end", whyDirective},
			{strings.ReplaceAll("2019-12-04 21:02:31 LAX1 392 192.0.2.100 GET d111111abcdef8.cloudfront.net /index.html 200 - Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64) a=1%2B2 - Hit SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ== www.example.com https 23 0.001 - TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 Hit HTTP/2.0 - - 11040 0.001 Hit text/html 78 - -", " ", "\t"),
				`192.0.2.100:11040 GET /index.html?a=1%2B2 20 host=www.example.com secure=true status=200 size=392 end=2019-12-04T21:02:31Z took=1ms User-Agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64)" <Content-Type="text/html"`},
		},
		"CloudFront without its directives, older columns, agent encoded twice": {
			{strings.ReplaceAll("2014-05-23 01:13:11 FRA2 182 192.0.2.10 POST d111111abcdef8.cloudfront.net /view/my/file.html 000 www.displaymyfiles.com Mozilla/4.0%2520(compatible;%2520MSIE%25205.0b1) - zip=98101 RefreshHit MRVMF7KydIvxMWfJIglgwHQwZsbG2IhRJ07sn9AkKUFSHS9EXAMPLE== d111111abcdef8.cloudfront.net http - 0.001 - - - RefreshHit HTTP/1.1", " ", "\t"),
				`192.0.2.10:0 POST /view/my/file.html 11 host=d111111abcdef8.cloudfront.net secure=false status=0 size=182 end=2014-05-23T01:13:11Z took=1ms Referer="www.displaymyfiles.com" User-Agent="Mozilla/4.0 (compatible; MSIE 5.0b1)" Cookie="zip=98101"`},
		},
		"AWS load balancers": {
			{`http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`,
				`192.168.131.39:2817 GET / 11 host=www.example.com:80 secure=false status=200 size=366 end=2018-07-02T22:23:00.186641Z took=1ms User-Agent="curl/7.46.0"`},
			{`h2 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 10.0.1.252:48160 10.0.0.66:9000 0.000 0.002 0.000 200 200 5 257 "GET https://10.0.2.105:773/a?b HTTP/2.0" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn "Root=1" "-" "-" 1 2018-07-02T22:22:48.364000Z "redirect" "https://example.com:80/" "-" "10.0.0.66:9000" "200" "-" "-"`,
				`10.0.1.252:48160 GET /a?b 20 host=10.0.2.105:773 secure=true status=200 size=257 end=2018-07-02T22:23:00.186641Z took=2ms User-Agent="curl/7.46.0"`},
			{`https 2018-07-02T22:23:00.186641Z app/lb/5 2001:db8::1:2817 10.0.0.66:9000 0.000 0.002 0.000 200 200 5 257 "GET https://a.example:443/ HTTP/1.1" "-" ECDHE TLSv1.2 arn "-" "-" "-" 1 2018-07-02T22:22:48.364000Z "forward" "-" "-" "-" "-" "-" "-" TID_1`,
				`[2001:db8::1]:2817 GET / 11 host=a.example:443 secure=true status=200 size=257 end=2018-07-02T22:23:00.186641Z took=2ms`},
			{`https 2018-07-02T22:23:00.186641Z app/lb/5 192.168.131.39:2817 - -1 -1 -1 502 - 34 366 "- http://lb:443- -" "-" - - arn "-" "-" "-" 0 2018-07-02T22:22:48.364000Z "waf" "-" "-" "-" "-" "-" "-"`, whyEmpty},
			{`2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/x HTTP/1.1" "curl/7.38.0" - -`,
				`192.168.131.39:2817 GET /x 11 host=www.example.com:80 secure=false status=200 size=29 end=2015-05-13T23:39:43.945958Z took=1.178ms User-Agent="curl/7.38.0"`},
			{`2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000069 0.000028 0.000041 - - 82 305 "- - - " "-" - -`, whyEmpty},
		},
		"nginx-proxy-manager, NPMplus": {
			{`[10/Oct/2022:13:55:36 +0800] - 200 200 - GET https shop.example "/a?b" [Client 203.0.113.7] [Length 12] [Gzip 2.11] [Sent-to 10.0.0.4] "curl/8" "https://r.example/"`,
				`203.0.113.7:0 GET /a?b 0 host=shop.example secure=true status=200 size=12 end=2022-10-10T05:55:36Z Referer="https://r.example/" User-Agent="curl/8"`},
			{`[10/Oct/2022:13:55:36 +0800] 404 - GET http shop.example "/a" [Client 203.0.113.7] [Length 12] [Gzip -] "curl/8" "-"`,
				`203.0.113.7:0 GET /a 0 host=shop.example secure=false status=404 size=12 end=2022-10-10T05:55:36Z User-Agent="curl/8"`},
			{`[10/Oct/2022:13:55:36 +0800] HIT - 304 - HEAD http shop.example "/a" [Client 2001:db8::7] [Length 0] [Gzip -] [Sent-to app] "-" "-"`,
				`[2001:db8::7]:0 HEAD /a 0 host=shop.example secure=false status=304 size=0 end=2022-10-10T05:55:36Z`},
			{`[10/Oct/2022:13:55:36 +0800] shop.example 203.0.113.7 0.227 "REPORT /dav/ HTTP/2.0" 207 125 440 - Mozilla/5.0 (X11; rv:1)`,
				`203.0.113.7:0 REPORT /dav/ 20 host=shop.example secure=false status=207 size=125 end=2022-10-10T05:55:36Z took=227ms User-Agent="Mozilla/5.0 (X11; rv:1)"`},
		},
		"Zoraxy": {
			{`[2024-10-10 13:55:36.250000] [router:host-http] [origin:shop.example] [client: 203.0.113.7] [useragent: Mozilla/5.0 [x] GET /forged 200] POST /a?b 404`,
				`203.0.113.7:0 POST /a?b 0 host=shop.example secure=false status=404 size=-1 end=2024-10-10T13:55:36.25Z User-Agent="Mozilla/5.0 [x] GET /forged 200"`},
			{`[2024-10-10 13:55:36.250000] [router:redirect] [origin:] [client 203.0.113.7] GET / 307`,
				`203.0.113.7:0 GET / 0 host= secure=false status=307 size=-1 end=2024-10-10T13:55:36.25Z`},
			{`[2024-10-10 13:55:36.250000] [internal] [system:info] Starting`, whyMessage},
		},
		"BunkerWeb, lighttpd, LiteSpeed, ingress-nginx": {
			{`shop.example 203.0.113.7 - 3f2a - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12 "-" "curl/8"`,
				`203.0.113.7:0 GET /a 11 host=shop.example secure=false status=200 size=12 end=2022-10-10T05:55:36Z User-Agent="curl/8"`},
			{`1.1.1.1, 10.0.0.1, 203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /x HTTP/1.1" 200 12`,
				`203.0.113.7:0 GET /x 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`203.0.113.7 shop.example - [10/Oct/2022:13:55:36 +0800] "GET /l HTTP/1.1" 200 12 "-" "curl/8"`, // lighttpd
				`203.0.113.7:0 GET /l 11 host=shop.example secure=false status=200 size=12 end=2022-10-10T05:55:36Z User-Agent="curl/8"`},
			{`203.0.113.7 evil.example [10/Oct/2022:13:55:36 +0800] "GET /l HTTP/1.1" 200 12`,
				`203.0.113.7:0 GET /l 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`"203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12 "-" "curl/8""`,
				`203.0.113.7:0 GET /a 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z User-Agent="curl/8"`},
			{`2022-06-08 22:49:20.774649 [NOTICE] [1226033] [42.42.42.42:45164:HTTP2-41#_AdminVHost] [STDERR] Failed`, whyMessage},
			{`203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12 "-" "curl/8" 345 0.003 [default-svc-80] [] 10.0.0.1:80 615 1.002 200 e2d3`,
				`203.0.113.7:0 GET /a 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z took=3ms User-Agent="curl/8"`},
		},
		"APISIX and Kong": {
			{`{"service_id":"","apisix_latency":100,"start_time":1602211788041,"request":{"headers":{"host":"127.0.0.1:1984","user-agent":"curl/7.29.0","accept":["*/*"]},"uri":"/hello?a=1","url":"http://127.0.0.1:1984/hello?a=1","method":"GET","size":81,"querystring":{"a":"1"}},"response":{"headers":{"content-type":"text/plain","server":"APISIX/2.0"},"size":118,"status":200},"upstream":"127.0.0.1:1980","client_ip":"127.0.0.1","upstream_latency":3,"latency":103.99,"route_id":"1","server":{"hostname":"x","version":"2.0"}}`,
				`127.0.0.1:0 GET /hello?a=1 0 host=127.0.0.1:1984 secure=false status=200 size=118 end=2020-10-09T02:49:48.14499Z took=103.99ms host="127.0.0.1:1984" user-agent="curl/7.29.0" accept="*/*" <content-type="text/plain" <server="APISIX/2.0"`},
			{`{"@timestamp":"2020-10-09T02:49:48+08:00","host":"h","client_ip":"127.0.0.1","route_id":"1"}`, whyFormat},
			{`{"latencies":{"request":515,"kong":58,"proxy":457},"service":{"host":"httpbin.org","created_at":1614232642,"protocol":"http","path":"/","port":80},"request":{"querystring":{},"size":138,"uri":"/log","url":"http://localhost:8000/log","headers":{"host":"localhost:8000","accept-encoding":"gzip"},"method":"GET"},"tries":[{"balancer_latency":0,"port":80,"ip":"18.211.130.98"}],"client_ip":"192.168.144.1","workspace":"x","upstream_uri":"/log","response":{"headers":{"connection":"close"},"status":404,"size":434},"route":{"id":"r","paths":["/log"],"methods":["GET"]},"started_at":1614232668342}`,
				`192.168.144.1:0 GET /log 0 host=localhost:8000 secure=false status=404 size=434 end=2021-02-25T05:57:48.857Z took=515ms host="localhost:8000" accept-encoding="gzip" <connection="close"`},
		},
		"wrappers": {
			{`<190>1 2022-10-10T05:55:36.5Z web1 nginx 77 - [meta@1 seq="4" t="\"] x"][b c="d"] 203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12`,
				`203.0.113.7:0 GET /a 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{"<190>1 2022-10-10T05:55:36.5Z web1 app - - - \xef\xbb\xbf" + `{"remote_addr":"203.0.113.7","request":"GET /t HTTP/1.1","status":200}`,
				`203.0.113.7:0 GET /t 11 host= secure=false status=200 size=-1 end=2022-10-10T05:55:36.5Z`},
			{`2022-10-10T13:55:36.493035+08:00 web1 nginx[9]: 203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12`,
				`203.0.113.7:0 GET /a 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`2022-10-10T05:55:36.49Z 203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /k HTTP/1.1" 200 12`, // kubectl logs --timestamps
				`203.0.113.7:0 GET /k 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`web-1    | 203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /c HTTP/1.1" 200 12`,
				`203.0.113.7:0 GET /c 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`2022-10-10T05:55:36.4Z stdout P {"remote_addr":"203.0.113.7",`, heldBack},
			{`2022-10-10T05:55:36.4Z stderr F 203.0.113.8 - - [10/Oct/2022:13:55:36 +0800] "GET /e HTTP/1.1" 200 12`,
				`203.0.113.8:0 GET /e 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`2022-10-10T05:55:36.4Z stdout P "request":"GET /part`, heldBack},
			{`2022-10-10T05:55:36.5Z stdout F s HTTP/1.1","status":200}`, `203.0.113.7:0 GET /parts 11 host= secure=false status=200 size=-1 end=2022-10-10T05:55:36.5Z`},
			{`2022-10-10T05:55:36.5Z stdout F 203.0.113.8 - - [10/Oct/2022:13:55:36 +0800] "GET /f HTTP/1.1" 200 12`,
				`203.0.113.8:0 GET /f 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`{"log":"203.0.113.8 - - [10/Oct/2022:13:55:36 +0800] \"GET /` + strings.Repeat("x", dockerPiece) + `","stream":"stdout","time":"2022-10-10T05:55:37Z"}`, heldBack},
			{`{"log":" HTTP/1.1\" 200 12\n","stream":"stdout","time":"2022-10-10T05:55:37Z"}`,
				`203.0.113.8:0 GET /` + strings.Repeat("x", dockerPiece) + ` 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
			{`{"log":"[2016-04-15T20:17:00.310Z] \"POST /e HTTP/2\" 204 - 154 0 226 100 \"10.0.35.28\" \"nsq2http\" \"cc\" \"locations\" \"tcp://10.0.2.1:80\"\n","stream":"stdout","time":"2022-10-10T05:55:37Z"}`,
				`10.0.35.28:0 POST /e 20 host=locations secure=false status=204 size=0 end=2016-04-15T20:17:00.536Z took=226ms User-Agent="nsq2http" X-Forwarded-For="10.0.35.28"`},
			{`{"log":"{\"remote_addr\":\"203.0.113.7\",\"request\":\"GET /d HTTP/1.1\",\"status\":200}\n","stream":"stdout","time":"2022-10-10T05:55:37.5Z"}`,
				`203.0.113.7:0 GET /d 11 host= secure=false status=200 size=-1 end=2022-10-10T05:55:37.5Z`},
			{`{"__REALTIME_TIMESTAMP":"1665381336000000","MESSAGE":"203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] \"GET /j HTTP/1.1\" 200 12","SYSLOG_IDENTIFIER":"nginx"}`,
				`203.0.113.7:0 GET /j 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
		},
		"years": {
			{`Oct 10 13:55:36 web1 app[1]: {"remote_addr":"203.0.113.7","request":"GET /y HTTP/1.1","status":200}`, whyYear},
			{`Dec 31 23:59:59 web1 nginx: 203.0.113.7 - - [31/Dec/2021:23:59:59 +0000] "GET /a HTTP/1.1" 200 12`,
				`203.0.113.7:0 GET /a 11 host= secure=false status=200 size=12 end=2021-12-31T23:59:59Z`},
			{`Jan  1 00:00:01 web1 app[1]: {"remote_addr":"203.0.113.7","request":"GET /y HTTP/1.1","status":200}`,
				`203.0.113.7:0 GET /y 11 host= secure=false status=200 size=-1 end=2022-01-01T00:00:01Z`},
		},
		"Cloudflare, Azure, Elastic Common Schema": {
			{`{"ClientIP":"203.0.113.7","ClientSrcPort":4100,"ClientRequestHost":"shop.example","ClientRequestMethod":"GET","ClientRequestProtocol":"HTTP/2","ClientRequestScheme":"https","ClientRequestURI":"/a?b","ClientRequestUserAgent":"curl/8","EdgeEndTimestamp":"2022-10-10T05:55:37Z","EdgeResponseBytes":12,"EdgeResponseStatus":200,"EdgeStartTimestamp":"2022-10-10T05:55:36Z"}`,
				`203.0.113.7:4100 GET /a?b 20 host=shop.example secure=true status=200 size=12 end=2022-10-10T05:55:37Z took=1s User-Agent="curl/8"`},
			{`{"time":"2022-10-10T05:55:36.5Z","category":"FrontDoorAccessLog","properties":{"httpMethod":"GET","httpVersion":"2.0.0.0","requestUri":"https://shop.example:443/a?b","userAgent":"curl/8","clientIp":"203.0.113.7","clientPort":"4100","timeTaken":"0.25","httpStatusCode":"200"}}`,
				`203.0.113.7:4100 GET /a?b 0 host=shop.example:443 secure=true status=200 size=-1 end=2022-10-10T05:55:36.5Z took=250ms User-Agent="curl/8"`},
			{`{"@timestamp":"2022-10-10T05:55:36Z","source":{"address":"203.0.113.7","ip":"203.0.113.7","port":4100},"http":{"request":{"method":"GET","referrer":"https://r.example/"},"response":{"status_code":404,"body":{"bytes":12}},"version":"1.1"},"url":{"original":"/a?b","domain":"shop.example"},"user_agent":{"original":"curl/8","name":"curl"},"message":"x"}`,
				`203.0.113.7:4100 GET /a?b 0 host=shop.example secure=false status=404 size=12 end=2022-10-10T05:55:36Z Referer="https://r.example/" User-Agent="curl/8"`},
		},
		"frameworks and clouds": {
			{`[GIN] 2022/10/10 - 13:55:36 | 404 |     123.456µs |     203.0.113.7 | GET      "/ping?a=1"`,
				`203.0.113.7:0 GET /ping?a=1 0 host= secure=false status=404 size=-1 end=2022-10-10T13:55:36Z took=123.456µs`},
			{`[GIN-debug] Listening and serving HTTP on :8080`, whyMessage},
			{`{"level":30,"time":1665381336000,"pid":1,"req":{"id":1,"method":"GET","url":"/a","headers":{"host":"h:3000"},"remoteAddress":"203.0.113.7","remotePort":57290},"res":{"statusCode":200,"headers":{"content-length":"2"}},"responseTime":5,"msg":"request completed"}`,
				`203.0.113.7:57290 GET /a 0 host=h:3000 secure=false status=200 size=-1 end=2022-10-10T05:55:36Z took=5ms host="h:3000" <content-length="2"`},
			{`{"time":"2022-10-10T05:55:36.123Z","remote_ip":"203.0.113.7","host":"h","method":"GET","uri":"/a","status":200,"latency":2765137,"latency_human":"2.765137ms","bytes_in":0,"bytes_out":13}`,
				`203.0.113.7:0 GET /a 0 host=h secure=false status=200 size=13 end=2022-10-10T05:55:36.123Z took=2.765137ms`},
			{`{"httpRequest":{"requestMethod":"GET","requestUrl":"https://x.example/a?b","status":200,"userAgent":"curl","remoteIp":"203.0.113.7","latency":"0.012s","responseSize":"22"},"timestamp":"2022-10-10T05:55:36.1Z"}`,
				`203.0.113.7:0 GET /a?b 0 host=x.example secure=true status=200 size=22 end=2022-10-10T05:55:36.1Z took=12ms User-Agent="curl"`},
			{`192.0.2.1 - - [10/Oct/2022 13:55:36] "GET /flask HTTP/1.1" 200 -`, `192.0.2.1:0 GET /flask 11 host= secure=false status=200 size=0 end=2022-10-10T13:55:36Z`},
		},
		"formats of one's own": {
			{`[10/Oct/2022 13:55:36] "GET /dj HTTP/1.1" 200 12`, `invalid AddrPort GET /dj 11 host= secure=false status=200 size=12 end=2022-10-10T13:55:36Z`},
			{`2022-10-10T13:55:36+08:00 | 203.0.113.7 | shop.example | "GET /a HTTP/1.1" 200 12 "https://r.example/" "curl/8"`,
				`203.0.113.7:0 GET /a 11 host=shop.example secure=false status=200 size=12 end=2022-10-10T05:55:36Z Referer="https://r.example/" User-Agent="curl/8"`},
			{`203.0.113.7:5123 TLSv1.2/ECDHE shop.example - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12 0.4 "-" "curl/8" "-" "-"`,
				`203.0.113.7:5123 GET /a 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z User-Agent="curl/8"`},
			{`at=info time=2022-10-10T05:55:36Z method=GET path="/a?b=1" host=shop.example remote_addr=203.0.113.7 status=503 bytes=12 duration=18ms protocol=HTTP/1.1`,
				`203.0.113.7:0 GET /a?b=1 11 host=shop.example secure=false status=503 size=12 end=2022-10-10T05:55:36Z took=18ms`},
			{"time:10/Oct/2022:13:55:36 +0800\thost:203.0.113.7\tmethod:GET\turi:/a\tstatus:200\tsize:12\tua:x\tvhost:-\treqtime:0.1",
				`203.0.113.7:0 GET /a 0 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParser(nil, nil)
			var x exchange.Exchange
			for _, c := range lines {
				got := p.parse([]byte(c[0]), &x)
				if got == "" {
					got = show(&x)
				}
				if got != c[1] {
					t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
				}
			}
		})
	}
}

// --log-format takes the other servers' notations too.
func TestPercentFormats(t *testing.T) {
	for _, c := range []struct{ format, line, want string }{
		{`LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D" vhost`,
			`shop.example:443 203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12 "-" "curl/8" 2500`,
			`203.0.113.7:0 GET /a 11 host=shop.example secure=false status=200 size=12 end=2022-10-10T05:55:36Z took=2.5ms User-Agent="curl/8"`},
		{`%{%Y-%m-%dT%H:%M:%S%z}t|%a|%m|%U%q|%H|%>s|%b|%{ms}T|%{X-Id}i|%{Content-Type}o|100%%`,
			`2022-10-10T13:55:36+0800|203.0.113.7|GET|/a?b=1|HTTP/2.0|404|-|7|x1|text/html|100%`,
			`203.0.113.7:0 GET /a?b=1 20 host= secure=false status=404 size=-1 end=2022-10-10T05:55:36Z took=7ms x-id="x1" <Content-Type="text/html"`},
		{`%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %[req.hdr(host)] %[capture.req.hdr(0)] %{+Q}r`,
			`203.0.113.7:4100 [06/Feb/2009:12:14:14.655] f b/s 10/0/30/69/109 200 2750 shop.example - "GET /a HTTP/1.1"`,
			`203.0.113.7:4100 GET /a 11 host=shop.example secure=false status=200 size=2750 end=2009-02-06T12:14:14.764Z took=109ms`},
		{`%ci:%cp [%tr] %ST "%r"`, `2001:db8::7:4100 [06/Feb/2009:12:14:14.655] 200 "GET /a HTTP/1.1"`,
			`[2001:db8::7]:4100 GET /a 11 host= secure=false status=200 size=-1 end=2009-02-06T12:14:14.655Z`},
		{`%{+Q}o %{-Q}ci %HM %HP %HQ %{-Q}ST %{-Q}T`,
			`203.0.113.7 "GET" "/a" "?b" 200 06/Feb/2009:12:14:14 +0000`,
			`203.0.113.7:0 GET /a?b 0 host= secure=false status=200 size=-1 end=2009-02-06T12:14:14Z`},
		{`[%START_TIME%] %REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_SENT% %DURATION% "%REQ(USER-AGENT):64%" "%REQ(:AUTHORITY)%" %DOWNSTREAM_REMOTE_ADDRESS%\n`,
			`[2016-04-15T20:17:00.310Z] GET /a HTTP/2 200 - 12 226 "curl/8" "shop.example" 203.0.113.7:4100`,
			`203.0.113.7:4100 GET /a 20 host=shop.example secure=false status=200 size=12 end=2016-04-15T20:17:00.536Z took=226ms User-Agent="curl/8"`},
	} {
		f, err := compile(c.format)
		if err != nil {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		p := newParser(nil, f)
		var x exchange.Exchange
		if why := p.parse([]byte(c.line), &x); why != "" || show(&x) != c.want {
			t.Errorf("%s\n got %s %s\nwant %s", c.line, why, show(&x), c.want)
		}
	}
	for _, bad := range []string{"%", "%{x", "%h %t", "%r", "%[x", "%ci %{", "%START_TIME", "%START_TIME(%s", `LogFormat ""`, "%r%m%t"} {
		if _, err := compile(bad); err == nil {
			t.Errorf("format %q was accepted", bad)
		}
	}
}

// Times of day without a zone are the configured one's; W3C's are UTC always.
func TestZones(t *testing.T) {
	loc := time.FixedZone("x", 8*3600)
	p := newParser(loc, nil)
	var x exchange.Exchange
	for line, want := range map[string]string{
		`10.0.1.2:33317 [06/Feb/2009:12:14:14.655] f b/s 10/0/30/69/0 200 1 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1"`: "2009-02-06T04:14:14.655Z",
		`[2024-10-10 13:55:36.250000] [router:x] [origin:a] [client: 203.0.113.7] [useragent: x] GET / 200`:          "2024-10-10T05:55:36.25Z",
		`2022-10-10 05:55:36 10.0.0.5 GET /a - 80 - 203.0.113.7 curl/7.68.0 - 200 0 0 46`:                            "2022-10-10T05:55:36Z",
	} {
		if why := p.parse([]byte(line), &x); why != "" || time.Unix(0, x.End).UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %q %s", line, why, time.Unix(0, x.End).UTC())
		}
	}
}

// What is no access log is refused, with its reason as far as it can be told.
func TestDetectRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"id,name,time,method,path\n1,bob,2022-10-10T05:55:36Z,GET,/a\n2,eve,2022-10-10T05:55:37Z,GET,/b\n":                                           "a table (CSV), which is no access log",
		"id\tname\ttime\n1\tbob\t2022-10-10 05:55:36\n":                                                                                              "a table (CSV), which is no access log",
		"Oct 10 13:55:36 web1 sshd[77]: Failed password for root from 203.0.113.7 port 22 ssh2\nOct 10 13:55:37 web1 sudo: pam_unix(sudo:session)\n": "a system log without HTTP requests",
		"2022-10-10 13:55:36,123 ERROR [http-nio-8080-exec-1] c.e.UserController - GET /users failed\njava.lang.NullPointerException: null\n":        "a log of a server's or application's messages, without requests",
		"2022-10-10 13:55:36,123 ERROR [main] c.e.App - x\n2022-10-10 13:55:36.124 INFO [main] y\n":                                                  "a log of a server's or application's messages, without requests",
		`2022/10/10 13:55:36 [error] 12#12: *1 open() "/x" failed, client: 1.2.3.4, request: "GET / HTTP/1.1", host: "h"` + "\n":                     "a log of a server's or application's messages, without requests",
		`{"level":"info","time":"2022-10-10T05:55:36Z","msg":"user logged in","method":"password","path":"/home"}` + "\n":                            "a log of a server's or application's messages, without requests",
		`{"level":"info","time":"2022-10-10T05:55:36Z","event":"x","user":4}` + "\n":                                                                 "JSON lines without method, target and time of a request",
		`{"jsonrpc":"2.0","method":"eth_call","params":[],"id":1}` + "\n" + `{"jsonrpc":"2.0","method":"eth_call","params":[],"id":2}` + "\n":        "a log of a server's or application's messages, without requests",
		"#Version: 1.0\n#Fields: date time cs-bytes\n2022-10-10 05:55:36 4\n":                                                                        "a W3C log whose #Fields lack method, target or time",
		"GET / HTTP/1.1\nHost: a\n": "",
		"a=1\nb=2\n":                "",
	} {
		if ok, why := Detect([]byte(text), ""); ok || why != want {
			t.Errorf("%q: %v %q, want %q", text, ok, why, want)
		}
	}
	if ok, why := Detect([]byte("a;GET;/x;2022-10-10T05:55:36Z\na;GET;/y;2022-10-10T05:55:37Z\n"), "a;$request_method;$request_uri;$time_iso8601"); !ok {
		t.Error(why)
	}
	// Messages before and between the requests hide nothing.
	mixed := strings.Repeat("2022/10/10 13:55:36 [error] 12#12: *1 x, client: 1.2.3.4\n", 200) + good + "\n"
	if ok, why := Detect([]byte(mixed), ""); !ok {
		t.Error(why)
	}
}

func TestBodiesInLogs(t *testing.T) {
	for _, line := range []string{
		`{"start_time":1602211788041,"latency":1.5,"request":{"uri":"/a","method":"POST","headers":{"host":"h"},"body":"{\"a\":\"é\\n\"}"},"response":{"status":200,"headers":{},"body":"{\"b\":1}","size":300},"client_ip":"192.0.2.1"}`,
		`{"time_iso8601":"2020-10-09T02:49:48+00:00","request_method":"POST","request_uri":"/a","status":"200","remote_addr":"192.0.2.1","request_body":"{\"a\":\"\u00e9\\n\"}","resp_body":"{\"b\":1}"}`,
	} {
		l, err := NewLines(Config{})
		if err != nil {
			t.Fatal(err)
		}
		var x exchange.Exchange
		if reason, why := l.Parse([]byte(line), &x); why != "" {
			t.Fatalf("%s: %s %s", line, reason, why)
		}
		if string(x.Request.Body) != `{"a":"é\n"}` || string(x.Response.Body) != `{"b":1}` || x.Response.BodySize != 7 {
			t.Errorf("%s: %q %q %d", line, x.Request.Body, x.Response.Body, x.Response.BodySize)
		}
		if want := exchange.CapResponse | exchange.CapRequestBody | exchange.CapResponseBody; x.Caps != want {
			t.Errorf("%s: caps %b, want %b", line, x.Caps, want)
		}
	}
}
