package api

import (
	"crypto/sha256"

	"github.com/labstack/echo/v4"

	"mekiki/server/auth"
)

// Names under which middleware leaves things in the request's context.
const (
	identityKey = "mekiki.identity"
	callerKey   = "mekiki.caller"
	routeKey    = "mekiki.route"
)

// Caller is who asks: the name of a token and what it allows.
type Caller struct {
	Name  string
	Scope auth.Scope
	// Owner says that it is a command of the user who runs the server, who may have it read any folder.
	Owner bool
	// Token is the hash of the token's secret, which no other token has; zero where none was needed.
	Token [sha256.Size]byte
	// Share is what can be seen by somebody who was given a link to a part of the library; nil for everyone else.
	Share *auth.Share
}

// SetCaller says who asks.
func SetCaller(c echo.Context, who Caller) { c.Set(callerKey, who) }

// CallerOf is who asks; without a scope before that is known.
func CallerOf(c echo.Context) Caller {
	who, _ := c.Get(callerKey).(Caller)
	return who
}

// SetRoute says which line of the table serves the request.
func SetRoute(c echo.Context, route *Route) { c.Set(routeKey, route) }

// RouteOf is the line of the table that serves the request; nil where none does.
func RouteOf(c echo.Context) *Route {
	found, _ := c.Get(routeKey).(*Route)
	return found
}

// SetIdentity gives the request the name under which the log has it.
func SetIdentity(c echo.Context, identity string) { c.Set(identityKey, identity) }

// IdentityOf is the name under which the log has the request.
func IdentityOf(c echo.Context) string {
	identity, _ := c.Get(identityKey).(string)
	return identity
}
