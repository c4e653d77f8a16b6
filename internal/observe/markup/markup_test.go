package markup

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"xiezhi/internal/observe/jsonleaf"
)

type collector struct {
	w   *jsonleaf.Walker
	out []string
}

func (c *collector) Leaf(_ uint64, _ jsonleaf.Kind, v []byte) {
	c.out = append(c.out, fmt.Sprintf("%s=%s", c.w.AppendPath(nil), v))
}

func readXML(s string) ([]string, *XML, *jsonleaf.Walker) {
	w, x := &jsonleaf.Walker{Seed: 1}, &XML{}
	c := &collector{w: w}
	if x.Parse([]byte(s)) {
		x.Tell(w, c, true)
	}
	return c.out, x, w
}

func TestXML(t *testing.T) {
	for in, want := range map[string][]string{
		`<a>1</a>`:                            {"a=1"},
		`<a/>`:                                {"a="},
		`<a><b>1</b><c/></a>`:                 {"a.b=1", "a.c="},
		`<a><b>1</b><c>2</c><b>3</b></a>`:     {"a.b[]=1", "a.b[]=3", "a.c=2"},
		`<a x="1" xmlns="u" y='&lt;2'/>`:      {"a.@x=1", "a.@y=<2"},
		`<n:a n:x="1">t</n:a>`:                {"a.@x=1", "a.#text=t"},
		`<a>x<!-- c --> y<![CDATA[<z>]]></a>`: {"a=x y<z>"},
		`<a>one<b>2</b>three</a>`:             {"a.#text=one", "a.b=2", "a.#text=three"},
		`<a><b>1</c></b><d>2</d></a>`:         {"a.b=1", "a.d=2"},
		`<a><b><c>1</b><d>2</d>`:              {"a.b.c=1", "a.d=2"},
		`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "boom"> <!ELEMENT a (b)>]><a>&e;&amp;&#65;&#x1F600;&#0;</a>`: {"a=&e;&A😀&#0;"},
		`<users><user><n>1</n></user></users>`:        {"users.user[].n=1"},
		`<companies><company>1</company></companies>`: {"companies.company[]=1"},
		`<r><list><item>1</item></list></r>`:          {"r.list.item[]=1"},
		`<r><userList><user>1</user></userList></r>`:  {"r.userList.user[]=1"},
		`<r><data><name>1</name></data></r>`:          {"r.data.name=1"},
		`<名单><人><电话>1</电话></人><人><电话>2</电话></人></名单>`: {"名单.人[].电话=1", "名单.人[].电话=2"},
		`text only`:             nil,
		`<`:                     nil,
		`< a>`:                  nil,
		`<a b="`:                nil,
		`<a>5 < 6 && 7 > 3</a>`: {"a=5 < 6 && 7 > 3"},
	} {
		if got, _, _ := readXML(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestXMLRecords(t *testing.T) {
	_, _, w := readXML(`<r><u><p>1</p></u><x>0</x><u><p>2</p></u><u><p>3</p></u></r>`)
	if w.Records != 3 {
		t.Errorf("%d records", w.Records)
	}
	_, x, _ := readXML(`<s:Envelope><s:Body><x:getUserResponse><return><code>1</code><m/></return></x:getUserResponse></s:Body></s:Envelope>`)
	if string(x.Operation) != "getUserResponse" || x.Wrappers != 2 || x.Fault {
		t.Errorf("%q %d", x.Operation, x.Wrappers)
	}
}

func TestXMLLimits(t *testing.T) {
	deep := strings.Repeat("<a>", 5000) + "x" + strings.Repeat("</a>", 5000) + "<b>1</b>"
	if _, x, _ := readXML(deep); x.Over == 0 {
		t.Error("depth has no cap")
	}
	wide := "<r>" + strings.Repeat("<a/>", MaxNodes+10) + "</r>"
	got, x, _ := readXML(wide)
	if x.Over == 0 || len(got) > MaxNodes {
		t.Errorf("%d leaves, over %d", len(got), x.Over)
	}
	attributes := "<r" + strings.Repeat(` x="1"`, 1000) + "/>"
	if got, x, _ := readXML(attributes); len(got) > maxAttributes || x.Over == 0 {
		t.Errorf("%d attributes", len(got))
	}
}

// hostile are texts that slow readers read slowly.
func hostile() map[string]string {
	const n = 1 << 20
	return map[string]string{
		"open tags":      strings.Repeat("<a>", n/3),
		"end tags":       strings.Repeat("<a>", 40) + strings.Repeat("</b>", n/4),
		"brackets":       strings.Repeat("<", n),
		"quotes":         strings.Repeat(`<a b="`, n/6),
		"comments":       strings.Repeat("<!--", n/4),
		"cdata":          "<a>" + strings.Repeat("<![CDATA[", n/9),
		"declarations":   strings.Repeat("<!x[", n/4),
		"entities":       "<a>" + strings.Repeat("&amp;&#1;&x;", n/12),
		"ampersands":     "<a>" + strings.Repeat("&", n),
		"names":          strings.Repeat("<"+strings.Repeat("n", 200)+">", n/200),
		"twins":          "<r>" + strings.Repeat("<a/><b/>", n/8),
		"errors":         strings.Repeat(`<div class="error">`, n/19),
		"tables":         strings.Repeat("<table><tr><td>", n/15),
		"cells":          "<table>" + strings.Repeat("<tr><td>a<td>b", n/14),
		"wide header":    "<table><tr>" + strings.Repeat("<th>"+strings.Repeat("x", 200), 500) + strings.Repeat("<tr>"+strings.Repeat("<td>", 500), 400),
		"scripts":        strings.Repeat("<script>alert('", n/15),
		"alerts":         "<script>" + strings.Repeat("alert('x');", n/11),
		"inputs":         strings.Repeat(`<input name=a value=b>`, n/22),
		"attribute wall": "<a " + strings.Repeat("x ", n/2),
	}
}

// Nobody can buy much work with few bytes: a reader that is not linear does
// not end within the time of the test.
func TestHostileMarkup(t *testing.T) {
	for name, s := range hostile() {
		if leaves, x, _ := readXML(s); len(leaves)+len(x.Inner) > MaxNodes {
			t.Errorf("%s: %d leaves of XML", name, len(leaves))
		}
		if leaves, h := readHTML(s); len(leaves) > len(s)/4 || len(h.Messages) > MaxMessages {
			t.Errorf("%s: %d leaves, %d messages of HTML", name, len(leaves), len(h.Messages))
		}
	}
}

func readHTML(s string) ([]string, *HTML) {
	w, h := &jsonleaf.Walker{Seed: 1}, &HTML{}
	c := &collector{w: w}
	h.Read([]byte(s), w, c)
	return c.out, h
}

func TestHTML(t *testing.T) {
	for in, want := range map[string][]string{
		`<table><tr><th>a<th>b<tr><td>1<td>2<tr><td>3<td>4</table>`:                                        {"table[].a=1", "table[].b=2", "table[].a=3", "table[].b=4"},
		`<table><tr><td>name</td><td>city</td></tr><tr><td>x</td><td>y&nbsp;z</td></tr></table>`:           {"table[].name=x", "table[].city=y z"},
		`<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>`:                        nil,
		`<table><tr><th>a</th><td>1</td></tr><tr><th>b</th><td>2</td></tr></table>`:                        {"table.a=1", "table.b=2"},
		`<table><tr><td>a：</td><td>1</td><td>b:</td><td>2</td></tr></table>`:                               {"table.a=1", "table.b=2"},
		`<table><tr><td>a：</td><td>1</td><td>b:</td><td>2</td></tr><tr><td>c:</td><td>3</td></tr></table>`: {"table.a=1", "table.b=2", "table.c=3"},
		`<table><tr><td><table><tr><th>a<th>b<tr><td>1<td>2</table></td></tr></table>`:                     {"table[].a=1", "table[].b=2"},
		`<table><tr><td>only</td></tr></table>`:                                                            nil,
		`<table><tr><td>Home</td><td>About</td></tr><tr><td>one</td></tr><tr><td>two</td></tr></table>`:    nil,
		`<table><tr><th>a<th>b</table>`:                                                                    nil,
		`<table><tr><td>a<td>b<tr><th>c<th>d<tr><td>1<td>2</table>`:                                        {"table[].c=1", "table[].d=2"},
		`<input name="p" value="1 &lt; 2"><input type="submit" name="s" value="go">`:                       {"input.p=1 < 2"},
		`<table><tr><th>a<th>b</tr><tr><td><script>var x="<td>"</script>1<td><input value="2"></table>`:    {"table[].a=1", "table[].b=2"},
		`<!-- <table><tr><th>a<th>b<tr><td>1<td>2</table> -->`:                                             nil,
	} {
		if got, _ := readHTML(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestHTMLMessages(t *testing.T) {
	for in, want := range map[string][]string{
		`<p class="error">a <b>b</b>&amp;c</p>`:                                {"a b&c"},
		`<div id="errorMessage"><span>x y</span></div><p class="alert">zz</p>`: {"x y", "zz"},
		`<div role="alert">no</div>`:                                           {"no"},
		`<p class="error"></p>`:                                                nil,
		`<p class="error" hidden>xx</p>`:                                       nil,
		`<p class="error d-none">xx</p>`:                                       nil,
		`<div class="error">one</div><script>alert("two")</script>`:            {"two", "one"},
		`<script>alert('it\'s \u4e2d');</script>`:                              {"it's 中"},
		`<script>location='/';alert("x" + y)</script>`:                         nil,
		`<script>var a="alert('x')";/* alert('xx') */ // alert('xx')</script>`: nil,
		`<script>function f(){alert('xx')}</script>`:                           nil,
		`<script>layer.msg('xx', {icon: 2});</script>`:                         {"xx"},
		`<style>.error{content:"xx"}</style>`:                                  nil,
	} {
		_, h := readHTML(in)
		var got []string
		for _, m := range h.Messages {
			got = append(got, string(m))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// What is reported as a value is not in the rest, everything else is.
func TestHTMLRest(t *testing.T) {
	_, h := readHTML(`<p>before</p><table><tr><th>a<th>b<tr><td>inner<td>2</table>between<input name=x value=field>after<table><tr><td>layout</table>`)
	var rest strings.Builder
	for _, r := range h.Rest {
		rest.Write(r)
	}
	for _, s := range []string{"before", "between", "after", "layout"} {
		if !strings.Contains(rest.String(), s) {
			t.Errorf("%q is lost", s)
		}
	}
	for _, s := range []string{"inner", "field"} {
		if strings.Contains(rest.String(), s) {
			t.Errorf("%q is read twice", s)
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{`<a b="1">x<!-- y --><![CDATA[z]]></a>`, `<?xml version="1.0"?><s:Envelope><s:Body><op><a>1</a><a>2</a></op></s:Body></s:Envelope>`, `<a><b></a></b>`, `<!DOCTYPE x [<!ENTITY y "z">]><x>&y;&#65;</x>`, `<a>{"b":"123"}</a>`} {
		f.Add([]byte(s))
	}
	w, x := &jsonleaf.Walker{Seed: 1}, &XML{}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := string(b)
		c := &collector{w: w}
		if x.Parse(b) {
			x.Tell(w, c, true)
		}
		if string(b) != before {
			t.Fatal("the input was written to")
		}
		if n := len(c.out) + len(x.Inner); n > len(b) {
			t.Fatalf("%d leaves of %d bytes", n, len(b))
		}
		if fresh, _, _ := readXML(before); !reflect.DeepEqual(fresh, c.out) {
			t.Fatalf("a used reader gives %q, a fresh one %q", c.out, fresh)
		}
	})
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{`<table><tr><th>a<th>b<tr><td>1<td>2</table>`, `<p class=error>x</p><script>alert('y')</script>`, `<input name=a value=b><table><tr><td>a:<td>1<tr><td>b:<td>2`, `<script type="application/json">{"a":"b"}</script>`} {
		f.Add([]byte(s))
	}
	w, h := &jsonleaf.Walker{Seed: 1}, &HTML{}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := string(b)
		c := &collector{w: w}
		h.Read(b, w, c)
		if string(b) != before {
			t.Fatal("the input was written to")
		}
		n := 0
		for _, r := range h.Rest {
			n += len(r)
		}
		if n > len(b) || len(h.Messages) > MaxMessages {
			t.Fatalf("%d bytes left of %d", n, len(b))
		}
		if fresh, _ := readHTML(before); !reflect.DeepEqual(fresh, c.out) {
			t.Fatalf("a used reader gives %q, a fresh one %q", c.out, fresh)
		}
	})
}

type sink struct{ n int }

func (s *sink) Leaf(_ uint64, _ jsonleaf.Kind, v []byte) { s.n += len(v) }

func BenchmarkXML(b *testing.B) {
	var sb strings.Builder
	sb.WriteString(`<?xml version="1.0"?><resp><code>0</code><users>`)
	for i := range 200 {
		fmt.Fprintf(&sb, `<user id="%d"><name>someone</name><phone>1380013%04d</phone><city>Hangzhou &amp; more</city></user>`, i, i)
	}
	sb.WriteString(`</users></resp>`)
	body := []byte(sb.String())
	w, x := &jsonleaf.Walker{Seed: 1}, &XML{}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		x.Parse(body)
		x.Tell(w, &sink{}, true)
	}
}

func BenchmarkHTML(b *testing.B) {
	var sb strings.Builder
	sb.WriteString(`<!doctype html><html><title>t</title><body><div class="nav"><a href="/">home</a></div><table><tr><th>name</th><th>phone</th></tr>`)
	for i := range 200 {
		fmt.Fprintf(&sb, `<tr class="row"><td>someone</td><td>1380013%04d</td></tr>`, i)
	}
	sb.WriteString(`</table></body></html>`)
	body := []byte(sb.String())
	w, h := &jsonleaf.Walker{Seed: 1}, &HTML{}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		h.Read(body, w, &sink{})
	}
}
