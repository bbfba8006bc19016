// Package drives tells files that are gone from those whose drive is away.
package drives
