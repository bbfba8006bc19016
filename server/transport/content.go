package transport

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/server/problem"
)

// ServeContent is http.ServeContent, with its two errors as problems: a range
// that lies outside, and a precondition that does not hold.
func ServeContent(c echo.Context, name string, modified time.Time, content io.ReadSeeker) error {
	checkRange(c.Request())
	writer := &contentWriter{ResponseWriter: c.Response()}
	http.ServeContent(writer, c.Request(), name, modified, content)
	switch writer.refused {
	case http.StatusRequestedRangeNotSatisfiable:
		return problem.New(problem.RangeNotSatisfiable, "")
	case http.StatusPreconditionFailed:
		return problem.New(problem.PreconditionFailed, "")
	case 0:
		return nil
	}
	return problem.New(problem.Internal, "")
}

// checkRange takes away a Range header that RFC 9110 lets a server ignore: one of another unit than bytes, which nobody
// has to know, and one of very many parts. "bytes=-0", the last no bytes, is made a range that cannot be satisfied,
// as the RFC has it; http.ServeContent would send an empty part of it.
func checkRange(request *http.Request) {
	header := request.Header.Get("Range")
	if header == "" {
		return
	}
	list, inBytes := strings.CutPrefix(header, "bytes=")
	if !inBytes || strings.Count(list, ",") >= maximumRanges {
		request.Header.Del("Range")
		return
	}
	parts := strings.Split(list, ",")
	parts = slices.DeleteFunc(parts, func(part string) bool {
		suffix, isSuffix := strings.CutPrefix(strings.TrimSpace(part), "-")
		return isSuffix && suffix != "" && strings.Trim(suffix, "0") == ""
	})
	if len(parts) == 0 {
		parts = []string{beyondEnd}
	}
	request.Header.Set("Range", "bytes="+strings.Join(parts, ","))
}

// beyondEnd is a range that no file reaches.
const beyondEnd = "9223372036854775806-"

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
