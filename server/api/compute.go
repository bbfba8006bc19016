package api

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/server/gate"
)

// Compute is where work that uses the model waits for its turn.
type Compute struct {
	Places *gate.Gate
	// Longest bounds the work, once it has a place.
	Longest time.Duration
}

// Do waits for a place and does the work, with a deadline.
func (m Compute) Do(c echo.Context, work func(ctx context.Context) error) error {
	leave, err := EnterGate(c, "search", m.Places)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(c.Request().Context(), m.Longest)
	defer cancel()
	return work(ctx)
}
