package rpc

import "bytes"

// Replies gives the calls that were read last their answers. It reports false
// when the body is no answer to them: then it is to be read as it is.
func (r *Reader) Replies(body []byte) bool {
	body = trim(body)
	if len(body) < 2 || body[0] != '{' && body[0] != '[' || len(r.Calls) == 0 {
		return false
	}
	r.budget += 2*len(body) + spareRoom
	graph := false
	for i := range r.Calls {
		graph = graph || r.Calls[i].Protocol == GraphQL
	}
	if graph {
		r.graphReplies(body)
	} else {
		r.rpcReplies(body)
	}
	for i := range r.Calls {
		if r.Calls[i].Answered {
			return true
		}
	}
	return false
}

// graphReplies takes answers of GraphQL: an object, or a list of them in the
// order of the batch.
func (r *Reader) graphReplies(body []byte) {
	if body[0] == '{' {
		r.graphReply(0, body)
		if r.batch && len(r.Calls) > 1 { // the batch was refused as a whole
			for i := range r.Calls {
				if c := &r.Calls[i]; !c.Answered && c.index != r.Calls[0].index && member(body, "data") == nil {
					r.graphReply(c.index, body)
				}
			}
		}
		return
	}
	l := list{b: body, i: 1}
	for n := 0; ; n++ {
		v, ok := l.next()
		if !ok {
			return
		}
		if v[0] == '{' {
			r.graphReply(n, v)
		}
	}
}

// graphReply gives an answer to the calls that came from the index-th request
// of a batch.
func (r *Reader) graphReply(index int, b []byte) {
	data, errors := member(b, "data"), member(b, "errors")
	if data == nil && errors == nil {
		return
	}
	first, n := -1, 0
	for i := range r.Calls {
		if c := &r.Calls[i]; c.index == index && c.Protocol == GraphQL && !c.Answered {
			if first < 0 {
				first = i
			}
			n++
		}
	}
	if n == 0 {
		return
	}
	if n == 1 {
		c := &r.Calls[first]
		c.Answered, c.Received = true, len(b)
		r.whole(c, data, errors)
		return
	}
	for i := first; i < len(r.Calls); i++ {
		if c := &r.Calls[i]; c.index == index && c.Protocol == GraphQL {
			c.Answered = true
		}
	}
	if len(data) > 0 && data[0] == '{' {
		o := object{list{b: data, i: 1}}
		for {
			key, v, ok := o.next()
			if !ok {
				break
			}
			if c := r.alias(index, key); c != nil && c.Reply == nil && !null(v) {
				c.Received = len(v)
				r.field(c, v)
			}
		}
	}
	r.errors(index, errors)
}

// alias finds the call whose answer stands under a key.
func (r *Reader) alias(index int, key []byte) *Call {
	for i := range r.Calls {
		if c := &r.Calls[i]; c.index == index && c.key != nil && bytes.Equal(c.key, key) {
			return c
		}
	}
	return nil
}

// field makes the answer that the field alone would have got.
func (r *Reader) field(c *Call, v []byte) {
	from := len(r.buf)
	r.buf = append(r.buf, `{"data":{`...)
	r.member(c.field, v)
	r.buf = append(r.buf, "}}"...)
	c.Reply = r.buf[from:len(r.buf):len(r.buf)]
}

// whole takes the answer to an operation that is one call.
func (r *Reader) whole(c *Call, data, errors []byte) {
	switch {
	case null(data):
	case c.key != nil:
		v := member(data, string(c.key))
		if v == nil {
			v = []byte("null")
		}
		r.field(c, v)
		if null(v) {
			data = nil
		}
	default:
		from := len(r.buf)
		r.buf = append(r.buf, '{')
		r.member([]byte("data"), data)
		c.Reply = r.close(from)
		if null(dataOf(data)) {
			data = nil
		}
	}
	if len(errors) < 2 || errors[0] != '[' {
		return
	}
	l := list{b: errors, i: 1}
	if v, ok := l.next(); ok {
		c.Failed = null(data)
		r.fail(c, v)
	}
}

// dataOf gives null when all that an answer holds is null.
func dataOf(data []byte) []byte {
	if len(data) == 0 || data[0] != '{' {
		return data
	}
	o := object{list{b: data, i: 1}}
	for {
		_, v, ok := o.next()
		if !ok {
			return nil
		}
		if !null(v) {
			return data
		}
	}
}

// errors gives errors to the calls that they name by path; one without a path
// is everybody's who got nothing.
func (r *Reader) errors(index int, errors []byte) {
	if len(errors) < 2 || errors[0] != '[' {
		return
	}
	l := list{b: errors, i: 1}
	for n := 0; n < 4*MaxCalls; n++ {
		v, ok := l.next()
		if !ok {
			return
		}
		if path := member(v, "path"); len(path) > 2 && path[0] == '[' {
			p := list{b: path, i: 1}
			if key, ok := p.next(); ok && isString(key) {
				if c := r.alias(index, key[1:len(key)-1]); c != nil {
					c.Failed = c.Failed || c.Reply == nil
					r.fail(c, v)
				}
				continue
			}
		}
		for i := range r.Calls {
			if c := &r.Calls[i]; c.index == index && c.Protocol == GraphQL && c.Reply == nil && c.Text == nil {
				c.Failed = true
				r.fail(c, v)
			}
		}
	}
}

// fail keeps an error: message and code, and as a document when nothing else
// came.
func (r *Reader) fail(c *Call, v []byte) {
	if c.Text == nil {
		c.Text = r.text(member(v, "message"))
		ext := member(v, "extensions")
		for _, name := range [...]string{"code", "errorCode", "classification", "category"} {
			if code := member(ext, name); code != nil {
				c.Code = r.bare(code)
				break
			}
		}
	}
	if c.Reply == nil {
		c.Received = max(c.Received, len(v))
		from := len(r.buf)
		r.buf = append(r.buf, `{"errors":[`...)
		if len(v) <= r.budget {
			r.budget -= len(v)
			r.buf = append(r.buf, v...)
		} else {
			r.Over++
		}
		r.buf = append(r.buf, "]}"...)
		c.Reply = r.buf[from:len(r.buf):len(r.buf)]
	}
}
