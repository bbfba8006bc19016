package index

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"mekiki/embed"
)

var errPending = errors.New("index: not built yet")

// Options say how to open a library.
type Options struct {
	// ReadOnly opens without the writer's lock; several processes may read
	// while one writes. The library must exist.
	ReadOnly bool
	// Logger receives warnings such as repaired or damaged files; nil is
	// silent.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Library is an open library. Its methods may be called from any goroutine.
type Library struct{}

// Open opens the library in a folder. Unless it is only to be read, a missing
// library is created, the writer's lock is taken (an error that is [ErrLocked]
// names the holder), and whatever derived data is missing or behind is rebuilt.
func Open(ctx context.Context, folder string, options Options) (*Library, error) {
	return nil, errPending
}

// Close makes everything durable and gives the lock back. Snapshots stay
// usable until they are closed themselves.
func (l *Library) Close() error { return errPending }

// Folder is the library's absolute path.
func (l *Library) Folder() string { return "" }

// Snapshot gives the current state. Close it when done.
func (l *Library) Snapshot() *Snapshot { return nil }

// Refresh brings a library that is open for reading up to date with what its
// writer has committed since. It reports whether anything changed.
func (l *Library) Refresh(ctx context.Context) (bool, error) { return false, errPending }

// Write applies a batch. When it returns without an error the batch is on disk
// and visible to new snapshots; when it returns an error nothing of it is.
func (l *Library) Write(ctx context.Context, batch Batch) (WriteResult, error) {
	return WriteResult{}, errPending
}

// Tag adds tags to records.
func (l *Library) Tag(ctx context.Context, ids []ID, tags ...string) error { return errPending }

// Untag removes tags from records.
func (l *Library) Untag(ctx context.Context, ids []ID, tags ...string) error { return errPending }

// Remove deletes records. The files they came from are not touched.
func (l *Library) Remove(ctx context.Context, ids ...ID) error { return errPending }

// AddSpace adds a vector space beside those there are. The first space of a
// library serves at once; later ones when told to by [Library.ServeSpace].
// Adding a space that exists does nothing.
func (l *Library) AddSpace(ctx context.Context, space embed.Space) error { return errPending }

// ServeSpace makes searches use the space from now on; the one that served
// until now is kept for [Library.RollbackSpace].
func (l *Library) ServeSpace(ctx context.Context, space embed.Space) error { return errPending }

// RollbackSpace goes back to the space that served before.
func (l *Library) RollbackSpace(ctx context.Context) error { return errPending }

// DropSpace deletes a space that does not serve, and its files.
func (l *Library) DropSpace(ctx context.Context, space embed.Space) error { return errPending }

// CompactResult says what compaction gave back.
type CompactResult struct {
	// Before and After are the library's bytes on disk.
	Before, After int64
	// Segments counts the segments rewritten.
	Segments int
}

// Compact rewrites segments that hold deleted data, writes a checkpoint of the
// catalog, and gives the space back to the file system.
func (l *Library) Compact(ctx context.Context) (CompactResult, error) {
	return CompactResult{}, errPending
}

// Finding is one thing that Check found.
type Finding struct {
	// File is relative to the library's folder; Offset is within it.
	File   string
	Offset int64
	// Damage is true for damage, false for a remark.
	Damage bool
	// Message says what is wrong, Remedy what to do.
	Message, Remedy string
	// Records are the records that the damage touches.
	Records []ID
}

// CheckReport is the outcome of Check or Repair.
type CheckReport struct {
	// Files and Bytes count what was read and verified.
	Files int
	Bytes int64
	// Records counts the records in the catalog.
	Records int
	// Findings are in file order; none means that every byte is as written.
	Findings []Finding
	// Repaired counts the findings that Repair put right.
	Repaired int
}

// Damaged reports whether any finding is damage.
func (r CheckReport) Damaged() bool {
	for _, finding := range r.Findings {
		if finding.Damage {
			return true
		}
	}
	return false
}

// Check reads every byte of the library and verifies it. It changes nothing.
func (l *Library) Check(ctx context.Context) (CheckReport, error) {
	return CheckReport{}, errPending
}

// Repair does what Check does, moves damaged pieces to the library's
// quarantine folder, rebuilds what is derived, and marks records that lost
// their vectors so that the next indexing run makes them again.
func (l *Library) Repair(ctx context.Context) (CheckReport, error) {
	return CheckReport{}, errPending
}

// Backup writes a consistent copy of the library's truth to w, as one
// checksummed tar archive; writing and reading may go on meanwhile.
func (l *Library) Backup(ctx context.Context, w io.Writer) error { return errPending }

// Restore reads a backup into a folder, which must be empty or missing. All
// of it is verified before the library appears there.
func Restore(ctx context.Context, r io.Reader, folder string) error { return errPending }

// ExportOptions say what Export writes.
type ExportOptions struct {
	// Filter limits the records.
	Filter Filter
	// Vectors adds each record's parts.
	Vectors bool
}

// Holder is the process that holds the writer's lock.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	// Program is the command that opened the library.
	Program string `json:"program"`
}
