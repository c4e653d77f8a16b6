package catalog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Values of path parameters, of the shapes that applications use.

// Names of things. Each word belongs to one side of the split, as providers
// do, so that nothing that was looked at comes again in the acceptance.
var (
	persons = strings.Fields(`alice bob carol dave erin frank grace heidi ivan judy mallory oscar peggy sybil trent victor walter wendy yusuf zoe
 liam olivia noah emma mateo sofia lucas mia elias hannah jonas freya omar layla ravi priya kenji yuki andrei ioana sven ingrid pavel katya tariq amina
 jsmith mbrown klee tnguyen rgarcia apetrov dkim fmueller lrossi jdoe pwilson ecarter hjones nlopez vsingh coates birgit marek`)
	pinyin = strings.Fields(`zhangwei wangfang lina liuyang chenjing yangyong huangmin zhaolei zhouqiang wuxia xulei sunli mahong zhujun hulin guofeng hejie gaoyuan lintao luoyan
 zhengshuang liangbo xieting songjia tangwei hanxue fengtao dengchao caoyang pengfei zengli xiaoming tianye dongjie yuanlin panyue jianghai weiguo lulu`)
	chinese = strings.Fields(`张伟 王芳 李娜 刘洋 陈静 杨勇 黄敏 赵磊 周强 吴霞 徐磊 孙丽 马红 朱军 胡林 郭峰 何洁 高远 林涛 罗艳 苹果手机 蓝牙耳机 羊毛围巾 陶瓷茶壶 竹编篮子 北京市 上海市 广州市 深圳市 成都市
 杭州市 武汉市 西安市 南京市 天津市 苏州市 数学 物理 化学 历史 地理 春季新款 办公桌 保温杯 登山鞋 电饭煲 空气净化器 红茶 绿茶 普洱`)
	cities = strings.Fields(`beijing shanghai shenzhen chengdu hangzhou wuhan xian nanjing tianjin suzhou paris berlin oslo madrid lisbon vienna prague dublin helsinki athens
 london rome milan warsaw budapest zurich geneva brussels amsterdam stockholm copenhagen toronto boston chicago seattle denver austin miami houston tokyo osaka
 kyoto seoul busan delhi mumbai lagos nairobi cairo lima bogota santiago new-york san-francisco los-angeles hong-kong kuala-lumpur buenos-aires`)
	slugs = strings.Fields(`oak-table red-shoes blue-lamp steel-knife wool-scarf paper-lantern jade-ring silk-robe pine-desk clay-pot copper-kettle river-stone
 kubernetes-intro cats-and-dogs winter-in-harbin summer-noodles how-to-bake-bread slow-cooking-101 tokyo-guide harbour-lights green-tea-set leather-wallet
 standing-desk ceramic-mug bamboo-tray field-notebook travel-pillow rain-jacket trail-runner cast-iron-pan garden-hose desk-fan night-lamp yoga-mat
 release-2-0 why-we-moved-to-go the-art-of-tea quarterly-results our-new-office hello-world black-friday year-in-review meet-the-crew lunar-rover`)
	stems   = strings.Fields(`report invoice scan contract photo budget minutes brochure holiday resume avatar manual cover backup-plan notes hetong baogao fapiao zhaopian 合同 报告 发票 照片`)
	endings = strings.Fields("pdf jpg png docx xlsx csv txt zip mp4")
	locales = strings.Fields("zh-CN en-US en-GB de-DE fr-FR ja-JP ko-KR es-ES pt-BR it-IT ru-RU nl-NL")
	states  = strings.Fields("CN US GB DE FR JP KR ES BR IT RU NL SE NO FI DK PL CZ AT CH IN AU CA MX")
	money   = strings.Fields("CNY USD EUR GBP JPY KRW CHF SEK NOK DKK PLN INR AUD CAD")
	plants  = strings.Fields("north-01 south-02 eu-west-1 us-east-1 ap-south-1 cn-north-1 eu-central-1 us-west-2 ap-east-1 sa-east-1")
)

