// Package exchange defines one HTTP exchange, the neutral input of everything
// behind the sources, and its HAR form.
//
// Sources fill an Exchange and hand it to a sink; observe reads it. Bytes are
// not copied: every slice of an Exchange belongs to whoever filled it and is
// valid only until the sink returns, so a consumer that keeps an exchange
// copies it (see Batch). Invariant: header fields keep wire order and original
// spelling; bodies are free of transfer coding but keep their content coding
// unless Message.Decoded says otherwise.
package exchange

import "net/netip"

// Field is one header line, name and value as sent, without surrounding space.
type Field struct{ Name, Value []byte }

// Caps says what a source was able to see. A feature that a source cannot see
// is unavailable, never zero.
type Caps uint16

const (
	CapRequestHeaders  Caps = 1 << iota // all request header lines
	CapHeaderOrder                      // request header lines in wire order and spelling
	CapRequestBody                      // request bodies, if any were sent
	CapResponseHeaders                  // all response header lines
	CapResponseBody                     // response bodies, if any were sent
	CapResponse                         // a response status is visible
	CapClientAddr                       // the peer's address is the transport's own
	CapTLS                              // the ClientHello was visible
)

// CapWire is what a capture of plaintext HTTP gives.
const CapWire = CapRequestHeaders | CapHeaderOrder | CapRequestBody | CapResponseHeaders | CapResponseBody | CapResponse | CapClientAddr

// Message is one side of an exchange.
type Message struct {
	Header    []Field
	Body      []byte
	BodySize  int64 // body bytes after transfer decoding, before any cut; -1 unknown
	Truncated int64 // body bytes missing from Body
	Decoded   bool  // content coding already removed (HAR)
	Trailer   []Field
	Unknown   int // header fields that were sent but cannot be known (HTTP/2 joined midway)
}

// Aside says what an Exchange is about that is none: sources give it only to a
// sink that asks for it (source.Witness), and only rules written for logs look
// at it.
type Aside uint8

const (
	AsideNone      Aside = iota // an exchange
	AsideMalformed              // a request that its server could not read; Target holds all of it
	AsideAuthFail               // a server's message that somebody failed to sign in
	AsideLimited                // … that it limits somebody's requests
	AsideAdminFail              // … that somebody failed to sign in to the server's own console
)

// StreamMessage is one message of a connection that goes on after the exchange
// that opened it, such as a WebSocket's.
type StreamMessage struct {
	Time int64  // its last byte, ns since the epoch
	Sent bool   // by the client
	Text bool   // declared to be text, else binary
	Data []byte // unmasked and decompressed
	Size int64  // of the whole message; more than len(Data) when it was cut
}

// Get returns the value of the first field with that lower-case name, or nil.
func (m *Message) Get(lower string) []byte {
	for i := range m.Header {
		if EqualFold(m.Header[i].Name, lower) {
			return m.Header[i].Value
		}
	}
	return nil
}

// EqualFold reports whether b equals the ASCII lower-case string s, ignoring
// ASCII case.
func EqualFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range len(s) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// Exchange is one HTTP request and, when seen, its response.
type Exchange struct {
	ID      []byte // unique text, content-based unless the input gave one (_id)
	Site    []byte // application name given by the input (_site), or empty
	Sensor  []byte // sensor name (_source), or empty
	Ordinal uint32 // ordinal of the source within the run; second part of the order key
	Seq     uint64 // sequence number within the source; third part of the order key
	Aside   Aside
	Start   int64 // first request byte, ns since the epoch, event time
	End     int64 // last response byte, or of the request when there is no response
	Client  netip.AddrPort
	Server  netip.AddrPort // zero when unknown
	Caps    Caps

	Secure bool   // TLS on the client's side, as far as the source can tell
	JA4    []byte // TLS client fingerprint, when CapTLS
	SNI    []byte

	TLSVersion []byte // negotiated TLS version as the sensor names it, or empty
	H2         []byte // the client's HTTP/2 fingerprint as the sensor names it, or empty

	Proto    uint8  // 9, 10, 11, 20, 30 for HTTP/0.9 … HTTP/3; 0 unknown
	Method   []byte // as sent
	Target   []byte // request target as sent: origin, absolute, authority or asterisk form
	Host     []byte // authority: absolute form first, else Host or :authority; as sent
	Request  Message
	Status   int // 0: no response seen
	Reason   []byte
	Response Message

	// A connection that goes on (WebSocket) is given in parts, each with the
	// head of the exchange that opened it, an id of its own and the messages
	// since the part before. Part 0 is the exchange itself.
	Part     uint32
	Messages []StreamMessage
}

// Reset empties x for reuse, keeping the room of its slices.
func (x *Exchange) Reset() {
	rh, sh := x.Request.Header[:0], x.Response.Header[:0]
	rt, st, m := x.Request.Trailer[:0], x.Response.Trailer[:0], x.Messages[:0]
	*x = Exchange{}
	x.Request.Header, x.Response.Header = rh, sh
	x.Request.Trailer, x.Response.Trailer, x.Messages = rt, st, m
}
