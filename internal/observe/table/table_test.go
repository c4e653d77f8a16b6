package table

import (
	"archive/zip"
	"bytes"
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

func readCSV(s string, max uint32) ([]string, uint32, uint32) {
	w := &jsonleaf.Walker{Seed: 1}
	c := &collector{w: w}
	rows, unread := new(CSV).Read([]byte(s), w, c, max)
	return c.out, rows, unread
}

func TestCSV(t *testing.T) {
	for in, want := range map[string][]string{
		"a,b\n1,2\n3,4":                  {"csv[].a=1", "csv[].b=2", "csv[].a=3", "csv[].b=4"},
		"a\tb\r\n1\t2\r\n":               {"csv[].a=1", "csv[].b=2"},
		"a;b\n1,5;2\n":                   {"csv[].a=1,5", "csv[].b=2"},
		"a|b\n1|2":                       {"csv[].a=1", "csv[].b=2"},
		"a,b\n\"x, \"\"y\"\"\",\"2\n3\"": {`csv[].a=x, "y"`, "csv[].b=2\n3"},
		"a,b\n\"open,2\n3,4\n":           {"csv[].a=open,2", "csv[].a=3", "csv[].b=4"},
		"1,2\n3,4\n":                     {"csv[].column_a=1", "csv[].column_b=2", "csv[].column_a=3", "csv[].column_b=4"},
		"a,,c\n1,2,3,4":                  {"csv[].a=1", "csv[].column_b=2", "csv[].c=3", "csv[].column_d=4"},
		"a,b\n\n=\"0012\",'13\n1,\n":     {"csv[].a=0012", "csv[].b=13", "csv[].a=1", "csv[].b="},
		"phone\n1\n2\n":                  {"csv[].phone=1", "csv[].phone=2"},
		"":                               {"csv="}, // an empty list
	} {
		if got, _, _ := readCSV(in, 100); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	out, rows, unread := readCSV("a,b\n"+strings.Repeat("1,2\n", 100), 20)
	if rows != 100 || unread != 90 || len(out) != 20 {
		t.Errorf("%d rows, %d unread, %d leaves", rows, unread, len(out))
	}
	wide := strings.Repeat("x,", 5000) + "\n" + strings.Repeat("1,", 5000)
	if out, _, _ := readCSV(wide, 1<<16); len(out) != MaxColumns {
		t.Errorf("%d columns", len(out))
	}
}

// Without a name that is known the first row is data.
func TestUnknownHeader(t *testing.T) {
	known := func(name []byte) bool { return string(name) == "phone" }
	w := &jsonleaf.Walker{Seed: 1}
	c := &collector{w: w}
	r := &CSV{Known: known}
	if rows, _ := r.Read([]byte("ann,bob\ncat,dog\n"), w, c, 100); rows != 2 || c.out[0] != "csv[].column_a=ann" {
		t.Errorf("%d rows, %q", rows, c.out)
	}
	c.out = nil
	if rows, _ := r.Read([]byte("a title\nname,phone\nann,1\n"), w, c, 100); rows != 2 || c.out[1] != "csv[].name=ann" {
		t.Errorf("%d rows, %q", rows, c.out)
	}
	c.out = nil
	x := &XLSX{Known: known}
	f, ok := x.Read(archive(t, sheet1, `<row><c r="A1" t="str"><v>x</v></c><c r="B1" t="str"><v>y</v></c></row><row><c r="A2" t="str"><v>name</v></c><c r="B2" t="str"><v>phone</v></c></row><row><c r="A3" t="str"><v>ann</v></c></row>`), w, c, 100)
	if !ok || f.Rows != 2 || c.out[2] != "sheet[].name=ann" {
		t.Errorf("%+v, %q", f, c.out)
	}
}

func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readSheet(b []byte, max uint32) ([]string, Facts, bool) {
	w := &jsonleaf.Walker{Seed: 1}
	c := &collector{w: w}
	f, ok := new(XLSX).Read(b, w, c, max)
	return c.out, f, ok
}

const (
	sharedName = "xl/sharedStrings.xml"
	sheet1     = "xl/worksheets/sheet1.xml"
)

func TestXLSX(t *testing.T) {
	rich := archive(t, sharedName, `<sst><si><t>name</t></si><si><r><t>pho</t></r><r><t xml:space="preserve">ne</t></r></si><si><t>A &amp; B</t></si></sst>`,
		sheet1, `<worksheet><dimension ref="A1:D3"/><sheetData>
			<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="inlineStr"><is><t>note</t></is></c></row>
			<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2"><v>1.3800138E10</v></c><c r="C2"/><c r="D2" t="str"><f>1+1</f><v>x</v></c></row>
			<row r="3"><c r="B3"><v>13800138001</v></c><c r="A3" t="b"><v>1</v></c></row></sheetData></worksheet>`)
	want := []string{"sheet[].name=A & B", "sheet[].phone=13800138000", "sheet[].note=x", "sheet[].phone=13800138001", "sheet[].name=1"}
	if got, f, ok := readSheet(rich, 100); !ok || !reflect.DeepEqual(got, want) || f.Rows != 2 {
		t.Errorf("%q, %+v, %v", got, f, ok)
	}
	for name, b := range map[string][]byte{
		"no archive": []byte("PK\x03\x04 nothing"), "empty": nil, "document": archive(t, "word/document.xml", "<w/>"), "cut": rich[:len(rich)-30],
	} {
		if _, _, ok := readSheet(b, 100); ok {
			t.Errorf("%s is taken for a spreadsheet", name)
		}
	}
	bad := archive(t, sharedName, "<sst><si>", sheet1, `<row><c t="s"><v>99999999999999999999</v></c><c r="ZZZZZZZZ1"><v>1</v></c><c t="s"><v>-1</v></c></row><row>`)
	if _, _, ok := readSheet(bad, 100); !ok {
		t.Error("a damaged sheet is not opened")
	}
}

// An archive cannot make the reader unpack more than its size allows.
func TestXLSXBomb(t *testing.T) {
	bomb := archive(t, sharedName, strings.Repeat("<si><t>aaaaaaaaaaaaaaaaaaaaaaaa</t></si>", 1<<20), sheet1, strings.Repeat("<row><c><v>1</v></c></row>", 1<<20))
	x := &XLSX{}
	w := &jsonleaf.Walker{Seed: 1}
	f, ok := x.Read(bomb, w, &collector{w: w}, 1000)
	if !ok || f.Over == 0 {
		t.Errorf("%+v, %v", f, ok)
	}
	if n := len(bomb) * MaxRatio; x.budget < 0 || n-x.budget > n {
		t.Errorf("unpacked %d of %d", n-x.budget, n)
	}
	if cap(x.part) > MaxPart || cap(x.shared) > 1<<20 {
		t.Errorf("%d and %d bytes are held", cap(x.part), cap(x.shared))
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\"\"b\",c\n\"x\ny\",2", "a\tb\n'1\t=\"2\"", "\"", ",,\n,"} {
		f.Add([]byte(s))
	}
	w, r := &jsonleaf.Walker{Seed: 1}, &CSV{}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := string(b)
		c := &collector{w: w}
		rows, unread := r.Read(b, w, c, 1<<12)
		if string(b) != before || unread > rows || int(rows) > len(b)+1 {
			t.Fatalf("%d rows, %d unread", rows, unread)
		}
		if again, _, _ := readCSV(before, 1<<12); !reflect.DeepEqual(again, c.out) {
			t.Fatal("a used reader gives another result")
		}
	})
}

