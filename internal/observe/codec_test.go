package observe

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xiezhi/internal/taxonomy"
)

// sliceCaps are the caps of an observation's slices, by element type.
var sliceCaps = map[string]int{"Forwarded": MaxForwarded, "Segments": MaxSegments, "Params": MaxParams, "Credentials": MaxCredentials,
	"Issued": MaxCredentials, "Accounts": MaxAccounts, "Passwords": MaxPasswords, "Signatures": MaxSignatures, "Leaves": MaxLeaves,
	"Exposures": MaxExposures, "Subjects": MaxSubjects, "Tags": MaxTags, "Markers": MaxMarkers, "Uploads": MaxUploads, "Codes": MaxCodes, "Internals": MaxInternals, "Rights": MaxRights, "Used": MaxUsed, "Claims": MaxClaims, "Roles": MaxRoles, "Claimed": MaxClaimed, "Dispatch": MaxDispatch, "Deals": MaxDeals, "Hits": MaxHits}

// draw fills v and all it holds. A field that the codec forgets comes back as
// zero, hence full draws no zero.
func draw(t *rapid.T, v reflect.Value, name string, full bool) {
	low := uint64(0)
	if full {
		low = 1
	}
	switch v.Type() {
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(drawAddr(t, full)))
		return
	case reflect.TypeFor[netip.AddrPort]():
		v.Set(reflect.ValueOf(netip.AddrPortFrom(drawAddr(t, full), uint16(rapid.Uint64Range(low, 65535).Draw(t, name)))))
		return
	case reflect.TypeFor[taxonomy.Sensitive]():
		v.SetUint(rapid.Uint64Range(low, uint64(taxonomy.SensitiveCount-1)).Draw(t, name))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			draw(t, v.Field(i), v.Type().Field(i).Name, full)
		}
	case reflect.Pointer:
		if full || rapid.Bool().Draw(t, name) {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem(), name, full)
		}
	case reflect.Slice:
		limit, ok := sliceCaps[name]
		if !ok {
			t.Fatalf("slice %s has no cap in this test", name)
		}
		n := rapid.IntRange(int(low), min(limit, 3)).Draw(t, name)
		if n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range n {
			draw(t, v.Index(i), "", full)
		}
		if name == "Used" {
			slices.Sort(v.Interface().([]uint32))
		}
	case reflect.String:
		s := rapid.SampledFrom([]string{"a", "path", "books[].owner", "用户", "x y"}).Draw(t, name)
		if !full && rapid.Bool().Draw(t, name) {
			s = rapid.StringN(0, 20, 200).Draw(t, name)
		}
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(full || rapid.Bool().Draw(t, name))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64Range(low, 1<<(8*v.Type().Size())-1).Draw(t, name))
	case reflect.Int8, reflect.Int64:
		n := rapid.Int64().Draw(t, name)
		if v.Kind() == reflect.Int8 {
			n = int64(int8(n))
		}
		if full && n == 0 {
			n = 1
		}
		v.SetInt(n)
	default:
		t.Fatalf("field %s of kind %s: teach this test and the codec", name, v.Kind())
	}
}

func drawAddr(t *rapid.T, full bool) netip.Addr {
	a := netip.AddrFrom4([4]byte{10, 0, rapid.Byte().Draw(t, "addr"), 1})
	switch rapid.IntRange(0, 3).Draw(t, "kind of address") {
	case 0:
		if !full {
			return netip.Addr{}
		}
	case 1:
		return netip.MustParseAddr("2001:db8::1")
	case 2:
		return netip.MustParseAddr("fe80::1%eth0")
	}
	return a
}

func TestRoundTrip(t *testing.T) {
	var in, out Batch
	rapid.Check(t, func(rt *rapid.T) {
		in.Reset()
		full := rapid.Bool().Draw(rt, "full")
		for range rapid.IntRange(0, 3).Draw(rt, "observations") {
			draw(rt, reflect.ValueOf(in.next()).Elem(), "", full)
		}
		b := in.AppendEncoded(nil)
		out.Reset()
		if err := out.Decode(b); err != nil {
			rt.Fatal(err)
		}
		compare(rt, in.obs, out.obs)
		if in.Len() > 1 {
			order := []int32{int32(in.Len() - 1), 0}
			out.Reset()
			if err := out.Decode(in.AppendEncodedOrder(nil, order)); err != nil {
				rt.Fatal(err)
			}
			compare(rt, []Observation{in.obs[order[0]], in.obs[0]}, out.obs)
			out.Reset()
			if err := out.Decode(in.AppendEncodedRange(nil, 1, in.Len())); err != nil {
				rt.Fatal(err)
			}
			compare(rt, in.obs[1:], out.obs)
		}
		for i := range b {
			out.Reset()
			if out.Decode(b[:i]) == nil {
				rt.Fatalf("%d of %d bytes decode", i, len(b))
			}
			if out.Len() != 0 {
				rt.Fatal("a failed decode leaves observations")
			}
			if i > 200 {
				break
			}
		}
	})
}

