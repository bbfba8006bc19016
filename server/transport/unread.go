package transport

import (
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// A body that nobody reads, because the request is refused or its method takes none, must not keep an answer back:
// net/http reads up to 256 KiB of it before it answers, however slowly it arrives, so as to use the connection again.
const (
	settleBytes = 64 << 10
	// lingerTime is how long what still arrives is taken in after the answer, so that a client that is busy sending
	// gets to read the answer before the connection is gone.
	lingerTime = time.Second
)

// SettleBody reads the rest of a body that is there, and has the connection closed after the answer if that is not all.
func SettleBody(c echo.Context) {
	request := c.Request()
	if request.Body == nil || request.Body == http.NoBody {
		return
	}
	controller := http.NewResponseController(c.Response())
	// Who waits to be asked for the body is not asked.
	if request.Header.Get("Expect") == "" && controller.SetReadDeadline(time.Now().Add(settleTime)) == nil {
		_, err := io.CopyN(io.Discard, request.Body, settleBytes)
		if err == io.EOF {
			_ = controller.SetReadDeadline(time.Time{}) // it was supported before
			return
		}
	}
	c.Response().Header().Set(echo.HeaderConnection, "close")
	// The only error is that deadlines are not supported, as in tests.
	_ = controller.SetReadDeadline(time.Now().Add(lingerTime))
}
