package transport

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// BodyGrace is how long a body may take whatever its size; beyond that it
	// has to arrive at BodyRate bytes a second, so that a body that trickles
	// in holds nothing for long.
	BodyGrace = 5 * time.Second
	// BodyRate is that rate.
	BodyRate = 32 << 10
)

// pacedReader reads a body and keeps moving the connection's deadline, as far as
// what has arrived allows.
type pacedReader struct {
	body       io.Reader
	controller *http.ResponseController
	began      time.Time
	longest    time.Duration
	read       int64
}

func (r *pacedReader) Read(buffer []byte) (int, error) {
	allowed := min(r.longest, BodyGrace+time.Duration(r.read)*time.Second/BodyRate)
	// A writer that knows no deadlines, as in tests, goes without.
	if err := r.controller.SetReadDeadline(r.began.Add(allowed)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := r.body.Read(buffer)
	r.read += int64(n)
	return n, err
}

// Pace wraps the request's body. done has to be called once it has been read: it
// lifts the deadline, which would otherwise end the request.
func Pace(c echo.Context, limit int64, longest time.Duration) (body io.Reader, done func()) {
	body, _, done = PaceEach(c, limit, longest)
	return body, done
}

// PaceEach is Pace for a body in parts that are worked on while the next one has not been read: next begins the time of
// another part, and gives the answer as long again as a connection has.
func PaceEach(c echo.Context, limit int64, longest time.Duration) (body io.Reader, next, done func()) {
	controller := http.NewResponseController(c.Response())
	limited := http.MaxBytesReader(c.Response(), c.Request().Body, limit)
	reader := &pacedReader{body: limited, controller: controller, began: time.Now(), longest: longest}
	next = func() {
		reader.began, reader.read = time.Now(), 0
		// The only error of these two is that deadlines are not supported.
		_ = controller.SetWriteDeadline(reader.began.Add(partTime))
	}
	return reader, next, func() { _ = controller.SetReadDeadline(time.Time{}) }
}