func compare(t interface{ Fatalf(string, ...any) }, want, got []Observation) {
	if len(want) != len(got) {
		t.Fatalf("%d observations of %d", len(got), len(want))
	}
	for i := range want {
		if d := cmp.Diff(want[i], got[i], cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
			t.Fatalf("observation %d (-want +got):\n%s", i, d)
		}
	}
}

func TestDecodeAppends(t *testing.T) {
	var a, b Batch
	o := newObserver(t)
	o.Observe(call{target: "/a"}.exchange(), &a)
	enc := a.AppendEncoded(nil)
	for range 2 {
		if err := b.Decode(enc); err != nil {
			t.Fatal(err)
		}
	}
	if b.Len() != 2 || b.At(0).Segments[0].Text != "a" || b.At(1).Segments[0].Text != "a" {
		t.Errorf("%d observations", b.Len())
	}
	if b.Decode(append(enc, 0)) == nil || b.Len() != 2 {
		t.Error("bytes behind the batch are accepted")
	}
}

func TestCompare(t *testing.T) {
	list := []Observation{{End: 2}, {End: 1, Ordinal: 1}, {End: 1, Seq: 5, Part: 1}, {End: 1, Seq: 5}, {End: 1, Seq: 4, Part: 9}}
	slices.SortFunc(list, func(a, b Observation) int { return Compare(&a, &b) })
	want := []Observation{{End: 1, Seq: 4, Part: 9}, {End: 1, Seq: 5}, {End: 1, Seq: 5, Part: 1}, {End: 1, Ordinal: 1}, {End: 2}}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("%+v", list)
	}
}

func FuzzDecode(f *testing.F) {
	o := newObserver(f)
	var b Batch
	for _, c := range samples() {
		b.Reset()
		o.Observe(c.exchange(), &b)
		f.Add(b.AppendEncoded(nil))
	}
	f.Add([]byte{codecMagic, codecVersion, 0})
	var out, again Batch
	f.Fuzz(func(t *testing.T, src []byte) {
		out.Reset()
		if out.Decode(src) != nil {
			if out.Len() != 0 {
				t.Fatal("a failed decode leaves observations")
			}
			return
		}
		// what decodes, encodes and decodes to the same
		again.Reset()
		if err := again.Decode(out.AppendEncoded(nil)); err != nil {
			t.Fatal(err)
		}
		compare(t, out.obs, again.obs)
	})
}

// TestLike checks that an observation that differs from an earlier one in any
// one field comes back as it is, whatever the encoding thinks they share.
func TestLike(t *testing.T) {
	var in, out Batch
	rapid.Check(t, func(rt *rapid.T) {
		var base Observation
		v := reflect.ValueOf(&base).Elem()
		lean := rapid.Bool().Draw(rt, "lean")
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() != reflect.Slice || !lean {
				draw(rt, f, v.Type().Field(i).Name, false)
			}
		}
		in.Reset()
		*in.next() = base
		for i := range v.NumField() {
			o := in.next()
			*o = base
			name := v.Type().Field(i).Name
			draw(rt, reflect.ValueOf(o).Elem().Field(i), name, rapid.Bool().Draw(rt, "full"))
			*in.next() = base
		}
		out.Reset()
		if err := out.Decode(in.AppendEncoded(nil)); err != nil {
			rt.Fatal(err)
		}
		compare(rt, in.obs, out.obs)
	})
}

// TestManyKinds checks more kinds of lean observation than are remembered.
func TestManyKinds(t *testing.T) {
	var in, out Batch
	for i := range 3 * maxLikes {
		in.next().Agent = uint64(i%(maxLikes+10) + 1)
	}
	if err := out.Decode(in.AppendEncoded(nil)); err != nil {
		t.Fatal(err)
	}
	compare(t, in.obs, out.obs)
}
