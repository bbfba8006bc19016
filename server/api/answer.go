package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/server/problem"
	"mekiki/server/transport"
)

// SendJSON answers with value as JSON.
func SendJSON(c echo.Context, status int, value any) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return c.Blob(status, echo.MIMEApplicationJSON, buffer.Bytes())
}

// EndStream ends a stream that has begun with the event of a failure, and gives the
// failure, for the log.
func EndStream(c echo.Context, stream *transport.EventStream, failure error) error {
	p := problem.From(failure)
	p.Instance = IdentityOf(c)
	if err := stream.Send("problem", p); err != nil {
		return err
	}
	return failure
}

// WantsEvents reports whether the answer is to come as server-sent events.
func WantsEvents(c echo.Context) bool { return Wants(c.Request(), "text/event-stream") }

// Wants reports whether the Accept header names a media type outright.
func Wants(request *http.Request, kind string) bool {
	for _, header := range request.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			name, parameters, err := mime.ParseMediaType(strings.TrimSpace(part))
			if err == nil && name == kind && parameters["q"] != "0" {
				return true
			}
		}
	}
	return false
}
