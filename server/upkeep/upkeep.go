// Package upkeep is what an administrator does to a library as a whole: taking files out of it for good, and choosing which
// of its models answers searches.
package upkeep

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// Room is what upkeep needs.
type Room struct {
	Library api.Library
	Bodies  api.Bodies
	// Switch makes searches use another space of the library, with its model; nil where one model alone can be open.
	Switch func(ctx context.Context, space embed.Space) error
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	const spaces = "/api/v1/spaces"
	return []api.Route{
		{Method: http.MethodPost, Path: "/api/v1/removals", Class: api.Read, Handler: r.remove},
		{Method: http.MethodGet, Path: spaces, Class: api.Read, Handler: r.listSpaces},
		{Method: http.MethodPost, Path: spaces + "/{fingerprint}/serve", Class: api.Stream, Handler: r.serveSpace},
		{Method: http.MethodDelete, Path: spaces + "/{fingerprint}", Class: api.Read, Handler: r.dropSpace},
	}
}

// remove takes records, files and failures out of the library for good. Files are named by their absolute paths; what the
// library does not know of them is passed over. No file is touched.
func (r Room) remove(c echo.Context) error {
	var asked struct {
		Records  []string `json:"records"`
		Files    []string `json:"files"`
		Failures []string `json:"failures"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	batch := index.Batch{Detach: asked.Files, Resolved: asked.Failures, Final: true}
	var err error
	if batch.Remove, err = wire.ParseIDs("records", asked.Records); err != nil {
		return err
	}
	result, err := r.Library.Write(c.Request().Context(), batch)
	if err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Removed int `json:"removed"`
	}{result.Removed})
}

// spaceJSON is a space as the API shows it.
type spaceJSON struct {
	Fingerprint string `json:"fingerprint"`
	Parts       int    `json:"parts"`
	Width       int    `json:"width"`
	Records     int    `json:"records"`
	Total       int    `json:"total"`
	State       string `json:"state"`
}

func (r Room) listSpaces(c echo.Context) error {
	return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		answer := struct {
			Spaces []spaceJSON `json:"spaces"`
		}{[]spaceJSON{}}
		for _, each := range reader.Spaces() {
			answer.Spaces = append(answer.Spaces, spaceJSON{
				each.Space.Fingerprint, each.Space.Parts, each.Space.Width, each.Records, each.Total, each.Role(),
			})
		}
		return api.SendJSON(c, http.StatusOK, answer)
	})
}

// previous names the space that served before.
const previous = "previous"

// named gives the space that the path names: of the model whose fingerprint begins so, or the one that served before.
func (r Room) named(c echo.Context) (found embed.Space, err error) {
	name, err := api.Segment(c, "fingerprint")
	if err != nil {
		return found, err
	}
	count := 0
	err = r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		for _, each := range reader.Spaces() {
			if each.Previous && name == previous || strings.HasPrefix(each.Space.Fingerprint, name) {
				found, count = each.Space, count+1
			}
		}
		return nil
	})
	if err == nil && count != 1 {
		p := problem.Newf(problem.NotFound, "%d models of the library are called %s", count, name)
		p.Hint = "/api/v1/spaces lists them"
		err = p
	}
	return found, err
}

// serveSpace makes searches use a space.
func (r Room) serveSpace(c echo.Context) error {
	space, err := r.named(c)
	if err != nil {
		return err
	}
	if r.Switch == nil {
		p := problem.New(problem.Unsupported, "this server answers with one model")
		p.Hint = "stop it, run mekiki spaces serve --model NAME, and start it with --model NAME"
		return p
	}
	if err := r.Switch(c.Request().Context(), space); err != nil {
		return err
	}
	return r.listSpaces(c)
}

func (r Room) dropSpace(c echo.Context) error {
	space, err := r.named(c)
	if err != nil {
		return err
	}
	err = r.Library.DropSpace(c.Request().Context(), space)
	if errors.Is(err, index.ErrSpace) {
		return problem.New(problem.Conflict, err.Error())
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
