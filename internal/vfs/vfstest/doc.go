// Package vfstest has the file systems of tests: one in memory that knows what a power
// failure leaves, and one that makes chosen operations fail.
package vfstest
