package observe

import (
	"bytes"
	"unicode/utf8"

	"xiezhi/internal/observe/charset"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/markup"
	"xiezhi/internal/observe/msgpack"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/observe/table"
)

// readers are the readers of body formats other than JSON. They keep room
// between exchanges and nothing else.
type readers struct {
	xml   markup.XML
	inner markup.XML // documents in texts of others
	html  markup.HTML
	pack  msgpack.Reader
	rpc   rpcReader
	csv   table.CSV
	sheet table.XLSX
	text  charset.Decoder // of bodies
	value charset.Decoder // of parameters
	part  charset.Decoder // of parts of multipart bodies
	lines []byte          // data of an event stream
	bytes []byte          // parts in base64 or quoted-printable
	param []byte          // parameters with %uXXXX
	parts int             // of the multipart body
	norm  []byte
}

// release gives back the room of a giant body.
func (r *readers) release() {
	r.text.Release()
	r.part.Release()
	r.rpc.release()
	for _, b := range [...]*[]byte{&r.lines, &r.bytes} {
		if cap(*b) > 1<<20 {
			*b = nil
		}
	}
}

// Paths of one text mean different things in different formats (depth counts
// from the content of XML), hence each format has path hashes of its own.
const (
	formatXML = 1 + iota*16 // + the number of wrapping elements
	formatHTML
	formatCSV
	formatSheet
)

func (o *Observer) inFormat(format uint64, read func()) {
	seed := o.walker.Seed
	o.walker.Seed = mix(seed^format, shapeSeed)
	read()
	o.walker.Seed = seed
}

// within reads a document that stands under a name of another one.
func (o *Observer) within(path []byte, read func()) {
	seed, prefix := o.walker.Seed, o.request.prefix
	o.clean = o.clean[:0]
	if prefix != "" {
		o.clean = append(append(o.clean, prefix...), '.')
	}
	o.clean = append(o.clean, path...)
	name := o.fieldName(o.clean)
	o.walker.Seed, o.request.prefix = jsonleaf.Hash(seed, path), name
	read()
	o.walker.Seed, o.request.prefix = seed, prefix
}

// visitor gives who takes the leaves of a side.
func (o *Observer) visitor(response bool) jsonleaf.Visitor {
	if response {
		return (*responseLeaves)(o)
	}
	return (*requestLeaves)(o)
}

// records gives who takes the cells of a file.
func (o *Observer) records(response bool) jsonleaf.Visitor {
	if response {
		return (*responseLeaves)(o)
	}
	return (*recordLeaves)(o)
}

func (v *recordLeaves) Leaf(path uint64, _ jsonleaf.Kind, value []byte) { v.leaf(path, value) }

// utf8 gives a text body in UTF-8.
func (o *Observer) utf8(ct, body []byte) []byte {
	return o.read.text.Text(attribute(ct, "charset"), body)
}

// textBody tells the kind of a body, and gives it in UTF-8 if it is text.
func (o *Observer) textBody(d *charset.Decoder, ct, body []byte) (BodyKind, []byte) {
	kind := bodyKind(ct, body)
	switch kind {
	case BodyNone, BodyMultipart, BodyImage, BodyFile, BodyMessagePack, BodyProtobuf:
		return kind, body
	}
	text := d.Text(attribute(ct, "charset"), body)
	if len(text) != len(body) || len(text) > 0 && &text[0] != &body[0] {
		return bodyKind(ct, text), text
	}
	return kind, body
}

// observeJSON reads a JSON body; whole says that nothing of it was cut off.
func (o *Observer) observeJSON(ct, body []byte, response, whole bool) {
	v := o.visitor(response)
	w := &o.walker
	n, complete := w.Walk(body, v)
	o.takeRecords(response)
	if complete {
		return
	}
	leaves := w.Leaves
	if w.Documents > 0 && n > 0 && lined(ct, body[:n]) {
		// a broken line among lines: what follows it is read
		if i := bytes.IndexByte(body[n:], '\n'); i >= 0 {
			records, documents := w.Records, w.Documents
			o.over(1 + w.Lines(body[n+i:], v))
			w.Records = max(records, w.Records, documents+w.Documents)
			o.takeRecords(response)
			return
		}
	}
	if whole && n < len(body) && (leaves == 0 || len(body)-n > 1) {
		// no JSON, or not any more: the rest is text
		o.scanText(response, body[n:min(len(body), n+o.cfg.Limits.Text)])
	}
}

// lined reports whether a body is lines of JSON, by its type or by the
// document before the broken one having ended at a line's end.
func lined(ct, read []byte) bool {
	for _, s := range [...]string{"ndjson", "jsonl", "json-seq", "json-lines", "stream+json"} {
		if bytes.Contains(ct, []byte(s)) {
			return true
		}
	}
	i := bytes.LastIndexByte(read, '\n')
	return i > 0 && trimSpaceEnd(read[:i]) == '}'
}

func trimSpaceEnd(b []byte) byte {
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return 0
	}
	return b[len(b)-1]
}

