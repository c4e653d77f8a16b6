package message

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"xiezhi/rules"
)

func TestEveryMessageHasBothLanguages(t *testing.T) {
	c, err := Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.IDs()) < 200 {
		t.Errorf("only %d messages", len(c.IDs()))
	}
	for _, id := range c.IDs() {
		text := c.Text(id, nil)
		for _, r := range text.En {
			if unicode.Is(unicode.Han, r) {
				t.Errorf("%s: the English text has %c", id, r)
				break
			}
		}
		if strings.Count(text.Zh, "{") != strings.Count(text.Zh, "}") || strings.Count(text.En, "{") != strings.Count(text.En, "}") {
			t.Errorf("%s has an open brace", id)
		}
	}
}

func load(text string) (*Catalog, error) {
	return Load(fstest.MapFS{"m/a.yaml": {Data: []byte(text)}}, "m")
}

func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a: {zh: 甲}":                           "lacks a language",
		"a: {en: x}":                           "lacks a language",
		"a: {zh: '{n}', en: '{m}'}":            "uses",
		"a: {zh: '{n} {n}', en: x}":            "uses",
		"a: {zh: 甲, en: x, fr: y}":             "fr",
		"a: [1]":                               "a.yaml",
		"a: {zh: 甲, en: x}\na: {zh: 乙, en: y}": "a.yaml",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%q) = %v, want %q", text, err, want)
		}
	}
	two := fstest.MapFS{"m/a.yaml": {Data: []byte("a: {zh: 甲, en: x}")}, "m/b.yaml": {Data: []byte("a: {zh: 乙, en: y}")}}
	if _, err := Load(two, "m"); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("an id in two files gives %v", err)
	}
}

func TestText(t *testing.T) {
	c, err := load("m: {zh: '{who}在{n}次请求中成功{share%}', en: '{n} requests by {who}, {share%} succeeded, {who}'}\nplain: {zh: 甲, en: x}\nopen: {zh: '甲{', en: 'x{'}\n")
	if err != nil {
		t.Fatal(err)
	}
	got := c.Text("m", Args{"who": Text{Zh: "攻击者", En: "the attacker"}, "n": 12345, "share": 0.256})
	if got.Zh != "攻击者在1.23 万次请求中成功26%" || got.En != "12,345 requests by the attacker, 26% succeeded, the attacker" {
		t.Errorf("got %+v", got)
	}
	if got := fill("共 {n} 次", Args{"n": 12345}, "zh") + fill("共 {n} 次", Args{"n": 123}, "zh"); got != "共 1.23 万次共 123 次" {
		t.Errorf("got %q", got)
	}
	if got := c.Text("m", Args{"n": 1}); got.En != "1 requests by {who}, {share%} succeeded, {who}" {
		t.Errorf("a missing parameter must be seen: %q", got.En)
	}
	if got := c.Text("m", Args{"who": "{n}", "n": uint64(1) << 63, "share": 1}); !strings.Contains(got.En, "by {n},") {
		t.Errorf("a value is not a template: %q", got.En)
	}
	if got := c.Text("absent", nil); got.Zh != "absent" || got.En != "absent" {
		t.Errorf("an unknown id gives %+v", got)
	}
	if got := c.Text("open", Args{"": 1}); got.En != "x{" || got.In("zh") != "甲{" || got.In("fr") != "x{" {
		t.Errorf("an open brace gives %+v", got)
	}
	if !c.Has("plain") || c.Has("x") || strings.Join(c.IDs(), " ") != "m open plain" {
		t.Errorf("ids %v", c.IDs())
	}
	for _, v := range []any{int64(7), uint32(7), uint64(7), 7.0, "7", 7} {
		if got := c.Text("m", Args{"n": v}).En; !strings.HasPrefix(got, "7 requests") {
			t.Errorf("%T gives %q", v, got)
		}
	}
}

func TestPercent(t *testing.T) {
	for v, want := range map[float64]string{0: "0%", 1: "100%", 0.5: "50%", 0.256: "26%", 0.0123: "1.2%", 0.05: "5%", 0.0001: "0.0%", -0.015: "-1.5%"} {
		if got := Percent(v); got != want {
			t.Errorf("Percent(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		n      int64
		zh, en string
	}{
		{0, "0", "0"}, {999, "999", "999"}, {1000, "1000", "1,000"}, {9999, "9999", "9,999"}, {10000, "1 万", "10,000"}, {12345, "1.23 万", "12,345"},
		{1234567, "123.46 万", "1,234,567"}, {100000000, "1 亿", "100,000,000"}, {-1234, "-1234", "-1,234"}, {-123, "-123", "-123"}, {123456, "12.35 万", "123,456"},
	} {
		if got := Count(c.n, "zh"); got != c.zh {
			t.Errorf("Count(%d, zh) = %s, want %s", c.n, got, c.zh)
		}
		if got := Count(c.n, "en"); got != c.en {
			t.Errorf("Count(%d, en) = %s, want %s", c.n, got, c.en)
		}
	}
}
