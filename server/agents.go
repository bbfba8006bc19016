package server

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/mcp"
	"mekiki/server/problem"
)

// agentsPath is where agents speak the Model Context Protocol. The protocol describes itself, so that the API document
// does not.
const agentsPath = "/mcp"

// addAgents serves the tools of package mcp. A request passes what every request passes: names of the server, sites,
// tokens and scopes, the limits of a body; and each call of a tool passes the gate of what it does.
func (s *Server) addAgents() {
	tools := s.tools()
	reading, writing := tools.Handler(false), tools.Handler(true)
	route := &api.Route{Method: http.MethodPost, Path: agentsPath, Scope: auth.ScopeRead}
	answer := s.authorize(route.Scope, func(c echo.Context) error {
		data, err := s.bodies.ReadUnchecked(c)
		if err != nil {
			return err
		}
		request := c.Request()
		request.Body = io.NopCloser(bytes.NewReader(data))
		handler := reading
		if api.CallerOf(c).Scope >= auth.ScopeWrite {
			handler = writing
		}
		handler.ServeHTTP(c.Response(), request)
		return nil
	})
	s.echo.POST(agentsPath, func(c echo.Context) error {
		api.SetRoute(c, route)
		return answer(c)
	})
	refuse := func(c echo.Context) error {
		c.Response().Header().Set("Allow", http.MethodPost)
		return problem.New(problem.MethodNotAllowed, "")
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete} {
		s.echo.Add(method, agentsPath, refuse)
	}
}

// tools are what agents may do, through the gates of the API.
func (s *Server) tools() *mcp.Tools {
	o := &s.options
	return mcp.New(mcp.Options{
		Version: o.Version, Searcher: o.Searcher, Library: s.library, Decoder: s.decoder, Asker: o.Asker, Models: o.Models,
		Edit: s.editing.Apply, ReadOnly: s.readOnly, Correct: s.queries.Correct, Measure: s.metrics.Search, Logger: o.Logger,
		Compute: s.compute.Within,
		Read: func(ctx context.Context, work func(context.Context) error) error {
			return api.Compute{Places: s.reads, Longest: o.Limits.ReadTime}.Within(ctx, work)
		},
	})
}
