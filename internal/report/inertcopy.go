package report

import (
	"reflect"
	"time"
	"unicode/utf8"
)

// MaxText is the longest string, in bytes, that a document for people shows;
// the rest is cut and marked. The JSON report holds it all.
const MaxText = 2000

// InertCopy is the report with every string made inert and cut to MaxText, so
// that no field, known today or added tomorrow, reaches a page as it came.
func InertCopy(r *Report) *Report {
	c := reflect.New(reflect.TypeFor[Report]())
	inertInto(c.Elem(), reflect.ValueOf(r).Elem())
	return c.Interface().(*Report)
}

var timeType = reflect.TypeFor[time.Time]()

// inertInto copies src to dst, which is settable and zero.
func inertInto(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(cut(Inert(cut(src.String()))))
	case reflect.Struct:
		if src.Type() == timeType {
			dst.Set(src)
			return
		}
		for i := range src.NumField() {
			inertInto(dst.Field(i), src.Field(i))
		}
	case reflect.Slice:
		if src.IsNil() {
			return
		}
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			inertInto(dst.Index(i), src.Index(i))
		}
	case reflect.Map:
		if src.IsNil() {
			return
		}
		dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
		for it := src.MapRange(); it.Next(); {
			k, v := reflect.New(src.Type().Key()).Elem(), reflect.New(src.Type().Elem()).Elem()
			inertInto(k, it.Key())
			inertInto(v, it.Value())
			dst.SetMapIndex(k, v)
		}
	case reflect.Pointer:
		if src.IsNil() {
			return
		}
		dst.Set(reflect.New(src.Type().Elem()))
		inertInto(dst.Elem(), src.Elem())
	default:
		dst.Set(src)
	}
}

// cut shortens s to MaxText bytes at a character's border.
func cut(s string) string {
	if len(s) <= MaxText {
		return s
	}
	n := MaxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
