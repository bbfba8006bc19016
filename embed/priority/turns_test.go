package priority

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		ctx := t.Context()
		search := must(t, turns.Enter, ctx)
		answer := must(t, turns.EnterAnswer, ctx)

		waited := func(what string, wait func(context.Context) error, ctx context.Context, want time.Duration) {
			t.Helper()
			start := time.Now()
			if err := wait(ctx); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if got := time.Since(start); got != want {
				t.Errorf("%s waited %v, want %v", what, got, want)
			}
		}
		background := func(ctx context.Context) error {
			leave, err := turns.Enter(Background(ctx))
			leave()
			return err
		}
		waited("a token beside a search that does not end", turns.Step, ctx, longestStepWait)
		waited("background work beside a search that does not end", background, ctx, longestWait)

		time.AfterFunc(30*time.Millisecond, search)
		waited("a token beside a search", turns.Step, ctx, 30*time.Millisecond)
		waited("a token alone", turns.Step, ctx, 0)
		time.AfterFunc(50*time.Millisecond, answer)
		waited("background work beside an answer", background, ctx, 50*time.Millisecond)
		waited("background work alone", background, ctx, 0)
		waited("a background token alone", turns.Step, Background(ctx), 0)

		defer must(t, turns.Enter, ctx)()
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if err := turns.Step(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a token whose time is up: %v", err)
		}
		if _, err := turns.Enter(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("work whose time is up: %v", err)
		}
	})
}

func must(t *testing.T, enter func(context.Context) (func(), error), ctx context.Context) func() {
	t.Helper()
	leave, err := enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}
