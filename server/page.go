package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/server/problem"
)

// asset is a file of the page, held in memory.
type asset struct {
	kind string
	data []byte
	tag  string
	// fixed says that the address changes with the content.
	fixed bool
}

// contentTag is an entity tag: weak, since compression changes the bytes.
func contentTag(data []byte) string {
	sum := sha256.Sum256(data)
	return `W/"` + hex.EncodeToString(sum[:12]) + `"`
}

// assetTypes are the media types of the page's files that are no pictures, for which
// mekiki/embed/pixels is asked; a fixed list, as the machine's own may lack some or differ.
var assetTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml",
	".ico": "image/x-icon", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}

// assetType returns the media type of a file of the page.
func assetType(name string) (string, bool) {
	extension := path.Ext(name)
	if kind, known := assetTypes[extension]; known {
		return kind, true
	}
	format, known := pixels.ParseFormat(extension)
	return format.MediaType(), known
}

// maximumPage bounds what the page may take in memory.
const maximumPage = 64 << 20

// page is the web page, held in memory, so that no path leads anywhere else.
type page struct {
	assets map[string]asset
	// version is a path such as "/~1a2b3c4d" below which every file is served as
	// one that never changes; it is a hash of all of them.
	version string
}

// loadPage reads the page's files. In index.html it puts the version before the
// addresses of the files, so that a browser keeps them until one changes.
func loadPage(files fs.FS) (*page, error) {
	loaded, total := &page{assets: map[string]asset{}}, 0
	all := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() {
			return err
		}
		kind, known := assetType(name)
		if !known {
			return nil
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if total += len(data); total > maximumPage {
			return fmt.Errorf("more than %d bytes", maximumPage)
		}
		loaded.assets["/"+name] = asset{kind: kind, data: data, tag: contentTag(data)}
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
		index.data = bytes.ReplaceAll(index.data, []byte(`"`+name+`"`), []byte(`"`+loaded.version+name+`"`))
	}
	index.tag = contentTag(index.data)
	loaded.assets[indexPath] = index
	return loaded, nil
}

const indexPath = "/index.html"

// find gives the asset at an address. An address that is no file belongs to the
// page itself, which keeps its state there.
func (p *page) find(name string) (asset, bool) {
	if versioned, ok := strings.CutPrefix(name, p.version); ok {
		found, exists := p.assets[versioned]
		found.fixed = true
		return found, exists && versioned != indexPath
	}
	if found, exists := p.assets[name]; exists {
		return found, true
	}
	if path.Ext(name) != "" || strings.HasPrefix(name, "/~") {
		return asset{}, false
	}
	return p.assets[indexPath], true
}

// addPages adds the page at /, and the page that shows the API.
func (s *Server) addPages() error {
	s.addDocumentPage()
	var loaded *page
	if s.options.Page != nil {
		var err error
		if loaded, err = loadPage(s.options.Page); err != nil {
			return err
		}
	}
	serve := func(c echo.Context) error {
		name := c.Request().URL.Path
		if methods := s.methodsAt(name); len(methods) > 0 {
			c.Response().Header().Set("Allow", strings.Join(methods, ", "))
			return problem.New(problem.MethodNotAllowed, "")
		}
		if isAPI(name) || loaded == nil {
			return problem.New(problem.NotFound, "")
		}
		found, exists := loaded.find(name)
		if !exists {
			return problem.New(problem.NotFound, "")
		}
		return s.sendPage(c, found)
	}
	s.echo.GET("/*", serve)
	s.echo.HEAD("/*", serve)
	return nil
}

func (s *Server) sendPage(c echo.Context, found asset) error {
	c.Response().Header().Set("Content-Security-Policy", policyPage)
	return s.sendAsset(c, found)
}

// sendAsset sends bytes that change only with the program. Those whose address
// changes with them may be kept for good, others are asked for again each time.
func (s *Server) sendAsset(c echo.Context, found asset) error {
	header := c.Response().Header()
	header.Set("ETag", found.tag)
	header.Set("Cache-Control", "no-cache")
	if found.fixed {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if matchesTag(c.Request(), found.tag) {
		return c.NoContent(http.StatusNotModified)
	}
	if c.Request().Method == http.MethodHead {
		header.Set(echo.HeaderContentType, found.kind)
		return c.NoContent(http.StatusOK)
	}
	return c.Blob(http.StatusOK, found.kind, found.data)
}
