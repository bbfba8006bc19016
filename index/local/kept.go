package local

import (
	"cmp"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/local/catalog"
)

// Kept lists what the library keeps of pictures without files, by path.
func (l *Library) Kept() ([]index.Kept, error) {
	view, err := l.current()
	if err != nil {
		return nil, err
	}
	defer view.release()
	now := l.options.Now()
	list := make([]index.Kept, 0, len(view.state.Kept))
	for _, kept := range view.state.Kept {
		if !kept.Purged && !kept.Expired(now) {
			list = append(list, kept)
		}
	}
	slices.SortFunc(list, func(a, b index.Kept) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return list, nil
}

// keep notes what people gave a record that is about to go.
func (c *commit) keep(r *index.Record, path string) {
	if len(r.Tags) == 0 && r.Given == nil {
		return
	}
	c.PutKept(index.Kept{Hash: r.Hash, Tags: r.Tags, Given: r.Given, Added: r.Added, Path: path, Lost: c.library.options.Now().UTC()})
}

// purge deletes a record, and remembers of an image that a person did so.
func (c *commit) purge(id index.ID) {
	if record, there := c.Record(id); there && record.Kind == index.KindImage {
		c.PutKept(index.Kept{Hash: record.Hash, Path: record.Path(), Lost: c.library.options.Now().UTC(), Purged: true})
	}
	c.RemoveRecord(id)
}

// restore gives a record what is kept of a content.
func (c *commit) restore(r *index.Record, hash index.Hash) {
	kept, there := c.Kept[hash]
	if !there {
		return
	}
	c.RemoveKept(hash)
	if !kept.Purged && !kept.Expired(c.library.options.Now()) {
		r.Tags, r.Added = index.ChangeWords(kept.Tags, r.Tags, nil), kept.Added
		r.Given = r.Given.Merge(kept.Given)
	}
}

// forgetPaths forgets what is kept of pictures whose last path is one of paths.
func (c *commit) forgetPaths(paths []string) {
	if len(c.Kept) == 0 {
		return
	}
	wanted := make(map[string]bool, len(paths))
	for _, path := range paths {
		wanted[path] = true
	}
	for _, kept := range catalog.SortedKept(c.Kept) {
		if wanted[kept.Path] && !kept.Purged {
			c.RemoveKept(kept.Hash)
		}
	}
}

// expireKept forgets what has been kept for long enough, and what is too much: of pictures without files, and of purged ones.
func (c *commit) expireKept() {
	if len(c.Kept) == 0 {
		return
	}
	now, due, counts := c.library.options.Now(), false, map[bool]int{}
	for _, kept := range c.Kept {
		counts[kept.Purged]++
		due = due || kept.Expired(now)
	}
	if !due && counts[false] <= maximumKept && counts[true] <= maximumKept {
		return
	}
	excess := map[bool]int{}
	for purged, count := range counts {
		if count > maximumKept {
			excess[purged] = count - maximumKept + roomKept
		}
	}
	for _, kept := range catalog.SortedKept(c.Kept) {
		if excess[kept.Purged]--; excess[kept.Purged] >= 0 || kept.Expired(now) {
			c.RemoveKept(kept.Hash)
		}
	}
}