func FuzzXLSX(f *testing.F) {
	f.Add(archive(f, sharedName, `<sst><si><t>name</t></si></sst>`, sheet1, `<dimension ref="A1:B2"/><row><c r="A1" t="s"><v>0</v></c><c r="B1"><v>1</v></c></row>`))
	f.Add([]byte("PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	w, r := &jsonleaf.Walker{Seed: 1}, &XLSX{}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &collector{w: w}
		facts, ok := r.Read(b, w, c, 1<<12)
		again, facts2, ok2 := readSheet(b, 1<<12)
		if ok != ok2 || facts != facts2 || !reflect.DeepEqual(again, c.out) {
			t.Fatal("a used reader gives another result")
		}
	})
}

// FuzzSheet fuzzes the parts inside the archive, which a change of packed
// bytes hardly reaches.
func FuzzSheet(f *testing.F) {
	f.Add(`<sst><si><t>name</t></si></sst>`, `<row><c r="A1" t="s"><v>0</v></c></row>`)
	f.Fuzz(func(t *testing.T, shared, sheet string) {
		b := archive(t, sharedName, shared, sheet1, sheet)
		out, facts, ok := readSheet(b, 1<<12)
		if !ok || int(facts.Unread) > int(facts.Rows) || len(out) > len(sheet)+1 {
			t.Fatalf("%v %+v, %d leaves", ok, facts, len(out))
		}
	})
}

type sink struct{ n int }

func (s *sink) Leaf(_ uint64, _ jsonleaf.Kind, v []byte) { s.n += len(v) }

func BenchmarkCSV(b *testing.B) {
	body := []byte("name,phone,city\n" + strings.Repeat("someone,13800138000,\"Hangzhou, Zhejiang\"\n", 500))
	w, r := &jsonleaf.Walker{Seed: 1}, &CSV{}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.Read(body, w, &sink{}, 1<<16)
	}
}

func BenchmarkXLSX(b *testing.B) {
	var shared, rows strings.Builder
	for i := range 800 {
		fmt.Fprintf(&shared, "<si><t>person %d</t></si>", i)
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%d" t="s"><v>%d</v></c><c r="B%d"><v>1380013%04d</v></c></row>`, i, i, i, i, i)
	}
	body := archive(b, sharedName, "<sst>"+shared.String()+"</sst>", sheet1, "<sheetData>"+rows.String()+"</sheetData>")
	w, r := &jsonleaf.Walker{Seed: 1}, &XLSX{}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.Read(body, w, &sink{}, 1<<16)
	}
}
