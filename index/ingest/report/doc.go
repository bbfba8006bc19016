// Package report counts what a run does, and says how far it is and what it did.
package report
