package server

import (
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/index/excerpt"
	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/problem"
)

// authenticate says who asks. The secret of the user who runs the server is good whether there are tokens or not. Without tokens everyone may do everything, which
// [Server.Run] allows on loopback only. With tokens, an Authorization header
// decides where there is one, else the session cookie, but not for pages of other origins. A wrong token is an
// error even where none is needed, so that nobody takes it to be right.
func (s *Server) authenticate(c echo.Context) (api.Caller, error) {
	if auth.IsOwner(s.options.OwnerSecret, c.Request().Header.Get(echo.HeaderAuthorization)) {
		return api.Caller{Name: "owner", Scope: auth.ScopeAdmin, Owner: true}, nil
	}
	if !s.tokens.Required() {
		return api.Caller{Name: "local", Scope: auth.ScopeAdmin}, nil
	}
	header := c.Request().Header.Get(echo.HeaderAuthorization)
	if header != "" {
		kind, secret, _ := strings.Cut(header, " ")
		if !strings.EqualFold(kind, "Bearer") {
			return api.Caller{}, problem.New(problem.Unauthorized, "the Authorization header must use the Bearer scheme")
		}
		token, found := s.tokens.Find(strings.TrimSpace(secret))
		if !found {
			return api.Caller{}, problem.New(problem.Unauthorized, "unknown token, or one that has expired")
		}
		return callerOf(token), nil
	}
	if s.fromAllowedPage(c.Request()) {
		return api.Caller{}, nil // a cookie is for the page of this server alone
	}
	if cookie, err := c.Cookie(auth.SessionCookie); err == nil {
		if token, found := s.sessions.Find(cookie.Value); found {
			return callerOf(token), nil
		}
	}
	return api.Caller{}, nil
}

func callerOf(token auth.Token) api.Caller {
	return api.Caller{Name: token.Name, Scope: token.Scope, Token: token.Hash, Share: token.Share}
}

// restrict has the request's context see what the caller was given a link to, and nothing else of the library.
func restrict(c echo.Context, who api.Caller) {
	if who.Share != nil {
		terms := excerpt.Terms{Collection: who.Share.Collection, Details: who.Share.Details}
		c.SetRequest(c.Request().WithContext(excerpt.With(c.Request().Context(), terms)))
	}
}

// authorize lets a request through when its caller has the scope of its route.
func (s *Server) authorize(need auth.Scope, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, err := s.authenticate(c)
		if err != nil {
			return err
		}
		api.SetCaller(c, who)
		restrict(c, who)
		switch {
		case who.Scope >= need:
			return next(c)
		case who.Scope == auth.ScopeNone:
			p := problem.New(problem.Unauthorized, "this needs a token with the scope "+need.String())
			p.Hint = "send it as Authorization: Bearer <token>"
			return p
		}
		return problem.Newf(problem.Forbidden, "this needs the scope %s; the token has %s", need, who.Scope)
	}
}

// checkSite refuses requests that other web sites make.
func (s *Server) checkSite(next echo.HandlerFunc) echo.HandlerFunc {
	sites := auth.Sites{Hosts: s.options.Hosts, Tokens: s.tokens.Required(), Origins: s.options.Origins}
	return func(c echo.Context) error {
		if err := sites.Check(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}

// renameShared has the links to a collection follow it to another name.
func (s *Server) renameShared(from, to string) {
	switch renamed, err := s.tokens.RenameShared(from, to); {
	case err != nil:
		s.options.Logger.Error("the links to a collection do not know its new name, and show nothing", "error", err)
	case renamed > 0:
		s.options.Logger.Info("links follow the new name of their collection", "links", renamed)
	}
}
