package gate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func isOverload(err error) bool {
	var overload *OverloadError
	return errors.As(err, &overload)
}

// entered enters and fails the test if that is refused.
func entered(t *testing.T, g *Gate) (leave func()) {
	t.Helper()
	leave, err := g.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(2, 1, 50*time.Millisecond)
		leaveFirst, leaveSecond := entered(t, g), entered(t, g)
		third := make(chan error, 1)
		go func() {
			leave, err := g.Enter(t.Context())
			if err == nil {
				leave()
			}
			third <- err
		}()
		synctest.Wait()
		if _, err := g.Enter(t.Context()); !isOverload(err) {
			t.Errorf("the fourth: %v", err)
		}
		leaveFirst()
		if err := <-third; err != nil {
			t.Errorf("the third, after the first left: %v", err)
		}
		leaveThird := entered(t, g)
		if _, err := g.Enter(t.Context()); !isOverload(err) {
			t.Errorf("who waited for longer than the queue's time: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Enter(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("a client that is gone: %v", err)
		}
		leaveSecond()
		leaveThird()
		if g.Busy() != 0 || g.Waiting() != 0 || g.Refused() != 2 {
			t.Errorf("left: %d busy, %d waiting, %d refused", g.Busy(), g.Waiting(), g.Refused())
		}
	})
}

// TestGateUnderOverload: a burst may fill the queue, what follows it finds half a
// round, and after a calm the queue is whole again.
func TestGateUnderOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(4, 8, time.Minute)
		g.typical.Store(int64(10 * time.Second))
		var group sync.WaitGroup
		var leaves []func()
		for range 4 {
			leaves = append(leaves, entered(t, g))
		}
		for range 8 {
			group.Go(func() { entered(t, g)() })
		}
		synctest.Wait()
		if _, err := g.Enter(t.Context()); !isOverload(err) {
			t.Fatalf("a full queue: %v", err)
		}
		for _, leave := range leaves {
			leave()
		}
		group.Wait()
		g.typical.Store(int64(10 * time.Second))
		// A request was refused a moment ago: two may wait, as long as a request takes.
		for n := range 3 {
			timeout, admitted := g.enqueue()
			if admitted != (n < 2) || admitted && timeout > 10*time.Second {
				t.Errorf("waiter %d under overload: admitted %t for %s", n, admitted, timeout)
			}
		}
		g.leaveQueue()
		g.leaveQueue()
		time.Sleep(time.Hour)
		for n := range 9 {
			timeout, admitted := g.enqueue()
			if admitted != (n < 8) || admitted && timeout != time.Minute {
				t.Errorf("waiter %d after a calm: admitted %t for %s", n, admitted, timeout)
			}
		}
	})
}
