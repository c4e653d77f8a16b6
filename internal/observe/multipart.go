package observe

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"

	"xiezhi/internal/observe/form"
	"xiezhi/internal/observe/signature"
)

const (
	maxFormParts  = 256 // of a body, nested ones included
	maxFormDepth  = 3
	maxBoundary   = 200
	maxPartHeader = 16
)

// part is a part of a multipart body.
type part struct {
	disposition, ct, encoding []byte
	body                      []byte
}

// observeMultipart reads a multipart body: text fields as parameters, files
// with name, size and content, nested bodies part by part.
func (o *Observer) observeMultipart(ct, body []byte, response bool) {
	o.read.parts = 0
	o.request.in = InBody
	o.multipart(ct, body, nil, response, 0)
}

func (o *Observer) multipart(ct, body, field []byte, response bool, depth int) {
	delim := delimiter(ct, body)
	if delim == nil || depth == maxFormDepth {
		o.over(1)
		return
	}
	i := findDelimiter(body, delim)
	if i < 0 {
		return
	}
	body = body[i+len(delim):]
	for len(body) > 0 && !bytes.HasPrefix(body, []byte("--")) {
		if o.read.parts++; o.read.parts > maxFormParts {
			o.over(1)
			return
		}
		if nl := bytes.IndexByte(body, '\n'); nl >= 0 { // blanks may follow the boundary
			body = body[nl+1:]
		}
		end := findDelimiter(body, delim)
		p := body
		if end < 0 {
			body = nil // the last part was cut: what is there counts
		} else {
			p, body = body[:end], body[end+len(delim):]
		}
		p = bytes.TrimSuffix(bytes.TrimSuffix(p, []byte("\n")), []byte("\r"))
		o.part(p, field, response, depth)
	}
}

// delimiter gives "--boundary": the declared one, or, when none is declared,
// the first line.
func delimiter(ct, body []byte) []byte {
	boundary := attribute(ct, "boundary")
	if len(boundary) > maxBoundary {
		return nil
	}
	if len(boundary) > 0 {
		return append([]byte("--"), boundary...)
	}
	line := body
	if i := bytes.IndexByte(body, '\n'); i >= 0 {
		line = body[:i]
	}
	line = trimSpace(line)
	if len(line) < 3 || len(line) > maxBoundary || !bytes.HasPrefix(line, []byte("--")) {
		return nil
	}
	return append([]byte(nil), line...)
}

// findDelimiter finds the next delimiter: at the beginning of a line, and not
// the beginning of another boundary.
func findDelimiter(b, delim []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], delim)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(delim)
		if (i == 0 || b[i-1] == '\n') && (end == len(b) || b[end] <= ' ' || b[end] == '-') {
			return i
		}
		from = i + 1
	}
}

// readPart splits a part into its header and body.
func readPart(b []byte) (p part) {
	head := b
	if bytes.HasPrefix(b, []byte("\r\n")) || bytes.HasPrefix(b, []byte("\n")) {
		p.body = bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("\r")), []byte("\n"))
		return p // no header
	}
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		head, p.body = b[:i], b[i+4:]
	} else if i := bytes.Index(b, []byte("\n\n")); i >= 0 {
		head, p.body = b[:i], b[i+2:]
	}
	for n := 0; len(head) > 0 && n < maxPartHeader; n++ {
		line := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			line, head = head[:i], head[i+1:]
		} else {
			head = nil
		}
		line = trimSpace(line)
		i := bytes.IndexByte(line, ':')
		if i <= 0 || i > 32 {
			continue
		}
		var buf [32]byte
		v := trimSpace(line[i+1:])
		switch string(lower(buf[:0], line[:i])) {
		case "content-disposition":
			p.disposition = v
		case "content-type":
			p.ct = v
		case "content-transfer-encoding":
			p.encoding = v
		}
	}
	return p
}

