package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/ingest/textrecord"
	"mekiki/internal/diskspace"
	"mekiki/server/access"
	"mekiki/server/answers"
	"mekiki/server/api"
	"mekiki/server/auth"
	"mekiki/server/downloads"
	"mekiki/server/gate"
	"mekiki/server/idempotency"
	"mekiki/server/jobs"
	"mekiki/server/layout"
	"mekiki/server/media"
	"mekiki/server/problem"
	"mekiki/server/records"
	"mekiki/server/renditions"
	"mekiki/server/sessions"
	"mekiki/server/shares"
	"mekiki/server/status"
	"mekiki/server/tags"
	"mekiki/server/translations"
	"mekiki/server/upkeep"
	"mekiki/server/webhooks"
)

// rooms are the areas of the API. A new one is a package below this one with a struct of what it needs and its lines of
// the table of routes, and one line here.
func (s *Server) rooms() []api.Room {
	o := &s.options
	return []api.Room{
		s.queries,
		answers.Room{Asker: o.Asker, Library: s.library, Bodies: s.bodies, Compute: s.compute, Pictures: s.pictures, Now: o.Now},
		records.Room{Library: s.library, Bodies: s.bodies, Compute: s.compute, AddTexts: s.addTexts(), Delete: s.editing.Delete},
		s.editing,
		downloads.New(downloads.Options{Library: s.library, Bodies: s.bodies, Now: o.Now}),
		s.uploads,
		translations.Room{Interpreter: o.Interpreter, Bodies: s.bodies, Compute: s.compute},
		tags.Room{Library: s.library, Bodies: s.bodies, Tag: s.editing.Tag},
		media.Room{Library: s.library},
		renditions.Room{Library: s.library, Store: s.renditions},
		layout.Room{Library: s.library},
		jobs.Room{
			Manager: s.jobs, Library: s.library, Bodies: s.bodies, Workshop: s.workshop(), Stopping: s.stopping,
		},
		upkeep.Room{Library: s.library, Bodies: s.bodies, Switch: o.Switch},
		sessions.Room{Tokens: s.tokens, Sessions: s.sessions, Bodies: s.bodies, Adds: o.Ingester != nil, ReadOnly: s.readOnly},
		shares.Room{Library: s.library, Store: s.tokens, Bodies: s.bodies, Now: o.Now, Logger: o.Logger},
		access.Room{Store: s.tokens, Bodies: s.bodies, Now: o.Now, Logger: o.Logger},
		webhooks.Room{Sender: s.webhooks},
		s.status(),
		room{
			{Method: http.MethodGet, Path: "/api/v1/openapi.json", Class: api.Open, Handler: s.getOpenAPI},
			{Method: http.MethodGet, Path: "/metrics", Class: api.Open, Handler: echo.WrapHandler(s.metrics.Handler)},
		},
	}
}

// workshop makes the tasks of jobs.
func (s *Server) workshop() jobs.Workshop {
	o := &s.options
	workshop := jobs.Workshop{Chores: o.Chores, Library: s.library, Roots: o.Roots, Captions: o.Captions, Logger: o.Logger, CompareScenes: o.Searcher.CompareScenes}
	if o.Ingester != nil {
		workshop.Ingester = o.Ingester
	}
	if o.Models != nil {
		workshop.Describes = func() bool {
			return slices.ContainsFunc(o.Models(), func(model status.Model) bool { return model.Active && model.Captions })
		}
	}
	return workshop
}

// resumeJobs queues what earlier servers left to do.
func (s *Server) resumeJobs(ctx context.Context) {
	if s.readOnly() != nil {
		return
	}
	workshop := s.workshop()
	workshop.Owner = true // what was asked for was allowed then
	for _, asked := range s.jobs.Left() {
		task, err := workshop.Task(ctx, asked)
		if err == nil {
			_, err = s.jobs.Add(task)
		}
		if err != nil {
			s.options.Logger.Warn("what an earlier server left to do is not taken up", "kind", asked.Kind, logError, err)
		}
	}
}

// compareScenes has the pictures compared that were not compared for duplicates yet.
func (s *Server) compareScenes() (string, error) {
	task, err := s.workshop().Duplicates()
	if err != nil {
		return "", err
	}
	job, err := s.jobs.AddOnce(task)
	return job.ID, err
}

// room is a room without anything of its own.
type room []api.Route

// Routes are its lines.
func (r room) Routes() []api.Route { return r }

// routes is the table of what the API document describes. The page and the page
// that shows the document are apart: see addPages.
func (s *Server) routes() []api.Route {
	var routes []api.Route
	for _, room := range s.rooms() {
		routes = append(routes, room.Routes()...)
	}
	return routes
}

func (s *Server) status() status.Room {
	o := &s.options
	return status.Room{
		Version: o.Version, Started: o.Now(), Library: s.library, Folder: o.LibraryFolder, Models: o.Models, Asker: o.Asker, Questions: o.Questions,
		Jobs: s.jobs.Running, Uploads: s.uploads.Takes(), Indexing: o.Ingester != nil && len(o.Roots) > 0,
		Roots: o.Roots, ReadOnly: s.readOnly, Ready: o.Ready, Draining: s.draining,
	}
}

// addTexts is what brings in texts; nil where nothing can be added.
func (s *Server) addTexts() func(context.Context, []textrecord.Text) ([]index.ID, error) {
	if s.options.Ingester == nil {
		return nil
	}
	return s.options.Ingester.AddTexts
}

var braces = regexp.MustCompile(`\{([a-z]+)\}`)

