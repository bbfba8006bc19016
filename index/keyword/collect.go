package keyword

import (
	"cmp"
	"slices"

	"github.com/blevesearch/bleve/v2/search"
	index "github.com/blevesearch/bleve_index_api"
)

// collecting keeps the best documents of a search, equal scores in order of ID.
// bleve's own collector can order by ID too, but then reads the ID of every
// document that matches, which takes longer than scoring it. This one reads those
// of the documents it keeps, and of those that tie with the last of them.
type collecting struct {
	limit int
	// allow says which documents are wanted; nil for all.
	allow func(id uint64) bool
	kept  []collectedDocument
	// cutoff is a score that at least limit documents have; those below it are out.
	cutoff float64
	reader index.IndexReader
}

type collectedDocument struct {
	score    float64
	internal index.IndexInternalID
	id       uint64 // 0 until it is read
}

func (c *collecting) offer(d *search.DocumentMatch) error {
	if c.limit > 0 && d.Score >= c.cutoff {
		document := collectedDocument{score: d.Score, internal: slices.Clone(d.IndexInternalID)}
		if wanted, err := c.wants(&document); err != nil {
			return err
		} else if wanted {
			c.kept = append(c.kept, document)
		}
	}
	if len(c.kept) >= 4*c.limit+64 {
		return c.drop()
	}
	return nil
}

// wants asks whether a document is one of those that are allowed.
func (c *collecting) wants(document *collectedDocument) (bool, error) {
	if c.allow == nil {
		return true, nil
	}
	err := c.identify(document)
	return err == nil && c.allow(document.id), err
}

// identify reads a document's ID.
func (c *collecting) identify(document *collectedDocument) error {
	if document.id != 0 {
		return nil
	}
	external, err := c.reader.ExternalID(document.internal)
	if err == nil {
		document.id, err = idOf(external)
	}
	return err
}

// drop leaves out what is worse than the limit's document. Only when too many tie
// with it are they told apart.
func (c *collecting) drop() error {
	if len(c.kept) <= c.limit {
		return nil
	}
	slices.SortFunc(c.kept, func(a, b collectedDocument) int { return cmp.Compare(b.score, a.score) })
	c.cutoff = c.kept[c.limit-1].score
	first, _ := slices.BinarySearchFunc(c.kept, c.cutoff, func(d collectedDocument, score float64) int { return cmp.Compare(score, d.score) })
	end := c.limit
	for end < len(c.kept) && c.kept[end].score == c.cutoff {
		end++
	}
	c.kept = c.kept[:end]
	if end < 2*c.limit+32 {
		return nil
	}
	if err := c.order(c.kept[first:]); err != nil {
		return err
	}
	c.kept = c.kept[:c.limit]
	return nil
}

// finish brings the best into order.
func (c *collecting) finish() error {
	if err := c.drop(); err != nil {
		return err
	}
	if err := c.order(c.kept); err != nil {
		return err
	}
	c.kept = c.kept[:min(c.limit, len(c.kept))]
	return nil
}

// order sorts by score and then by ID.
func (c *collecting) order(documents []collectedDocument) error {
	for i := range documents {
		if err := c.identify(&documents[i]); err != nil {
			return err
		}
	}
	slices.SortFunc(documents, func(a, b collectedDocument) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
	})
	return nil
}
