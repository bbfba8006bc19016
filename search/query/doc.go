// Package query reads the search language: what people type into the box.
//
//	two cats; a pizza -dog "red table" folder:Holiday after:2023-05
//
// The grammar stands in docs/query-language.md. Every error points at the
// characters it is about and says what to do.
package query
