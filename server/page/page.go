// Package page holds the web page, and the page that shows the API, in memory, so that no path of a request leads to a
// file.
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"mekiki/embed/pixels"
)

// Asset is a file of the page, held in memory.
type Asset struct {
	// Kind is its media type, Tag its entity tag.
	Kind string
	Data []byte
	Tag  string
	// Fixed says that the address changes with the content.
	Fixed bool
	// Unknown says that the page has no view at the address: it is the page all the same, which says so.
	Unknown bool
}

// Tag is an entity tag: weak, since compression changes the bytes.
func Tag(data []byte) string {
	sum := sha256.Sum256(data)
	return `W/"` + hex.EncodeToString(sum[:12]) + `"`
}

// mediaTypes are the media types of the page's files that are no pictures, for which
// mekiki/embed/pixels is asked; a fixed list, as the machine's own may lack some or differ.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml",
	".ico": "image/x-icon", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}

// mediaType returns the media type of a file of the page.
func mediaType(name string) (string, bool) {
	extension := path.Ext(name)
	if kind, known := mediaTypes[extension]; known {
		return kind, true
	}
	format, known := pixels.ParseFormat(extension)
	return format.MediaType(), known
}

// Page is the web page, held in memory, so that no path leads anywhere else.
type Page struct {
	assets map[string]Asset
	// version is a path such as "/~1a2b3c4d" below which every file is served as
	// one that never changes; it is a hash of all of them.
	version string
}

// Load reads the page's files. In index.html it puts the version before the
// addresses of the files, so that a browser keeps them until one changes.
func Load(files fs.FS) (*Page, error) {
	loaded, total := &Page{assets: map[string]Asset{}}, 0
	all := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() {
			return err
		}
		kind, known := mediaType(name)
		if !known {
			return nil
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if total += len(data); total > maxBytes {
			return fmt.Errorf("more than %d bytes", maxBytes)
		}
		loaded.assets["/"+name] = Asset{Kind: kind, Data: data, Tag: Tag(data)}
		fmt.Fprintf(all, "%s %d\n%s", name, len(data), data)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	index, found := loaded.assets[indexPath]
	if !found {
		return nil, errors.New("read the page: index.html is missing")
	}
	loaded.version = "/~" + hex.EncodeToString(all.Sum(nil)[:6])
	for name := range loaded.assets {
		index.Data = bytes.ReplaceAll(index.Data, []byte(`"`+name+`"`), []byte(`"`+loaded.version+name+`"`))
	}
	index.Tag = Tag(index.Data)
	loaded.assets[indexPath] = index
	return loaded, nil
}

const indexPath = "/index.html"

// Find gives the asset at an address. An address that is no file belongs to the
// page itself, which keeps its state there, and says so where it knows no such address.
func (p *Page) Find(name string) (Asset, bool) {
	if versioned, ok := strings.CutPrefix(name, p.version); ok {
		found, exists := p.assets[versioned]
		found.Fixed = true
		return found, exists && versioned != indexPath
	}
	if found, exists := p.assets[name]; exists {
		return found, true
	}
	if path.Ext(name) != "" || strings.HasPrefix(name, "/~") {
		return Asset{}, false
	}
	index := p.assets[indexPath]
	index.Unknown = !slices.Contains(views, strings.Trim(name, "/"))
	return index, true
}

// views are the addresses of the page's views, as ui/page/src/address/state.ts has them, and that of the first screen.
var views = []string{"", "search", "lookup", "library", "duplicates", "collections", "trash"}
