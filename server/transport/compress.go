package transport

import (
	"fmt"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"
)

// compressible are the media types that shrink. A stream of events, an image or a part of a file passes as it is.
var compressible = []string{
	"application/json", "application/problem+json", "application/javascript", "text/javascript", "text/css",
	"text/html", "text/plain", "image/svg+xml", "application/manifest+json",
}

// Compress makes the middleware that compresses answers with gzip for those who take it.
func Compress() (echo.MiddlewareFunc, error) {
	compressed, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed), gzhttp.CompressionLevel(gzipLevel), gzhttp.ContentTypes(compressible), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("compress answers: %w", err)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			response, below := c.Response(), c.Response().Writer
			defer func() { response.Writer = below }()
			compressed(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
				response.Writer = writer
				err = next(c)
			})).ServeHTTP(below, c.Request())
			return err
		}
	}, nil
}