const (
	lower     = "abcdefghijklmnopqrstuvwxyz"
	alphabet  = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

func random(r *rand.Rand, set string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(len(set))]
	}
	return string(b)
}

// syllables is a made-up word.
func syllables(r *rand.Rand) string {
	s := ""
	for range 2 + r.IntN(2) {
		s += string("bcdfghklmnprstvz"[r.IntN(16)]) + string("aeiou"[r.IntN(5)])
	}
	return s + string("nrstlk"[r.IntN(6)])
}

// shape is a way of writing values.
type shape struct {
	name   string
	weight int
	make   func(r *rand.Rand, held bool) string
}

// word picks from the words of one side.
func word(list []string) func(r *rand.Rand, held bool) string {
	var side [2][]string
	for _, w := range list {
		side[hash(w)%2] = append(side[hash(w)%2], w)
	}
	return func(r *rand.Rand, held bool) string {
		l := side[boolInt(held)]
		return l[r.IntN(len(l))]
	}
}

func plainShape(f func(r *rand.Rand) string) func(r *rand.Rand, held bool) string {
	return func(r *rand.Rand, _ bool) string { return f(r) }
}

func uuid4(r *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Int64N(1<<47))
}

func day(r *rand.Rand) time.Time { return time.Date(2019, 1, 1+r.IntN(2500), 0, 0, 0, 0, time.UTC) }

var idShapes = []shape{
	{"int", 8, plainShape(func(r *rand.Rand) string { return fmt.Sprint(1 + r.IntN(100_000)) })},
	{"big int", 4, plainShape(func(r *rand.Rand) string { return fmt.Sprint(10_000_000 + r.IntN(90_000_000)) })},
	{"snowflake", 4, plainShape(func(r *rand.Rand) string { return fmt.Sprint(1_400_000_000_000_000_000 + r.Int64N(1<<58)) })},
	{"uuid", 8, plainShape(uuid4)},
	{"ulid", 3, plainShape(func(r *rand.Rand) string { return "01H" + random(r, crockford, 23) })},
	{"hex24", 4, plainShape(func(r *rand.Rand) string { return random(r, "0123456789abcdef", 24) })},
	{"sha1", 2, plainShape(func(r *rand.Rand) string { return random(r, "0123456789abcdef", 40) })},
	{"base62 of 8", 2, plainShape(func(r *rand.Rand) string { return random(r, alphabet, 8) })},
	{"base62 of 11", 2, plainShape(func(r *rand.Rand) string { return random(r, alphabet, 11) })},
	{"base62 of 22", 3, plainShape(func(r *rand.Rand) string { return random(r, alphabet, 22) })},
	{"prefixed token", 4, plainShape(func(r *rand.Rand) string { return random(r, "cpsiu", 1) + "us_" + random(r, alphabet, 14) })},
	{"prefixed short", 3, plainShape(func(r *rand.Rand) string { return fmt.Sprintf("sku-%04d", r.IntN(3000)) })},
	{"prefixed number", 3, plainShape(func(r *rand.Rand) string {
		return "ORD" + day(r).Format("20060102") + fmt.Sprintf("%04d", r.IntN(9999))
	})},
	{"upper code", 2, plainShape(func(r *rand.Rand) string {
		return random(r, "ABCDEFGHKLMNPQRSTUVWXYZ", 2) + fmt.Sprint(100+r.IntN(900))
	})},
	{"slug", 3, word(slugs)},
	{"name", 3, word(persons)},
	{"name with number", 2, func(r *rand.Rand, held bool) string { return word(persons)(r, held) + fmt.Sprint(r.IntN(500)) }},
	{"pinyin", 2, word(pinyin)},
	{"chinese", 2, word(chinese)},
	{"city", 2, word(cities)},
	{"made-up word", 2, plainShape(syllables)},
	{"made-up pair", 2, plainShape(func(r *rand.Rand) string { return syllables(r) + "-" + syllables(r) })},
	{"file", 1, func(r *rand.Rand, held bool) string {
		return word(stems)(r, held) + []string{"", "-" + fmt.Sprint(r.IntN(100)), "_" + syllables(r)}[r.IntN(3)] + "." + endings[r.IntN(len(endings))]
	}},
	{"date", 1, plainShape(func(r *rand.Rand) string { return day(r).Format("2006-01-02") })},
	{"e-mail", 1, func(r *rand.Rand, held bool) string {
		return word(persons)(r, held) + fmt.Sprint(r.IntN(90)) + "@mail.example"
	}},
	{"phone", 1, plainShape(func(r *rand.Rand) string { return fmt.Sprintf("13%09d", r.IntN(1_000_000_000)) })},
}

