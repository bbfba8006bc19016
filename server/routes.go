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
	"mekiki/server/auth"
	"mekiki/server/gate"
	"mekiki/server/openapi"
	"mekiki/server/problem"
)

// class says how a route is admitted and for how long it may work.
type class int

const (
	// classOpen is for what costs next to nothing.
	classOpen class = iota
	// classRead reads or changes the catalog.
	classRead
	// classSearch uses the model; its handler asks for a place with compute
	// once the request's body is in.
	classSearch
	// classStream stays open for as long as there is news.
	classStream
)

// route is one line of the table of routes.
type route struct {
	method string
	// path is written as in the API document, with parameters in braces.
	path    string
	class   class
	handler echo.HandlerFunc

	// operation is the document's; it also says which scope is needed.
	operation *openapi.Operation
	scope     auth.Scope
}

func routeOf(c echo.Context) *route {
	found, _ := c.Get(routeKey).(*route)
	return found
}

// jobPath is the address of one job.
const jobPath = "/api/v1/jobs/{id}"

// routes is the table of what the API document describes. The page and the page
// that shows the document are apart: see addPages.
func (s *Server) routes() []*route {
	const (
		api    = "/api/v1"
		get    = http.MethodGet
		post   = http.MethodPost
		put    = http.MethodPut
		remove = http.MethodDelete
	)
	return []*route{
		{method: get, path: api + "/search", class: classSearch, handler: s.search},
		{method: post, path: api + "/search", class: classSearch, handler: s.searchFull},
		{method: post, path: api + "/similar", class: classSearch, handler: s.similar},
		{method: get, path: api + "/records/{id}/similar", class: classSearch, handler: s.similarToRecord},
		{method: get, path: api + "/records/{id}/map", class: classSearch, handler: s.locate},
		{method: post, path: api + "/lookup", class: classSearch, handler: s.lookup},
		{method: post, path: api + "/labels", class: classSearch, handler: s.labels},
		{method: post, path: api + "/ask", class: classSearch, handler: s.ask},
		{method: post, path: api + "/chat", class: classSearch, handler: s.chat},
		{method: get, path: api + "/duplicates", class: classSearch, handler: s.duplicates},
		{method: get, path: api + "/suggestions", class: classRead, handler: s.suggestions},

		{method: get, path: api + "/records", class: classRead, handler: s.listRecords},
		{method: post, path: api + "/records", class: classSearch, handler: s.addRecord},
		{method: get, path: api + "/records/{id}", class: classRead, handler: s.getRecord},
		{method: remove, path: api + "/records/{id}", class: classRead, handler: s.deleteRecord},
		{method: put, path: api + "/records/{id}/tags/{tag}", class: classRead, handler: s.tagRecord},
		{method: remove, path: api + "/records/{id}/tags/{tag}", class: classRead, handler: s.untagRecord},
		{method: post, path: api + "/tags", class: classRead, handler: s.changeTags},
		{method: get, path: api + "/records/{id}/thumbnail", class: classRead, handler: s.getThumbnail},
		{method: get, path: api + "/records/{id}/original", class: classRead, handler: s.getOriginal},
		{method: get, path: api + "/texts", class: classRead, handler: s.listTexts},
		{method: post, path: api + "/texts", class: classSearch, handler: s.addTexts},

		{method: get, path: api + "/jobs", class: classRead, handler: s.listJobs},
		{method: post, path: api + "/jobs", class: classRead, handler: s.startJob},
		{method: get, path: api + "/jobs/{id}", class: classRead, handler: s.getJob},
		{method: remove, path: jobPath, class: classRead, handler: s.cancelJob},
		{method: get, path: api + "/jobs/{id}/events", class: classStream, handler: s.followJob},
		{method: get, path: api + "/failures", class: classRead, handler: s.listFailures},

		{method: get, path: api + "/models", class: classRead, handler: s.listModels},
		{method: get, path: api + "/status", class: classRead, handler: s.getStatus},
		{method: get, path: api + "/session", class: classOpen, handler: s.getSession},
		{method: post, path: api + "/session", class: classOpen, handler: s.signIn},
		{method: remove, path: api + "/session", class: classOpen, handler: s.signOut},
		{method: get, path: api + "/openapi.json", class: classOpen, handler: s.getOpenAPI},
		{method: get, path: "/healthz", class: classOpen, handler: s.health},
		{method: get, path: "/readyz", class: classOpen, handler: s.ready},
		{method: get, path: "/metrics", class: classOpen, handler: echo.WrapHandler(s.metrics.Handler)},
	}
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
		name := line.method + " " + line.path
		line.operation = s.document.Operation(line.method, line.path)
		if line.operation == nil {
			return fmt.Errorf("route %s is not in the API document", name)
		}
		delete(described, name)
		if line.operation.Scope != auth.ScopeNone.String() {
			scope, err := auth.ParseScope(line.operation.Scope)
			if err != nil {
				return fmt.Errorf("route %s: %w", name, err)
			}
			line.scope = scope
		}
		s.addRoute(line)
	}
	for _, name := range slices.Sorted(maps.Keys(described)) {
		return fmt.Errorf("the API document has %s, which is no route", name)
	}
	return nil
}

func (s *Server) addRoute(line *route) {
	path := braces.ReplaceAllString(line.path, ":$1")
	handler := s.authorize(line.scope, s.checkWritable(line, checkQuery(s.admit(line))))
	keep := func(c echo.Context) error {
		c.Set(routeKey, line)
		return handler(c)
	}
	s.echo.Add(line.method, path, keep)
	if line.method == http.MethodGet && line.class != classStream {
		s.echo.Add(http.MethodHead, path, keep)
	}
}

// checkWritable refuses what changes the library while nothing can be changed. Jobs that are there can be cancelled.
func (s *Server) checkWritable(line *route, handler echo.HandlerFunc) echo.HandlerFunc {
	reads := line.method == http.MethodGet || line.scope < auth.ScopeWrite || line.path == jobPath
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
			if _, violations := routeOf(c).operation.Query(values); len(violations) > 0 {
				return violated("", violations)
			}
		}
		return handler(c)
	}
}

// admit passes a request through the gate of its class and gives it a deadline.
func (s *Server) admit(line *route) echo.HandlerFunc {
	switch line.class {
	case classRead:
		return func(c echo.Context) error {
			return s.within(c, s.reads, s.options.Limits.ReadTime, line.handler)
		}
	case classStream:
		return func(c echo.Context) error {
			return s.within(c, s.streams, 0, line.handler)
		}
	}
	return line.handler
}

func (s *Server) within(c echo.Context, through *gate.Gate, longest time.Duration, handler echo.HandlerFunc) error {
	request := c.Request()
	leave, err := through.Enter(request.Context())
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

// compute runs work that uses the model: it waits for a place, and gives the
// work a deadline.
func (s *Server) compute(c echo.Context, work func(ctx context.Context) error) error {
	leave, err := s.searches.Enter(c.Request().Context())
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(c.Request().Context(), s.options.Limits.SearchTime)
	defer cancel()
	return work(ctx)
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
