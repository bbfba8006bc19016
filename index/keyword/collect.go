package keyword

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/blevesearch/bleve/v2/search"
	index "github.com/blevesearch/bleve_index_api"

	"mekiki/index/keyword/lists"
)

var _ lists.Best = (*collector)(nil)

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
	// floor is the last of as many documents as are wanted, of which it is known that they match; a score of zero: of none.
	floor Hit
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
	c.keep(kept{Hit: Hit{ID: id, Score: d.Score}})
	return nil
}

// Keep implements [lists.Best].
func (c *collector) Keep(segment int, document, id uint64, score float64) {
	c.keep(kept{Hit{ID: id, Score: score}, segment, document})
}

// keep keeps a hit, whose score reaches the threshold, if it is among the best so far.
func (c *collector) keep(hit kept) {
	if c.limit == 0 {
		return
	}
	full := len(c.best) == c.limit
	switch {
	case full && bestFirst(hit.Hit, c.best[0].Hit) > 0 || c.allow != nil && !c.allow(hit.ID):
	case full:
		c.best[0] = hit
		heap.Fix(&c.best, 0)
	default:
		heap.Push(&c.best, hit)
	}
}

// restart forgets what was kept, but for the threshold, for a search that offers the same again and more.
func (c *collector) restart() {
	c.floor.Score, c.floor.ID = c.Last()
	c.best = nil
}

// threshold is a score that as many documents have as are wanted, at least: those below
// it are of no use. It is zero until there are so many.
func (c *collector) threshold() float64 {
	score, _ := c.Last()
	return score
}

// Last implements [lists.Best].
func (c *collector) Last() (score float64, id uint64) {
	last := c.floor
	if len(c.best) == c.limit && c.limit > 0 {
		last = c.best[0].Hit
	}
	return last.Score, last.ID
}

// hits gives what was kept, the best first.
func (c *collector) hits() []Hit {
	slices.SortFunc(c.best, func(a, b kept) int { return bestFirst(a.Hit, b.Hit) })
	var hits []Hit
	for _, one := range c.best {
		hits = append(hits, one.Hit)
	}
	return hits
}

// kept is a hit, and for [Reader.bestOfWords] where it is: the number of a segment, and of a document in there.
type kept struct {
	Hit
	segment  int
	document uint64
}

// bestFirst orders hits by descending score, and of equals by ID.
func bestFirst(a, b Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// worstFirst is a heap.Interface with the worst hit on top.
type worstFirst []kept

func (w worstFirst) Len() int           { return len(w) }
func (w worstFirst) Less(i, j int) bool { return bestFirst(w[i].Hit, w[j].Hit) > 0 }
func (w worstFirst) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *worstFirst) Push(hit any)      { *w = append(*w, hit.(kept)) }

// Pop implements heap.Interface; it is not needed, as hits are replaced.
func (w *worstFirst) Pop() any {
	last := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return last
}
