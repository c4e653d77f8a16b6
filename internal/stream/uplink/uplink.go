// Package uplink carries batches from a sensor at the edge to the centre, over
// HTTP.
//
// It takes batches in the order of the sensor, seals them under the key of the
// installation, and sends them as the body of a POST to Path; the other side
// opens them and gives them, in order, to whoever takes them. HTTP and not NATS:
// one port, the tokens and TLS that collectors have, nothing at the edge that
// could read the stream, and the same for a centre of one process and a cluster.
//
// Invariants: a batch is acknowledged only after it was taken; the first that is
// not ends its request, so that none is taken whose predecessor was not; what
// was not sealed under the installation's key is refused, so that a token alone
// does not let anybody put observations into the centre, and a sensor with
// another key, whose tokens nothing would match, is told at once. Limits: see
// MaxBody and Limits; one request of a sensor at a time.
package uplink

import (
	"encoding/binary"
	"errors"
	"time"

	"xiezhi/internal/stream"
)

const (
	// Path is where batches are posted to.
	Path = "/v1/batches"
	// MaxBody is the largest body of a request.
	MaxBody = 8 << 20

	mediaType      = "application/vnd.xiezhi.batches"
	sensorHeader   = "Xiezhi-Sensor"
	bufferedHeader = "Xiezhi-Buffered"
	oldestHeader   = "Xiezhi-Oldest"
	shedHeader     = "Xiezhi-Shed"
)

// State is how a sensor is, as it says itself.
type State struct {
	Buffered uint64        // bytes that wait to be sent
	Oldest   time.Duration // how long the oldest of them has waited
	Shed     uint64        // exchanges thrown away since its process began, for want of room
}

var errBody = errors.New("the body is no list of batches of this version")

// appendRecord appends a sealed batch to a body.
func appendRecord(dst []byte, id string, sealed []byte) []byte {
	dst = append(binary.AppendUvarint(dst, uint64(len(id))), id...)
	return append(binary.AppendUvarint(dst, uint64(len(sealed))), sealed...)
}

// nextRecord takes the first sealed batch off a body.
func nextRecord(body []byte) (id string, sealed, rest []byte, err error) {
	name, body, ok := field(body, stream.MaxID)
	if !ok || len(name) == 0 {
		return "", nil, nil, errBody
	}
	sealed, rest, ok = field(body, stream.MaxSealed)
	if !ok || len(sealed) == 0 {
		return "", nil, nil, errBody
	}
	return string(name), sealed, rest, nil
}

func field(b []byte, most int) (f, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(most) || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}
