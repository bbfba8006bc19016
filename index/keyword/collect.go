package keyword

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/blevesearch/bleve/v2/search"
	index "github.com/blevesearch/bleve_index_api"
)

// collector keeps the best documents of a search, equal scores in order of ID. bleve's
// own collector can order by ID too, but then reads the ID of every document that
// matches, which takes longer than scoring it; this one reads those of the documents
// that are among the best so far. The package comment says what that buys.
type collector struct {
	limit int
	// allow says which documents are wanted; nil for all.
	allow  func(id uint64) bool
	reader index.IndexReader
	best   worstFirst
}

// offer keeps a match if it is among the best so far.
func (c *collector) offer(d *search.DocumentMatch) error {
	if c.limit == 0 || d.Score < c.threshold() {
		return nil
	}
	external, err := c.reader.ExternalID(d.IndexInternalID)
	if err != nil {
		return err
	}
	id, err := idOf(external)
	if err != nil {
		return err
	}
	hit := Hit{ID: id, Score: d.Score}
	full := len(c.best) == c.limit
	switch {
	case full && bestFirst(hit, c.best[0]) > 0 || c.allow != nil && !c.allow(id):
	case full:
		c.best[0] = hit
		heap.Fix(&c.best, 0)
	default:
		heap.Push(&c.best, hit)
	}
	return nil
}

// threshold is a score that as many documents have as are wanted, at least: those below
// it are of no use. It is zero until there are so many.
func (c *collector) threshold() float64 {
	if len(c.best) < c.limit || c.limit == 0 {
		return 0
	}
	return c.best[0].Score
}

// hits gives what was kept, the best first.
func (c *collector) hits() []Hit {
	slices.SortFunc(c.best, bestFirst)
	return c.best
}

// bestFirst orders hits by descending score, and of equals by ID.
func bestFirst(a, b Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// worstFirst is a heap.Interface with the worst hit on top.
type worstFirst []Hit

func (w worstFirst) Len() int           { return len(w) }
func (w worstFirst) Less(i, j int) bool { return bestFirst(w[i], w[j]) > 0 }
func (w worstFirst) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *worstFirst) Push(hit any)      { *w = append(*w, hit.(Hit)) }

// Pop implements heap.Interface; it is not needed, as hits are replaced.
func (w *worstFirst) Pop() any {
	last := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return last
}
