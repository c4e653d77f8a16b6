// Package feed reads and writes intelligence in the forms that others use:
// plain lists, CSV, JSON lines, MISP events, STIX 2.1 bundles and the decision
// stream of CrowdSec.
//
// Decode takes the bytes of one document and gives indicators; Encode writes
// them, at most to a level of TLP. Invariants: damage is an error that names
// line or place, or a row that is counted by reason, and never a panic; phones
// and accounts leave as keyed hashes and never come in as anything else; what
// Encode writes, Decode reads as it was, within what the form can say. Limits:
// bytes, rows, depth and lengths are capped (LIMITS.md).
package feed

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"xiezhi/internal/intel/indicator"
)

// Format is a form of a document.
type Format string

// The formats.
const (
	Plain    Format = "plain"
	CSV      Format = "csv"
	JSONL    Format = "jsonl"
	MISP     Format = "misp"
	STIX     Format = "stix"
	CrowdSec Format = "crowdsec" // decisions, in only

	// Lists of vendors, out only.
	EDL      Format = "edl"      // one network a line: Palo Alto, Fortinet, Hillstone, Sangfor
	Nginx    Format = "nginx"    // deny lines
	Iptables Format = "ipset"    // ipset restore
	Cisco    Format = "cisco"    // an access list
	RouterOS Format = "routeros" // MikroTik
)

// Formats lists those that Decode reads.
func Formats() []Format { return []Format{Plain, CSV, JSONL, MISP, STIX, CrowdSec} }

// Outs lists those that Encode writes.
func Outs() []Format {
	return []Format{Plain, CSV, JSONL, MISP, STIX, EDL, Nginx, Iptables, Cisco, RouterOS}
}

// Caps of one document.
const (
	MaxBytes = 64 << 20
	MaxRows  = indicator.MaxRows
	MaxLine  = 16 << 10
	maxDepth = 32
)

// Options say what a document does not.
type Options struct {
	Name       string // of the document, for errors
	Now        int64  // when it was read: sightings without a time were then
	Type       indicator.Type
	Tags       indicator.Tag
	Confidence uint8 // of rows that say nothing; 0: 50
	TLP        indicator.TLP
	Columns    []string // of a CSV file without a header
	Hash       indicator.Hash
}

// Result is what was read.
type Result struct {
	Rows    []indicator.Indicator
	Gone    []indicator.Key // taken back by the source: deleted decisions, revoked indicators
	Refused map[indicator.Reason]uint64
}

func (r *Result) refuse(reason indicator.Reason) {
	if r.Refused == nil {
		r.Refused = map[indicator.Reason]uint64{}
	}
	r.Refused[reason]++
}

// add takes a row that a decoder has read, its value as the document has it.
func (r *Result) add(o *Options, x indicator.Indicator) {
	if len(r.Rows) >= MaxRows {
		r.refuse(indicator.Full)
		return
	}
	if x.Type == indicator.Address || x.Type == indicator.Network { // documents mix them
		if p, err := indicator.PrefixOf(x.Value); err == nil {
			x.Type, x.Value = indicator.Network, p.String()
			if p.IsSingleIP() {
				x.Type, x.Value = indicator.Address, p.Addr().String()
			}
		}
	}
	v, err := indicator.Canonical(x.Type, x.Value, o.Hash)
	if err != nil {
		r.refuse(indicator.ReasonOf(err))
		return
	}
	x.Value = v
	x.Tags |= o.Tags
	if x.Confidence == 0 {
		if x.Confidence = o.Confidence; x.Confidence == 0 {
			x.Confidence = 50
		}
	}
	x.Confidence = min(x.Confidence, 100)
	if x.Last == 0 {
		x.Last = o.Now
	}
	if x.First == 0 {
		x.First = x.Last
	}
	x.Sightings = max(x.Sightings, 1)
	if len(x.Note) > indicator.MaxNote {
		x.Note = ""
	}
	r.Rows = append(r.Rows, x)
}

// Decode reads a document.
func Decode(f Format, data []byte, o Options) (*Result, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s: %d bytes, at most %d; split it", o.Name, len(data), MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	r := &Result{}
	var err error
	switch f {
	case Plain:
		err = r.plain(data, &o)
	case CSV:
		err = r.csv(data, &o)
	case JSONL:
		err = r.jsonl(data, &o)
	case MISP:
		err = r.misp(data, &o)
	case STIX:
		err = r.stix(data, &o)
	case CrowdSec:
		err = r.crowdsec(data, &o)
	default:
		err = fmt.Errorf("%s: format %.20q is unknown; one of %v", o.Name, string(f), Formats())
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Guess tells the form of a document by its content; CSV has to be named, or be
// by its name.
func Guess(name string, data []byte) Format {
	t := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	head := t[:min(len(t), 4096)]
	switch {
	case len(name) > 4 && bytes.EqualFold([]byte(name[len(name)-4:]), []byte(".csv")):
		return CSV
	case len(head) == 0 || head[0] != '{' && head[0] != '[':
		return Plain
	case bytes.Contains(head, []byte(`"bundle"`)) || bytes.Contains(head, []byte(`"spec_version"`)):
		return STIX
	case bytes.Contains(head, []byte(`"Event"`)) || bytes.Contains(head, []byte(`"response"`)):
		return MISP
	case bytes.Contains(head, []byte(`"new"`)) || bytes.Contains(head, []byte(`"deleted"`)) || bytes.Contains(head, []byte(`"scenario"`)):
		return CrowdSec
	}
	return JSONL
}

// Out says what is written.
type Out struct {
	Now  int64
	Most indicator.TLP // what is marked stricter stays here
	Who  string        // name of the owner's identity; empty: Xiezhi
}

// Encode writes what may be passed on.
func Encode(w io.Writer, f Format, rows []indicator.Indicator, o Out) error {
	rows = slices.DeleteFunc(slices.Clone(rows), func(x indicator.Indicator) bool { return !x.TLP.Within(o.Most) })
	if o.Who == "" {
		o.Who = "Xiezhi"
	}
	switch f {
	case Plain, EDL, Nginx, Iptables, Cisco, RouterOS:
		return encodeList(w, f, rows)
	case CSV:
		return encodeCSV(w, rows)
	case JSONL:
		return encodeJSONL(w, rows)
	case MISP:
		return encodeMISP(w, rows, o)
	case STIX:
		return encodeSTIX(w, rows, o)
	}
	return fmt.Errorf("format %.20q is not written; one of %v", string(f), Outs())
}

// nested reports whether JSON is deeper than it may be, before anything else
// looks at it.
func nested(data []byte) bool {
	depth, quoted, escaped := 0, false, false
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
