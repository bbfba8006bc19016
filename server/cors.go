package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"mekiki/server/auth"
	"mekiki/server/idempotency"
)

// corsMethods, corsHeaders and corsExposed are what pages of allowed origins may use, send and read.
var (
	corsMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	corsHeaders = []string{
		echo.HeaderAuthorization, echo.HeaderContentType, echo.HeaderAccept, "If-Match", "If-None-Match", "Range", idempotency.Header, requestIDHeader,
	}
	corsExposed = []string{
		"ETag", echo.HeaderLocation, "Retry-After", "RateLimit", "RateLimit-Policy", "Content-Range", echo.HeaderContentDisposition, idempotency.Replayed, requestIDHeader,
	}
)

// cors lets pages of the allowed origins call the API (the Fetch standard, "CORS protocol"). They never come with cookies: see
// authenticate. Requests of all others go on as if there were no CORS, and checkSite has refused those of other pages.
func (s *Server) cors() echo.MiddlewareFunc {
	allowed := func(origin string) (bool, error) { return slices.Contains(s.options.Origins, origin), nil }
	answer := middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOriginFunc: allowed, AllowMethods: corsMethods, AllowHeaders: corsHeaders, ExposeHeaders: corsExposed, MaxAge: corsAge,
	})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		answered := answer(next)
		return func(c echo.Context) error {
			if len(s.options.Origins) == 0 || !strings.HasPrefix(c.Request().URL.Path, "/api/v1/") {
				return next(c)
			}
			c.Response().Header().Add(echo.HeaderVary, echo.HeaderOrigin)
			if !s.fromAllowedPage(c.Request()) {
				return next(c)
			}
			return answered(c)
		}
	}
}

// fromAllowedPage reports whether a browser sent the request for a page of another, allowed origin.
func (s *Server) fromAllowedPage(request *http.Request) bool {
	return auth.IsForeign(request) && slices.Contains(s.options.Origins, request.Header.Get(echo.HeaderOrigin))
}
