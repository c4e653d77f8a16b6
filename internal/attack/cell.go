package attack

import (
	"encoding/binary"
	"net/netip"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
)

// A cell is the finest unit of judgement: the requests of one asker (address,
// fingerprint, agent, parameter structure, principal) to one API within a
// burst. Every scope is a set of cells. A cell of API 0 is an actor: all that
// one (address, fingerprint, agent) did on the site.
//
// A judgement passes over thousands of cells, so what most of them are asked
// stands together, in the first lines of cache: whose it is, then the head of
// the tally.
type cell struct {
	who    uint64 // the actor: address, fingerprint, agent
	cred   uint64 // principal, else credential; 0 anonymous
	addr   uint64 // hash of ip, 0 when it is not known
	net    uint64 // hash of its network
	cohort uint64
	agent  uint64
	shape  uint64
	key    uint64

	api    int32 // index of its API; 0 for an actor
	actor  ref
	actGen uint32
	gen    uint32
	whole  uint32 // the actor's requests at the cell's last: never more than it has now
	tally

	lastTarget uint64
	lastPrefix uint64
	lastPos    uint16
	lastStep   int16
	bucket     float32
	surge      int64  // when the bucket was last empty
	lead       uint32 // requests before the first that looked like abuse
	atMark     uint32 // n at the last that did

	wanted uint64 // what a client asked for that nobody at work has, see machine.go
	varied uint32 // … times that it was another thing than before

	moved   bool  // an unseen login was answered with a redirect
	tenured bool  // in the protected list
	alone   bool  // hardly anybody has the client, see swarm.go
	day     int32 // of its last request
	rows    []row // see activity.go

	sub     uint64 // the key without the API
	seq     uint64 // order of birth
	ip      netip.Addr
	where   intel.Net // of ip
	header  uint64
	firstID uint64 // hash of the id of its first exchange
	ja4     uint16
	family  uint16
	h2      uint16
	shared  bool

	deal            // see trade.go
	session session // of an actor, see flow.go
	hints   []hint  // see hints.go
	accused bool    // by an attack at least likely

	knownMeans, knownSource float32 // of an actor: what intelligence says, see lure.go
	touched                 uint32  // … decoys
}

// cellKey is the table key of a cell. It names the API by handle, so it does
// not depend on the order in which APIs were met.
func cellKey(sub uint64, h catalog.Handle) uint64 { return join(sub, uint64(h)) }

// prefixOf is the network of an address as a scope: /24, /64.
func prefixOf(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	return p
}

// hashAddr hashes an address without allocation.
func hashAddr(a netip.Addr) uint64 {
	b := a.As16()
	return join(binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]))
}
