// Package shownfile chooses, for a hit whose picture lies in several files, the file to show, and says whether all have
// gone.
package shownfile
