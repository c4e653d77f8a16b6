package observe

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLeafMemoChangesNothing holds an observer that has seen many answers
// against one that has seen nothing and takes the long way: values that recur under names that promise
// something and under others, numbers of people, tokens, masked values.
func TestLeafMemoChangesNothing(t *testing.T) {
	keys := []string{"id", "orderId", "title", "city", "status", "tags", "phone", "note", "score", "code", "msg", "token", "registered", "isAdmin", "owner", "a_rather_long_key_name"}
	values := []string{`"杭州市余杭区"`, `"PAID"`, `"hot"`, `"13800138000"`, `"138****8000"`, `"联系 13800138000"`, `"carol105"`, `"aB3dE5fG7hI9jK1lM3"`, `"2024-01-02 10:11:12"`,
		`"743b294a-cd03-11ec-9d64-0242ac120002"`, `"a@b.cn"`, `""`, `"yes"`, `"支持以旧换新，详情咨询客服"`, `"` + jwtOf(`{"sub":"1"}`) + `"`, `"11010119900307747X"`, `"x"`, `"浙 A12345"`, `"京A12345"`,
		`12`, `-3`, `1234567890`, `13800138000`, `-12345678901`, `1.5`, `1e9`, `true`, `false`, `null`, `{}`, `[]`, `["hot","cold"]`, `"` + strings.Repeat("长", 40) + `"`}
	seen := newObserver(t)
	rapid.Check(t, func(t2 *rapid.T) {
		var sb strings.Builder
		sb.WriteString(`{"code":0,"data":[`)
		for i := range rapid.IntRange(0, 12).Draw(t2, "records") {
			if i > 0 {
				sb.WriteByte(',')
			}
			sb.WriteByte('{')
			for k := range rapid.IntRange(0, 6).Draw(t2, "fields") {
				if k > 0 {
					sb.WriteByte(',')
				}
				fmt.Fprintf(&sb, "%q:%s", rapid.SampledFrom(keys).Draw(t2, "key"), rapid.SampledFrom(values).Draw(t2, "value"))
			}
			sb.WriteByte('}')
		}
		sb.WriteString(`]}`)
		c := call{target: "/x", respHead: typed("application/json"), respBody: sb.String()}
		if rapid.Bool().Draw(t2, "account") { // its answer may hold a code
			c.method, c.head, c.body = "POST", typed("application/json"), `{"phone":"13900139000"}`
		}
		var a, b Batch
		seen.Observe(c.exchange(), &a)
		fresh := newObserver(t)
		fresh.longWay = true
		fresh.Observe(c.exchange(), &b)
		compare(t2, b.obs, a.obs)
	})
}
