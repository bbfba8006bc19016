package gate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"mekiki/server/servertest"
	"testing"
	"testing/synctest"
	"time"
)

// TestGatePolicy runs the gate on a simulated clock, so that nothing but
// its own policy shows: at four times the load, what is admitted is answered
// within twice the time, and as much is done as without the overload.
func TestGatePolicy(t *testing.T) {
	for _, places := range []int{2, 8} {
		// Each client asks again when it is answered, or after a pause when refused.
		drive := func(clients int, pause time.Duration) *outcome {
			total := &outcome{}
			synctest.Test(t, func(t *testing.T) {
				g := New(places, places, 2*time.Second)
				results := make(chan time.Duration)
				ctx, cancel := context.WithCancel(t.Context())
				for n := range clients {
					random := rand.New(rand.NewPCG(uint64(n), 1))
					go func() {
						for ctx.Err() == nil {
							began := time.Now()
							leave, err := g.Enter(ctx)
							if err != nil {
								results <- -1
								time.Sleep(pause/2 + time.Duration(random.Int64N(int64(pause))))
								continue
							}
							time.Sleep(10*time.Millisecond + time.Duration(random.Int64N(int64(20*time.Millisecond))))
							leave()
							results <- time.Since(began)
						}
						results <- -2
					}()
				}
				for end := time.Now().Add(20 * time.Second); clients > 0; {
					switch took := <-results; took {
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

// outcome is how long accepted requests took, and how many were refused.
type outcome struct {
	accepted []time.Duration
	refused  int
}

func (o *outcome) percentile(share float64) time.Duration {
	return servertest.Percentile(o.accepted, share)
}

func (o *outcome) String() string {
	return fmt.Sprintf("%d accepted (p50 %s, p99 %s), %d refused", len(o.accepted), o.percentile(0.5), o.percentile(0.99), o.refused)
}
