package observe

import (
	"bytes"

	"xiezhi/internal/observe/signature"
)

const maxFormParts = 256

// observeMultipart reads the parts of a multipart body: text fields as
// parameters, files as name and size.
func (o *Observer) observeMultipart(ct, body []byte) {
	boundary := attribute(ct, "boundary")
	if len(boundary) == 0 || len(boundary) > 200 {
		return
	}
	o.clean = append(append(o.clean[:0], '-', '-'), boundary...)
	delim := append([]byte(nil), o.clean...) // o.clean is needed for names
	i := bytes.Index(body, delim)
	if i < 0 {
		return
	}
	body = body[i+len(delim):]
	for n := 0; len(body) > 0 && !bytes.HasPrefix(body, []byte("--")); n++ {
		if n == maxFormParts {
			o.over(1)
			return
		}
		body = bytes.TrimPrefix(bytes.TrimPrefix(body, []byte("\r")), []byte("\n"))
		end := bytes.Index(body, delim)
		part := body
		if end < 0 {
			body = nil // the last part was cut: what is there counts
		} else {
			part, body = body[:end], body[end+len(delim):]
		}
		part = bytes.TrimSuffix(bytes.TrimSuffix(part, []byte("\n")), []byte("\r"))
		o.formPart(part)
	}
}

func (o *Observer) formPart(part []byte) {
	head, value := part, []byte(nil)
	if bytes.HasPrefix(part, []byte("\r\n")) || bytes.HasPrefix(part, []byte("\n")) {
		return // no header, no name
	}
	if i := bytes.Index(part, []byte("\r\n\r\n")); i >= 0 {
		head, value = part[:i], part[i+4:]
	} else if i := bytes.Index(part, []byte("\n\n")); i >= 0 {
		head, value = part[:i], part[i+2:]
	}
	var disposition []byte
	for len(head) > 0 {
		line := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			line, head = head[:i], head[i+1:]
		} else {
			head = nil
		}
		line = trimSpace(line)
		if i := bytes.IndexByte(line, ':'); i > 0 && len(line[:i]) == len("content-disposition") {
			if o.lowered = lower(o.lowered[:0], line[:i]); string(o.lowered) == "content-disposition" {
				disposition = trimSpace(line[i+1:])
			}
		}
	}
	name := attribute(disposition, "name")
	if len(name) == 0 || len(name) > 1024 {
		return
	}
	file, isFile := attributeOK(disposition, "filename")
	if !isFile {
		file, isFile = attributeOK(disposition, "filename*")
	}
	if !isFile {
		o.pair(InForm, name, value)
		return
	}
	f := o.formField(name)
	if f == nil {
		o.over(1)
		return
	}
	if f.types&(1<<InForm) == 0 {
		f.types |= 1 << InForm
		o.request.shape.leaf(f, InForm, TypeNone, nil)
	}
	o.match(signature.PartForm, InForm, f.name, file)
	o.param(Param{Name: f.name, Len: uint32(min(len(value), 1<<31)), In: InForm, Class: ClassFile})
}

func attribute(b []byte, name string) []byte {
	v, _ := attributeOK(b, name)
	return v
}

// attributeOK finds ;name=value or ;name="value" in a header value.
func attributeOK(b []byte, name string) (value []byte, ok bool) {
	for {
		i := bytes.IndexByte(b, ';')
		if i < 0 {
			return nil, false
		}
		b = trimSpace(b[i+1:])
		eq := bytes.IndexByte(b, '=')
		if eq < 0 {
			return nil, false
		}
		var buf [32]byte
		key := trimSpace(b[:eq])
		match := len(key) <= len(buf) && string(lower(buf[:0], key)) == name
		v := trimSpace(b[eq+1:])
		if len(v) > 0 && v[0] == '"' {
			end := 1
			for end < len(v) && v[end] != '"' {
				if v[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(v))
			if match {
				return v[1:end], true
			}
			b = v[end:]
			continue
		}
		if match {
			if i := bytes.IndexByte(v, ';'); i >= 0 {
				v = v[:i]
			}
			return trimSpace(v), true
		}
		b = v
	}
}
