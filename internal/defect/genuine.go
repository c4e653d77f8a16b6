package defect

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Genuine reports whether a trace or an error is the program's own.
// Documentation, paste sites and bug trackers answer with traces as content, and
// answer well.
func Genuine(ev *Event, m *observe.Marker) bool {
	if UserContent(m.Where) {
		return false
	}
	if ev.API != nil && (ev.API.Role == taxonomy.RoleDocs || ev.API.Role == taxonomy.RoleStatic) {
		return false
	}
	if ev.Status >= 500 {
		return true
	}
	// PHP prints its errors into pages that go on to succeed; the form in which
	// it does names a file and a line, and articles about it escape the markup.
	if m.Rule == "trace/php" {
		return true
	}
	// A refusal with a trace; but not a page or a success.
	return ev.RespKind != observe.BodyHTML && (ev.Outcome == catalog.OutcomeError || ev.Outcome == catalog.OutcomeRejected || ev.Outcome == catalog.OutcomeInvalid)
}