// events gives the JSON data of an event stream as JSON lines; nil when there
// is none.
func (o *Observer) events(body []byte) []byte {
	out := o.read.lines[:0]
	for len(body) > 0 {
		line := body
		if i := bytes.IndexByte(body, '\n'); i >= 0 {
			line, body = body[:i], body[i+1:]
		} else {
			body = nil
		}
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if data = trimSpace(data); ok && jsonHead(data) {
			out = append(append(out, data...), '\n')
		}
	}
	o.read.lines = out
	return out
}

// observeXML reads an XML body; false when it is none.
func (o *Observer) observeXML(body []byte, response bool) bool {
	x := &o.read.xml
	if !x.Parse(body) {
		return false
	}
	if !response && o.callXML(x) {
		return true
	}
	if x.Operation != nil && o.o.Operation == "" && !x.Fault {
		o.o.Operation = o.fieldName(x.Operation)
		if !response {
			o.o.Protocol = rpc.SOAP
		}
	}
	o.tellXML(x, response, true)
	for _, in := range x.Inner {
		o.within(in.Path, func() {
			switch {
			case in.Text[0] != '<':
				if _, ok := o.walker.Walk(in.Text, o.visitor(response)); !ok && o.walker.Leaves == 0 {
					o.scanText(response, in.Text[:min(len(in.Text), o.cfg.Limits.Text)])
				}
			case o.read.inner.Parse(in.Text):
				o.tellXML(&o.read.inner, response, false)
			default:
				o.scanText(response, in.Text[:min(len(in.Text), o.cfg.Limits.Text)])
			}
		})
		o.takeRecords(response)
	}
	return true
}

func (o *Observer) tellXML(x *markup.XML, response, nested bool) {
	o.base = x.Wrappers
	o.inFormat(formatXML+uint64(x.Wrappers), func() { x.Tell(&o.walker, o.visitor(response), nested) })
	o.base = 0
	o.over(x.Over)
	o.takeRecords(response)
}

// takeRecords keeps the number of records of the document read last, if no
// other had more.
func (o *Observer) takeRecords(response bool) {
	if response {
		o.o.Records = max(o.o.Records, o.walker.Records)
	}
}

// readPage reads tables and fields of an HTML text, and scans the rest of it.
func (o *Observer) readPage(text []byte, response bool) (rows uint32) {
	h := &o.read.html
	o.inFormat(formatHTML, func() { h.Read(text, &o.walker, o.records(response)) })
	rows = o.walker.Records
	o.takeRecords(response)
	o.over(h.Over)
	for _, s := range h.Scripts {
		o.within([]byte("script"), func() { o.walker.Walk(s, o.records(response)) })
	}
	for _, rest := range h.Rest {
		o.scanText(response, rest)
	}
	return rows
}

// pageMessage chooses what a page says: the first of its errors and alerts
// that says something known, else its title.
func (o *Observer) pageMessage(text []byte) {
	r := &o.response
	for _, m := range o.read.html.Messages {
		o.tmpl = o.template(o.tmpl[:0], m, false)
		o.read.norm = normalMessage(o.read.norm[:0], o.tmpl)
		if o.cfg.Phrases.says(o.read.norm) != 0 {
			r.msg = append(r.msg[:0], m[:min(len(m), maxMessage)]...)
			return
		}
	}
	r.msg = append(r.msg[:0], title(text)...)
}

// describeField is Names.describe for the leaf being reported.
func (o *Observer) describeField(name, key, parent string) field {
	w := &o.walker
	depth := w.Keys() - o.base
	if o.base > 0 { // XML
		if key == "#text" { // the element's own text beside attributes
			key, parent, depth = parent, "", depth-1
		}
		if key != "" && key[0] == '@' {
			key = key[1:]
		}
	}
	f := o.cfg.Names.describe(name, key, parent, depth, w.InArray())
	if o.base > 0 && f.code == 0 && f.message == 0 {
		// SOAP 1.2: Fault.Code.Value and Fault.Reason.Text
		switch {
		case key == "Value" && parent == "Code":
			f.code, f.normal = o.cfg.Names.codeRank["faultcode"], "faultcode"
		case key == "Text" && parent == "Reason":
			f.message = o.cfg.Names.messageRank["faultstring"]
		}
	}
	return f
}

// faultCode drops the prefix of a SOAP fault code: soap:Client.
func faultCode(name string, v []byte) []byte {
	if name == "faultcode" {
		return v[bytes.LastIndexByte(v, ':')+1:]
	}
	return v
}

// parameter gives a value of the query or a form in UTF-8: some clients write
// GBK behind the percent signs, or the %uXXXX of JavaScript's escape.
func (o *Observer) parameter(v []byte) []byte {
	if i := bytes.Index(v, percentU); i >= 0 {
		v = appendPercentU(o.read.param[:0], v)
		o.read.param = v
	}
	return o.read.value.Value(v)
}

var percentU = []byte("%u")

// appendPercentU decodes %uXXXX.
func appendPercentU(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+5 < len(b) && b[i+1] == 'u' {
			r, ok := rune(0), true
			for _, c := range b[i+2 : i+6] {
				d := hexValue(c)
				ok = ok && d < 16
				r = r<<4 | rune(d&15)
			}
			if ok {
				dst = utf8.AppendRune(dst, r)
				i += 5
				continue
			}
		}
		dst = append(dst, b[i])
	}
	return dst
}
