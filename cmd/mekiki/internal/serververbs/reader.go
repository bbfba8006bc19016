package serververbs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/diskspace"
)

const (
	// maximumPromoteWait is the longest time between two tries to become the writer of a library that cannot be written to.
	maximumPromoteWait = time.Minute
)

// errReadOnlyPlace is why a library that lies where this process may not write is served for reading.
var errReadOnlyPlace = errors.New("the server may not write to the library's folder")

// errFullDisk is why a library is served for reading whose disk is full, until there is room.
var errFullDisk = fmt.Errorf("the disk of the library is full, and it is served for reading until there is room: %w", diskspace.ErrFull)

// whyReadOnly gives the reason to open a library for reading after opening it for writing has failed with err, or nil if
// there is none. It has no path in it, as everybody who asks the server gets to see it.
func whyReadOnly(err error) error {
	switch {
	case errors.Is(err, index.ErrLocked):
		return fmt.Errorf("another process is writing to the library: %w", index.ErrLocked)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return errReadOnlyPlace
	case diskspace.IsFull(err):
		return errFullDisk
	}
	return nil
}

// openServed opens a library for writing, or else, where reads says why, for reading.
func openServed(open func(readOnly bool) (*local.Library, error), warn func(reads, err error)) (library *local.Library, reads, err error) {
	library, err = open(false)
	if reads = whyReadOnly(err); reads == nil {
		return library, nil, err
	}
	warn(reads, err)
	library, readError := open(true)
	if errors.Is(readError, index.ErrNotLibrary) {
		return nil, reads, err // that none could be made says more
	}
	return library, reads, readError
}

// reader keeps a library that is open for reading up to date, and makes it the writer once that is possible.
type reader struct {
	library *local.Library
	logger  *slog.Logger
	// promoted is called once the library is the writer, before anything else may write.
	promoted func(ctx context.Context)

	reason atomic.Pointer[error] // nil when the library can be written to
}

func newReader(library *local.Library, reason error, logger *slog.Logger) *reader {
	r := &reader{library: library, logger: logger}
	if reason != nil {
		r.reason.Store(&reason)
	}
	return r
}

// writable says why the library cannot be written to, if it cannot.
func (r *reader) writable() error {
	if reason := r.reason.Load(); reason != nil {
		return *reason
	}
	return nil
}

// refreshLoop works until ctx ends or the library is the writer.
func (r *reader) refreshLoop(ctx context.Context) {
	ticker := time.NewTicker(refreshInterval)
	defer ticker.Stop()
	wait := refreshInterval
	for next := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if !now.Before(next) {
				done, soon := r.promote(ctx)
				if done {
					return
				}
				// A writer ends at any time; a place that cannot be written to is looked at ever more rarely.
				if wait = min(2*wait, maximumPromoteWait); soon {
					wait = refreshInterval
				}
				next = now.Add(wait - refreshInterval/2)
			}
			if _, err := r.library.Refresh(ctx); err != nil && ctx.Err() == nil {
				r.logger.Warn("library not refreshed", "error", err)
			}
		}
	}
}

// promote tries to become the writer; soon says that it is worth trying again soon.
func (r *reader) promote(ctx context.Context) (done, soon bool) {
	err := r.library.Promote(ctx)
	if err == nil {
		r.promoted(ctx)
		r.reason.Store(nil)
		r.logger.Info("this server is the writer of the library now")
		return true, false
	}
	if reason := whyReadOnly(err); reason != nil {
		r.reason.Store(&reason)
		return false, errors.Is(err, index.ErrLocked)
	}
	if ctx.Err() == nil {
		r.logger.Warn("this server is not the writer of the library yet", "error", err)
	}
	return false, false
}
