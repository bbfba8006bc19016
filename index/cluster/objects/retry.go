package objects

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"mekiki/index"
	"mekiki/internal/hint"
)

// errStalled: no byte moved for the time that the store has.
var errStalled = errors.New("the store does not go on")

// pause is the time before an attempt: any up to a bound that doubles, so that many who
// failed at once do not come back at once.
func pause(attempt int) time.Duration {
	bound := min(shortestPause<<min(attempt-1, maximumAttempts+1), longestPause)
	return shortestPause/2 + rand.N(bound)
}

// try calls the store until it answers, or for as often as makes sense. The call says with
// alive that bytes move.
func (s *S3) try(ctx context.Context, what string, call func(ctx context.Context, alive func()) error) error {
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, call)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		}
		fault := s.faultOf(err)
		attempts := s.attempts
		if errors.Is(err, index.ErrDamaged) {
			attempts = min(attempts, damagedAttempts)
		}
		if !fault.passes || attempt >= attempts {
			return hint.Wrap(fmt.Errorf("%s: %w", what, faultError{fault.err, fault.kind}), fault.remedy)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case <-time.After(s.pause(attempt)):
		}
	}
}

// once calls the store, and ends the call when nothing moves.
func (s *S3) once(ctx context.Context, call func(ctx context.Context, alive func()) error) error {
	attempt, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(s.stall, func() { cancel(errStalled) })
	defer timer.Stop()
	err := call(attempt, func() { timer.Reset(s.stall) })
	if err != nil && ctx.Err() == nil && attempt.Err() != nil {
		return fmt.Errorf("%w: nothing for %s", errStalled, s.stall)
	}
	return err
}
