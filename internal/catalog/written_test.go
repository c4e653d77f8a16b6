package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"xiezhi/internal/identity"
	"xiezhi/internal/observe"

	"github.com/google/go-cmp/cmp"
)

// watch shows targets to the real observer and gives the templates that are
// learned, each answered with the same object.
func watch(t *testing.T, answer string, targets []string) []string {
	t.Helper()
	o, c, ids := newObserver(t), catalogue(t), identity.New(identity.Config{})
	var b observe.Batch
	var ev Event
	n := 0
	for range 3 {
		for _, target := range targets {
			m := message{method: "GET", target: target, resp: answer, kind: "application/json", status: 200, client: n % 9, user: n % 5}
			b.Reset()
			o.Observe(m.exchange(n, regime{}), &b)
			who := ids.Resolve(b.At(0))
			c.Assign(b.At(0), &who, &ev)
			n++
		}
	}
	out := []string{}
	for _, a := range c.APIs() {
		out = append(out, a.Template)
	}
	slices.Sort(out)
	return out
}

func each(format string, values ...string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprintf(format, v)
	}
	return out
}

func escaped(values ...string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = url.PathEscape(v)
	}
	return out
}

// Paths as they come over the wire: what is one API however it is written, and
// what stays two.
func TestPathsAsTheyAreWritten(t *testing.T) {
	const answer = `{"code":0,"data":{"title":"a","count":3,"note":"one of them","list":[1,2],"state":"open","weight":1.5}}`
	pinyinNames := []string{"zhangwei", "wangfang", "lina", "liuyang", "chenjing", "yangyong", "huangmin", "zhaolei", "zhouqiang", "xulei"}
	cities := []string{"北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "南京", "西安", "重庆"}
	for _, c := range []struct {
		name    string
		targets []string
		want    []string
	}{
		{"matrix parameters are not of the path", []string{"/map;v=1/tiles", "/map;v=2/tiles", "/map/tiles;lat=3.1;lon=4.2", "/map/tiles"}, []string{"/map/tiles"}},
		{"a session in a matrix parameter", []string{"/cart;jsessionid=A1B2C3D4E5F60718", "/cart;jsessionid=0718A1B2C3D4E5F6", "/cart"}, []string{"/cart"}},
		{"matrix parameters of different things", []string{"/red;v=1/cars", "/blue;v=1/boats"}, []string{"/blue/boats", "/red/cars"}},
		{"letters written with percent", []string{"/api/users", "/api/%75sers", "/%61pi/users", "/api//users/", "/api/./users"}, []string{"/api/users"}},
		{"a slash inside a value", []string{"/files/a%2Fb%2F2024-01-02/meta", "/files/c%2Fd%2F2024-01-03/meta"}, []string{"/files/{}/meta"}},
		{"a slash inside a word", []string{"/docs/guide%2Fstart/raw", "/docs/guide%2Fend/raw"}, []string{"/docs/{}/raw"}},
		{"Chinese values", each("/weather/%s/now", escaped(cities...)...), []string{"/weather/{}/now"}},
		{"Chinese values in raw bytes", each("/weather/%s/now", cities...), []string{"/weather/{}/now"}},
		{"Chinese routes", each("/%s/list", escaped("用户", "订单")...), []string{"/用户/list", "/订单/list"}},
		{"pinyin names", each("/users/%s/profile", pinyinNames...), []string{"/users/{}/profile"}},
		{"pinyin routes", []string{"/yonghu/denglu", "/yonghu/zhuce", "/dingdan/chaxun", "/dingdan/xiangqing"}, []string{"/dingdan/chaxun", "/dingdan/xiangqing", "/yonghu/denglu", "/yonghu/zhuce"}},
		{"versions stand apart", []string{"/api/v1/users/17", "/api/v2/users/18", "/api/v2.1/users/19", "/api/v1/users/20"}, []string{"/api/v1/users/{}", "/api/v2.1/users/{}", "/api/v2/users/{}"}},
		{"file names are values", each("/reports/%s", "2024-q1-17.pdf", "2024-q2-18.pdf", "2023-q4-22.pdf", "2023-q3-99.pdf"), []string{"/reports/{}"}},
		{"programs are routes", []string{"/login.do", "/search.do", "/list.action", "/index.php"}, []string{"/index.php", "/list.action", "/login.do", "/search.do"}},
	} {
		got := watch(t, answer, c.targets)
		for i := range got {
			got[i] = Anonymous(got[i])
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}
