// Package redact is the only place that turns plaintext into what may be kept:
// tokens, shapes, passwords' equality tags.
//
// A Redactor is built from the installation key and is safe for concurrent
// use; every method is a pure function of (key, input). Invariant: no output
// restores its input without the key; shapes show at most two leading and two
// trailing characters. Limits: a 64-bit token of a small value space can be
// enumerated by whoever holds the key, therefore the key never leaves the
// installation.
package redact
