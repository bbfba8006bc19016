package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// EventStream writes server-sent events. One goroutine may use it.
type EventStream struct {
	response   *echo.Response
	controller *http.ResponseController
}

// StartEvents begins a stream of events as the answer.
func StartEvents(c echo.Context) (*EventStream, error) {
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	stream := &EventStream{response: c.Response(), controller: http.NewResponseController(c.Response())}
	c.Response().WriteHeader(http.StatusOK)
	return stream, stream.flush()
}

// Send writes one event. value becomes its data, as JSON on one line.
func (e *EventStream) Send(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return e.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, data))
}

// Pulse writes a comment, which keeps proxies from closing a quiet stream and
// shows whether the client is still there.
func (e *EventStream) Pulse() error { return e.write(": still here\n\n") }

func (e *EventStream) write(text string) error {
	if err := e.controller.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.response.Write([]byte(text)); err != nil {
		return err
	}
	return e.flush()
}

func (e *EventStream) flush() error {
	if err := e.controller.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
