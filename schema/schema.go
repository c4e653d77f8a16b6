// Package schema embeds the published schemas of what Xiezhi reads and writes.
//
// It gives one read-only file system. Invariant: a schema describes what the
// code writes; the tests validate the writers' output against it. Limits: a
// schema is not the parser; readers are stricter and more tolerant in places.
package schema

import "embed"

// FS holds every file of this folder.
//
//go:embed *.json openapi.yaml
var FS embed.FS
