package exchange

import (
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	a := `{"startedDateTime":"x","request":{"url":"/a","n":1.0},"l":[1,"é",null,true]}`
	same := []string{
		"{\n \"l\": [1e0, \"\\u00e9\", null, true], \"request\":{\"n\":1,\"url\":\"\\/a\"},\"startedDateTime\":\"x\"}\n",
	}
	other := []string{
		strings.Replace(a, `true`, `false`, 1), strings.Replace(a, `"/a"`, `"/b"`, 1), strings.Replace(a, `[1,"é"`, `["é",1`, 1),
		strings.Replace(a, `"n":1.0`, `"n":"1"`, 1), strings.Replace(a, `"url"`, `"uri"`, 1), `[` + a + `]`,
	}
	id := HAREntryID([]byte(a), 0)
	if len(id.String()) != 32 || strings.Trim(id.String(), "0123456789abcdef") != "" {
		t.Fatal(id)
	}
	for _, s := range same {
		if got := HAREntryID([]byte(s), 0); got != id {
			t.Errorf("%s has another id", s)
		}
	}
	seen := map[ID]bool{id: true}
	for _, s := range other {
		if got := HAREntryID([]byte(s), 0); seen[got] {
			t.Errorf("%s has an id seen before", s)
		} else {
			seen[got] = true
		}
	}
	for _, got := range []ID{HAREntryID([]byte(a), 1), HAREntryID([]byte(a), 2), LogLineID([]byte(a), 0), LogLineID([]byte(a), 1)} {
		if seen[got] {
			t.Errorf("id %s twice", got)
		}
		seen[got] = true
	}
	if got, want := LogLineID([]byte("line"), 0).String(), LogLineID([]byte("line"), 0).String(); got != want {
		t.Error("not a function")
	}
	if HAREntryID([]byte("no json"), 0) == HAREntryID([]byte("no jsom"), 0) {
		t.Error("broken entries collide")
	}
}

// The ids are stored, so they may not change between versions.
func TestIDsStayTheSame(t *testing.T) {
	if got := LogLineID([]byte("a"), 0).String(); got != goldenLine {
		t.Errorf("line id %s", got)
	}
	if got := HAREntryID([]byte(`{"a":[1,"b"]}`), 1).String(); got != goldenEntry {
		t.Errorf("entry id %s", got)
	}
}

func TestOccurrences(t *testing.T) {
	var o Occurrences
	for i := range 5 {
		if got := o.Next(HashLine([]byte("x"))); got != i {
			t.Fatalf("occurrence %d counted as %d", i, got)
		}
		o.Next(HashLine([]byte{byte(i)}))
	}
	// Colliding hashes stay within one bucket and push out the oldest.
	for i := range 20 {
		o.Next(ContentHash{Hi: 7, Lo: uint64(i) << 40})
	}
	if o.Forgotten != 12 {
		t.Errorf("forgotten %d", o.Forgotten)
	}
	if got := o.Next(ContentHash{Hi: 7, Lo: 19 << 40}); got != 1 {
		t.Errorf("the newest was forgotten: %d", got)
	}
	if got := o.Next(ContentHash{Hi: 7}); got != 0 {
		t.Errorf("the oldest was kept: %d", got)
	}
}
