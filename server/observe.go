package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/internal/hint"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

// Keys of the log's fields.
const (
	logRequest  = "request"
	logMethod   = "method"
	logPath     = "path"
	logStatus   = "status"
	logCode     = "code"
	logError    = "error"
	logDuration = "duration"
	logBytes    = "bytes"
	logCaller   = "caller"
	logRemote   = "remote"
)

// observe is the outermost layer: it gives the request an identity, recovers
// from panics, answers errors, and writes log and measurements. The log has no
// queries: what people look for is nobody's business.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		identify(c)
		if method := c.Request().Method; method != http.MethodPost && method != http.MethodPatch {
			transport.SettleBody(c) // no other method takes one
		}
		s.handling.Add(1)
		defer s.handling.Add(-1)
		s.metrics.InFlight.Inc()
		defer s.metrics.InFlight.Dec()
		err := s.recovered(c, next)
		if err != nil {
			s.answerError(err, c)
		}
		s.record(c, err, time.Since(began))
		return nil
	}
}

// errPanic marks an error that was a panic.
var errPanic = errors.New("panic")

func (s *Server) recovered(c echo.Context, next echo.HandlerFunc) (err error) {
	defer func() {
		switch reason := recover(); {
		case reason == nil:
		case reason == http.ErrAbortHandler:
			panic(reason)
		default:
			err = fmt.Errorf("%w: %v", errPanic, reason)
			s.options.Logger.ErrorContext(c.Request().Context(), "panic", logRequest, api.IdentityOf(c), logError, err, "stack", string(debug.Stack()))
		}
	}()
	return next(c)
}

// answerError sends the problem that err is, unless an answer has begun; then it
// can only be logged.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problem.From(err)
	p.Instance = api.IdentityOf(c)
	header := c.Response().Header()
	for _, name := range []string{"ETag", "Last-Modified", "Content-Disposition", "Content-Encoding", echo.HeaderContentLength} {
		header.Del(name)
	}
	header.Set("Cache-Control", "no-store")
	header.Set(echo.HeaderContentType, "application/problem+json")
	if allow := header.Get("Allow"); p.Status == http.StatusMethodNotAllowed && allow != "" {
		p.Detail = "it takes " + allow
	}
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		header.Set(echo.HeaderWWWAuthenticate, `Bearer realm="mekiki"`)
	}
	if p.Status == http.StatusRequestTimeout || p.Status == http.StatusRequestEntityTooLarge {
		header.Set("Connection", "close")
	} else {
		transport.SettleBody(c)
	}
	if c.Request().Method == http.MethodHead {
		c.Response().WriteHeader(p.Status)
		return
	}
	if err := writeProblem(c, p); err != nil {
		s.options.Logger.DebugContext(c.Request().Context(), "answer not sent", logRequest, api.IdentityOf(c), logError, err)
	}
}

func (s *Server) record(c echo.Context, err error, took time.Duration) {
	request, response := c.Request(), c.Response()
	path := "other"
	if found := api.RouteOf(c); found != nil {
		path = found.Path
	}
	s.metrics.Observe(request.Method, path, response.Status, took)
	level := slog.LevelInfo
	attributes := []any{
		logRequest, api.IdentityOf(c), logMethod, request.Method, logPath, request.URL.Path, logStatus, response.Status,
		logDuration, took.Round(time.Microsecond), logBytes, response.Size, logRemote, c.RealIP(), logCaller, api.CallerOf(c).Name,
	}
	if err != nil {
		p := problem.From(err)
		attributes = append(attributes, logCode, p.Code)
		// What is wrong with a request may quote it, and so may the remedy.
		if p.Status != http.StatusBadRequest {
			attributes = append(attributes, logError, err.Error())
			if remedy := hint.Of(err); remedy != "" {
				attributes = append(attributes, "hint", remedy)
			}
		}
		switch {
		case p.Status >= http.StatusInternalServerError:
			level = slog.LevelError
		case p.Status == http.StatusTooManyRequests:
			// Under overload there are many, and the measurements count them.
		case p.Status != problem.StatusClientClosed:
			level = slog.LevelWarn
		}
	}
	s.options.Logger.Log(request.Context(), level, "request", attributes...)
}

// writeProblem sends a problem as the whole answer.
func writeProblem(c echo.Context, p *problem.Problem) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(p); err != nil {
		return fmt.Errorf("encode problem: %w", err)
	}
	c.Response().WriteHeader(p.Status)
	_, err := c.Response().Write(buffer.Bytes())
	return err
}
