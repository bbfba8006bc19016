// Package flight has those who ask for one thing at the same time make it once.
package flight

import (
	"context"
	"errors"

	"golang.org/x/sync/singleflight"
)

// Do gives what produce makes, or what another call with the same key is making at this time. It is made in the
// goroutine of whoever asked first, for as long as they may work: when their context ends before it is made, another
// caller makes it.
func Do[T any](ctx context.Context, group *singleflight.Group, key string, produce func() (T, error)) (T, error) {
	for {
		made, err, shared := group.Do(key, func() (any, error) { return produce() })
		if err == nil {
			return made.(T), nil
		}
		ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		if !shared || !ended || ctx.Err() != nil {
			var none T
			return none, err
		} // else whoever made it went away
	}
}
