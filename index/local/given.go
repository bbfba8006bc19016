package local

import (
	"context"
	"fmt"
	"slices"

	"mekiki/index"
	"mekiki/index/local/catalog"
)

// retag changes a record's tags.
func (c *commit) retag(change index.TagChange) error {
	record, there := c.Record(change.ID)
	if !there {
		return fmt.Errorf("record %d: %w", change.ID, index.ErrNotFound)
	}
	former := record.Tags
	if change.Exactly {
		former = nil
	}
	tags := index.ChangeWords(former, change.Add, change.Remove)
	if slices.Equal(tags, record.Tags) {
		return nil
	}
	return c.edit(change.ID, func(r *index.Record) { r.Tags = tags })
}

// give changes what else people gave a record.
func (c *commit) give(change index.GivenChange) error {
	record, there := c.Record(change.ID)
	if !there {
		return fmt.Errorf("record %d: %w", change.ID, index.ErrNotFound)
	}
	given := change.Apply(record.Given)
	if given.Equal(record.Given) {
		return nil
	}
	if err := given.Check(); err != nil {
		return fmt.Errorf("record %d: %w", change.ID, err)
	}
	c.PutGiven(change.ID, given)
	return nil
}

// saveSearches saves the searches of a batch and forgets those that it drops.
func (c *commit) saveSearches(batch *index.Batch) error {
	for _, search := range batch.SaveSearches {
		if err := search.Check(); err != nil {
			return err
		}
		search.Saved = c.library.options.Now().UTC()
		c.PutSearch(search)
	}
	for _, name := range batch.DropSearches {
		c.RemoveSearch(name)
	}
	if len(c.Searches) > index.MaximumSearches {
		return fmt.Errorf("a library keeps at most %d saved searches", index.MaximumSearches)
	}
	return nil
}

// SavedSearches implements [index.Reader].
func (s *Snapshot) SavedSearches(ctx context.Context) ([]index.SavedSearch, error) {
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("list saved searches: %w", err)
	}
	return catalog.SortedSearches(s.view.state.Searches), nil
}
