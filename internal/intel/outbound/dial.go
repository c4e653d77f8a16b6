package outbound

import (
	"context"
	"net"
)

// Dial connects to host:port as requests do, for what is not HTTP: mail servers,
// syslog, Kafka.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return g.connect(ctx, network, address)
}
