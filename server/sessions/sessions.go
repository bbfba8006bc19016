// Package sessions exchanges tokens for the cookies of browsers, and says who asks.
package sessions

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/problem"
)

// Room is what sessions need.
type Room struct {
	Tokens   *auth.Store
	Sessions *auth.Sessions
	Bodies   api.Bodies
	// Adds says that something can be added at all. ReadOnly is the problem with changing anything, or nil.
	Adds     bool
	ReadOnly func() error
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	const session = "/api/v1/session"
	return []api.Route{
		{Method: http.MethodGet, Path: session, Class: api.Open, Handler: r.getSession},
		{Method: http.MethodPost, Path: session, Class: api.Open, Handler: r.signIn},
		{Method: http.MethodDelete, Path: session, Class: api.Open, Handler: r.signOut},
	}
}

func (r Room) getSession(c echo.Context) error { return r.sendSession(c, api.CallerOf(c)) }

func (r Room) sendSession(c echo.Context, who api.Caller) error {
	state := sessionResponse{Authentication: "token", Scopes: who.Scope.Names()}
	if !r.Tokens.Required() {
		state.Authentication = "none"
	}
	if state.ReadOnly = !r.Adds || r.ReadOnly() != nil; state.ReadOnly {
		state.Scopes = min(who.Scope, auth.ScopeRead).Names()
	}
	if who.Share != nil {
		state.Share = &shareJSON{Collection: who.Share.Collection, Shows: who.Share.Shows()}
	}
	return api.SendJSON(c, http.StatusOK, state)
}

// signIn exchanges a token for a cookie.
func (r Room) signIn(c echo.Context) error {
	var request sessionRequest
	if err := r.Bodies.ReadJSON(c, &request); err != nil {
		return err
	}
	if request.Token == "" || len(request.Token) > 512 {
		return problem.Invalid("token", "must have 1 to 512 characters")
	}
	if !r.Tokens.Required() {
		return problem.New(problem.Conflict, "this server requires no token")
	}
	token, found := r.Tokens.Find(request.Token)
	if !found {
		return problem.New(problem.Unauthorized, "unknown token, or one that has expired")
	}
	c.SetCookie(r.cookie(c, r.Sessions.Start(token), int(auth.SessionLifetime.Seconds())))
	return r.sendSession(c, api.Caller{Name: token.Name, Scope: token.Scope, Share: token.Share})
}

func (r Room) signOut(c echo.Context) error {
	if cookie, err := c.Cookie(auth.SessionCookie); err == nil {
		r.Sessions.End(cookie.Value)
	}
	c.SetCookie(r.cookie(c, "", -1))
	return c.NoContent(http.StatusNoContent)
}

func (r Room) cookie(c echo.Context, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: auth.SessionCookie, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.Scheme() == "https",
	}
}

type sessionRequest struct {
	Token string `json:"token"`
}

type sessionResponse struct {
	Authentication string   `json:"authentication"`
	Scopes         []string `json:"scopes"`
	// ReadOnly says that the server changes nothing, whoever asks.
	ReadOnly bool `json:"read_only,omitempty"`
	// Share is what is seen by who came by a link to a collection.
	Share *shareJSON `json:"share,omitempty"`
}

type shareJSON struct {
	Collection string   `json:"collection"`
	Shows      []string `json:"shows"`
}
