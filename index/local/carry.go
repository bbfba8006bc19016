package local

import "context"

// carryVectors gives the view's vector store for a state of a catalog that was read
// anew, so that only what has changed is read into it. It gives nil where there is
// none, where another space serves, and where the library turns out to be another
// of the same beginnings: one put back to an earlier state, say, that went on from
// there, so that a commit's number does not tell what it wrote.
func (v *view) carryVectors(ctx context.Context, next *state) (*vectorStore, error) {
	if v == nil || v.vectors == nil {
		return nil, nil
	}
	x, to := v.vectors, next.serving()
	from := v.state.spaceNumbered(x.number)
	if from == nil || to == nil || to.number != x.number || to.space != x.space || !to.added.Equal(from.added) {
		return nil, nil
	}
	select {
	case x.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-x.turn }()
	for id, after := range to.locations.all() {
		before, _ := from.locations.get(id)
		held, _ := x.at.get(id)
		if before.sequence != after.sequence && held.sequence != after.sequence {
			continue
		}
		old, was := v.state.record(id)
		new, is := next.record(id)
		if before.sequence != after.sequence || !was || !is || old.Hash != new.Hash {
			return nil, nil
		}
	}
	return x, nil
}
