package rpc

import (
	"bytes"
	"strconv"

	"xiezhi/internal/observe/jsonleaf"
)

// jsonRPC takes a call of JSON-RPC 1.0, 1.1 or 2.0. Its parameters and what
// stands beside them (tokens of sessions, by some) are one document.
func (r *Reader) jsonRPC(e *envelope, b []byte) {
	c := Call{Protocol: JSONRPC, Name: r.text(e.method), Sent: len(b), id: e.id}
	c.Quiet = !e.hasID || null(e.id)
	if multicall(c.Name) && r.multicall(e.params, c) {
		return
	}
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	o := object{list{b: b, i: 1}}
	for n := 0; n < 64; n++ {
		key, v, ok := o.next()
		if !ok {
			break
		}
		switch string(key) {
		case "jsonrpc", "method", "params", "id", "version":
			continue
		}
		r.member(key, v)
	}
	r.params(c.Name, e.params)
	c.Doc = r.close(from)
	r.add(c)
}

// member appends a member to the document that is being made.
func (r *Reader) member(key, v []byte) {
	if len(key)+len(v) > r.budget {
		r.Over++
		return
	}
	r.budget -= len(key) + len(v)
	r.comma()
	r.buf = append(append(jsonleaf.AppendQuoted(r.buf, key), ':'), v...)
}

func (r *Reader) comma() {
	if n := len(r.buf); n > 0 && r.buf[n-1] != '{' && r.buf[n-1] != '[' {
		r.buf = append(r.buf, ',')
	}
}

// close ends the object begun at from; nil when it is empty.
func (r *Reader) close(from int) []byte {
	if len(r.buf) == from+1 {
		r.buf = r.buf[:from]
		return nil
	}
	r.buf = append(r.buf, '}')
	return r.buf[from:len(r.buf):len(r.buf)]
}

// params appends the parameters of a call: named ones as they are, positional
// ones under the names they are known by, else as "param1", "param2" ….
func (r *Reader) params(name, params []byte) {
	if len(params) == 0 {
		return
	}
	switch params[0] {
	case '{':
		if inside := trim(params[1 : len(params)-1]); len(inside) > 0 {
			if len(inside) > r.budget {
				r.Over++
				return
			}
			r.budget -= len(inside)
			r.comma()
			r.buf = append(r.buf, inside...)
		}
	case '[':
		r.positional(name, params)
	}
}

const maxPositions = 16 // parameters with a name of their own

func (r *Reader) positional(name, params []byte) {
	var known []string
	if r.Positions != nil {
		known = r.Positions(name)
	}
	l := list{b: params, i: 1}
	for n := 0; ; n++ {
		v, ok := l.next()
		if !ok {
			return
		}
		switch {
		case n == 0 && v[0] == '{' && len(known) == 0:
			// an only object holds named parameters
			rest := l
			if _, more := rest.next(); !more {
				r.params(name, v)
				return
			}
			r.member([]byte("param1"), v)
		case n < len(known):
			if known[n] != "" {
				r.member([]byte(known[n]), v)
			}
		case n < maxPositions:
			r.member(strconv.AppendInt([]byte("param"), int64(n+1), 10), v)
		default:
			r.member([]byte("params"), params[l.i-len(v):])
			return
		}
	}
}

// multicall reports whether a call holds calls.
func multicall(name []byte) bool { return string(name) == "system.multicall" }

// multicall takes the calls inside of a system.multicall.
func (r *Reader) multicall(params []byte, outer Call) bool {
	l := list{b: params, i: 1}
	calls, ok := l.next()
	if !ok || calls[0] != '[' {
		// aria2 puts a token before the list
		if calls, ok = l.next(); !ok || calls[0] != '[' {
			return false
		}
	}
	l = list{b: calls, i: 1}
	some := false
	for n := 0; ; n++ {
		v, ok := l.next()
		if !ok {
			return some
		}
		if len(r.Calls) == MaxCalls {
			r.Over++
			continue
		}
		name := member(v, "methodName")
		if name == nil {
			name = member(v, "method")
		}
		if !isString(name) {
			continue
		}
		some = true
		c := Call{Protocol: outer.Protocol, Name: r.text(name), Sent: len(v), id: outer.id, index: n, multi: true}
		from := len(r.buf)
		r.buf = append(r.buf, '{')
		r.params(c.Name, member(v, "params"))
		c.Doc = r.close(from)
		r.add(c)
	}
}

