package filelock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestTakingTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "below", "x.lock")
	first, err := Try(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Try(path); !errors.Is(err, ErrHeld) {
		t.Fatalf("second Try: %v, want ErrHeld", err)
	}
	waited := make(chan struct{})
	taken := make(chan error, 1)
	go func() {
		lock, err := Acquire(t.Context(), path, func() { close(waited) })
		if err == nil {
			err = lock.Close()
		}
		taken <- err
	}()
	<-waited
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := <-taken; err != nil {
		t.Errorf("Acquire after Close: %v", err)
	}
}

func TestAcquireEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	held, err := Try(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, path, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Acquire: %v, want the deadline", err)
	}
}
