// Package web embeds the console as it was built from the sources beside it.
//
// It takes nothing and gives the files of web/dist: index.html, in which
// XIEZHI_NONCE stands where the server puts a fresh nonce, and hashed files
// under assets/. Invariant: dist is what `make console` makes of the sources;
// CI builds it again and compares. Limit: first load and charts stay under the
// sizes that web/size.mjs holds them to.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist gives the built files.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return sub
}

//go:generate go run ./namesgen
