// Package access makes, lists, expires and revokes the tokens of callers, for those who have the scope admin.
package access

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/listing"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// Room is what tokens need.
type Room struct {
	Store  *auth.Store
	Bodies api.Bodies
	Now    func() time.Time
	Logger *slog.Logger
}

// Routes are the lines of this room in the table of routes. They change nothing in the library.
func (r Room) Routes() []api.Route {
	const tokens, one = "/api/v1/tokens", "/api/v1/tokens/{name}"
	return []api.Route{
		{Method: http.MethodGet, Path: tokens, Class: api.Read, Handler: r.list},
		{Method: http.MethodPost, Path: tokens, Class: api.Read, Handler: r.create, AlwaysWritable: true, Secret: true},
		{Method: http.MethodPatch, Path: one, Class: api.Read, Handler: r.expire, AlwaysWritable: true},
		{Method: http.MethodDelete, Path: one, Class: api.Read, Handler: r.revoke, AlwaysWritable: true},
	}
}

// token is a token as it is shown: never with its secret, but for once.
type token struct {
	Name  string     `json:"name"`
	Scope string     `json:"scope"`
	Made  *time.Time `json:"made,omitempty"`
	// Expires is when it ends, and Expired says that it has.
	Expires *time.Time `json:"expires,omitempty"`
	Expired bool       `json:"expired"`
	// LastUsed is the hour of its last use since the server began.
	LastUsed *time.Time `json:"last_used,omitempty"`
	Token    string     `json:"token,omitempty"`
}

func (r Room) shown(known auth.Token, used time.Time) token {
	return token{
		Name: known.Name, Scope: known.Scope.String(), Made: wire.Time(known.Made), Expires: wire.Time(known.Expires),
		Expired: known.ExpiredAt(r.Now()), LastUsed: wire.Time(used),
	}
}

// keys page through tokens, by name.
var keys = listing.Keys[token]{
	Name:   "tokens",
	KeyOf:  func(t token) string { return t.Name },
	Behind: func(t token, name string) bool { return t.Name > name },
}

func (r Room) list(c echo.Context) error {
	var query struct {
		Limit  int    `json:"limit"`
		Cursor string `json:"cursor"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	known, used := r.Store.List()
	list := []token{}
	for i := range known {
		if known[i].Share == nil { // shares have a list of their own
			list = append(list, r.shown(known[i], used[i]))
		}
	}
	page, next, err := keys.Page(list, query.Limit, query.Cursor)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Tokens   []token `json:"tokens"`
		Total    int     `json:"total"`
		Writable bool    `json:"writable"`
		Cursor   string  `json:"cursor,omitempty"`
	}{slices.Clip(page), len(list), r.Store.Writable(), next})
}

func (r Room) create(c echo.Context) error {
	var asked struct {
		Name    string     `json:"name"`
		Scope   string     `json:"scope"`
		Expires *time.Time `json:"expires"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	scope, err := auth.ParseScope(asked.Scope)
	if err != nil {
		return problem.Invalid("scope", "%v", err)
	}
	expires, err := r.future(asked.Expires)
	if err != nil {
		return err
	}
	made, secret, err := r.Store.Make(asked.Name, scope, expires)
	if err != nil {
		return storeProblem(err)
	}
	r.Logger.Info("token made", "token", made.Name, "scope", made.Scope.String(), "caller", api.CallerOf(c).Name)
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/tokens/"+made.Name)
	answer := r.shown(made, time.Time{})
	answer.Token = secret
	return api.SendJSON(c, http.StatusCreated, answer)
}

// future gives the time at which a token is to end, which must be to come; zero where there is none.
func (r Room) future(at *time.Time) (time.Time, error) {
	switch {
	case at == nil:
		return time.Time{}, nil
	case !at.After(r.Now()):
		return time.Time{}, problem.Invalid("expires", "is a time that has passed")
	}
	return *at, checkYear(*at)
}

// checkYear refuses a time that a file of tokens cannot say.
func checkYear(at time.Time) error {
	if year := at.UTC().Year(); year < 1 || year > 9999 {
		return problem.Invalid("expires", "is not in the years 1 to 9999")
	}
	return nil
}

// expire sets when a token ends. A time that has passed ends it now.
func (r Room) expire(c echo.Context) error {
	name, err := api.Segment(c, "name")
	if err != nil {
		return err
	}
	var asked struct {
		Expires *time.Time `json:"expires"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	var at time.Time
	if asked.Expires != nil {
		if at = *asked.Expires; at.IsZero() {
			at = at.Add(time.Second) // which has passed too, and does not stand for never
		}
		if err := checkYear(at); err != nil {
			return err
		}
	}
	changed, err := r.Store.Expire(name, at)
	if err != nil {
		return storeProblem(err)
	}
	r.Logger.Info("token changed", "token", name, "expires", at, "caller", api.CallerOf(c).Name)
	return api.SendJSON(c, http.StatusOK, r.shown(changed, time.Time{}))
}

func (r Room) revoke(c echo.Context) error {
	name, err := api.Segment(c, "name")
	if err != nil {
		return err
	}
	if err := r.Store.Revoke(name); err != nil {
		return storeProblem(err)
	}
	r.Logger.Info("token revoked", "token", name, "caller", api.CallerOf(c).Name)
	return c.NoContent(http.StatusNoContent)
}

// storeProblem is the problem of an error of the store.
func storeProblem(err error) error {
	switch {
	case errors.Is(err, auth.ErrFixed):
		p := problem.New(problem.Conflict, err.Error())
		p.Hint = "start the server with --token-file"
		return p
	case errors.Is(err, auth.ErrNoToken):
		return problem.New(problem.NotFound, err.Error())
	case errors.Is(err, auth.ErrTokenExists), errors.Is(err, auth.ErrLastAdmin), errors.Is(err, auth.ErrTooManyTokens):
		return problem.New(problem.Conflict, err.Error())
	}
	return err
}
