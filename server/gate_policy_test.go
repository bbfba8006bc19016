//go:build linux

package server

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestGatePolicy runs the gate in time that is only counted, so that nothing but
// its own policy shows: at four times the load, what is admitted is answered
// within twice the time, and as much is done as without the overload.
func TestGatePolicy(t *testing.T) {
	for _, places := range []int{2, 8} {
		// Each client asks again when it is answered, or after a pause when refused.
		drive := func(clients int, pause time.Duration) *spread {
			total := &spread{}
			synctest.Test(t, func(t *testing.T) {
				g := newGate(places, places, 2*time.Second)
				answers := make(chan time.Duration)
				ctx, cancel := context.WithCancel(t.Context())
				for n := range clients {
					random := rand.New(rand.NewPCG(uint64(n), 1))
					go func() {
						for ctx.Err() == nil {
							began := time.Now()
							leave, err := g.enter(ctx)
							if err != nil {
								answers <- -1
								time.Sleep(pause/2 + time.Duration(random.Int64N(int64(pause))))
								continue
							}
							time.Sleep(10*time.Millisecond + time.Duration(random.Int64N(int64(20*time.Millisecond))))
							leave()
							answers <- time.Since(began)
						}
						answers <- -2
					}()
				}
				for end := time.Now().Add(20 * time.Second); clients > 0; {
					switch took := <-answers; took {
					case -1:
						total.refused++
					case -2:
						clients--
					default:
						total.accepted = append(total.accepted, took)
					}
					if time.Now().After(end) {
						cancel()
					}
				}
				cancel()
			})
			return total
		}
		served, over := drive(places, time.Second), drive(8*places, 20*time.Millisecond)
		t.Logf("%d places, as many clients: %s", places, served)
		t.Logf("%d places, %d clients: %s", places, 8*places, over)
		if served.refused > 0 || over.refused == 0 {
			t.Errorf("%d places: refused %d and %d", places, served.refused, over.refused)
		}
		if got, limit := over.percentile(0.99), 2*served.percentile(0.99); got > limit {
			t.Errorf("%d places: 99 %% within %s under overload, want %s", places, got, limit)
		}
		if len(over.accepted) < len(served.accepted)*95/100 {
			t.Errorf("%d places: %d answers under overload, %d without", places, len(over.accepted), len(served.accepted))
		}
	}
}
