package source

import "io"

// Input is one named byte stream. Open may be called more than once unless the
// name is "-" (standard input); what it returns is already decompressed.
type Input struct {
	Name string
	Open func() (io.ReadCloser, error)
}
