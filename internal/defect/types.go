package defect

import (
	"strings"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Types is a set of sensitive types.
type Types uint64

// TypesOf makes a set.
func TypesOf(ts ...taxonomy.Sensitive) (s Types) {
	for _, t := range ts {
		s |= 1 << t
	}
	return s
}

// Has reports whether the set holds any of ts.
func (s Types) Has(ts Types) bool { return s&ts != 0 }

var (
	secrets  = TypesOf(taxonomy.SensPassword, taxonomy.SensSecretKey, taxonomy.SensPrivateKey)
	identity = levelTypes(3)
	// named are the ordinary personal data that by themselves point to one
	// private person. A public page rightly shows names of authors, addresses
	// and telephone numbers of shops, so those count only together.
	named = TypesOf(taxonomy.SensCNMobile, taxonomy.SensEmail, taxonomy.SensPlateNumber, taxonomy.SensPassport,
		taxonomy.SensHKMacauPermit, taxonomy.SensSocialSecurityNo, taxonomy.SensMilitaryID)
	// whoever defines a type of ordinary personal data means one that points to
	// somebody, and one of secrets a secret
	namedToo, secretToo = customTypes(2), customTypes(4)

	contact = TypesOf(taxonomy.SensPhone, taxonomy.SensAddress, taxonomy.SensBirthDate)
)

func levelTypes(level int) (s Types) {
	for t := taxonomy.Sensitive(1); int(t) < taxonomy.SensitiveCount; t++ {
		if t.Level() == level {
			s |= TypesOf(t)
		}
	}
	return s
}

func customTypes(level int) (s Types) {
	for n := range taxonomy.CustomPerLevel {
		s |= TypesOf(taxonomy.CustomSensitive(level, n))
	}
	return s
}

// Personal reports whether the types together are personal data or a secret
// that must not be given to just anyone.
func (s Types) Personal() bool {
	return s.Has(secrets|identity|named|namedToo|secretToo) || s.Has(TypesOf(taxonomy.SensPersonName)) && s.Has(contact)
}

// People leaves out passwords and keys, unless there is nothing else: texts
// about how many people's data an answer holds speak of the people.
func (s Types) People() Types {
	if p := s &^ secrets; p.Personal() {
		return p
	}
	return s
}

// Secret reports whether passwords or keys are among the types.
func (s Types) Secret() bool { return s.Has(secrets | secretToo) }

// Grave reports whether secrets or S3 data are among the types.
func (s Types) Grave() bool { return s.Has(secrets | secretToo | identity) }

// HarmOf rates the types: 4 a secret, or S3 of a thousand people; 3 S3, or S2 in
// combination; 2 one kind of S2; 1 none.
func (s Types) HarmOf(subjects uint64) taxonomy.Severity {
	name := s.Has(TypesOf(taxonomy.SensPersonName))
	switch {
	case s.Secret(), s.Has(identity) && subjects >= 1000:
		return taxonomy.Critical
	case s.Has(identity),
		name && s.Has(TypesOf(taxonomy.SensCNMobile, taxonomy.SensPhone)) && s.Has(TypesOf(taxonomy.SensAddress)),
		s.Has(TypesOf(taxonomy.SensPlateNumber)) && s.Has(TypesOf(taxonomy.SensLocation)):
		return taxonomy.High
	case s.Has(levelTypes(2)):
		return taxonomy.Elevated
	}
	return taxonomy.Moderate
}

// HarmWhy is the message that says why the types are as harmful as rated.
func (s Types) HarmWhy(subjects uint64) string {
	switch s.HarmOf(subjects) {
	case taxonomy.Critical:
		if s.Secret() {
			return "defect.rating.h.secret"
		}
		return "defect.rating.h.thousand"
	case taxonomy.High:
		return "defect.rating.h.special"
	case taxonomy.Elevated:
		return "defect.rating.h.personal"
	}
	return "defect.rating.h.none"
}

// TypeName names a type of sensitive data.
func TypeName(m *message.Catalog, t taxonomy.Sensitive) message.Text {
	if t == taxonomy.NotSensitive {
		return message.Text{}
	}
	return m.Text("defect.type."+t.String(), nil)
}

// ShownName names what a response holds: under the name of a password stands
// as often its hash.
func ShownName(m *message.Catalog, t taxonomy.Sensitive) message.Text {
	if t == taxonomy.SensPassword {
		return m.Text("defect.type.password_or_hash", nil)
	}
	return TypeName(m, t)
}

// Names lists the types in the order of their gravity.
func (s Types) Names(m *message.Catalog) message.Text {
	var l []message.Text
	for t := taxonomy.Sensitive(1); int(t) < taxonomy.SensitiveCount; t++ {
		if s.Has(TypesOf(t)) {
			l = append(l, ShownName(m, t))
		}
	}
	out := Join(l)
	if i := strings.LastIndex(out.Zh, "、"); i >= 0 {
		out.Zh = out.Zh[:i] + "和" + out.Zh[i+len("、"):]
	}
	return out
}

// Join lists texts: "、" in Chinese, commas and "and" in English.
func Join(l []message.Text) (out message.Text) {
	for i, t := range l {
		switch {
		case i == 0:
			out = t
			continue
		case i == len(l)-1:
			out.En += " and " + t.En
		default:
			out.En += ", " + t.En
		}
		out.Zh += "、" + t.Zh
	}
	return out
}

// JoinWords lists words that are the same in both languages, at most n of them.
func JoinWords(words []string, n int) message.Text {
	l := make([]message.Text, 0, n)
	for i, w := range words {
		if i == n && len(words) > n {
			break
		}
		l = append(l, message.Text{Zh: w, En: w})
	}
	return Join(l)
}
