package sensor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// ErrOpen: the address can be reached from other machines and nothing tells
// who may deliver.
var ErrOpen = errors.New("without tokens only an address of this machine itself may be listened on (127.0.0.1, [::1]); name a token file")

// Listen opens a TCP address. Without tokens it has to be a loopback address:
// an open collector on the network could be fed by anybody.
func Listen(ctx context.Context, address string, tokens *Tokens) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is no address; write HOST:PORT, as 127.0.0.1:8400", address)
	}
	if tokens == nil && !loopback(host) {
		return nil, ErrOpen
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	// A name may mean anything by the time it is looked up.
	if a, ok := l.Addr().(*net.TCPAddr); tokens == nil && (!ok || !a.IP.IsLoopback()) {
		_ = l.Close()
		return nil, ErrOpen
	}
	return l, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// Exposed reports whether other machines can reach the listener.
func Exposed(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return !ok || !a.IP.IsLoopback()
}
