package observe

import (
	"bytes"

	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// observeTarget reads the request target: host, path segments, query.
func (o *Observer) observeTarget() {
	x, ob := o.x, o.o
	target := x.Target
	host := x.Host
	switch {
	case len(target) > 0 && target[0] == '/':
	case string(target) == "*":
		target = nil
	case string(x.Method) == "CONNECT":
		host, target = target, nil
	default: // absolute form, or something hostile
		if i := bytes.Index(target, schemeEnd); i > 0 && i <= 12 {
			rest := target[i+3:]
			end := bytes.IndexAny(rest, "/?#")
			if end < 0 {
				end = len(rest)
			}
			if at := bytes.LastIndexByte(rest[:end], '@'); at >= 0 {
				rest, end = rest[at+1:], end-at-1
			}
			if len(host) == 0 {
				host = rest[:end]
			}
			target = rest[end:]
		}
	}
	ob.Host = o.hostName(host)
	if i := bytes.IndexByte(target, '#'); i >= 0 {
		target = target[:i]
	}
	var query []byte
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		target, query = target[:i], target[i+1:]
		ob.Query = true
	}
	o.recallPath(target)
	if len(query) > 0 {
		o.observePairs(query, InQuery, '&')
	}
}

var schemeEnd = []byte("://")

// hostName gives the host in lower case, without port, user or final dot.
func (o *Observer) hostName(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if at := bytes.LastIndexByte(b, '@'); at >= 0 {
		b = b[at+1:]
	}
	if len(b) > 0 && b[0] == '[' {
		if end := bytes.IndexByte(b, ']'); end > 0 {
			b = b[1:end]
		}
	} else if i := bytes.LastIndexByte(b, ':'); i >= 0 && bytes.IndexByte(b, ':') == i {
		b = b[:i]
	}
	if len(b) > 1 && b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	o.lowered = lower(o.lowered[:0], b[:min(len(b), MaxText)])
	return o.word(o.lowered)
}

// observePath decodes the path once, segment by segment, and resolves empty
// and dot segments.
func (o *Observer) observePath(p []byte) {
	o.path = o.path[:0]
	var starts [MaxSegments + 1]int32
	n := 0
	for len(p) > 0 {
		if p[0] == '/' {
			p = p[1:]
			continue
		}
		end := bytes.IndexByte(p, '/')
		if end < 0 {
			end = len(p)
		}
		raw := p[:end]
		p = p[end:]
		if i := bytes.IndexByte(raw, ';'); i >= 0 {
			o.matrix(raw[i+1:])
			raw = raw[:i]
		}
		from := len(o.path)
		o.path = appendPercent(o.path, raw, false)
		if v := o.read.value.Value(o.path[from:]); len(v) != len(o.path)-from {
			o.path = append(o.path[:from], v...)
		}
		seg := o.path[from:]
		switch string(seg) {
		case "", ".":
			o.path = o.path[:from]
			continue
		case "..":
			o.path = o.path[:from]
			if n > 0 {
				n--
				o.path = o.path[:starts[n]]
			}
			continue
		}
		if n == MaxSegments {
			o.over(1)
			o.path = o.path[:from]
			continue
		}
		starts[n] = int32(from)
		n++
	}
	starts[n] = int32(len(o.path))
	for i := range n {
		o.segment(o.path[starts[i]:starts[i+1]])
	}
	// signatures see the path as the application does, slashes and dots included
	if o.cfg.Signatures != nil && o.o.Part == 0 {
		if i := bytes.IndexByte(o.x.Target, '?'); i >= 0 {
			o.val = appendPercent(o.val[:0], o.x.Target[:i], false)
		} else {
			o.val = appendPercent(o.val[:0], o.x.Target, false)
		}
		o.match(signature.PartPath, InPath, "", o.val)
	}
}

