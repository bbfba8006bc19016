package nearest

import (
	"context"

	"mekiki/index/local/catalog"
)

// ReuseVectors gives the view's vector store for a state of a catalog that was read
// anew, so that only what has changed is read into it. It gives nil where there is
// none, where another space serves, and where the library turns out to be another
// of the same beginnings: one put back to an earlier state, say, that went on from
// there, so that a commit's number does not tell what it wrote.
func (v *View) ReuseVectors(ctx context.Context, next *catalog.State) (*Store, error) {
	if v == nil || v.Store == nil {
		return nil, nil
	}
	x, to := v.Store, next.Serving()
	from := v.State.SpaceNumbered(x.Number)
	if from == nil || to == nil || to.Number != x.Number || to.Space != x.space || !to.Added.Equal(from.Added) {
		return nil, nil
	}
	select {
	case x.mu <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-x.mu }()
	for id, after := range to.Locations.All() {
		before, _ := from.Locations.Get(id)
		held, _ := x.at.Get(id)
		if before.Sequence != after.Sequence && held.Sequence != after.Sequence {
			continue
		}
		old, was := v.State.Record(id)
		new, is := next.Record(id)
		if before.Sequence != after.Sequence || !was || !is || old.Hash != new.Hash {
			return nil, nil
		}
	}
	return x, nil
}
