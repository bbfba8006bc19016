package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mekiki/index"
	"mekiki/index/internal/segment"
	"mekiki/internal/hint"
	"path/filepath"
	"slices"
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
	if len(l.catalog.damaged) > 0 {
		l.writer.Unlock()
		return index.CompactResult{}, hint.Wrap(fmt.Errorf("compact: %w: the catalog, of which nothing is removed before it is repaired", index.ErrDamaged), "mekiki check --repair")
	}
	result, stale, err := l.rewriteSegments(ctx)
	if err == nil {
		err = l.checkpointAll(ctx)
	}
	if err == nil {
		l.derived.thumbs.purge(ctx, l.logger, func(hash index.Hash) bool { return l.lookup.hashes.now(hash) != 0 })
	}
	l.writer.Unlock()
	if err == nil && len(stale) > 0 {
		err = l.removeSegments(func(key segmentKey) bool { return stale[key] })
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

// rewriteSegments copies what is alive in wasteful segments to new ones and gives those that nothing points to any more.
func (l *Library) rewriteSegments(ctx context.Context) (index.CompactResult, map[segmentKey]bool, error) {
	var result index.CompactResult
	view, err := l.current()
	if err != nil {
		return result, nil, err
	}
	defer view.release()
	if result.Before, err = l.size(l.folder); err != nil {
		return result, nil, err
	}
	stale := map[segmentKey]bool{}
	for _, key := range l.wasteful(view) {
		if err := ctx.Err(); err != nil {
			return result, stale, err
		}
		err := l.rewriteSegment(ctx, key)
		if errors.Is(err, index.ErrDamaged) {
			l.logger.Warn("a damaged segment is left as it is", "segment", key.path(), "error", err)
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

// wasteful lists the segments worth rewriting: those of which a tenth or more
// is dead, those far below the limit when there are several, and those whose
// header is damaged.
func (l *Library) wasteful(v *view) []segmentKey {
	alive := map[segmentKey]int64{}
	for _, space := range v.state.spaces {
		for _, where := range space.locations.all() {
			alive[segmentKey{space.number, segment.Vectors, where.vectors.segment}] += where.vectors.length
			alive[segmentKey{space.number, segment.Tokens, where.tokens.segment}] += where.tokens.length
		}
	}
	small := map[appenderKey][]segmentKey{}
	chosen := map[segmentKey]bool{}
	for key, file := range v.segments {
		size, err := file.file.Size()
		if err != nil {
			continue
		}
		content := size - segment.HeaderSize
		header, headerErr := segment.ReadHeader(file.file)
		if alive[key] < content-content/10 || alive[key] == 0 || headerErr != nil || header != key.header() {
			chosen[key] = true
		} else if size < l.options.SegmentBytes/4 {
			owner := appenderKey{key.space, key.kind}
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
	list := make([]segmentKey, 0, len(chosen))
	for key := range chosen {
		list = append(list, key)
	}
	slices.SortFunc(list, compareSegments)
	return list
}

func compareSegments(a, b segmentKey) int {
	for _, pair := range [][2]uint64{{a.space, b.space}, {uint64(a.kind), uint64(b.kind)}, {a.number, b.number}} {
		if pair[0] != pair[1] {
			if pair[0] < pair[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// rewriteSegment moves every live block of a segment, some in each commit. The
// writer is held.
func (l *Library) rewriteSegment(ctx context.Context, key segmentKey) error {
	view, err := l.current()
	if err != nil {
		return err
	}
	defer view.release()
	appender := l.appender(key.space, key.kind)
	if appender.current != nil && appender.current.key == key {
		if err := appender.drop(); err != nil {
			return err
		}
	}
	blocks := blocksOf(view.state.spaceNumbered(key.space), key)
	for len(blocks) > 0 {
		some, length := 0, int64(0)
		for some < len(blocks) && (some == 0 || length < min(maximumMove, l.options.SegmentBytes/8)) {
			length += blocks[some].at.length
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

// maximumMove is about how many bytes of a segment are moved in one commit, and
// held in memory for it.
const maximumMove = 64 << 20

// block is where a live block of a record is.
type block struct {
	id index.ID
	at extent
}

// blocksOf lists the live blocks of a segment in order of ID.
func blocksOf(s *space, key segmentKey) (blocks []block) {
	for id, where := range s.locations.all() {
		at := where.vectors
		if key.kind == segment.Tokens {
			at = where.tokens
		}
		if at.length > 0 && at.segment == key.number {
			blocks = append(blocks, block{id, at})
		}
	}
	return blocks
}

func (c *commit) moveBlocks(v *view, key segmentKey, blocks []block) error {
	for _, block := range blocks {
		payload, err := v.segments.read(key, block.id, block.at)
		if err != nil {
			return err
		}
		where, _ := c.spaceNumbered(key.space).edit.table.get(block.id)
		to := &where.vectors
		if key.kind == segment.Tokens {
			to = &where.tokens
		}
		if *to, err = c.stage(key.space, key.kind, block.id, payload); err != nil {
			return err
		}
		c.putLocation(key.space, block.id, where)
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
		return 0, ignoreMissing(err)
	}
	var total int64
	for _, entry := range entries {
		if entry.IsDir() {
			if folder == l.folder && entry.Name() == derivedFolder {
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
