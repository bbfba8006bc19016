package server

import (
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// serveContent is http.ServeContent, with its two errors as problems: a range
// that lies outside, and a precondition that does not hold.
func serveContent(c echo.Context, name string, modified time.Time, content io.ReadSeeker) error {
	writer := &contentWriter{ResponseWriter: c.Response()}
	http.ServeContent(writer, c.Request(), name, modified, content)
	switch writer.refused {
	case http.StatusRequestedRangeNotSatisfiable:
		return newProblem(CodeRangeNotSatisfiable, "")
	case http.StatusPreconditionFailed:
		return newProblem(CodePreconditionFailed, "")
	case 0:
		return nil
	}
	return newProblem(CodeInternal, "")
}

// contentWriter holds back an error answer.
type contentWriter struct {
	http.ResponseWriter
	refused int
}

func (w *contentWriter) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *contentWriter) Write(data []byte) (int, error) {
	if w.refused != 0 {
		return len(data), nil
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap gives http.ResponseController the writer below.
func (w *contentWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