func (o *Observer) segment(b []byte) {
	slot := o.wordSlot(b)
	if slot != nil && slot.Text == string(b) {
		o.out.segments.add(*slot)
		return
	}
	m := sensitive.MaskOf(b)
	s := Segment{Class: classifyMask(m, b)}
	switch s.Class {
	case ClassWord, ClassVer:
		// no recogniser knows a word
		s.Text = o.word(b)
		s.Token = o.tokenOfMask(taxonomy.NotSensitive, m, b)
		if slot != nil {
			*slot = s // under its text; one that had to be cleaned is never found
		}
		o.out.segments.add(s)
		return
	}
	s.Sensitive = o.recogniseMask(0, s.Class, m, b)
	if s.Sensitive == taxonomy.NotSensitive && len(o.hits) > 0 {
		s.Sensitive = o.hits[0].Type
	}
	if s.Sensitive != taxonomy.NotSensitive {
		for i := range o.hits {
			h := &o.hits[i]
			v := b[h.Start:h.End]
			o.exposeHit("", pathExposure, false, h, sensitive.MaskOf(v), v)
		}
		typ := s.Sensitive
		if len(o.hits) > 0 && o.hits[0].End-o.hits[0].Start != len(b) {
			typ = taxonomy.NotSensitive // the value is more than the hit
		}
		s.Token = o.tokenOf(typ, b)
		s.Shape = o.shapeOf(b)
		s.Set = o.setOf(typ, s.Class, b)
	} else {
		s.Text = o.once(b)
		s.Token = o.foldToken(b)
		s.Set = o.setOf(0, s.Class, b)
	}
	o.allow()
	o.request.echo(b)
	o.out.segments.add(s)
}

const pathExposure = 0x7061746800000000 // stands for the path in exposures

// matrix reads the parameters of a path segment: ";jsessionid=…".
func (o *Observer) matrix(b []byte) {
	if len(b) > 0 {
		o.observePairs(b, InPath, ';')
	}
}

// observePairs reads name=value pairs.
func (o *Observer) observePairs(b []byte, in Location, sep byte) {
	for n := 0; len(b) > 0; n++ {
		end := bytes.IndexByte(b, sep)
		if end < 0 {
			end = len(b)
		}
		pair := b[:end]
		b = b[min(end+1, len(b)):]
		if len(pair) == 0 {
			continue
		}
		if n >= 4*MaxParams {
			o.over(1)
			return
		}
		name, value := pair, []byte(nil)
		if i := bytes.IndexByte(pair, '='); i >= 0 {
			name, value = pair[:i], pair[i+1:]
		}
		o.key = appendPercent(o.key[:0], name, true)
		o.val = appendPercent(o.val[:0], value, true)
		o.pair(in, o.key, o.val)
	}
}

// pair reports one decoded parameter.
func (o *Observer) pair(in Location, name, value []byte) {
	if len(name) > 4096 {
		name = name[:4096]
	}
	value = o.parameter(value)
	f := o.formField(name)
	if f == nil {
		o.over(1)
		return
	}
	if f.traits&traitCall != 0 && o.callPair(f, in, value) {
		return
	}
	if nested(value) {
		// a body inside a parameter: data={"mobile":"…"}
		o.request.prefix, o.request.in = f.name, in
		seed := o.walker.Seed
		o.walker.Seed = jsonleaf.Hash(seed, name)
		_, ok := o.walker.Walk(value, (*requestLeaves)(o))
		o.walker.Seed = seed
		o.request.prefix = ""
		if ok && o.walker.Leaves > 0 {
			return
		}
		f = &o.fields.list[f.at] // the walk may have moved it
	}
	o.textForm(f, in, value)
	o.requestLeaf(f, in, TypeString, value)
}

func nested(v []byte) bool {
	n := len(v)
	return n >= 7 && (v[0] == '{' && v[n-1] == '}' || v[0] == '[' && v[1] == '{' && v[n-1] == ']')
}

// appendPercent decodes percent escapes once; invalid ones are kept. plus
// means that "+" is a blank.
func appendPercent(dst, b []byte, plus bool) []byte {
	if bytes.IndexByte(b, '%') < 0 && (!plus || bytes.IndexByte(b, '+') < 0) {
		return append(dst, b...)
	}
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '%' && i+2 < len(b):
			hi, lo := hexValue(b[i+1]), hexValue(b[i+2])
			if hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		case c == '+' && plus:
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

func hexValue(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case (c|0x20)-'a' < 6:
		return (c | 0x20) - 'a' + 10
	}
	return 16
}
