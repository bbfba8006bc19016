// Package inputs reads the texts and pictures of requests, and the pictures of a library that a request
// is about, with the model: as vectors and as image tokens, from memory where they were read before.
package inputs
