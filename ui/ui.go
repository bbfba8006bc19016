// Package ui is the web page, as it is served. Its source is in ui/page, in TypeScript and Svelte; dist is what Vite
// builds of it, and is committed, so that neither building nor running the program needs Node. Nothing in it is fetched
// from elsewhere.
package ui

import (
	stdembed "embed"
	"fmt"
	"io/fs"
)

//go:embed dist
var dist stdembed.FS

// Files returns the page's files, index.html at the root. The file system is
// read-only and safe for concurrent use.
func Files() (fs.FS, error) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the page's files: %w", err)
	}
	return files, nil
}
