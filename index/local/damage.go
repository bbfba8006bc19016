package local

import (
	"context"
	"fmt"
	"mekiki/index"
	"path/filepath"
)

// errRecord is the error of a search that could not read a record's vectors.
type errRecord struct {
	id  index.ID
	err error
}

func (e *errRecord) Error() string { return fmt.Sprintf("vectors of record %d: %v", e.id, e.err) }
func (e *errRecord) Unwrap() error { return e.err }

// without takes a record whose vectors have turned out to be damaged out of the
// indexes, and says so.
func (x *vectorStore) without(ctx context.Context, v *view, id index.ID, reason error) error {
	select {
	case x.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	x.leaveOut(id, v.state.spaceNumbered(x.number))
	<-x.turn
	v.found.Store(nil)
	x.library.logger.Warn("vectors of a record cannot be read; it is found by words only", "record", id, "what", reason)
	x.library.addFinding(index.Finding{
		File: filepath.Join("spaces", fmt.Sprintf("%04d", x.number)), Damage: true,
		Message: fmt.Sprintf("the vectors of record %d are damaged", id), Remedy: "mekiki check --repair",
	})
	return nil
}

// leaveOut takes a record out that is damaged where a space says that it is.
func (x *vectorStore) leaveOut(id index.ID, from *space) {
	if x.images == nil {
		return // a loading that was given up has emptied them: the next one will tell
	}
	x.images.Remove(uint64(id))
	x.texts.Remove(uint64(id))
	if x.damaged == nil {
		x.damaged = map[index.ID]extent{}
	}
	where, _ := from.locations.get(id)
	x.damaged[id] = where.vectors
}
