package jobs

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

// jobPath is the address of one job.
const jobPath = "/api/v1/jobs/{id}"

// Room is what the API's part about indexing works with.
type Room struct {
	Manager *Manager
	Library api.Library
	Bodies  api.Bodies
	// Enabled says that files can be brought in. Roots are the folders that may be
	// indexed, with their links followed.
	Enabled bool
	Roots   []string
	// Captions is how many captions to write, as in [ingest.Options].
	Captions int
	Logger   *slog.Logger
	// Stopping is closed when streams are to end.
	Stopping <-chan struct{}
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/jobs", Class: api.Read, Handler: r.listJobs},
		{Method: http.MethodPost, Path: "/api/v1/jobs", Class: api.Read, Handler: r.startJob},
		{Method: http.MethodGet, Path: jobPath, Class: api.Read, Handler: r.getJob},
		{Method: http.MethodDelete, Path: jobPath, Class: api.Read, Handler: r.cancelJob, AlwaysWritable: true},
		{Method: http.MethodGet, Path: jobPath + "/events", Class: api.Stream, Handler: r.followJob},
		{Method: http.MethodGet, Path: "/api/v1/failures", Class: api.Read, Handler: r.listFailures},
	}
}

func (r Room) startJob(c echo.Context) error {
	var asked struct {
		Paths    []string `json:"paths"`
		Include  []string `json:"include"`
		Exclude  []string `json:"exclude"`
		Hidden   bool     `json:"hidden"`
		Captions *bool    `json:"captions"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	if !r.Enabled || len(r.Roots) == 0 {
		p := problem.New(problem.Unsupported, "no folders may be indexed through this server")
		p.Hint = "start it with --root and the folder that holds the images"
		return p
	}
	paths := r.Roots
	if len(asked.Paths) > 0 {
		paths = nil
		for i, path := range asked.Paths {
			allowed, err := r.underRoots(fmt.Sprintf("paths[%d]", i), path)
			if err != nil {
				return err
			}
			paths = append(paths, allowed)
		}
	}
	captions := r.Captions
	if asked.Captions != nil && !*asked.Captions {
		captions = -1
	}
	options := ingest.Options{
		Paths: paths, Include: asked.Include, Exclude: asked.Exclude, Hidden: asked.Hidden, Captions: captions, Logger: r.Logger,
	}
	if err := options.Validate(); err != nil {
		return problem.New(problem.InvalidRequest, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	added, err := r.Manager.Add(options)
	if err != nil {
		return err
	}
	r.Logger.Info("indexing asked for", "job", added.ID, "caller", api.CallerOf(c).Name, "paths", paths)
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/jobs/"+added.ID)
	return api.SendJSON(c, http.StatusAccepted, added)
}

// underRoots gives the real path of a file or folder if it lies under one of the
// roots, both by its name and after following links. A path elsewhere is refused
// before the file system is asked, so that nothing can be learnt of it.
func (r Room) underRoots(field, path string) (string, error) {
	outside := problem.Newf(problem.Forbidden, "%s: %q is outside the folders that may be indexed", field, problem.Shorten(path, 200))
	outside.Errors = []problem.Field{{Field: field, Detail: "is outside the folders that may be indexed"}}
	if !filepath.IsAbs(path) {
		return "", problem.Invalid(field, "must be an absolute path")
	}
	path = filepath.Clean(path)
	if !r.underRoot(path) {
		return "", outside
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", problem.Invalid(field, "cannot be opened")
	}
	if !r.underRoot(real) {
		return "", outside
	}
	return real, nil
}

func (r Room) underRoot(path string) bool {
	for _, root := range r.Roots {
		if path == root || inside(root, path) {
			return true
		}
	}
	return false
}

func (r Room) listJobs(c echo.Context) error {
	return api.SendJSON(c, http.StatusOK, struct {
		Jobs  []Job    `json:"jobs"`
		Roots []string `json:"roots"`
	}{r.Manager.All(), append([]string{}, r.Roots...)})
}

func noSuchJob(id string) error { return problem.Newf(problem.NotFound, "there is no job %s", id) }

func (r Room) getJob(c echo.Context) error {
	id, err := api.Segment(c, "id")
	if err != nil {
		return err
	}
	found, _, ok := r.Manager.Get(id)
	if !ok {
		return noSuchJob(id)
	}
	return api.SendJSON(c, http.StatusOK, found)
}

func (r Room) cancelJob(c echo.Context) error {
	id, err := api.Segment(c, "id")
	if err != nil {
		return err
	}
	found, ok := r.Manager.Cancel(id)
	if !ok {
		return noSuchJob(id)
	}
	return api.SendJSON(c, http.StatusAccepted, found)
}

// followJob sends a job's state now and whenever it has changed, but not more
// often than anyone can read.
func (r Room) followJob(c echo.Context) error {
	id, err := api.Segment(c, "id")
	if err != nil {
		return err
	}
	if _, _, ok := r.Manager.Get(id); !ok {
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
		state, changed, ok := r.Manager.Get(id)
		if !ok {
			return nil
		}
		if state.State.Finished() {
			return stream.Send("done", state)
		}
		if err := stream.Send("progress", state); err != nil {
			return err
		}
		switch err := r.awaitChange(c, stream, changed, pulse.C); {
		case errors.Is(err, errStopping):
			return nil
		case err != nil:
			return err
		}
	}
}

func (r Room) awaitChange(c echo.Context, stream *transport.EventStream, changed <-chan struct{}, pulse <-chan time.Time) error {
	pause := time.NewTimer(progressPause)
	defer pause.Stop()
	gone := c.Request().Context().Done()
	select {
	case <-pause.C:
	case <-gone:
		return c.Request().Context().Err()
	case <-r.Stopping:
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
		case <-r.Stopping:
			return errStopping
		}
	}
}

// errStopping ends streams when the server stops.
var errStopping = errors.New("the server is stopping")

func (r Room) listFailures(c echo.Context) error {
	var query struct {
		Limit  int `json:"limit"`
		Offset int `json:"offset"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	type failureJSON struct {
		Path   string     `json:"path"`
		Reason string     `json:"reason"`
		Time   *time.Time `json:"time,omitempty"`
	}
	return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
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
		return api.SendJSON(c, http.StatusOK, answer)
	})
}

// inside reports whether a path lies in a folder, by their names alone.
func inside(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != "." && filepath.IsLocal(relative)
}
