package html

import "strconv"

// chapter is an entry of the table of contents.
type chapter struct {
	ID, Title string
	Sections  []ref
}

// chapters lists what the outline has, in its order.
func (v *view) chapters() []chapter {
	section := func(id, text string) ref { return ref{id, v.t(text)} }
	course := []ref{section("months", "html.months.title")}
	if v.Compare.Any {
		course = append(course, section("compare", "html.compare.title"))
	}
	course = append(course, section("scenarios", "html.scenario.title"), section("industries", "html.industry.title"))
	sources := section("sources", "html.quality.title")
	var changes, classes, kinds, cases []ref
	if v.Mended.Any {
		changes = append(changes, section("mended", "html.mended.title"))
	}
	for _, c := range v.Classes {
		classes = append(classes, ref{"class-" + c.ID, capital(v.name("defect_class", c.ID))})
	}
	for _, k := range v.Kinds {
		kinds = append(kinds, ref{"kind-" + k.ID, capital(v.name("attack_kind", k.ID))})
	}
	for _, c := range v.Cases {
		cases = append(cases, ref{c.Anchor, c.Title})
	}
	join := func(lists ...[]ref) (out []ref) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	sections := [][]ref{join(course, []ref{sources}), join(changes, classes), kinds, cases, nil}
	prefix := "html.ch"
	if v.GBT {
		prefix = "html.gbt.ch"
		sections = [][]ref{
			{section("scope", "html.gbt.scope"), sources},
			{section("interfaces", "html.gbt.interfaces"), section("exposed", "html.gbt.exposed")},
			join([]ref{section("weaknesses", "html.gbt.weaknesses")}, classes, []ref{section("methods", "html.gbt.methods")}, kinds),
			join(course, []ref{section("cases", "html.gbt.cases")}, cases),
			join(changes, []ref{section("todo", "html.gbt.todo")}),
		}
	}
	var out []chapter
	for i, s := range sections {
		n := strconv.Itoa(i + 1)
		out = append(out, chapter{"ch" + n, v.t(prefix + n), s})
	}
	out = append(out, chapter{"app-a", v.t("html.appendix"), []ref{section("app-a", "html.app.defects"), section("app-b", "html.app.attacks"), section("app-c", "html.app.apis"),
		section("app-d", "html.app.quality"), section("app-e", "html.app.method"), section("app-f", "html.app.glossary")}})
	return out
}

// title names the document after the period that it is about.
func (v *view) title() string {
	if p := v.R.Period; p != nil {
		return v.t("html.title." + p.Kind)
	}
	return v.t("html.title")
}

// running stands at the top of printed pages.
func (v *view) running() string {
	if p := v.R.Period; p != nil {
		return v.title() + " · " + v.span(p.Span())
	}
	return v.t("html.running")
}