// partBody removes the transfer encoding of a part.
func (o *Observer) partBody(p *part) []byte {
	var buf [20]byte
	switch string(lower(buf[:0], p.encoding[:min(len(p.encoding), len(buf))])) {
	case "base64":
		if n := base64.StdEncoding.DecodedLen(len(p.body)); cap(o.read.bytes) < n {
			o.read.bytes = make([]byte, n)
		}
		out := o.read.bytes[:cap(o.read.bytes)]
		n, _ := base64.StdEncoding.Decode(out, p.body) // what could be decoded counts
		return out[:n]
	case "quoted-printable":
		out := bytes.NewBuffer(o.read.bytes[:0])
		_, _ = io.Copy(out, quotedprintable.NewReader(bytes.NewReader(p.body))) // likewise
		o.read.bytes = out.Bytes()
		return o.read.bytes
	}
	return p.body
}

// part reads one part; field is the name of the part that it is nested in.
func (o *Observer) part(b, field []byte, response bool, depth int) {
	p := readPart(b)
	name := attribute(p.disposition, "name")
	if len(name) > 1024 {
		o.over(1)
		return
	}
	if len(name) == 0 {
		name = field
	}
	if bodyKind(p.ct, p.body) == BodyMultipart && len(attribute(p.ct, "boundary")) > 0 {
		o.multipart(p.ct, p.body, append([]byte(nil), name...), response, depth+1)
		return
	}
	body := o.partBody(&p)
	file, isFile := o.dispositionName(p.disposition)
	switch {
	case response || len(name) == 0:
		o.document(p.ct, file, body, isFile, response)
	case isFile:
		o.filePart(name, p.ct, file, body)
	case !nested(body) && len(body) > 0:
		if kind, text := o.textBody(&o.read.part, p.ct, body); kind == BodyXML {
			o.within(name, func() {
				if !o.observeXML(text, false) {
					o.scanText(false, text)
				}
			})
			return
		}
		fallthrough
	default:
		o.pair(InForm, name, o.read.part.Text(attribute(p.ct, "charset"), body))
	}
}

// filePart reports a file of a form. The name that it is given is the
// client's, hence attacks stand there.
func (o *Observer) filePart(name, ct, file, body []byte) {
	f := o.formField(name)
	if f == nil {
		o.over(1)
		return
	}
	if f.types&(1<<InForm) == 0 {
		f.types |= 1 << InForm
		o.request.shape.leaf(f, InForm, TypeNone, nil)
	}
	o.meet(f, form.File|form.InForm, nil)
	o.match(signature.PartForm, InForm, f.name, file)
	field := f.name
	o.param(Param{Name: field, Len: uint32(min(len(body), 1<<31)), In: InForm, Class: ClassFile})
	if len(file) > 0 || len(body) > 0 {
		o.within(name, func() { o.upload(field, ct, file, body) })
	}
}

// document reads a part that has no name: one of several documents.
func (o *Observer) document(ct, file, body []byte, isFile, response bool) {
	kind, text := o.textBody(&o.read.part, ct, body)
	if isFile || kind == BodyFile {
		if !response {
			o.within(partName, func() { o.upload("part", ct, file, body) })
			return
		}
		k := fileKind(ct, file, body)
		if f := &o.o.Download; f.Kind == FileNone {
			f.Kind, f.Attachment, f.Bytes, f.Name = k, isFile, uint64(len(body)), o.fileName(file)
		}
		o.within(partName, func() { o.o.Download.Rows += o.readFile(k, ct, body, true) })
		return
	}
	o.within(partName, func() {
		switch kind {
		case BodyJSON:
			o.observeJSON(ct, text, response, true)
		case BodyXML:
			if !o.observeXML(text, response) {
				o.scanText(response, text[:min(len(text), o.cfg.Limits.Text)])
			}
		case BodyHTML:
			o.readPage(text[:min(len(text), o.cfg.Limits.Text)], response)
		case BodyText, BodyForm, BodyScript:
			o.scanText(response, text[:min(len(text), o.cfg.Limits.Text)])
		}
	})
}

var partName = []byte("part")
