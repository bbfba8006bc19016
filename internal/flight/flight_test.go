package flight

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/sync/singleflight"
)

// TestDo: several who ask at a time get what one of them makes, and an error that is not of leaving is everybody's.
func TestDo(t *testing.T) {
	failure := errors.New("cannot be made")
	for name, want := range map[string]error{"made": nil, "failed": failure} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var group singleflight.Group
				var made atomic.Int64
				proceed := make(chan struct{})
				var asking sync.WaitGroup
				for range 8 {
					asking.Go(func() {
						got, err := Do(t.Context(), &group, "key", func() (int64, error) {
							<-proceed
							return made.Add(1), want
						})
						if !errors.Is(err, want) || want == nil && got != 1 {
							t.Errorf("%d, %v", got, err)
						}
					})
				}
				synctest.Wait()
				close(proceed)
				asking.Wait()
				if made.Load() != 1 {
					t.Errorf("made %d times", made.Load())
				}
			})
		})
	}
}

// TestWhoeverMakesItLeaves: the next in line makes it then.
func TestWhoeverMakesItLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var group singleflight.Group
		first, leave := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		ask := func(ctx context.Context, want error) {
			asking.Go(func() {
				got, err := Do(ctx, &group, "key", func() (string, error) {
					if ctx == first {
						<-first.Done()
						return "", first.Err()
					}
					return "made", nil
				})
				if !errors.Is(err, want) || want == nil && got != "made" {
					t.Errorf("%q, %v; expected %v", got, err, want)
				}
			})
		}
		ask(first, context.Canceled)
		synctest.Wait()
		ask(t.Context(), nil)
		synctest.Wait()
		leave()
		asking.Wait()
	})
}
