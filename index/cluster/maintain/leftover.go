package maintain

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"mekiki/index/cluster/form"
	"mekiki/index/cluster/uploaded"
)

// Leftover counts vectors, image tokens, thumbnails and files of uploads that no record names: a process that was
// stopped while it wrote or removed something has left them.
type Leftover struct {
	Count int   `json:"count"`
	Bytes int64 `json:"bytes"`
}

// names are those of objects that records name, by their hashes.
type names struct {
	seed  maphash.Seed
	known map[uint64]struct{}
}

func newNames() *names { return &names{maphash.MakeSeed(), map[uint64]struct{}{}} }

func (n *names) add(key string) { n.known[maphash.String(n.seed, key)] = struct{}{} }

func (n *names) has(key string) bool {
	_, there := n.known[maphash.String(n.seed, key)]
	return there
}

// keysOf gives the objects that a record names.
func keysOf(s *form.State, record *form.Record) []string {
	keys := append(uploaded.KeysOf(&record.Record), form.ThumbnailKey(record))
	for number, vectors := range record.Spaces {
		space, known := s.Numbered(number)
		if !known {
			continue
		}
		keys = append(keys, form.VectorKey(space.Embed(), record.Hash, vectors.Vectors))
		if vectors.Tokens != "" {
			keys = append(keys, form.TokenKey(space.Embed(), record.Hash, vectors.Tokens))
		}
	}
	return keys
}

// leftovers counts what no record names, and deletes it where the check repairs. What is younger may be of a write whose
// record was not there yet when it was looked for. Where a record could not be read, nothing is known
// of what it names, and nothing is deleted.
func (c *checker) leftovers(ctx context.Context, before time.Time) error {
	var gone []string
	remove := func() error {
		err := c.upkeep.Store().Delete(ctx, gone...)
		gone = gone[:0]
		return err
	}
	for _, prefix := range []string{form.VectorPrefix, form.TokenPrefix, form.ThumbnailPrefix, form.OriginalPrefix} {
		for info, err := range c.upkeep.Store().List(ctx, prefix) {
			if err != nil {
				return fmt.Errorf("list what no record names: %w", err)
			}
			if c.named.has(info.Key) || !info.Modified.Before(before) {
				continue
			}
			c.report.Leftover.Count++
			c.report.Leftover.Bytes += info.Size
			if !c.options.Repair || c.unread {
				continue
			}
			if gone = append(gone, info.Key); len(gone) == batchRecords {
				if err := remove(); err != nil {
					return err
				}
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return remove()
}
