package stage

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"xiezhi/lab/scene"
)

// Profile is a kind of client program: what it says of itself, in which order,
// and how it writes parameters.
type Profile struct {
	Name    string
	Proto   uint8 // 11 or 20
	JA4, H2 string
	// Headers in the order of the program. A value in braces is filled in: {host},
	// {length}, {type}, {origin}, {referer}, {auth}, {cookie}, {token}; a header
	// whose filling is empty is not sent.
	Headers []Head
	Page    []Head // of the pages and assets it loads; nil: as Headers
	Style   Style
}

// Head is one header line of a profile.
type Head struct{ Name, Value string }

// Style is how a program writes parameters.
type Style struct {
	Spaced bool        // ", " and ": " in JSON, as Python's json does
	Sorted bool        // names in order of the alphabet
	Turn   int         // names rotated by so many places
	Extra  []ExtraPart // constant fields of a tool
	Quoted bool        // numbers as strings
}

// ExtraPart is a parameter that a program adds to every body or query.
type ExtraPart struct {
	Name, Value string
	bare        bool // a number or an array, written as it is
}

// Client is one program on one machine.
type Client struct {
	*Profile
	Addr   netip.Addr
	Port   uint16
	Agent  string
	Lang   string
	Cookie string // of visitors, beside the session
	Origin string // of the page it runs in, when that is not the application's own

	// Rotate, when set, gives the address of the next request: rotating proxies.
	Rotate func(*rand.Rand) netip.Addr
	// Change, when set, prepares the client for each request.
	Change func(time.Time, *rand.Rand, *Client)
	// Facts are values of words that a call does not give: a device, a version.
	// "now" for ts is the time in milliseconds.
	Facts scene.Fields
}

// seen moves on to the next connection.
func (c *Client) seen(r *rand.Rand) {
	if c.Rotate != nil {
		c.Addr = c.Rotate(r)
		c.Port = uint16(20000 + r.IntN(40000))
		return
	}
	if c.Port == 0 || r.IntN(6) == 0 {
		c.Port = uint16(20000 + r.IntN(40000))
	}
}

// Start gives the client its first connection.
func (c *Client) Start(r *rand.Rand) *Client {
	if c.Rotate != nil {
		c.Addr = c.Rotate(r)
	}
	c.Port = uint16(20000 + r.IntN(40000))
	return c
}
