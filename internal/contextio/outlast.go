package contextio

import (
	"context"
	"time"
)

// Outlast gives a context that ends a while after another one has, for what is not to be broken off in the middle. Where the
// other one has ended already, so has it. Done is to be called when the work is.
func Outlast(ctx context.Context, while time.Duration) (lasting context.Context, done context.CancelFunc) {
	if ctx.Err() != nil {
		return ctx, func() {}
	}
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(while, cancel) })
	return lasting, func() {
		stop()
		cancel()
	}
}
