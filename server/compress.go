package server

import (
	"compress/gzip"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// minimumCompressed is the size below which compressing gains nothing.
const minimumCompressed = 1024

// compressible are the media types that shrink.
var compressible = []string{
	"application/json", "application/problem+json", "application/javascript", "text/javascript", "text/css",
	"text/html", "text/plain", "image/svg+xml", "application/manifest+json",
}

// compressor compresses answers with gzip. Answers are given whole, in one
// write; a stream of events, an image or a part of a file passes as it is.
type compressor struct {
	writers sync.Pool
}

func newCompressor() *compressor {
	return &compressor{writers: sync.Pool{New: func() any {
		writer, err := gzip.NewWriterLevel(nil, 4)
		if err != nil {
			panic(err) // 4 is a level
		}
		return writer
	}}}
}

func (p *compressor) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Add("Vary", "Accept-Encoding")
		if c.Request().Method == http.MethodHead || !acceptsGzip(c.Request()) {
			return next(c)
		}
		response := c.Response()
		writer := &compressingWriter{ResponseWriter: response.Writer, pool: &p.writers}
		response.Writer = writer
		defer func() {
			writer.close()
			response.Writer = writer.ResponseWriter
		}()
		return next(c)
	}
}

func acceptsGzip(request *http.Request) bool {
	for part := range strings.SplitSeq(request.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name = strings.TrimSpace(name); name == "gzip" || name == "*" {
			quality = strings.ReplaceAll(quality, " ", "")
			return quality != "q=0" && !strings.HasPrefix(quality, "q=0.000") && quality != "q=0.0" && quality != "q=0.00"
		}
	}
	return false
}

// compressingWriter decides at the first write, when status, type and, as answers
// are written whole, size are known.
type compressingWriter struct {
	http.ResponseWriter
	pool    *sync.Pool
	status  int
	decided bool
	gzip    *gzip.Writer
}

func (w *compressingWriter) WriteHeader(status int) { w.status = status }

func (w *compressingWriter) Write(data []byte) (int, error) {
	w.decide(len(data))
	if w.gzip != nil {
		return w.gzip.Write(data)
	}
	return w.ResponseWriter.Write(data)
}

func (w *compressingWriter) decide(size int) {
	if w.decided {
		return
	}
	w.decided = true
	header := w.Header()
	if length, err := strconv.Atoi(header.Get(echo.HeaderContentLength)); err == nil {
		size = length
	}
	kind, _, _ := mime.ParseMediaType(header.Get(echo.HeaderContentType))
	if size >= minimumCompressed && slices.Contains(compressible, kind) && w.status != http.StatusPartialContent && header.Get("Content-Encoding") == "" {
		header.Del(echo.HeaderContentLength)
		header.Set("Content-Encoding", "gzip")
		if tag := header.Get("ETag"); strings.HasPrefix(tag, `"`) {
			header.Set("ETag", "W/"+tag)
		}
		w.gzip = w.pool.Get().(*gzip.Writer)
		w.gzip.Reset(w.ResponseWriter)
	}
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
}

func (w *compressingWriter) close() {
	w.decide(0)
	if w.gzip == nil {
		return
	}
	// A client that went away is noticed by whoever writes next.
	_ = w.gzip.Close()
	w.pool.Put(w.gzip)
	w.gzip = nil
}

// FlushError sends what has been written so far.
func (w *compressingWriter) FlushError() error {
	w.decide(0)
	if w.gzip != nil {
		if err := w.gzip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for an http.Flusher.
func (w *compressingWriter) Flush() { _ = w.FlushError() }

// Unwrap gives http.ResponseController the writer below.
func (w *compressingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
