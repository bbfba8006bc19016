// Package drives tells files that are gone from those whose drive is away, and reads those that do not change meanwhile.
package drives
