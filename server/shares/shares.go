// Package shares makes, lists and ends links to collections, which whoever has them can look at without a token of their own.
package shares

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/excerpt"
	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/listing"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// Room is what shares need.
type Room struct {
	Library api.Library
	Store   *auth.Store
	Bodies  api.Bodies
	Now     func() time.Time
	Logger  *slog.Logger
}

// Routes are the lines of this room in the table of routes. They change nothing in the library.
func (r Room) Routes() []api.Route {
	const shares, one = "/api/v1/shares", "/api/v1/shares/{name}"
	return []api.Route{
		{Method: http.MethodGet, Path: shares, Class: api.Read, Handler: r.list},
		{Method: http.MethodPost, Path: shares, Class: api.Read, Handler: r.create, AlwaysWritable: true, Secret: true},
		{Method: http.MethodDelete, Path: one, Class: api.Read, Handler: r.end, AlwaysWritable: true},
	}
}

// share is a share as it is sent: with its link once, when it is made.
type share struct {
	Name       string     `json:"name"`
	Collection string     `json:"collection"`
	Shows      []string   `json:"shows"`
	Made       *time.Time `json:"made,omitempty"`
	Expires    *time.Time `json:"expires,omitempty"`
	Expired    bool       `json:"expired"`
	LastUsed   *time.Time `json:"last_used,omitempty"`
	Link       string     `json:"link,omitempty"`
}

func (r Room) shown(token auth.Token, used time.Time) share {
	return share{
		Name: token.Name, Collection: token.Share.Collection, Shows: token.Share.Shows(), Made: wire.Time(token.Made),
		Expires: wire.Time(token.Expires), Expired: token.ExpiredAt(r.Now()), LastUsed: wire.Time(used),
	}
}

// keys page through shares, by name.
var keys = listing.Keys[share]{
	Name:   "shares",
	KeyOf:  func(s share) string { return s.Name },
	Behind: func(s share, name string) bool { return s.Name > name },
}

func (r Room) list(c echo.Context) error {
	var query struct {
		Collection string `json:"collection"`
		Limit      int    `json:"limit"`
		Cursor     string `json:"cursor"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	tokens, used := r.Store.List()
	list := []share{}
	for i, token := range tokens {
		if token.Share != nil && (query.Collection == "" || query.Collection == token.Share.Collection) {
			list = append(list, r.shown(token, used[i]))
		}
	}
	page, next, err := keys.Page(list, query.Limit, query.Cursor)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Shares   []share `json:"shares"`
		Total    int     `json:"total"`
		Writable bool    `json:"writable"`
		Cursor   string  `json:"cursor,omitempty"`
	}{slices.Clip(page), len(list), r.Store.Writable(), next})
}

func (r Room) create(c echo.Context) error {
	var asked struct {
		Collection string     `json:"collection"`
		Details    bool       `json:"details"`
		Originals  bool       `json:"originals"`
		Expires    *time.Time `json:"expires"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	expires := r.Now().Add(lastingUnlessTold)
	if asked.Expires != nil {
		expires = *asked.Expires
	}
	if !expires.After(r.Now()) || expires.UTC().Year() > 9999 {
		return problem.Invalid("expires", "is a time that has passed")
	}
	if err := r.checkCollection(c, asked.Collection); err != nil {
		return err
	}
	token, secret, err := r.Store.MakeShare(auth.Share{Collection: asked.Collection, Details: asked.Details, Originals: asked.Originals}, expires)
	if err != nil {
		return storeProblem(err)
	}
	r.Logger.Info("collection shared", "share", token.Name, "expires", expires, "caller", api.CallerOf(c).Name)
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/shares/"+token.Name)
	answer := r.shown(token, time.Time{})
	answer.Link = linkPrefix + secret
	return api.SendJSON(c, http.StatusCreated, answer)
}

// checkCollection fails when a collection has no picture.
func (r Room) checkCollection(c echo.Context, name string) error {
	ctx := c.Request().Context()
	return r.Library.Read(ctx, func(reader index.Reader) error {
		pictures, err := excerpt.Pictures(ctx, reader, name)
		if err == nil && len(pictures) == 0 {
			return problem.Newf(problem.NotFound, "there is no collection %q with pictures", name)
		}
		return err
	})
}

func (r Room) end(c echo.Context) error {
	name, err := api.Segment(c, "name")
	if err != nil {
		return err
	}
	tokens, _ := r.Store.List()
	if !slices.ContainsFunc(tokens, func(each auth.Token) bool { return each.Name == name && each.Share != nil }) {
		return storeProblem(auth.ErrNoToken)
	}
	if err := r.Store.Revoke(name); err != nil {
		return storeProblem(err)
	}
	r.Logger.Info("share ended", "share", name, "caller", api.CallerOf(c).Name)
	return c.NoContent(http.StatusNoContent)
}

// storeProblem is the problem of an error of the store.
func storeProblem(err error) error {
	switch {
	case errors.Is(err, auth.ErrFixed):
		p := problem.New(problem.Conflict, "this server cannot make links to collections: it keeps no file of tokens")
		p.Hint = "start the server with --token-file"
		return p
	case errors.Is(err, auth.ErrNoToken):
		return problem.New(problem.NotFound, "there is no share of this name")
	case errors.Is(err, auth.ErrTooManyTokens):
		return problem.New(problem.Conflict, err.Error())
	}
	return err
}
