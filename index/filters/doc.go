// Package filters says what passes an [index.Filter]: it compiles one into a [Matcher],
// which is asked about records.
package filters
