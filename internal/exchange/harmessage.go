package exchange

import (
	"bytes"
	"encoding/base64"
	"math"
)

func (d *HARDecoder) request(p *parser, e *entry) error {
	x, seen := e.x, uint32(0)
	return p.object(func(key []byte) (err error) {
		name, field := "", uint(0)
		switch string(key) {
		case "method":
			name, field = "method", 1
		case "url":
			name, field = "url", 2
		case "httpVersion":
			name, field = "httpVersion", 3
		case "headers":
			name, field = "headers", 4
		case "postData":
			name, field = "postData", 5
		case "bodySize":
			name, field = "bodySize", 6
		case "headersSize":
			name, field = "headersSize", 7
		case "_unknownHeaders":
			name, field = "_unknownHeaders", 9
		case "_trailers":
			name, field = "_trailers", 8
		case "_unordered":
			name, field = "_unordered", 10
		default:
			return p.skipIn(key)
		}
		if err := once(p, &seen, field); err != nil {
			return within(name, err)
		}
		if null, err := p.null(); null || err != nil {
			if err == nil && field <= 2 {
				err = p.fail("null where a value is required")
			}
			return within(name, err)
		}
		switch field {
		case 1:
			at := p.i
			if x.Method, err = p.str(); err == nil && len(x.Method) == 0 {
				err = p.failAt(at, "empty")
			}
		case 2:
			e.urlAt = p.i
			if e.url, err = p.str(); err == nil && len(e.url) == 0 {
				err = p.failAt(e.urlAt, "empty")
			}
		case 3:
			e.proto, err = p.proto()
		case 10:
			e.unordered, err = p.truth()
		case 4:
			x.Request.Header, err = d.headers(p, x.Request.Header[:0])
		case 5:
			err = d.postData(p, e)
		case 6:
			e.bodySize, err = p.size()
			e.noRequestSize = e.bodySize < 0
		case 7:
			e.headersSize, err = p.size()
		case 9:
			x.Request.Unknown, err = p.unknown()
		case 8:
			x.Request.Trailer, err = d.headers(p, x.Request.Trailer[:0])
		}
		return within(name, err)
	})
}

func (d *HARDecoder) response(p *parser, e *entry) error {
	x, seen := e.x, uint32(0)
	return p.object(func(key []byte) (err error) {
		name, field := "", uint(0)
		switch string(key) {
		case "status":
			name, field = "status", 1
		case "statusText":
			name, field = "statusText", 2
		case "httpVersion":
			name, field = "httpVersion", 3
		case "headers":
			name, field = "headers", 4
		case "content":
			name, field = "content", 5
		case "bodySize":
			name, field = "bodySize", 6
		case "headersSize":
			name, field = "headersSize", 7
		case "_unknownHeaders":
			name, field = "_unknownHeaders", 9
		case "_trailers":
			name, field = "_trailers", 8
		default:
			return p.skipIn(key)
		}
		if err := once(p, &seen, field); err != nil {
			return within(name, err)
		}
		if null, err := p.null(); null || err != nil {
			return within(name, err)
		}
		switch field {
		case 1:
			var n int64
			n, err = p.integer(-1, 999, "status")
			x.Status = int(max(n, 0))
		case 2:
			x.Reason, err = p.str()
		case 3:
			e.respProto, err = p.proto()
		case 4:
			x.Response.Header, err = d.headers(p, x.Response.Header[:0])
		case 5:
			err = d.content(p, e)
		case 6:
			e.respBodySize, err = p.size()
		case 7:
			e.respHeadersSize, err = p.size()
		case 9:
			x.Response.Unknown, err = p.unknown()
		case 8:
			x.Response.Trailer, err = d.headers(p, x.Response.Trailer[:0])
		}
		return within(name, err)
	})
}

func (p *parser) unknown() (int, error) {
	n, err := p.integer(0, math.MaxInt32, "count")
	return int(n), err
}

// headers reads [{name, value}, …] in order.
func (d *HARDecoder) headers(p *parser, dst []Field) ([]Field, error) {
	err := p.array(func(int) error {
		var f Field
		seen := uint32(0)
		at := p.i
		err := p.object(func(key []byte) (err error) {
			switch string(key) {
			case "name":
				if err = once(p, &seen, 1); err == nil {
					f.Name, err = p.str()
				}
				return within("name", err)
			case "value":
				if err = once(p, &seen, 2); err == nil {
					if null, err := p.null(); null || err != nil {
						return within("value", err)
					}
					f.Value, err = p.str()
				}
				return within("value", err)
			}
			return p.skipIn(key)
		})
		if err == nil && len(f.Name) == 0 {
			err = within("name", p.failAt(at, "missing"))
		}
		dst = append(dst, f)
		return err
	})
	return dst, err
}

