package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// eventTimeout is how long a client may take to receive one event.
	eventTimeout = 30 * time.Second
	// eventPulse is how often a quiet stream says that it is alive.
	eventPulse = 15 * time.Second
)

// eventStream writes server-sent events. One goroutine may use it.
type eventStream struct {
	response   *echo.Response
	controller *http.ResponseController
}

// startEvents begins a stream of events as the answer.
func startEvents(c echo.Context) (*eventStream, error) {
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	stream := &eventStream{response: c.Response(), controller: http.NewResponseController(c.Response())}
	c.Response().WriteHeader(http.StatusOK)
	return stream, stream.flush()
}

// send writes one event. value becomes its data, as JSON on one line.
func (e *eventStream) send(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return e.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, data))
}

// pulse writes a comment, which keeps proxies from closing a quiet stream and
// shows whether the client is still there.
func (e *eventStream) pulse() error { return e.write(": still here\n\n") }

func (e *eventStream) write(text string) error {
	if err := e.controller.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.response.Write([]byte(text)); err != nil {
		return err
	}
	return e.flush()
}

func (e *eventStream) flush() error {
	if err := e.controller.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