// addRoutes puts the table into the router. It fails when the table and the API
// document do not hold the same operations.
func (s *Server) addRoutes() error {
	described := map[string]bool{}
	for _, operation := range s.document.Operations() {
		described[operation.Method+" "+operation.Path] = true
	}
	for _, line := range s.routes() {
		name := line.Method + " " + line.Path
		line.Operation = s.document.Operation(line.Method, line.Path)
		if line.Operation == nil {
			return fmt.Errorf("route %s is not in the API document", name)
		}
		delete(described, name)
		if line.Operation.Scope != auth.ScopeNone.String() {
			scope, err := auth.ParseNeed(line.Operation.Scope)
			if err != nil {
				return fmt.Errorf("route %s: %w", name, err)
			}
			line.Scope = scope
		}
		s.addRoute(&line)
	}
	for _, name := range slices.Sorted(maps.Keys(described)) {
		return fmt.Errorf("the API document has %s, which is no route", name)
	}
	return nil
}

func (s *Server) addRoute(line *api.Route) {
	path := braces.ReplaceAllString(line.Path, ":$1")
	admitted := s.admit(line)
	if idempotency.Applies(line) {
		admitted = s.answers.Wrap(admitted)
	}
	handler := s.authorize(line.Scope, s.checkWritable(line, checkQuery(admitted)))
	keep := func(c echo.Context) error {
		api.SetRoute(c, line)
		return handler(c)
	}
	s.echo.Add(line.Method, path, keep)
	if line.Method == http.MethodGet && line.Class != api.Stream {
		s.echo.Add(http.MethodHead, path, keep)
	}
}

// checkWritable refuses what changes the library while nothing can be changed.
func (s *Server) checkWritable(line *api.Route, handler echo.HandlerFunc) echo.HandlerFunc {
	reads := line.Method == http.MethodGet || line.Scope < auth.ScopeWrite || line.AlwaysWritable
	if reads {
		return handler
	}
	return func(c echo.Context) error {
		if err := s.readOnly(); err != nil {
			return err
		}
		return handler(c)
	}
}

// readOnly is the problem with requests that would change something, or nil. Why is said without a path or a process,
// as everybody may know it.
func (s *Server) readOnly() error {
	if s.options.Writable == nil {
		return nil
	}
	err := s.options.Writable()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, index.ErrLocked):
		p := problem.New(problem.Unavailable, "another process is writing to the library; try again when it has finished")
		p.Cause, p.RetryAfter = err, 5
		return p
	case diskspace.IsFull(err):
		p := problem.New(problem.InsufficientStorage, "the disk of the library is full; it is served for reading until there is room")
		p.Cause = err
		return p
	}
	p := problem.New(problem.Unsupported, err.Error())
	p.Cause = err
	return p
}

// checkQuery refuses parameters that an operation of the API does not have, also where the handler reads none. What lies
// outside, such as /healthz, is asked by programs that add some of their own.
func checkQuery(handler echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if query := c.Request().URL.RawQuery; query != "" && isAPI(c.Request().URL.Path) {
			values, err := url.ParseQuery(query)
			if err != nil {
				return problem.New(problem.InvalidRequest, "the query string is malformed")
			}
			if _, violations := api.RouteOf(c).Operation.Query(values); len(violations) > 0 {
				return api.Violated("", violations)
			}
		}
		return handler(c)
	}
}

// admit passes a request through the gate of its class and gives it a deadline.
func (s *Server) admit(line *api.Route) echo.HandlerFunc {
	switch line.Class {
	case api.Read:
		return func(c echo.Context) error {
			return s.within(c, "read", s.reads, s.options.Limits.ReadTime, line.Handler)
		}
	case api.Picture:
		return func(c echo.Context) error {
			return s.within(c, "read", s.reads, s.options.Limits.SearchTime, line.Handler)
		}
	case api.Stream:
		return func(c echo.Context) error {
			return s.within(c, "stream", s.streams, 0, line.Handler)
		}
	}
	return line.Handler
}

func (s *Server) within(c echo.Context, policy string, through *gate.Gate, longest time.Duration, handler echo.HandlerFunc) error {
	request := c.Request()
	leave, err := api.EnterGate(c, policy, through)
	if err != nil {
		return err
	}
	defer leave()
	if longest > 0 {
		ctx, cancel := context.WithTimeout(request.Context(), longest)
		defer cancel()
		c.SetRequest(request.WithContext(ctx))
	}
	return handler(c)
}

// methodsAt lists the methods of an address of the API that has no GET: echo takes a GET of it for one of the page.
func (s *Server) methodsAt(path string) []string {
	methods := []string{http.MethodOptions}
	given := strings.Split(path, "/")
	for _, operation := range s.document.Operations() {
		wanted := strings.Split(operation.Path, "/")
		if slices.EqualFunc(wanted, given, func(wanted, given string) bool {
			return wanted == given || strings.HasPrefix(wanted, "{") && given != ""
		}) {
			methods = append(methods, operation.Method)
		}
	}
	if len(methods) == 1 {
		return nil
	}
	return methods
}

// knownAddress answers 404 at addresses of the API that no operation has, whatever the method: the page, which takes
// GET at every address, makes echo answer 405 there, and 204 to OPTIONS.
func (s *Server) knownAddress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		unrouted := c.Path() == "" || c.Path() == "/*"
		if path := c.Request().URL.Path; unrouted && isAPI(path) && s.methodsAt(path) == nil {
			return problem.New(problem.NotFound, "")
		}
		return next(c)
	}
}

// isAPI reports whether a path belongs to the API, so that what is not there is a
// problem and not the page.
func isAPI(path string) bool {
	return strings.HasPrefix(path, "/api/") || path == "/api"
}
