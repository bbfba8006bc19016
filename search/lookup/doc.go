// Package lookup finds the texts that describe a picture: text records and captions of the library, or
// labels that are given.
package lookup
