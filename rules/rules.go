// Package rules embeds the product's data: taxonomy, lexicons, signatures,
// components, default secrets and the zh/en texts.
//
// It gives one read-only file system and holds no logic; each package that
// uses a file owns its decoding. Every rule file carries cases that must and
// must not match, run by the test of the package that decodes it.
package rules

import "embed"

// FS holds every file of this folder.
//
//go:embed *.yaml messages/*.yaml
var FS embed.FS

// Version of the rule data; part of every observation's provenance: observe is
// a function of (exchange, key, rules version).
const Version = "2026.11.1"
