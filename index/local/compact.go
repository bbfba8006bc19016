package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"mekiki/index"
	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
	"mekiki/index/renditions"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
)

// Compact rewrites segments that hold deleted data or are small, writes a
// checkpoint of the catalog, deletes thumbnails of records that are gone, and gives the room back to the file system.
// Readers go on; writers wait. A library whose catalog is damaged is to be
// repaired before: the error is then [index.ErrDamaged].
func (l *Library) Compact(ctx context.Context) (index.CompactResult, error) {
	if l.readOnly.Load() {
		return index.CompactResult{}, fmt.Errorf("compact: %w", index.ErrReadOnly)
	}
	l.writer.Lock()
	if len(l.catalog.Damaged) > 0 {
		l.writer.Unlock()
		return index.CompactResult{}, hint.Wrap(fmt.Errorf("compact: %w: the catalog, of which nothing is removed before it is repaired", index.ErrDamaged), "mekiki check --repair")
	}
	result, stale, err := l.rewriteSegments(ctx)
	if err == nil {
		err = l.checkpointAll(ctx)
	}
	if err == nil {
		known := func(hash index.Hash) bool { return l.lookup.Hashes.Now(hash) != 0 }
		l.derived.thumbs.Purge(ctx, l.logger, known)
		renditions.Purge(ctx, l.fsys, renditions.FolderOf(l.DerivedFolder()), l.logger, known)
	}
	l.writer.Unlock()
	if err == nil && len(stale) > 0 {
		err = l.removeSegments(func(key segment.Key) bool { return stale[key] })
	}
	if err == nil {
		result.After, err = l.size(l.folder)
	}
	if err != nil {
		return result, fmt.Errorf("compact: %w", err)
	}
	return result, nil
}

// checkpointAll writes two checkpoints, so that the older generation, which
// still tells of what was deleted, goes too.
func (l *Library) checkpointAll(ctx context.Context) error {
	if err := l.checkpoint(ctx); err != nil {
		return err
	}
	return l.checkpoint(ctx)
}

// rewriteSegments copies what is alive in segments worth it to new ones and gives those that nothing points to any more.
func (l *Library) rewriteSegments(ctx context.Context) (index.CompactResult, map[segment.Key]bool, error) {
	var result index.CompactResult
	view, err := l.current()
	if err != nil {
		return result, nil, err
	}
	defer view.release()
	if result.Before, err = l.size(l.folder); err != nil {
		return result, nil, err
	}
	stale := map[segment.Key]bool{}
	for _, key := range l.compactionCandidates(view) {
		if err := ctx.Err(); err != nil {
			return result, stale, err
		}
		err := l.rewriteSegment(ctx, key)
		if errors.Is(err, index.ErrDamaged) {
			l.logger.Warn("a damaged segment is left as it is", "segment", key.Path(), "error", err)
			result.Skipped++
			continue
		}
		if err != nil {
			return result, stale, err
		}
		stale[key] = true
		result.Segments++
	}
	return result, stale, nil
}

// compactionCandidates lists the segments worth rewriting: those of which a tenth or more
// is dead, those far below the limit when there are several, and those whose
// header is damaged.
func (l *Library) compactionCandidates(v *view) []segment.Key {
	alive := map[segment.Key]int64{}
	for _, space := range v.state.Spaces {
		for _, where := range space.Locations.All() {
			alive[segment.Key{Space: space.Number, Kind: block.Vectors, Number: where.Vectors.Segment}] += where.Vectors.Length
			alive[segment.Key{Space: space.Number, Kind: block.Tokens, Number: where.Tokens.Segment}] += where.Tokens.Length
		}
	}
	small := map[segment.Owner][]segment.Key{}
	chosen := map[segment.Key]bool{}
	for key, file := range v.segments {
		size, err := file.File.Size()
		if err != nil {
			continue
		}
		content := size - block.HeaderSize
		header, headerErr := block.ReadHeader(file.File)
		if alive[key] < content-content/10 || alive[key] == 0 || headerErr != nil || header != key.Header() {
			chosen[key] = true
		} else if size < l.options.SegmentBytes/4 {
			owner := segment.Owner{Space: key.Space, Kind: key.Kind}
			small[owner] = append(small[owner], key)
		}
	}
	for _, keys := range small {
		if len(keys) > 1 {
			for _, key := range keys {
				chosen[key] = true
			}
		}
	}
	list := make([]segment.Key, 0, len(chosen))
	for key := range chosen {
		list = append(list, key)
	}
	slices.SortFunc(list, segment.Compare)
	return list
}

// rewriteSegment moves every live block of a segment, some in each commit. The
// writer is held.
func (l *Library) rewriteSegment(ctx context.Context, key segment.Key) error {
	view, err := l.current()
	if err != nil {
		return err
	}
	defer view.release()
	appender := l.appender(key.Space, key.Kind)
	if appender.Current != nil && appender.Current.Key == key {
		if err := appender.Drop(); err != nil {
			return err
		}
	}
	blocks := blocksOf(view.state.SpaceNumbered(key.Space), key)
	for len(blocks) > 0 {
		some, length := 0, int64(0)
		for some < len(blocks) && (some == 0 || length < min(maximumMove, l.options.SegmentBytes/8)) {
			length += blocks[some].at.Length
			some++
		}
		request := &writeRequest{prepare: func(c *commit) error { return c.moveBlocks(view, key, blocks[:some]) }}
		if err := l.commit(context.WithoutCancel(ctx), []*writeRequest{request}); err != nil {
			return err
		}
		blocks = blocks[some:]
	}
	return nil
}

// liveBlock is where a block of a record is.
type liveBlock struct {
	id index.ID
	at segment.Extent
}

// blocksOf lists the live blocks of a segment in order of ID.
func blocksOf(s *catalog.Space, key segment.Key) (blocks []liveBlock) {
	for id, where := range s.Locations.All() {
		at := where.Vectors
		if key.Kind == block.Tokens {
			at = where.Tokens
		}
		if at.Length > 0 && at.Segment == key.Number {
			blocks = append(blocks, liveBlock{id, at})
		}
	}
	return blocks
}

func (c *commit) moveBlocks(v *view, key segment.Key, blocks []liveBlock) error {
	for _, live := range blocks {
		payload, err := v.segments.Read(key, live.id, live.at)
		if err != nil {
			return err
		}
		where, _ := c.SpaceNumbered(key.Space).Edit.Table.Get(live.id)
		to := &where.Vectors
		if key.Kind == block.Tokens {
			to = &where.Tokens
		}
		if *to, err = c.stage(key.Space, key.Kind, live.id, payload); err != nil {
			return err
		}
		c.PutLocation(key.Space, live.id, where)
	}
	return nil
}

// Size is the library's length on disk in bytes, without what is derived.
func (l *Library) Size() (int64, error) {
	size, err := l.size(l.folder)
	if err != nil {
		return 0, fmt.Errorf("measure library: %w", err)
	}
	return size, nil
}

func (l *Library) size(folder string) (int64, error) {
	entries, err := l.fsys.ReadDir(folder)
	if err != nil {
		return 0, vfs.IgnoreMissing(err)
	}
	var total int64
	for _, entry := range entries {
		if entry.IsDir() {
			if folder == l.folder && entry.Name() == catalog.DerivedFolder {
				continue
			}
			size, err := l.size(filepath.Join(folder, entry.Name()))
			if err != nil {
				return 0, err
			}
			total += size
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}
