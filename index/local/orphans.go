package local

import (
	"fmt"
	"path/filepath"

	"mekiki/index"
	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
	"mekiki/internal/vfs"
)

// removeOrphans readies the segments for writing: files that no commit points
// to, which a crash or a failed removal left, are removed, as are checkpoints that
// were not finished, and the last segment of each kind is taken up again after its
// last committed block. In a damaged library nothing is removed or overwritten.
func (l *Library) removeOrphans(found *catalog.Loaded) error {
	files, err := segment.List(l.fsys, l.folder)
	if err != nil {
		return err
	}
	s := l.view.state
	if len(found.Findings) > 0 {
		// Blocks of lost commits may be in these files: stay clear of them.
		highest := s.NextSegment
		for key := range files {
			highest = max(highest, key.Number)
		}
		changed := *s
		changed.NextSegment = highest
		l.view.state = &changed
		return nil
	}
	vfs.RemoveTemporary(l.fsys, filepath.Join(l.folder, catalog.Folder))
	known := catalog.Segments(s)
	for key, name := range files {
		if known[key] {
			continue
		}
		if err := l.fsys.Remove(filepath.Join(l.folder, name)); err != nil {
			l.logger.Warn("remove a file that nothing points to", "file", name, "error", err)
		}
	}
	for key, end := range catalog.LastSegments(s) {
		l.resume(key, end)
	}
	return nil
}

// resume goes on in a segment, cutting off what was never committed. When that
// cannot be done, the next block goes to a new segment.
func (l *Library) resume(key segment.Key, end int64) {
	file, err := l.fsys.OpenWrite(filepath.Join(l.folder, key.Path()))
	if err != nil {
		l.logger.Warn("a new segment is begun", "why", err)
		return
	}
	size, err := file.Size()
	if err == nil && size < end {
		err = fmt.Errorf("%s: %w: it ends early", key.Path(), index.ErrDamaged)
	}
	if err == nil {
		_, err = block.ReadHeader(file)
	}
	if err == nil && size > end {
		err = file.Truncate(end)
	}
	if err != nil {
		file.Close()
		l.logger.Warn("a new segment is begun", "why", err)
		return
	}
	appender := l.appender(key.Space, key.Kind)
	appender.Current, appender.Size = &segment.File{Key: key, File: file, References: 1}, end
}
