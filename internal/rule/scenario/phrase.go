package scenario

import (
	"fmt"
	"strings"

	"xiezhi/internal/message"
)

// phrase is a text kept in its parts, so that it can be told in another
// language: the message catalogue has it under "scenario." and the format, with
// its arguments as {1}, {2} and on.
type phrase struct {
	format string
	args   []any
}

func say(format string, args ...any) phrase { return phrase{format, args} }

// Error is the phrase in English.
func (p phrase) Error() string {
	if len(p.args) == 0 {
		return p.format
	}
	return fmt.Sprintf(p.format, p.args...)
}

func (p phrase) String() string { return p.Error() }

// text is the phrase in both languages; what others say (the parser, the file
// system) stays as they said it.
func (p phrase) text(m *message.Catalog) message.Text {
	id := "scenario." + p.format
	if !m.Has(id) {
		s := p.Error()
		return message.Text{Zh: s, En: s}
	}
	args, verbs := message.Args{}, p.format
	for i, a := range p.args {
		at := strings.IndexByte(verbs, '%')
		if at < 0 {
			break
		}
		verb := verbs[at : at+2]
		verbs = verbs[at+2:]
		var v any = fmt.Sprintf(verb, a)
		switch a := a.(type) {
		case phrase:
			v = a.text(m)
		case error:
			v = say(a.Error()).text(m)
		}
		args[fmt.Sprint(i+1)] = v
	}
	return m.Text(id, args)
}

// Text says in both languages why something is not translated.
func (p *Problem) Text(m *message.Catalog) message.Text { return p.why.text(m) }
