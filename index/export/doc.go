// Package export writes records as JSON, one a line.
package export
