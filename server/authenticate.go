package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/server/auth"
	"mekiki/server/problem"
)

// caller is who asks: the name of a token and what it allows.
type caller struct {
	name  string
	scope auth.Scope
}

func callerOf(c echo.Context) caller {
	who, _ := c.Get(callerKey).(caller)
	return who
}

// authenticate says who asks. Without tokens everyone may do everything, which
// [Server.Run] allows on loopback only. With tokens, an Authorization header
// decides where there is one, else the session cookie. A wrong token is an
// error even where none is needed, so that nobody takes it to be right.
func (s *Server) authenticate(c echo.Context) (caller, error) {
	if len(s.options.Tokens) == 0 {
		return caller{name: "local", scope: auth.ScopeAdmin}, nil
	}
	header := c.Request().Header.Get(echo.HeaderAuthorization)
	if header != "" {
		kind, secret, _ := strings.Cut(header, " ")
		if !strings.EqualFold(kind, "Bearer") {
			return caller{}, problem.New(problem.Unauthorized, "the Authorization header must use the Bearer scheme")
		}
		token, found := auth.Find(s.options.Tokens, strings.TrimSpace(secret))
		if !found {
			return caller{}, problem.New(problem.Unauthorized, "unknown token")
		}
		return caller{token.Name, token.Scope}, nil
	}
	if cookie, err := c.Cookie(auth.SessionCookie); err == nil {
		if token, found := s.sessions.Find(cookie.Value); found {
			return caller{token.Name, token.Scope}, nil
		}
	}
	return caller{}, nil
}

// authorize lets a request through when its caller has the scope of its route.
func (s *Server) authorize(need auth.Scope, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, err := s.authenticate(c)
		if err != nil {
			return err
		}
		c.Set(callerKey, who)
		switch {
		case who.scope >= need:
			return next(c)
		case who.scope == auth.ScopeNone:
			p := problem.New(problem.Unauthorized, "this needs a token with the scope "+need.String())
			p.Hint = "send it as Authorization: Bearer <token>"
			return p
		}
		return problem.Newf(problem.Forbidden, "this needs the scope %s; the token has %s", need, who.scope)
	}
}

func (s *Server) getSession(c echo.Context) error { return s.sendSession(c, callerOf(c)) }

func (s *Server) sendSession(c echo.Context, who caller) error {
	state := sessionResponse{Authentication: "token", Scopes: who.scope.Names()}
	if len(s.options.Tokens) == 0 {
		state.Authentication = "none"
	}
	if state.ReadOnly = s.options.Ingester == nil || s.readOnly() != nil; state.ReadOnly {
		state.Scopes = min(who.scope, auth.ScopeRead).Names()
	}
	return sendJSON(c, http.StatusOK, state)
}

// signIn exchanges a token for a cookie.
func (s *Server) signIn(c echo.Context) error {
	var request sessionRequest
	if err := s.readJSON(c, &request); err != nil {
		return err
	}
	if request.Token == "" || len(request.Token) > 512 {
		return problem.Invalid("token", "must have 1 to 512 characters")
	}
	if len(s.options.Tokens) == 0 {
		return problem.New(problem.Conflict, "this server requires no token")
	}
	token, found := auth.Find(s.options.Tokens, request.Token)
	if !found {
		return problem.New(problem.Unauthorized, "unknown token")
	}
	c.SetCookie(s.cookie(c, s.sessions.Start(token), int(auth.SessionLifetime.Seconds())))
	return s.sendSession(c, caller{token.Name, token.Scope})
}

func (s *Server) signOut(c echo.Context) error {
	if cookie, err := c.Cookie(auth.SessionCookie); err == nil {
		s.sessions.End(cookie.Value)
	}
	c.SetCookie(s.cookie(c, "", -1))
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) cookie(c echo.Context, value string, age int) *http.Cookie {
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
}

// checkSite refuses requests that other web sites make.
func (s *Server) checkSite(next echo.HandlerFunc) echo.HandlerFunc {
	sites := auth.Sites{Hosts: s.options.Hosts, Tokens: len(s.options.Tokens) > 0}
	return func(c echo.Context) error {
		if err := sites.Check(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}
