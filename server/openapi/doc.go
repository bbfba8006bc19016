// Package openapi reads the part of OpenAPI 3.1 and JSON Schema that Mekiki's
// own API document uses, and holds requests and responses against it.
//
// The document is the contract: the server checks parameters and bodies with it,
// so that what is written is what is enforced, and the tests check answers with
// it. A keyword that this package does not know is an error when a document is
// read, so that nothing that is written goes unenforced.
package openapi
