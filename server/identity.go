package server

import (
	"regexp"

	"github.com/labstack/echo/v4"

	"mekiki/server/api"
	"mekiki/server/transport"
)

const requestIDHeader = "X-Request-ID"

// acceptedIdentity is what a caller may choose as a request's identity: nothing
// that a log or a header could stumble over.
var acceptedIdentity = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// identify gives the request an identity: the caller's, if it is a harmless
// one, else a random one.
func identify(c echo.Context) {
	identity := c.Request().Header.Get(requestIDHeader)
	if !acceptedIdentity.MatchString(identity) {
		identity = transport.RandomHex(8)
	}
	api.SetIdentity(c, identity)
	c.Response().Header().Set(requestIDHeader, identity)
}
