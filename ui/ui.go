// Package ui is the web page: plain HTML, CSS and JavaScript modules that run in
// the browser as they are written, so there is no build step and the source is
// what is served. Nothing in it is fetched from elsewhere.
package ui

import (
	stdembed "embed"
	"fmt"
	"io/fs"
)

//go:embed assets
var assets stdembed.FS

// Files returns the page's files, index.html at the root. The file system is
// read-only and safe for concurrent use.
func Files() (fs.FS, error) {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, fmt.Errorf("open the page's files: %w", err)
	}
	return files, nil
}
