// Package rpc reads the calls that stand in one body: GraphQL operations,
// JSON-RPC and XML-RPC calls, batches of them, messages of a stream.
//
// It takes bytes and gives calls: the operation's name, what it was called with
// as a JSON document, and, once the answer has been read, what came back, again
// as a JSON document. A call of a batch gives the documents that the same call
// alone would give. It is made for captured traffic: what is broken or cut gives
// the calls that can be read. Invariant: the same bytes give the same calls;
// documents that were made hold values of the body and nothing else. Limits:
// MaxCalls and the constants below; what exceeds them is counted in Over.
package rpc

// Caps of one body. At a cap the rest is not read and counted in Over.
const (
	MaxCalls     = 64        // calls given; further ones are counted
	maxDocument  = 256 << 10 // bytes of a GraphQL document
	maxTokens    = 32 << 10  // of a GraphQL document
	maxOperate   = 32        // operations of a GraphQL document
	maxFragments = 128       // fragments of a GraphQL document
	maxFields    = 4096      // root fields of a GraphQL operation
	maxVariables = 256
	maxNested    = 64 // arguments of fields below the root
	maxDepth     = 64 // nesting of an argument
	maxName      = 128
	spareRoom    = 256 << 10 // made documents, beyond the size of the body
)

// Protocol says by which convention a call is made.
type Protocol uint8

const (
	None Protocol = iota
	GraphQL
	JSONRPC
	XMLRPC
	SOAP
	Message // a message of a WebSocket, none of the above
	STOMP
	Parameter // a parameter names the operation; decided by the catalogue
	protocols
)

var names = [protocols]string{"", "graphql", "json-rpc", "xml-rpc", "soap", "message", "stomp", "parameter"}

func (p Protocol) String() string { return names[min(p, protocols-1)] }

// Protocols is the number of protocols, None included.
const Protocols = uint8(protocols)

// Call is one call. Its slices are valid until the reader reads another body.
type Call struct {
	Protocol Protocol
	Name     []byte // "query getUser", "user.login"; empty when unknown
	Root     []byte // GraphQL: the operation by its root fields, which the server defines
	Doc      []byte // JSON object: what it was called with; nil: nothing
	Sent     int    // bytes of the call in its body
	Quiet    bool   // a notification, which is not answered

	Reply    []byte // JSON document: what came back; nil: nothing
	Received int    // bytes of the reply in its body
	Answered bool
	Failed   bool   // the reply is an error of the protocol
	Code     []byte // of the error
	Text     []byte // message of the error

	id    []byte // as written; matches replies
	key   []byte // GraphQL: name under which the answer gives the field; nil: the whole answer
	field []byte // GraphQL: name of that field
	index int    // GraphQL: place of the operation in its batch
	multi bool   // of a system.multicall
}

// Reader reads bodies one after the other and keeps its room. The zero value
// is ready.
type Reader struct {
	Calls []Call
	Over  int // calls and values beyond the caps

	// Positions gives the names of a call's positional parameters, as far as
	// they are known.
	Positions func(name []byte) []string

	buf    []byte
	budget int
	batch  bool
	graph  graph
	vars   []variable
	msgs   []message
	turns  bool // the messages are questions and answers in turns
}

type variable struct {
	name, value []byte
	used        bool
}

func (r *Reader) reset(body int) {
	clear(r.Calls)
	r.Calls, r.Over, r.batch = r.Calls[:0], 0, false
	if cap(r.buf) > 1<<20 {
		r.buf = nil
	}
	r.buf = r.buf[:0]
	r.budget = body + spareRoom
}

// add appends a call, or counts it.
func (r *Reader) add(c Call) {
	if len(r.Calls) == MaxCalls {
		r.Over++
		return
	}
	if len(c.Name) > maxName {
		c.Name = c.Name[:maxName]
	}
	if len(c.Root) > maxName {
		c.Root = c.Root[:maxName]
	}
	r.Calls = append(r.Calls, c)
}

// made ends a piece that was appended to the buffer since from.
func (r *Reader) made(from int) []byte {
	r.budget -= len(r.buf) - from
	return r.buf[from:len(r.buf):len(r.buf)]
}

// JSON reads a body that may be a call or a batch of calls. It reports false
// when it is none: then nothing has been read.
func (r *Reader) JSON(body []byte) bool {
	r.reset(len(body))
	return r.read(body)
}

func (r *Reader) read(body []byte) bool {
	body = trim(body)
	if len(body) < 8 {
		return false
	}
	switch body[0] {
	case '{':
		return r.object(body, 0)
	case '[':
		l := list{b: body, i: 1}
		some := false
		for n := 0; ; n++ {
			v, ok := l.next()
			if !ok {
				break
			}
			if len(r.Calls) == MaxCalls {
				r.Over++
				continue
			}
			if len(v) > 0 && v[0] == '{' && r.object(v, n) {
				some = true
			} else if n == 0 {
				return false // a list of something else
			} else {
				r.add(Call{Sent: len(v), index: n})
			}
		}
		r.batch = some
		return some
	}
	return false
}

// envelope is what the members of an object say about calls.
type envelope struct {
	jsonrpc, method, params, id              []byte
	query, operation, variables, extensions  []byte
	document                                 []byte // id of a persisted document
	hasID, hasParams, hasVariables, hasQuery bool
}

func (r *Reader) object(b []byte, index int) bool {
	var e envelope
	o := object{list{b: b, i: 1}}
	for n := 0; n < 64; n++ {
		key, v, ok := o.next()
		if !ok {
			break
		}
		switch string(key) {
		case "jsonrpc":
			e.jsonrpc = v
		case "method":
			e.method = v
		case "params":
			e.params, e.hasParams = v, v[0] == '{' || v[0] == '['
		case "id":
			e.id, e.hasID = v, true
		case "query":
			e.query, e.hasQuery = v, v[0] == '"'
		case "operationName":
			e.operation = v
		case "variables":
			e.variables, e.hasVariables = v, true
		case "extensions":
			e.extensions = v
		case "documentId", "doc_id", "queryId", "documentID":
			e.document = v
		}
	}
	switch {
	case e.hasQuery:
		return r.graphQL(&e, index, len(b))
	case isString(e.method) && (e.jsonrpc != nil || e.hasParams && e.hasID):
		r.jsonRPC(&e, b)
		return true
	case e.query == nil && e.method == nil && e.persisted():
		return r.graphQL(&e, index, len(b))
	}
	return false
}

// persisted reports whether an object names a GraphQL document instead of
// giving it.
func (e *envelope) persisted() bool {
	name := isString(e.operation) && len(e.operation) > 2
	return hashOf(e.extensions) != nil || name && e.hasVariables || e.document != nil && (e.hasVariables || name)
}

// hashOf gives extensions.persistedQuery.sha256Hash.
func hashOf(extensions []byte) []byte {
	if h := member(member(extensions, "persistedQuery"), "sha256Hash"); isString(h) && len(h) > 2 {
		return h[1 : len(h)-1]
	}
	return nil
}
