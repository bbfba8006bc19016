// Package priority decides which work of the models goes first on one machine: searches before the next token of an
// answer, and both before work in the background, such as filling a library.
package priority
