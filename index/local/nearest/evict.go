package nearest

import (
	"context"
	"fmt"
	"path/filepath"

	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
)

// RecordError is the error of a search that could not read a record's vectors.
type RecordError struct {
	ID  index.ID
	Err error
}

// Error says which record it is about.
func (e *RecordError) Error() string { return fmt.Sprintf("vectors of record %d: %v", e.ID, e.Err) }

// Unwrap gives the reason.
func (e *RecordError) Unwrap() error { return e.Err }

// Evict takes a record whose vectors have turned out to be damaged out of the
// indexes, and says so.
func (x *Store) Evict(ctx context.Context, v *View, id index.ID, reason error) error {
	select {
	case x.mu <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	x.evict(id, v.State.SpaceNumbered(x.Number))
	<-x.mu
	v.Found.Store(nil)
	x.Host.Logger.Warn("vectors of a record cannot be read; it is found by words only", "record", id, "what", reason)
	x.Host.AddFinding(index.Finding{
		File: filepath.Join(segment.Folder, fmt.Sprintf("%04d", x.Number)), Damage: true,
		Message: fmt.Sprintf("the vectors of record %d are damaged", id), Remedy: "mekiki check --repair",
	})
	return nil
}

// evict takes a record out that is damaged where a space says that it is.
func (x *Store) evict(id index.ID, from *catalog.Space) {
	if x.images == nil {
		return // a loading that was given up has emptied them: the next one will tell
	}
	x.images.Remove(uint64(id))
	x.texts.Remove(uint64(id))
	if x.damaged == nil {
		x.damaged = map[index.ID]segment.Extent{}
	}
	where, _ := from.Locations.Get(id)
	x.damaged[id] = where.Vectors
}
