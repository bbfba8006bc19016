// Package textrecord brings texts, and files of them, into a library.
package textrecord
