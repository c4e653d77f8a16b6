package collector

import (
	"bytes"

	"xiezhi/internal/exchange"
	"xiezhi/internal/taxonomy"
)

// apisix reads what APISIX's http-logger sends: an array of entries, a single
// entry, or, with concat_method new_line, an entry a line. The place of an
// entry in an array is given as its line.
func (d *decoder) apisix(body []byte) error {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 || body[0] != '[' {
		return d.lines(body, d.logged)
	}
	at := 1
	for n := int64(1); ; n++ {
		for at < len(body) && (body[at] == ' ' || body[at] == '\t' || body[at] == '\r' || body[at] == '\n' || body[at] == ',') {
			at++
		}
		if at < len(body) && body[at] == ']' {
			if len(bytes.TrimSpace(body[at+1:])) > 0 {
				d.out.reject(n, taxonomy.DropCorrupt, "text after the array")
			}
			return nil
		}
		if at >= len(body) || body[at] != '{' {
			d.out.reject(n, taxonomy.DropCorrupt, "the array is broken here; what follows is not read")
			return nil
		}
		end := objectEnd(body[at:])
		if end < 0 {
			d.out.reject(n, taxonomy.DropCorrupt, "the array ends within this entry")
			return nil
		}
		if err := d.bounded(n, body[at:at+end], d.logged); err != nil {
			return err
		}
		at += end
	}
}

// objectEnd gives the length of the object that b begins with, -1 if it does
// not end.
func objectEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		}
	}
	return -1
}

// logged reads one entry of http-logger: its own format, or one whose members
// are named as nginx's variables.
func (d *decoder) logged(n int64, raw []byte) error {
	x := &d.x
	d.log.NewFile()
	if raw[0] != '{' && raw[0] != ' ' {
		d.out.reject(n, taxonomy.DropCorrupt, "an entry is an object")
		return nil
	}
	if reason, why := d.log.Parse(raw, x); why != "" {
		if reason == "" {
			reason = taxonomy.DropCorrupt
		}
		d.out.reject(n, reason, why)
		return nil
	}
	h := exchange.HashLine(raw)
	if id := requestID(raw); id != nil {
		x.ID = id
	}
	if fullEntry(raw) {
		d.seen(x)
		// Start and latency are logged in fractions of a millisecond, so two
		// equal entries are one that was sent again.
		var hash exchange.ContentHash
		var err error
		if hash, err = d.har.Hash(raw); err != nil {
			hash = h
		}
		d.id = hash.ID(0)
		x.ID = d.id[:]
	}
	return d.keep(h)
}

// fullEntry tells http-logger's own format from one that an operator wrote.
func fullEntry(raw []byte) bool {
	return bytes.Contains(raw, []byte(`"start_time":`)) && bytes.Contains(raw, []byte(`"apisix_latency":`)) &&
		bytes.Contains(raw, []byte(`"request":{`))
}

// requestID gives the member request_id, which an operator's own format may
// hold: nginx's $request_id is random, and so tells what was sent again.
func requestID(raw []byte) []byte {
	const member = `"request_id":"`
	i := bytes.Index(raw, []byte(member))
	if i < 0 {
		return nil
	}
	v := raw[i+len(member):]
	j := bytes.IndexAny(v[:min(len(v), maxRequestID+1)], `"\`)
	if j < minRequestID || v[j] != '"' {
		return nil
	}
	return v[:j:j]
}

const minRequestID, maxRequestID = 16, 256

// seen says what http-logger's own format shows: every header, in no order,
// and whether there was a body to log.
func (d *decoder) seen(x *exchange.Exchange) {
	x.Caps |= exchange.CapRequestHeaders | exchange.CapResponseHeaders | exchange.CapClientAddr
	if x.Caps&exchange.CapRequestBody == 0 && none(&x.Request) && x.Request.Get("transfer-encoding") == nil {
		x.Caps |= exchange.CapRequestBody
		x.Request.BodySize = 0
	}
	if x.Caps&exchange.CapResponseBody == 0 && (string(x.Response.Get("content-length")) == "0" || x.Status == 204 || x.Status == 304) {
		x.Caps |= exchange.CapResponseBody
		x.Response.BodySize = 0
	}
}

// none reports whether a request's headers announce no body.
func none(m *exchange.Message) bool {
	n := m.Get("content-length")
	return len(n) == 0 || string(n) == "0"
}
