// Package filelock lets processes on one machine take turns: a lock on a file,
// which the system gives back when its holder ends, however that happens.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrHeld means that somebody else holds the lock.
var ErrHeld = errors.New("lock is held")

// Lock is a held lock. Close it.
type Lock struct {
	file *os.File
	once sync.Once
}

// poll is how often Acquire looks again.
const poll = 100 * time.Millisecond

// Try takes the lock at path, making the file and its folder when missing. It
// returns ErrHeld at once when another holder has it, in this process or another.
func Try(path string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return TryIn(path)
}

// TryIn is Try for a folder that must exist.
func TryIn(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := lockFile(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &Lock{file: file}, nil
}

// Acquire takes the lock at path, waiting until it is free or ctx ends. When it
// has to wait it calls waiting once; waiting may be nil.
func Acquire(ctx context.Context, path string, waiting func()) (*Lock, error) {
	for first := true; ; first = false {
		lock, err := Try(path)
		if !errors.Is(err, ErrHeld) {
			return lock, err
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("lock %s: %w", path, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// Close gives the lock back. The file stays, so that no two holders can have
// different files of one name. Closing twice is allowed.
func (l *Lock) Close() error {
	var err error
	l.once.Do(func() { err = l.file.Close() })
	return err
}