// rpcReply takes an answer of JSON-RPC.
func (r *Reader) rpcReply(c *Call, b []byte) {
	if c.Answered {
		return
	}
	result, fault := member(b, "result"), member(b, "error")
	switch {
	case !null(fault) && !(null(fault) || string(fault) == "false" || string(fault) == "0"):
		c.Answered, c.Failed, c.Received = true, true, len(b)
		r.fault(c, fault)
	case result != nil || fault != nil:
		c.Answered, c.Received = true, len(b)
		r.result(c, result)
	}
}

func (r *Reader) result(c *Call, result []byte) {
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	if len(result) > 0 {
		r.member([]byte("result"), result)
	}
	c.Reply = r.close(from)
}

// fault keeps an error: its document, code and message.
func (r *Reader) fault(c *Call, v []byte) {
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	r.member([]byte("error"), v)
	c.Reply = r.close(from)
	if isString(v) {
		c.Text = r.text(v)
		return
	}
	for _, name := range [...]string{"code", "faultCode"} {
		if code := member(v, name); code != nil {
			c.Code = r.bare(code)
			break
		}
	}
	for _, name := range [...]string{"message", "faultString"} {
		if t := member(v, name); isString(t) {
			c.Text = r.text(t)
			break
		}
	}
	// what the application says stands in data, by some: "Server error" is all
	// that the protocol's own message says there
	data := member(v, "data")
	if t := member(data, "message"); isString(t) && len(t) > 2 {
		c.Text = r.text(t)
	} else if isString(data) && len(data) > 2 && len(data) < 300 {
		c.Text = r.text(data)
	}
}

// rpcReplies gives the answers of a batch to its calls, by id.
func (r *Reader) rpcReplies(body []byte) {
	if len(r.Calls) > 0 && r.Calls[0].multi {
		r.multiReplies(body)
		return
	}
	if body[0] == '{' {
		// one answer: to the only call, or an error to the batch as a whole
		for i := range r.Calls {
			if c := &r.Calls[i]; c.Protocol == JSONRPC || c.Protocol == XMLRPC {
				r.rpcReply(c, body)
			}
		}
		return
	}
	l := list{b: body, i: 1}
	for {
		v, ok := l.next()
		if !ok {
			return
		}
		id := member(v, "id")
		for i := range r.Calls {
			c := &r.Calls[i]
			if c.Protocol == JSONRPC && !c.Quiet && !c.Answered && sameID(c.id, id) {
				r.rpcReply(c, v)
				break
			}
		}
	}
}

// sameID compares ids; some servers answer a number with a text.
func sameID(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return !null(a)
	}
	if isString(a) != isString(b) && len(a) > 0 && len(b) > 0 {
		return bytes.Equal(bytes.Trim(a, `"`), bytes.Trim(b, `"`))
	}
	return false
}

// multiReplies gives the answers of a system.multicall: a list with an element
// for each call, a fault or a list of one value.
func (r *Reader) multiReplies(body []byte) {
	result := member(body, "result")
	if len(result) == 0 || result[0] != '[' {
		for i := range r.Calls {
			r.rpcReply(&r.Calls[i], body)
		}
		return
	}
	l := list{b: result, i: 1}
	k := 0
	for n := 0; k < len(r.Calls); n++ {
		v, ok := l.next()
		if !ok {
			return
		}
		if r.Calls[k].index != n {
			continue
		}
		c := &r.Calls[k]
		k++
		c.Answered, c.Received = true, len(v)
		switch {
		case v[0] == '{' && (member(v, "faultCode") != nil || member(v, "code") != nil && member(v, "message") != nil):
			c.Failed = true
			r.fault(c, v)
		case v[0] == '[':
			one := list{b: v, i: 1}
			inner, _ := one.next()
			r.result(c, inner)
		default:
			r.result(c, v)
		}
	}
}
