package kept

import "xiezhi/internal/taxonomy"

// Tag is one value of one filter of APIs, and the word that asks for it.
type Tag struct{ Name, Value, Word string }

// Tags gives what APIs can be held to beside a record's fields: of each filter
// that has a closed set of values all of them.
func Tags() []Tag {
	out := []Tag{{"sensitive", "true", TagSensitive()}, {"gone", "true", TagGone()}, {"changed", "true", TagChanged()}}
	for _, v := range []taxonomy.Auth{taxonomy.AuthNone, taxonomy.AuthOptional, taxonomy.AuthRequired, taxonomy.AuthUnknown} {
		out = append(out, Tag{"auth", string(v), TagAuth(string(v))})
	}
	for _, v := range []taxonomy.Exposure{taxonomy.ExposureInternet, taxonomy.ExposurePartner, taxonomy.ExposureInternal} {
		out = append(out, Tag{"exposure", string(v), TagExposure(string(v))})
	}
	for _, v := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} {
		out = append(out, Tag{"method", v, TagMethod(v)})
	}
	for n := 1; n < taxonomy.SensitiveCount; n++ {
		v := taxonomy.Sensitive(n).String()
		out = append(out, Tag{"data", v, TagData(v)})
	}
	return out
}
