// Package indextest makes records, vectors and files for tests of libraries: each depends
// on its number alone.
package indextest
