package report

import (
	"reflect"
	"strings"
	"testing"

	"xiezhi/internal/respond/finding"
)

// TestFindingsAreReadAsTheyAreWritten: what receivers are told of is read out of
// what a report writes; a field of another name or kind would be empty for ever.
func TestFindingsAreReadAsTheyAreWritten(t *testing.T) {
	for _, c := range []struct{ read, written any }{
		{finding.Campaign{}, Campaign{}}, {finding.Attack{}, Attack{}}, {finding.Defect{}, Defect{}}, {finding.API{}, API{}},
	} {
		same(t, reflect.TypeOf(c.read), reflect.TypeOf(c.written))
	}
}

func same(t *testing.T, read, written reflect.Type) {
	t.Helper()
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(written) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			fields[name] = f.Type
		}
	}
	for i := range read.NumField() {
		f := read.Field(i)
		name := f.Tag.Get("json")
		w, ok := fields[name]
		if !ok {
			t.Errorf("%s: %q is in no %s of a report", read, name, written)
			continue
		}
		r := f.Type
		for r.Kind() == reflect.Slice && w.Kind() == reflect.Slice {
			r, w = r.Elem(), w.Elem()
		}
		if w.Kind() == reflect.Pointer {
			w = w.Elem()
		}
		switch {
		case r == w:
		case r.Kind() == reflect.Struct && w.Kind() == reflect.Struct:
			same(t, r, w)
		case r.Kind() != w.Kind():
			t.Errorf("%s: %q is read as %s and written as %s", read, name, r, w)
		}
	}
}
