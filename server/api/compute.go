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

// Do waits for a place and does the work of a request, with a deadline.
func (m Compute) Do(c echo.Context, work func(ctx context.Context) error) error {
	leave, err := EnterGate(c, "search", m.Places)
	if err != nil {
		return err
	}
	defer leave()
	return m.within(c.Request().Context(), work)
}

// Within is Do for work that is not all of a request.
func (m Compute) Within(ctx context.Context, work func(ctx context.Context) error) error {
	leave, err := m.Places.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return m.within(ctx, work)
}

func (m Compute) within(ctx context.Context, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, m.Longest)
	defer cancel()
	return work(ctx)
}
