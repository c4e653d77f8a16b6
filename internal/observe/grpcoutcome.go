package observe

import (
	"bytes"
	"strconv"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jsonleaf"
)

// rpcOutcome is what gRPC says about an answer beside the HTTP status, which
// is 200 whatever happens.
type rpcOutcome struct {
	code  uint8 // 1 + the status code, 0 when none was seen
	field string
	msg   []byte
}

// rpcCode is a status code of gRPC.
type rpcCode struct {
	name   string
	status uint16 // the HTTP status of the same meaning
}

// rpcCodes by number. UNIMPLEMENTED is what servers say of methods and
// services that do not exist.
var rpcCodes = [...]rpcCode{
	{"OK", 200}, {"CANCELLED", 499}, {"UNKNOWN", 500}, {"INVALID_ARGUMENT", 400}, {"DEADLINE_EXCEEDED", 504}, {"NOT_FOUND", 404},
	{"ALREADY_EXISTS", 409}, {"PERMISSION_DENIED", 403}, {"RESOURCE_EXHAUSTED", 429}, {"FAILED_PRECONDITION", 400}, {"ABORTED", 409},
	{"OUT_OF_RANGE", 400}, {"UNIMPLEMENTED", 404}, {"INTERNAL", 500}, {"UNAVAILABLE", 503}, {"DATA_LOSS", 500}, {"UNAUTHENTICATED", 401},
}

const rpcUnknown = 2

// rpcTrailers looks for the outcome in the trailers.
func (o *Observer) rpcTrailers() {
	for i := range o.x.Response.Trailer {
		f := &o.x.Response.Trailer[i]
		o.rpcField(f.Name, f.Value)
	}
}

// rpcField takes a field of headers or trailers that tells the outcome. The
// last one counts: trailers come after headers.
func (o *Observer) rpcField(name, value []byte) {
	r := &o.response.rpc
	switch {
	case len(name) == 11 && exchange.EqualFold(name, "grpc-status"):
		n, err := strconv.ParseUint(string(trimSpace(value[:min(len(value), 8)])), 10, 8)
		if err != nil || n >= uint64(len(rpcCodes)) {
			n = rpcUnknown
		}
		r.code, r.field = uint8(n)+1, "grpc-status"
	case len(name) == 12 && exchange.EqualFold(name, "grpc-message"):
		r.msg = appendPercent(r.msg[:0], value[:min(len(value), 4*maxMessage)], false)
	}
}

// webTrailers reads the trailers at the end of a body of gRPC-Web.
func (o *Observer) webTrailers(b []byte) {
	for len(b) > 0 {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if i := bytes.IndexByte(line, ':'); i > 0 {
			o.rpcField(trimSpace(line[:i]), trimSpace(line[i+1:]))
		}
	}
}

// connectEnd reads the end of a stream of Connect: {"error":{"code":…}}.
func (o *Observer) connectEnd(b []byte) {
	r := &o.response.rpc
	r.code, r.field = 1, "error.code"
	e := &o.read.rpc.end
	e.r = r
	e.w.Walk(b, e)
	e.r = nil
}

// connectError takes the leaves of such an end.
type connectError struct {
	w    jsonleaf.Walker
	r    *rpcOutcome
	path []byte
}

func (c *connectError) Leaf(_ uint64, k jsonleaf.Kind, v []byte) {
	if k != jsonleaf.String {
		return
	}
	c.path = c.w.AppendPath(c.path[:0])
	switch string(c.path) {
	case "error.code":
		c.r.code = rpcUnknown + 1
		for i := range rpcCodes {
			if equalFoldName(v, rpcCodes[i].name) {
				c.r.code = uint8(i) + 1
			}
		}
	case "error.message":
		c.r.msg = append(c.r.msg[:0], v[:min(len(v), maxMessage)]...)
	}
}

// equalFoldName compares Connect's name of a code, which is in lower case and
// spells "canceled" with one l, with gRPC's.
func equalFoldName(v []byte, name string) bool {
	return bytes.EqualFold(v, []byte(name)) || name == "CANCELLED" && string(v) == "canceled"
}

// takeOutcome makes gRPC's outcome that of the answer.
func (o *Observer) takeOutcome() {
	r := &o.response.rpc
	if r.code == 0 {
		return
	}
	c := &rpcCodes[r.code-1]
	if c.status == 200 {
		return
	}
	o.o.Status = c.status
	o.o.Code, o.o.CodeField, o.o.CodeSays = c.name, r.field, -1
	if len(r.msg) > 0 {
		o.response.msgRank = 1
		o.response.msg = append(o.response.msg[:0], r.msg[:min(len(r.msg), maxMessage)]...)
	}
}
