package server

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/server/jobs"
	"mekiki/server/problem"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

func (s *Server) startJob(c echo.Context) error {
	var asked struct {
		Paths    []string `json:"paths"`
		Include  []string `json:"include"`
		Exclude  []string `json:"exclude"`
		Hidden   bool     `json:"hidden"`
		Captions *bool    `json:"captions"`
	}
	if err := s.readJSON(c, &asked); err != nil {
		return err
	}
	if s.options.Ingester == nil || len(s.options.Roots) == 0 {
		p := problem.New(problem.Unsupported, "no folders may be indexed through this server")
		p.Hint = "start it with --root and the folder that holds the images"
		return p
	}
	paths := s.options.Roots
	if len(asked.Paths) > 0 {
		paths = nil
		for i, path := range asked.Paths {
			allowed, err := s.underRoots(fmt.Sprintf("paths[%d]", i), path)
			if err != nil {
				return err
			}
			paths = append(paths, allowed)
		}
	}
	captions := s.options.Captions
	if asked.Captions != nil && !*asked.Captions {
		captions = -1
	}
	options := ingest.Options{
		Paths: paths, Include: asked.Include, Exclude: asked.Exclude, Hidden: asked.Hidden, Captions: captions, Logger: s.options.Logger,
	}
	if err := options.Validate(); err != nil {
		return problem.New(problem.InvalidRequest, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	added, err := s.jobs.Add(options)
	if err != nil {
		return err
	}
	s.options.Logger.Info("indexing asked for", "job", added.ID, logCaller, callerOf(c).name, "paths", paths)
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/jobs/"+added.ID)
	return sendJSON(c, http.StatusAccepted, added)
}

// underRoots gives the real path of a file or folder if it lies under one of the
// roots, both by its name and after following links. A path elsewhere is refused
// before the file system is asked, so that nothing can be learnt of it.
func (s *Server) underRoots(field, path string) (string, error) {
	outside := problem.Newf(problem.Forbidden, "%s: %q is outside the folders that may be indexed", field, problem.Shorten(path, 200))
	outside.Errors = []problem.Field{{Field: field, Detail: "is outside the folders that may be indexed"}}
	if !filepath.IsAbs(path) {
		return "", problem.Invalid(field, "must be an absolute path")
	}
	path = filepath.Clean(path)
	if !s.underRoot(path) {
		return "", outside
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", problem.Invalid(field, "cannot be opened")
	}
	if !s.underRoot(real) {
		return "", outside
	}
	return real, nil
}

func (s *Server) underRoot(path string) bool {
	for _, root := range s.options.Roots {
		if path == root || inside(root, path) {
			return true
		}
	}
	return false
}

func (s *Server) listJobs(c echo.Context) error {
	return sendJSON(c, http.StatusOK, struct {
		Jobs  []jobs.Job `json:"jobs"`
		Roots []string   `json:"roots"`
	}{s.jobs.All(), append([]string{}, s.options.Roots...)})
}

func noSuchJob(id string) error { return problem.Newf(problem.NotFound, "there is no job %s", id) }

func (s *Server) getJob(c echo.Context) error {
	id, err := segment(c, "id")
	if err != nil {
		return err
	}
	found, _, ok := s.jobs.Get(id)
	if !ok {
		return noSuchJob(id)
	}
	return sendJSON(c, http.StatusOK, found)
}

func (s *Server) cancelJob(c echo.Context) error {
	id, err := segment(c, "id")
	if err != nil {
		return err
	}
	found, ok := s.jobs.Cancel(id)
	if !ok {
		return noSuchJob(id)
	}
	return sendJSON(c, http.StatusAccepted, found)
}

// followJob sends a job's state now and whenever it has changed, but not more
// often than anyone can read.
func (s *Server) followJob(c echo.Context) error {
	id, err := segment(c, "id")
	if err != nil {
		return err
	}
	if _, _, ok := s.jobs.Get(id); !ok {
		return noSuchJob(id)
	}
	if err := http.NewResponseController(c.Response()).SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	stream, err := transport.StartEvents(c)
	if err != nil {
		return err
	}
	pulse := time.NewTicker(transport.EventPulse)
	defer pulse.Stop()
	for {
		state, changed, ok := s.jobs.Get(id)
		if !ok {
			return nil
		}
		if state.State.Finished() {
			return stream.Send("done", state)
		}
		if err := stream.Send("progress", state); err != nil {
			return err
		}
		switch err := s.awaitChange(c, stream, changed, pulse.C); {
		case errors.Is(err, errStopping):
			return nil
		case err != nil:
			return err
		}
	}
}

func (s *Server) awaitChange(c echo.Context, stream *transport.EventStream, changed <-chan struct{}, pulse <-chan time.Time) error {
	pause := time.NewTimer(progressPause)
	defer pause.Stop()
	gone := c.Request().Context().Done()
	select {
	case <-pause.C:
	case <-gone:
		return c.Request().Context().Err()
	case <-s.stopping:
		return errStopping
	}
	for {
		select {
		case <-changed:
			return nil
		case <-pulse:
			if err := stream.Pulse(); err != nil {
				return err
			}
		case <-gone:
			return c.Request().Context().Err()
		case <-s.stopping:
			return errStopping
		}
	}
}

// errStopping ends streams when the server stops.
var errStopping = errors.New("the server is stopping")

func (s *Server) listFailures(c echo.Context) error {
	var query struct {
		Limit  int `json:"limit"`
		Offset int `json:"offset"`
	}
	if err := s.readQuery(c, &query); err != nil {
		return err
	}
	type failureJSON struct {
		Path   string     `json:"path"`
		Reason string     `json:"reason"`
		Time   *time.Time `json:"time,omitempty"`
	}
	return s.withReader(c.Request().Context(), func(reader index.Reader) error {
		all, err := reader.Failures(c.Request().Context())
		if err != nil {
			return err
		}
		answer := struct {
			Failures []failureJSON `json:"failures"`
			Total    int           `json:"total"`
			Next     int           `json:"next,omitempty"`
		}{Failures: []failureJSON{}, Total: len(all)}
		start := min(query.Offset, len(all))
		end := min(start+query.Limit, len(all))
		for _, failure := range all[start:end] {
			answer.Failures = append(answer.Failures, failureJSON{failure.File.Path, failure.Reason, wire.Time(failure.Time)})
		}
		if end < len(all) {
			answer.Next = end
		}
		return sendJSON(c, http.StatusOK, answer)
	})
}

// inside reports whether a path lies in a folder, by their names alone.
func inside(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != "." && filepath.IsLocal(relative)
}
