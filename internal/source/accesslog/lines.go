package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
	"xiezhi/internal/taxonomy"
)

// Lines parses single lines for those who split their input themselves. What
// an earlier line of a file says about later ones is remembered until NewFile.
type Lines struct{ p *parser }

// NewLines gives a parser of lines. The error is about Config.Format.
func NewLines(cfg Config) (*Lines, error) {
	var f *format
	if cfg.Format != "" {
		var err error
		if f, err = compile(cfg.Format); err != nil {
			return nil, err
		}
	}
	return &Lines{newParser(cfg.Location, f)}, nil
}

// NewFile forgets what lines said.
func (l *Lines) NewFile() { l.p.newFile() }

// Parse fills x from a line without its line end; x is valid until the next
// call. why is "" for an exchange. Otherwise reason is what the line has to be
// dropped under; it is "" for a line that is no loss, such as a directive.
func (l *Lines) Parse(line []byte, x *exchange.Exchange) (reason taxonomy.DropReason, why string) {
	if line = bytes.TrimSuffix(line, []byte("\r")); len(bytes.TrimSpace(line)) == 0 {
		return "", whyDirective
	}
	if why = l.p.parse(line, x); why == "" {
		return "", ""
	}
	return reasonOf(why), why
}

// reasonOf gives the reason under which a line that is no exchange is counted.
func reasonOf(why string) taxonomy.DropReason {
	switch why {
	case whyDirective, heldBack:
		return ""
	case whyLong:
		return taxonomy.DropOversize
	case whyMessage:
		return taxonomy.DropUnsupported
	}
	return taxonomy.DropCorrupt
}

// Pending reports whether a line that a container runtime split waits for its
// end. What began it has been given to Parse and has to be given again by
// whoever starts anew.
func (l *Lines) Pending() bool {
	for i := range l.p.memory.pieces {
		if l.p.memory.pieces[i].waiting() {
			return true
		}
	}
	return false
}
