package server

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"
)

// asset is a file of the page, held in memory.
type asset struct {
	kind string
	data []byte
	tag  string
	// hashed says that the name changes with the content.
	hashed bool
}

// contentTag is an entity tag: weak, since compression changes the bytes.
func contentTag(data []byte) string {
	sum := sha256.Sum256(data)
	return `W/"` + hex.EncodeToString(sum[:12]) + `"`
}

// hashedName is the name of a file that holds a hash of its content, such as
// app-4f3a9c21.js or app.4f3a9c21.js.
var hashedName = regexp.MustCompile(`[.-][0-9A-Za-z_]{8,}\.[a-z0-9]+$`)

// assetTypes are the media types of the page's files; a fixed list, as the
// machine's own may lack some or differ.
var assetTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png",
	".ico": "image/x-icon", ".jpg": "image/jpeg", ".webp": "image/webp", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}

// maximumPage bounds what the page may take in memory.
const maximumPage = 64 << 20

// loadPage reads the page's files. Serving from memory leaves no path for
// anyone to play with.
func loadPage(page fs.FS) (map[string]asset, error) {
	assets, total := map[string]asset{}, 0
	err := fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() {
			return err
		}
		kind, known := assetTypes[path.Ext(name)]
		if !known {
			return nil
		}
		data, err := fs.ReadFile(page, name)
		if err != nil {
			return err
		}
		if total += len(data); total > maximumPage {
			return fmt.Errorf("more than %d bytes", maximumPage)
		}
		assets["/"+name] = asset{kind: kind, data: data, tag: contentTag(data), hashed: hashedName.MatchString(path.Base(name))}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	if _, found := assets["/index.html"]; !found {
		return nil, errors.New("read the page: index.html is missing")
	}
	return assets, nil
}

// addPages adds the page at /, and the page that shows the API.
func (s *Server) addPages() error {
	s.addDocumentPage()
	var assets map[string]asset
	if s.options.Page != nil {
		var err error
		if assets, err = loadPage(s.options.Page); err != nil {
			return err
		}
	}
	serve := func(c echo.Context) error { return s.servePage(c, assets) }
	s.echo.GET("/*", serve)
	s.echo.HEAD("/*", serve)
	return nil
}

// servePage sends a file of the page. An address that is none belongs to the page
// itself, which keeps its state there; one that looks like a file is missing.
func (s *Server) servePage(c echo.Context, assets map[string]asset) error {
	name := c.Request().URL.Path
	if isAPI(name) || assets == nil {
		return newProblem(CodeNotFound, "")
	}
	if found, exists := assets[name]; exists {
		return s.sendPage(c, found)
	}
	if path.Ext(name) != "" {
		return newProblem(CodeNotFound, "")
	}
	return s.sendPage(c, assets["/index.html"])
}

func (s *Server) sendPage(c echo.Context, found asset) error {
	c.Response().Header().Set("Content-Security-Policy", policyPage)
	return s.sendAsset(c, found)
}

// sendAsset sends bytes that change only with the program. Those with a hash in
// their name may be kept for good, others are asked for again each time.
func (s *Server) sendAsset(c echo.Context, found asset) error {
	header := c.Response().Header()
	header.Set("ETag", found.tag)
	header.Set("Cache-Control", "no-cache")
	if found.hashed {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if matchesTag(c.Request(), found.tag) {
		return c.NoContent(http.StatusNotModified)
	}
	if kind, _, err := mime.ParseMediaType(found.kind); err == nil && strings.HasPrefix(kind, "text/html") {
		header.Set("Vary", "Accept-Encoding")
	}
	if c.Request().Method == http.MethodHead {
		header.Set(echo.HeaderContentType, found.kind)
		return c.NoContent(http.StatusOK)
	}
	return c.Blob(http.StatusOK, found.kind, found.data)
}
