// Package message gives every text a person reads, by id, in zh and en.
//
// It takes the message files of package rules (rules/messages/*.yaml, a map of
// id to {zh, en}) and gives texts with named parameters filled in. Invariant:
// every id has both languages and both use the same parameters; Load fails
// otherwise. Limits: parameters are values, never prose; a text that needs
// prose inside prose is two ids.
package message

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Text is one message in both languages.
type Text struct {
	Zh string `json:"zh" yaml:"zh"`
	En string `json:"en" yaml:"en"`
}

// In returns the text in lang: "zh", or anything else for English.
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.Zh
	}
	return t.En
}

// Args are a message's parameters: strings, integers, float64 (a share from 0
// to 1 when the parameter is written {name%}) or Text.
type Args map[string]any

// Catalog is an immutable set of messages.
type Catalog struct {
	texts map[string]Text
}

// Load reads every YAML file under dir. An id may appear once.
func Load(fsys fs.FS, dir string) (*Catalog, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	c := &Catalog{texts: map[string]Text{}}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		var m map[string]Text
		if err := yaml.UnmarshalWithOptions(b, &m, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for id, t := range m {
			if _, dup := c.texts[id]; dup {
				return nil, fmt.Errorf("%s: message %s is defined twice", name, id)
			}
			if t.Zh == "" || t.En == "" {
				return nil, fmt.Errorf("%s: message %s lacks a language", name, id)
			}
			if z, e := params(t.Zh), params(t.En); z != e {
				return nil, fmt.Errorf("%s: message %s: zh uses {%s}, en uses {%s}", name, id, z, e)
			}
			c.texts[id] = t
		}
	}
	return c, nil
}

// With gives a catalogue that also holds these texts.
func (c *Catalog) With(texts map[string]Text) *Catalog {
	m := &Catalog{texts: make(map[string]Text, len(c.texts)+len(texts))}
	maps.Copy(m.texts, c.texts)
	maps.Copy(m.texts, texts)
	return m
}

// Has reports whether the id exists.
func (c *Catalog) Has(id string) bool { _, ok := c.texts[id]; return ok }

// IDs lists every id, sorted.
func (c *Catalog) IDs() []string {
	ids := make([]string, 0, len(c.texts))
	for id := range c.texts {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

// Text fills in a message. An unknown id gives the id itself in both
// languages, so that a missing text is seen and never hides a finding.
func (c *Catalog) Text(id string, args Args) Text {
	t, ok := c.texts[id]
	if !ok {
		return Text{Zh: id, En: id}
	}
	return Text{Zh: fill(t.Zh, args, "zh"), En: fill(t.En, args, "en")}
}

// params lists the distinct parameter names of a template, sorted.
func params(s string) string {
	set := map[string]bool{}
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			break
		}
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			break
		}
		set[strings.TrimSuffix(s[i+1:i+j], "%")] = true
		s = s[i+j+1:]
	}
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func fill(s string, args Args, lang string) string {
	if !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			break
		}
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			break
		}
		b.WriteString(s[:i])
		name := s[i+1 : i+j]
		percent := strings.HasSuffix(name, "%")
		v, ok := args[strings.TrimSuffix(name, "%")]
		s = s[i+j+1:]
		if !ok {
			b.WriteString("{" + name + "}")
			continue
		}
		text := render(v, percent, lang)
		b.WriteString(text)
		if strings.HasSuffix(text, "万") || strings.HasSuffix(text, "亿") {
			s = strings.TrimPrefix(s, " ") // 5 次, but 5 万次
		}
	}
	b.WriteString(s)
	return b.String()
}

func render(v any, percent bool, lang string) string {
	switch v := v.(type) {
	case string:
		return v
	case Text:
		return v.In(lang)
	case float64:
		if percent {
			return Percent(v)
		}
		return strconv.FormatFloat(v, 'g', 3, 64)
	case int:
		return Count(int64(v), lang)
	case int64:
		return Count(v, lang)
	case uint64:
		return Count(int64(min(v, math.MaxInt64)), lang)
	case uint32:
		return Count(int64(v), lang)
	default:
		return fmt.Sprint(v)
	}
}

// Percent renders a share from 0 to 1.
func Percent(v float64) string {
	p := v * 100
	if p != 0 && math.Abs(p) < 10 && p != math.Trunc(p) {
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + "%"
}

// Count renders a number for reading: thousands separators in English, 万 and
// 亿 in Chinese from 10 000 on.
func Count(n int64, lang string) string {
	if lang == "zh" {
		switch a := math.Abs(float64(n)); {
		case a >= 1e8:
			return trimZero(float64(n)/1e8) + " 亿"
		case a >= 1e4:
			return trimZero(float64(n)/1e4) + " 万"
		}
		return strconv.FormatInt(n, 10)
	}
	s := strconv.FormatInt(n, 10)
	start := 0
	if s[0] == '-' {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func trimZero(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".")
}
