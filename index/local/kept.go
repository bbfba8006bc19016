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
		if kept.Until().After(now) {
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

// restore gives a record what is kept of a content.
func (c *commit) restore(r *index.Record, hash index.Hash) {
	kept, there := c.Kept[hash]
	if !there {
		return
	}
	c.RemoveKept(hash)
	if kept.Until().After(c.library.options.Now()) {
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
		if wanted[kept.Path] {
			c.RemoveKept(kept.Hash)
		}
	}
}

// expireKept forgets what has been kept for long enough, and what is too much.
func (c *commit) expireKept() {
	if len(c.Kept) == 0 {
		return
	}
	now, due := c.library.options.Now(), len(c.Kept) > maximumKept
	for _, kept := range c.Kept {
		due = due || !kept.Until().After(now)
	}
	if !due {
		return
	}
	excess := 0
	if len(c.Kept) > maximumKept {
		excess = len(c.Kept) - maximumKept + roomKept
	}
	for i, kept := range catalog.SortedKept(c.Kept) {
		if i < excess || !kept.Until().After(now) {
			c.RemoveKept(kept.Hash)
		}
	}
}
