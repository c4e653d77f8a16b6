package engine

import "xiezhi/internal/source"

// FileSource reads files as a live source does; ended is closed when it has
// read them.
func FileSource(names ...string) (s source.Source, ended <-chan struct{}) {
	f := newFileSource(names...)
	return f, f.ended
}
