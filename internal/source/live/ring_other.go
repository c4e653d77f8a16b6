//go:build !linux

package live

import (
	"errors"
	"runtime"
)

func openRings(*Config) ([]ring, error) {
	return nil, errors.New("live capture needs Linux (AF_PACKET), this is " + runtime.GOOS + ": capture with tcpdump -w and analyse the file")
}
