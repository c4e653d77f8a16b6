package rule

import (
	"cel.dev/cel-go/cel"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// View is what an expression sees of one event. It belongs to one judge and is
// filled anew for each event.
type View struct {
	Request  Request
	Response Response
	API      API
	Who      Who
	Types    *Types // names of types that people defined; may be nil
}

// ResolveName gives a variable; View is a cel.Activation.
func (v *View) ResolveName(name string) (any, bool) {
	switch name {
	case "request":
		return &v.Request, true
	case "response":
		return &v.Response, true
	case "api":
		return &v.API, true
	case "who":
		return &v.Who, true
	}
	return nil, false
}

// Parent is none.
func (v *View) Parent() cel.Activation { return nil }

// API is which API was asked.
type API struct {
	Site     string `cel:"site"`
	Host     string `cel:"host"`
	Method   string `cel:"method"`
	Template string `cel:"template"`
	Role     string `cel:"role"`
}

// Who is who asked, as far as a rule may know.
type Who struct {
	Anonymous bool `cel:"anonymous"` // showed no credential
	Known     bool `cel:"known"`     // a principal is known
	Private   bool `cel:"private"`   // from a private address
}

// Request is what was asked.
type Request struct {
	Method      string       `cel:"method"`
	Host        string       `cel:"host"`
	Segments    []Segment    `cel:"segments"`
	Params      []Param      `cel:"params"`
	Credentials []Credential `cel:"credentials"`
	Sensitive   []Sensitive  `cel:"sensitive"`
	Attacks     []string     `cel:"attacks"` // ids of rules/signatures.yaml
	Uploads     []File       `cel:"uploads"`
	Agent       string       `cel:"agent"` // family: chrome, curl
	Tool        bool         `cel:"tool"`
	Origin      string       `cel:"origin"`
	Referer     string       `cel:"referer"` // host
	Secure      bool         `cel:"secure"`
	Query       bool         `cel:"query"`
	Kind        string       `cel:"kind"`
	Bytes       int64        `cel:"bytes"`
	Protocol    string       `cel:"protocol"`
	Operation   string       `cel:"operation"`
}

// Response is what came back.
type Response struct {
	Status    int64        `cel:"status"`
	Outcome   string       `cel:"outcome"`
	Code      string       `cel:"code"`
	CodeField string       `cel:"code_field"`
	Message   string       `cel:"message"` // template, values removed
	Kind      string       `cel:"kind"`
	Bytes     int64        `cel:"bytes"`
	Records   int64        `cel:"records"`
	Leaves    []Leaf       `cel:"leaves"`
	Sensitive []Sensitive  `cel:"sensitive"`
	Internals []Internal   `cel:"internals"`
	Issued    []Credential `cel:"issued"`
	Markers   []string     `cel:"markers"` // ids of rules/components.yaml and its like
	Server    string       `cel:"server"`
	Location  string       `cel:"location"`
	File      File         `cel:"file"`
	CORS      string       `cel:"cors"` // "", any, null, reflected
}

// Segment is a path segment: its text where it is a word, else what it is.
type Segment struct {
	Text  string `cel:"text"`
	Class string `cel:"class"`
	Type  string `cel:"type"` // of sensitive data
	Shape string `cel:"shape"`
	tok   uint64
	kind  taxonomy.Sensitive
}

// Param is a leaf of the request.
type Param struct {
	Name  string `cel:"name"`
	In    string `cel:"where"`
	JSON  string `cel:"json"`
	Class string `cel:"class"`
	Type  string `cel:"type"`
	Shape string `cel:"shape"`
	Len   int64  `cel:"len"`
	tok   uint64
	kind  taxonomy.Sensitive
}

// Leaf is a value of the response that other places may name.
type Leaf struct {
	Path   string `cel:"path"`
	JSON   string `cel:"json"`
	Class  string `cel:"class"`
	Record int64  `cel:"record"`
	tok    uint64
}

// Credential is something that proves who asks.
type Credential struct {
	Kind string `cel:"kind"`
	In   string `cel:"where"`
	Name string `cel:"name"`
	JWT  bool   `cel:"jwt"`
}

// Sensitive is one type of sensitive data at one path.
type Sensitive struct {
	Path       string `cel:"path"`
	Type       string `cel:"type"`
	Level      int64  `cel:"level"`
	Masked     bool   `cel:"masked"`
	Confidence int64  `cel:"confidence"`
	Count      int64  `cel:"count"`
	Distinct   int64  `cel:"distinct"`
	Shape      string `cel:"shape"`
}

// Internal is a field for the inside only.
type Internal struct {
	Path  string `cel:"path"`
	Kind  string `cel:"kind"`
	Count int64  `cel:"count"`
}

// File is a file that was brought or fetched.
type File struct {
	Kind       string `cel:"kind"`
	Bytes      int64  `cel:"bytes"`
	Rows       int64  `cel:"rows"`
	Attachment bool   `cel:"attachment"`
}

// tokened is a value that is() can compare.
type tokened interface {
	token() (uint64, taxonomy.Sensitive)
}

func (s Segment) token() (uint64, taxonomy.Sensitive) { return s.tok, s.kind }
func (p Param) token() (uint64, taxonomy.Sensitive)   { return p.tok, p.kind }
func (l Leaf) token() (uint64, taxonomy.Sensitive)    { return l.tok, taxonomy.NotSensitive }

var (
	classNames = [...]string{"empty", "word", "int", "hex", "uuid", "date", "version", "mixed", "email", "token", "file", "phrase", "float", "other"}
	typeNames  = [...]string{"", "string", "int", "float", "bool", "null"}
	kindNames  = [...]string{"none", "json", "form", "multipart", "xml", "html", "text", "script", "image", "file", "binary", "unread", "messagepack", "protobuf"}
)

func nameOf[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "other"
}

// Fill puts an observation into the view; API, Who and Response.Outcome are the
// caller's.
func (v *View) Fill(o *observe.Observation) {
	q, r := &v.Request, &v.Response
	*q = Request{Method: o.Method, Host: o.Host, Segments: q.Segments[:0], Params: q.Params[:0], Credentials: q.Credentials[:0], Sensitive: q.Sensitive[:0], Attacks: q.Attacks[:0], Uploads: q.Uploads[:0],
		Agent: o.AgentFamily, Tool: o.AgentTool, Origin: o.Origin, Referer: o.Referer, Secure: o.Secure, Query: o.Query,
		Kind: nameOf(kindNames[:], o.ReqKind), Bytes: int64(o.ReqBytes), Protocol: o.Protocol.String(), Operation: o.Operation}
	*r = Response{Status: int64(o.Status), Outcome: r.Outcome, Code: o.Code, CodeField: o.CodeField, Message: o.Message, Kind: nameOf(kindNames[:], o.RespKind), Bytes: int64(o.RespBytes), Records: int64(o.Records),
		Leaves: r.Leaves[:0], Sensitive: r.Sensitive[:0], Internals: r.Internals[:0], Issued: r.Issued[:0], Markers: r.Markers[:0], Server: o.ServerBanner, Location: o.Location,
		File: fileOf(&o.Download), CORS: corsOf(o.CORS)}
	for i := range o.Segments {
		s := &o.Segments[i]
		q.Segments = append(q.Segments, Segment{segmentText(s), nameOf(classNames[:], s.Class), v.Types.ID(s.Sensitive), s.Shape, s.Token, s.Sensitive})
	}
	for i := range o.Params {
		p := &o.Params[i]
		q.Params = append(q.Params, Param{p.Name, p.In.String(), nameOf(typeNames[:], p.Type), nameOf(classNames[:], p.Class), v.Types.ID(p.Sensitive), p.Shape, int64(p.Len), p.Token, p.Sensitive})
	}
	q.Credentials = credentials(q.Credentials, o.Credentials)
	r.Issued = credentials(r.Issued, o.Issued)
	for i := range o.Signatures {
		q.Attacks = append(q.Attacks, o.Signatures[i].Rule)
	}
	for i := range o.Uploads {
		q.Uploads = append(q.Uploads, fileOf(&o.Uploads[i]))
	}
	for i := range o.Leaves {
		l := &o.Leaves[i]
		r.Leaves = append(r.Leaves, Leaf{l.Path, nameOf(typeNames[:], l.Type), nameOf(classNames[:], l.Class), int64(l.Record), l.Token})
	}
	for i := range o.Exposures {
		x := &o.Exposures[i]
		s := Sensitive{x.Path, v.Types.ID(x.Type), int64(x.Type.Level()), x.Masked, int64(x.Confidence), int64(x.Count), int64(x.Distinct), x.Shape}
		if x.Response {
			r.Sensitive = append(r.Sensitive, s)
		} else {
			q.Sensitive = append(q.Sensitive, s)
		}
	}
	for i := range o.Internals {
		x := &o.Internals[i]
		r.Internals = append(r.Internals, Internal{x.Path, x.Kind.String(), int64(x.Count)})
	}
	for i := range o.Markers {
		r.Markers = append(r.Markers, o.Markers[i].Rule)
	}
}

// segmentText gives the text of a segment that is a word.
func segmentText(s *observe.Segment) string {
	switch s.Class {
	case observe.ClassWord, observe.ClassVer, observe.ClassFile:
		return s.Text
	}
	return ""
}

func credentials(dst []Credential, list []observe.Credential) []Credential {
	for i := range list {
		c := &list[i]
		dst = append(dst, Credential{c.Kind.String(), c.In.String(), c.Name, c.JWT != nil})
	}
	return dst
}

func fileOf(f *observe.File) File {
	return File{f.Kind.String(), int64(f.Bytes), int64(f.Rows), f.Attachment}
}

func corsOf(bits uint8) string {
	switch {
	case bits&observe.CORSReflected != 0:
		return "reflected"
	case bits&observe.CORSAny != 0:
		return "any"
	case bits&observe.CORSNull != 0:
		return "null"
	}
	return ""
}