// postData gives the request body: text if there is any, else the form that
// params describe. HAR has no binary request bodies; encoding "base64" is what
// several writers, ours among them, use for them.
func (d *HARDecoder) postData(p *parser, e *entry) error {
	var text, encoding, mime []byte
	textAt, seen := 0, uint32(0)
	d.params = d.params[:0]
	err := p.object(func(key []byte) (err error) {
		name, field := "", uint(0)
		switch string(key) {
		case "text":
			name, field = "text", 1
		case "encoding":
			name, field = "encoding", 2
		case "mimeType":
			name, field = "mimeType", 3
		case "params":
			name, field = "params", 4
		case "_coded":
			name, field = "_coded", 5
		default:
			return p.skipIn(key)
		}
		if err := once(p, &seen, field); err != nil {
			return within(name, err)
		}
		if null, err := p.null(); null || err != nil {
			return within(name, err)
		}
		switch field {
		case 1:
			textAt = p.i
			text, err = p.str()
		case 2:
			encoding, err = p.str()
		case 3:
			mime, err = p.str()
		case 4:
			err = d.readParams(p)
		case 5:
			e.codedRequest, err = p.truth()
		}
		return within(name, err)
	})
	if err != nil {
		return err
	}
	e.hasPostData = true
	if len(text) > 0 || len(d.params) == 0 {
		e.x.Request.Body, err = p.coded(text, encoding, textAt)
		return err
	}
	start := len(p.text)
	p.text = appendForm(p.text, d.params, mime)
	e.x.Request.Body = p.text[start:len(p.text):len(p.text)]
	return nil
}

func (d *HARDecoder) readParams(p *parser) error {
	return p.array(func(int) error {
		var f Field
		err := p.object(func(key []byte) (err error) {
			var to *[]byte
			name := ""
			switch string(key) {
			case "name":
				to, name = &f.Name, "name"
			case "value":
				to, name = &f.Value, "value"
			default:
				return p.skipIn(key)
			}
			if null, err := p.null(); null || err != nil {
				return within(name, err)
			}
			*to, err = p.str()
			return within(name, err)
		})
		d.params = append(d.params, f)
		return err
	})
}

func (d *HARDecoder) content(p *parser, e *entry) error {
	var text, encoding []byte
	textAt, seen := 0, uint32(0)
	err := p.object(func(key []byte) (err error) {
		name, field := "", uint(0)
		switch string(key) {
		case "text":
			name, field = "text", 1
		case "encoding":
			name, field = "encoding", 2
		case "size":
			name, field = "size", 3
		case "_coded":
			name, field = "_coded", 4
		default:
			return p.skipIn(key)
		}
		if err := once(p, &seen, field); err != nil {
			return within(name, err)
		}
		if null, err := p.null(); null || err != nil {
			return within(name, err)
		}
		switch field {
		case 1:
			textAt = p.i
			text, err = p.str()
			e.hasText = true
		case 2:
			encoding, err = p.str()
		case 3:
			e.contentSize, err = p.size()
		case 4:
			e.codedResponse, err = p.truth()
		}
		return within(name, err)
	})
	if err != nil {
		return err
	}
	e.x.Response.Body, err = p.coded(text, encoding, textAt)
	return err
}

// truth reads true or false.
func (p *parser) truth() (bool, error) {
	if p.peek() == 't' {
		return true, p.literal("true")
	}
	return false, p.literal("false")
}

// coded undoes the encoding of a body's text.
func (p *parser) coded(text, encoding []byte, at int) ([]byte, error) {
	switch {
	case EqualFold(encoding, "base64"):
		n := base64.StdEncoding.DecodedLen(len(text))
		start := len(p.text)
		p.text = append(p.text, make([]byte, n)...)
		m, err := base64.StdEncoding.Decode(p.text[start:], text)
		p.text = p.text[:start+m]
		if err != nil {
			return nil, within("text", p.failAt(at, "not base64"))
		}
		return p.text[start : start+m : start+m], nil
	case len(encoding) == 0, EqualFold(encoding, "utf-8"), EqualFold(encoding, "utf8"), EqualFold(encoding, "text"), EqualFold(encoding, "plain"), EqualFold(encoding, "identity"):
		return text, nil
	}
	return nil, within("encoding", p.failAt(at, "unknown encoding"))
}

// appendForm rebuilds a form body from its fields: multipart when the media
// type gives a boundary, else URL-encoded.
func appendForm(dst []byte, params []Field, mime []byte) []byte {
	if boundary := formBoundary(mime); boundary != nil {
		for _, f := range params {
			dst = append(append(append(dst, "--"...), boundary...), "\r\nContent-Disposition: form-data; name=\""...)
			for _, c := range f.Name {
				switch c { // as browsers do
				case '"':
					dst = append(dst, "%22"...)
				case '\r':
					dst = append(dst, "%0D"...)
				case '\n':
					dst = append(dst, "%0A"...)
				default:
					dst = append(dst, c)
				}
			}
			dst = append(append(append(dst, "\"\r\n\r\n"...), f.Value...), "\r\n"...)
		}
		return append(append(append(dst, "--"...), boundary...), "--\r\n"...)
	}
	for i, f := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(appendFormText(dst, f.Name), '=')
		dst = appendFormText(dst, f.Value)
	}
	return dst
}

func formBoundary(mime []byte) []byte {
	const form, key = "multipart/form-data", "boundary="
	if len(mime) < len(form) || !EqualFold(mime[:len(form)], form) {
		return nil
	}
	i := bytes.Index(mime, []byte(key))
	if i < 0 {
		return nil
	}
	b := mime[i+len(key):]
	if j := bytes.IndexByte(b, ';'); j >= 0 {
		b = b[:j]
	}
	b = bytes.Trim(bytes.TrimSpace(b), `"`)
	if len(b) == 0 || len(b) > 70 {
		return nil
	}
	return b
}

const upperHex = "0123456789ABCDEF"

func appendFormText(dst, s []byte) []byte {
	for _, c := range s {
		switch {
		case c-'0' <= 9, (c|0x20)-'a' < 26, c == '-', c == '_', c == '.', c == '*':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
