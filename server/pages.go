package server

import (
	_ "embed" // for the API document
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/server/page"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

// openapiDocument is the API's description, served as it is.
//
//go:embed openapi.json
var openapiDocument []byte

func (s *Server) getOpenAPI(c echo.Context) error {
	return s.sendAsset(c, page.Asset{Kind: echo.MIMEApplicationJSON, Data: openapiDocument, Tag: s.documentTag})
}

// addPages adds the page at /, and the page that shows the API.
func (s *Server) addPages() error {
	s.addDocumentPage()
	var loaded *page.Page
	if s.options.Page != nil {
		var err error
		if loaded, err = page.Load(s.options.Page); err != nil {
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
		found, exists := loaded.Find(name)
		if !exists {
			return problem.New(problem.NotFound, "")
		}
		return s.sendPage(c, found)
	}
	s.echo.GET("/*", serve)
	s.echo.HEAD("/*", serve)
	return nil
}

// addDocumentPage serves the page that shows the API and tries it.
func (s *Server) addDocumentPage() {
	const address = "/api/docs"
	for path, found := range page.Documentation() {
		serve := func(c echo.Context) error { return s.sendPage(c, found) }
		s.echo.GET(address+path, serve)
		s.echo.HEAD(address+path, serve)
	}
	s.echo.GET(address+"/", func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, address) })
}

func (s *Server) sendPage(c echo.Context, found page.Asset) error {
	c.Response().Header().Set("Content-Security-Policy", transport.PagePolicy)
	return s.sendAsset(c, found)
}

// sendAsset sends bytes that change only with the program. Those whose address
// changes with them may be kept for good, others are asked for again each time.
func (s *Server) sendAsset(c echo.Context, found page.Asset) error {
	header := c.Response().Header()
	if found.Unknown {
		header.Set("Cache-Control", "no-store")
		if c.Request().Method == http.MethodHead {
			header.Set(echo.HeaderContentType, found.Kind)
			return c.NoContent(http.StatusNotFound)
		}
		return c.Blob(http.StatusNotFound, found.Kind, found.Data)
	}
	header.Set("ETag", found.Tag)
	header.Set("Cache-Control", "no-cache")
	if found.Fixed {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if transport.MatchesTag(c.Request(), found.Tag) {
		return c.NoContent(http.StatusNotModified)
	}
	if c.Request().Method == http.MethodHead {
		header.Set(echo.HeaderContentType, found.Kind)
		return c.NoContent(http.StatusOK)
	}
	return c.Blob(http.StatusOK, found.Kind, found.Data)
}
