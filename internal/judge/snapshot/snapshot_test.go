package snapshot

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type leaf struct {
	Name  string
	Seen  time.Time
	From  netip.Addr
	Count [3]uint32
	flag  bool
}

type node struct {
	Up, Next *node
	Leaf     leaf
	Kids     []*node
	First    *leaf   // into a leaf of leaves
	Number   *uint32 // into a leaf's Count
	Args     map[string]any
	By       map[netip.Addr]*node
	Words    [2]map[string][]string
	Nothing  []struct{}
}

type config struct{ call func() }

type tree struct {
	cfg    *config
	hot    func() `snapshot:"-"`
	work   []byte `snapshot:"-"`
	Leaves []leaf
	Some   []leaf // a part of Leaves
	Root   *node
	Last   *node
	zone   *time.Location
	Same   map[string]any // Root.Args
}

func codec(t testing.TB, c *config) *Codec {
	t.Helper()
	x, err := New([]any{&tree{}}, []External{{"config", c}}, reflect.TypeFor[string](), reflect.TypeFor[int]())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func grown() *tree {
	c := &config{}
	x := &tree{cfg: c, hot: func() {}, work: make([]byte, 9), zone: time.UTC}
	for i := range 5 {
		x.Leaves = append(x.Leaves, leaf{Name: strings.Repeat("n", i), Seen: time.Unix(int64(i), 5).UTC(), From: netip.AddrFrom4([4]byte{1, 2, 3, byte(i)}), Count: [3]uint32{uint32(i), 7, 9}, flag: i%2 == 1})
	}
	x.Leaves[4].From = netip.MustParseAddr("fe80::1%eth0")
	x.Leaves[3].From = netip.MustParseAddr("2001:db8::7")
	x.Some = x.Leaves[1:3]
	x.Root = &node{Args: map[string]any{"a": 1, "b": "two", "c": nil}, First: &x.Leaves[2], Number: &x.Leaves[3].Count[1], Nothing: make([]struct{}, 3)}
	x.Same = x.Root.Args
	n := x.Root
	for i := range 2000 {
		next := &node{Up: n, Leaf: leaf{Name: x.Leaves[i%5].Name}, First: &n.Leaf}
		n.Next, n.Kids = next, append(n.Kids, next, x.Root)
		n = next
	}
	x.Last = n
	x.Root.Up = n // a cycle
	x.Root.By = map[netip.Addr]*node{x.Leaves[0].From: n, x.Leaves[3].From: x.Root, x.Leaves[4].From: nil}
	x.Root.Words[1] = map[string][]string{"k": {"v", "w"}, "empty": {}, "nil": nil}
	return x
}

// again is x after Save and Restore, and the bytes between.
func again(t testing.TB, x *tree) (*tree, []byte) {
	t.Helper()
	c := codec(t, x.cfg)
	var b bytes.Buffer
	if err := c.Save(&b, x); err != nil {
		t.Fatal(err)
	}
	y := &tree{cfg: x.cfg, work: []byte("kept")}
	if err := codec(t, x.cfg).Restore(bytes.NewReader(b.Bytes()), y); err != nil {
		t.Fatal(err)
	}
	return y, b.Bytes()
}

func TestGraph(t *testing.T) {
	x := grown()
	y, _ := again(t, x)
	if y.cfg != x.cfg || y.zone != time.UTC || y.hot != nil || string(y.work) != "kept" {
		t.Errorf("what is external or tagged: %v %v %q", y.cfg, y.zone, y.work)
	}
	if len(y.Some) != 2 || cap(y.Some) != cap(x.Some) || &y.Some[0] != &y.Leaves[1] {
		t.Error("a part of a slice is no longer a part")
	}
	if y.Root.First != &y.Leaves[2] || y.Root.Number != &y.Leaves[3].Count[1] || y.Root.Next.First != &y.Root.Leaf {
		t.Error("pointers into something lead elsewhere")
	}
	y.Same["new"] = 3
	if y.Root.Args["new"] != 3 {
		t.Error("one map became two")
	}
	delete(y.Same, "new")
	if y.Root.Up != y.Last || y.Root.By[x.Leaves[0].From] != y.Last || y.Root.By[x.Leaves[3].From] != y.Root {
		t.Error("the cycle is broken, or addresses are no longer equal")
	}
	opt := cmp.AllowUnexported(leaf{})
	if d := cmp.Diff(x.Leaves, y.Leaves, opt, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(x.Root.Args, y.Root.Args); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(x.Root.Words, y.Root.Words); d != "" {
		t.Error(d)
	}
	if len(y.Root.Nothing) != 3 || y.Root.Kids[1] != y.Root {
		t.Error("values without size, or aliases, are lost")
	}
	n := 0
	for a, b := x.Root, y.Root; a != nil; a, b = a.Next, b.Next {
		if a.Leaf.Name != b.Leaf.Name || len(a.Kids) != len(b.Kids) {
			t.Fatal("a node differs")
		}
		n++
	}
	if n != 2001 {
		t.Errorf("%d nodes", n)
	}
}

func TestRefusals(t *testing.T) {
	x := grown()
	_, b := again(t, x)
	c := codec(t, x.cfg)
	if err := c.Restore(bytes.NewReader(b[:len(b)/2]), &tree{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("half of it: %v", err)
	}
	flipped := bytes.Clone(b)
	flipped[len(b)/2] ^= 4
	if err := c.Restore(bytes.NewReader(flipped), &tree{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("a flipped bit: %v", err)
	}
	if err := c.Restore(strings.NewReader("XZSNAP1\nand other things that are long enough to hold a print"), &tree{}); !errors.Is(err, ErrOther) {
		t.Errorf("another print: %v", err)
	}
	if err := codec(t, nil).Restore(bytes.NewReader(b), &tree{}); !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), `"config"`) {
		t.Errorf("an external that is not loaded: %v", err)
	}
	if err := c.Save(&bytes.Buffer{}, &tree{cfg: &config{}}); err == nil {
		t.Error("an undeclared external was saved")
	}
	if err := c.Save(&bytes.Buffer{}, &tree{Same: map[string]any{"x": 1.5}}); err == nil || !strings.Contains(err.Error(), "float64") {
		t.Errorf("an undeclared type in an interface: %v", err)
	}
	if _, err := New([]any{&config{}}, nil); err == nil || !strings.Contains(err.Error(), "config.call is a func()") {
		t.Errorf("a function: %v", err)
	}
	small := codec(t, x.cfg)
	small.Limit = 1 << 10
	if err := small.Restore(bytes.NewReader(b), &tree{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("more than the limit: %v", err)
	}
}

// TestAliases grows slices of one array by chance and looks that they still
// share what they shared.
func TestAliases(t *testing.T) {
	type views struct {
		Parts [][]uint16
		At    []*uint16
	}
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SliceOfN(rapid.Uint16(), 1, 40).Draw(t, "base")
		x := &views{}
		for range rapid.IntRange(1, 8).Draw(t, "parts") {
			from := rapid.IntRange(0, len(base)-1).Draw(t, "from")
			to := rapid.IntRange(from, len(base)).Draw(t, "to")
			room := rapid.IntRange(to, len(base)).Draw(t, "room")
			x.Parts = append(x.Parts, base[from:to:room])
			x.At = append(x.At, &base[from])
		}
		c, err := New([]any{x}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := c.Save(&b, x); err != nil {
			t.Fatal(err)
		}
		y := &views{}
		if err := c.Restore(&b, y); err != nil {
			t.Fatal(err)
		}
		for i := range x.At {
			*x.At[i]++
			*y.At[i]++
			if d := cmp.Diff(x, y); d != "" {
				t.Fatal(d)
			}
			if cap(x.Parts[i]) != cap(y.Parts[i]) {
				t.Fatalf("capacity %d became %d", cap(x.Parts[i]), cap(y.Parts[i]))
			}
		}
	})
}

func FuzzRestore(f *testing.F) {
	x := grown()
	x.Root.Next, x.Root.Up, x.Last, x.Root.Kids = nil, nil, nil, nil
	x.Root.By = nil
	_, b := again(f, x)
	f.Add(b)
	f.Add(b[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		c := codec(t, x.cfg)
		c.Limit = 1 << 20
		if len(b) > 40 {
			copy(b[8:40], c.print[:]) // past the first gate
		}
		y := &tree{}
		if err := c.Restore(bytes.NewReader(b), y); err != nil {
			return
		}
		if err := c.Save(&bytes.Buffer{}, y); err != nil {
			t.Fatal(err)
		}
	})
}
