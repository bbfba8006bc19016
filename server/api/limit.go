package api

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"mekiki/server/gate"
	"mekiki/server/problem"
)

// EnterGate waits for a place behind a gate, and tells the caller how many requests the gate admits at a time and how many
// more it would now: the headers RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-10. name is the
// policy's.
func EnterGate(c echo.Context, name string, through *gate.Gate) (leave func(), err error) {
	leave, err = through.Enter(c.Request().Context())
	header := c.Response().Header()
	header.Set("RateLimit-Policy", fmt.Sprintf(`"%s";q=%d;qu="concurrent-requests"`, name, through.Capacity()))
	if err == nil {
		header.Set("RateLimit", fmt.Sprintf(`"%s";r=%d`, name, through.Free()))
	} else if after := problem.From(err).RetryAfter; after > 0 {
		header.Set("RateLimit", fmt.Sprintf(`"%s";r=0;t=%d`, name, after))
	}
	return leave, err
}