// hinted are shapes that the name of a parameter asks for.
var hinted = []struct {
	names  string
	shapes []shape
}{
	{"email mail", []shape{idShapes[24]}},
	{"phone mobile msisdn", []shape{idShapes[25], {"phone+", 1, plainShape(func(r *rand.Rand) string { return fmt.Sprintf("+8613%09d", r.IntN(1_000_000_000)) })}}},
	{"date day", []shape{idShapes[23], {"plain date", 1, plainShape(func(r *rand.Rand) string { return day(r).Format("20060102") })}}},
	{"year", []shape{{"year", 1, plainShape(func(r *rand.Rand) string { return fmt.Sprint(2000 + r.IntN(27)) })}}},
	{"city town", []shape{idShapes[19], {"chinese", 1, word(chinese)}}},
	{"country", []shape{{"country", 1, word(states)}}},
	{"currency", []shape{{"currency", 1, word(money)}}},
	{"lang language locale", []shape{{"locale", 1, word(locales)}}},
	{"region zone datacenter", []shape{{"region", 1, word(plants)}}},
	{"file filename path", []shape{idShapes[22]}},
	{"slug title", []shape{idShapes[14]}},
	{"username user login owner author name", []shape{idShapes[15], idShapes[16], idShapes[17], idShapes[14], idShapes[18], idShapes[20]}},
	{"sha hash digest", []shape{idShapes[6]}},
	{"uuid guid", []shape{idShapes[3]}},
}

// shapeOf gives the way in which the values of a parameter are written, the
// same wherever an API uses it.
func shapeOf(api, name string, p paramType) shape {
	if len(p.Enum) > 0 {
		return shape{"enumeration", 1, plainShape(func(r *rand.Rand) string { return fmt.Sprint(p.Enum[r.IntN(len(p.Enum))]) })}
	}
	switch {
	case p.Type == "integer" || p.Type == "number":
		return idShapes[hash(api+name)%2]
	case p.Type == "boolean":
		return shape{"boolean", 1, plainShape(func(r *rand.Rand) string { return fmt.Sprint(r.IntN(2) == 0) })}
	case p.Format == "uuid":
		return idShapes[3]
	case p.Format == "date":
		return idShapes[23]
	case p.Format == "date-time":
		return shape{"time", 1, plainShape(func(r *rand.Rand) string { return day(r).Format(time.RFC3339) })}
	}
	h := hash("shape:" + api + " " + name)
	words := subwords(name, nil)
	id := len(words) > 1 && (words[len(words)-1] == "id" || words[len(words)-1] == "ids")
	if !id {
		for _, k := range hinted {
			for _, w := range words {
				if contains(strings.Fields(k.names), w) {
					return k.shapes[h%uint64(len(k.shapes))]
				}
			}
		}
	}
	total := 0
	for i := range idShapes {
		total += idShapes[i].weight
	}
	at := int(h % uint64(total))
	for i := range idShapes {
		if at -= idShapes[i].weight; at < 0 {
			return idShapes[i]
		}
	}
	return idShapes[0]
}
