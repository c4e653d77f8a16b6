package identity

import (
	"testing"

	"xiezhi/internal/observe"
)

func TestProfileByAProgram(t *testing.T) {
	for last, want := range map[string]bool{"getInfo.do": true, "gerenxinxi.action": true, "userinfo.json": true, "info.php": true, "getInfo.exe": false, "list.do": false, "u1001.do": false, ".do": false, "getInfo": true} {
		r := New(Config{})
		o := bearer(from("203.0.113.1"), "t")
		o.Segments = []observe.Segment{{Text: "user", Class: observe.ClassWord}, {Text: last, Class: observe.ClassFile}}
		if last == "getInfo" {
			o.Segments[1].Class = observe.ClassWord
		}
		o.Leaves = []observe.Leaf{{Path: "data.username", Token: tok("alice")}}
		step(r, o, true)
		if got := r.Resolve(o).Principal != 0; got != want {
			t.Errorf("%s: profile %v, want %v", last, got, want)
		}
	}
}
