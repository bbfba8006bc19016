// Package api is what the rooms of the HTTP API share: the form of a route, reading requests by the API document, and
// answering them. A room is a struct of what its handlers need, with its lines of the table of routes:
//
//	func (r Room) Routes() []api.Route {
//		return []api.Route{{Method: http.MethodGet, Path: "/api/v1/things", Class: api.Read, Handler: r.list}}
//	}
//
//	func (r Room) list(c echo.Context) error {
//		var query struct{ Limit int `json:"limit"` }
//		if err := api.ReadQuery(c, &query); err != nil {
//			return err // as a problem, by one table
//		}
//		return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
//			return api.SendJSON(c, http.StatusOK, thingsOf(reader, query.Limit))
//		})
//	}
package api

import (
	"github.com/labstack/echo/v4"

	"mekiki/server/auth"
	"mekiki/server/openapi"
)

// Class says how a route is admitted and for how long it may work.
type Class int

// The classes of routes.
const (
	// Open is for what costs next to nothing.
	Open Class = iota
	// Read reads or changes the catalog.
	Read
	// Picture sends a picture that may have to be made first.
	Picture
	// Search uses the model; its handler asks for a place with [Compute] once the
	// request's body is in.
	Search
	// Stream stays open for as long as there is news.
	Stream
)

// Route is one line of the table of routes.
type Route struct {
	Method string
	// Path is written as in the API document, with parameters in braces.
	Path    string
	Class   Class
	Handler echo.HandlerFunc

	// AlwaysWritable is for what changes nothing in the library, though its scope
	// and method look like it: it goes on while nothing can be changed.
	AlwaysWritable bool
	// Secret says that the answer must not be kept anywhere.
	Secret bool

	// Operation is the document's; it also says which scope is needed. The server sets both.
	Operation *openapi.Operation
	Scope     auth.Scope
}

// Room is an area of the API. It names its routes, and nothing else is asked of it.
type Room interface{ Routes() []Route }
