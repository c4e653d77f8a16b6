// Package v1 is the code that oapi-codegen makes of schema/openapi.yaml: the
// types of the HTTP API, the router and the interface that package api serves.
//
// It takes requests as the document has them and gives typed ones; elements of
// findings are the report's own types. Invariant: v1.gen.go is what `go
// generate` makes of the document, which a test holds. Limits: it checks types
// only; what the document says beyond them package api checks.
package v1

//go:generate go tool oapi-codegen -config config.yaml -o v1.gen.go ../../../schema/openapi.yaml
