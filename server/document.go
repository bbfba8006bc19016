package server

import (
	_ "embed" // for the page that shows the API
	"net/http"

	"github.com/labstack/echo/v4"
)

// The page that shows the API and tries it, without anything from elsewhere.
var (
	//go:embed document/index.html
	documentHTML []byte
	//go:embed document/document.js
	documentScript []byte
	//go:embed document/document.css
	documentStyle []byte
)

// addDocumentPage serves the page at /api/docs.
func (s *Server) addDocumentPage() {
	for path, found := range map[string]asset{
		"/api/docs":              {kind: assetTypes[".html"], data: documentHTML},
		"/api/docs/document.js":  {kind: assetTypes[".js"], data: documentScript},
		"/api/docs/document.css": {kind: assetTypes[".css"], data: documentStyle},
	} {
		found.tag = contentTag(found.data)
		serve := func(c echo.Context) error { return s.sendPage(c, found) }
		s.echo.GET(path, serve)
		s.echo.HEAD(path, serve)
	}
	s.echo.GET("/api/docs/", func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, "/api/docs") })
}
