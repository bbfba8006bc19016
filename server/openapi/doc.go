// Package openapi reads the part of OpenAPI 3.1 and JSON Schema that Mekiki's
// own API document uses, and holds requests and responses against it.
//
// The document is the contract: the server checks parameters and bodies with it,
// so that what is written is what is enforced, and the tests check answers with
// it. A keyword that this package does not know is an error when a document is
// read, so that nothing that is written goes unenforced.
//
// github.com/santhosh-tekuri/jsonschema/v6, which github.com/pb33f/libopenapi-validator
// builds on too, was tried in its place and reports everything that is wrong with a value,
// without a bound: a body of 1 MB, a list of 500,000 numbers where at most 100 texts are
// allowed, took it 960 ms and 221 MB, and takes this package 0.07 ms, since it stops at a
// list that is too long and after ten violations. For an ordinary search the check itself takes
// 7 µs here and 18 µs there (decoding takes 80 µs in both), and the program would grow by
// 1.1 MB. See docs/measurements/server.md.
package openapi
