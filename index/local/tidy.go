package local

import (
	"fmt"
	"mekiki/index"
	"mekiki/index/internal/segment"
	"mekiki/internal/vfs"
	"path/filepath"
	"strings"
)

// tidySegments readies the segments for writing: files that no commit points
// to, which a crash or a failed removal left, are removed, as are checkpoints that
// were not finished, and the last segment of each kind is taken up again after its
// last committed block. In a damaged library nothing is removed or overwritten.
func (l *Library) tidySegments(found *loaded) error {
	files, err := segmentFiles(l.fsys, l.folder)
	if err != nil {
		return err
	}
	s := l.view.state
	if len(found.findings) > 0 {
		// Blocks of lost commits may be in these files: stay clear of them.
		highest := s.nextSegment
		for key := range files {
			highest = max(highest, key.number)
		}
		changed := *s
		changed.nextSegment = highest
		l.view.state = &changed
		return nil
	}
	removeTemporary(l.fsys, filepath.Join(l.folder, catalogFolder))
	known := segmentsOf(s)
	for key, name := range files {
		if known[key] {
			continue
		}
		if err := l.fsys.Remove(filepath.Join(l.folder, name)); err != nil {
			l.logger.Warn("remove a file that nothing points to", "file", name, "error", err)
		}
	}
	for key, end := range lastSegments(s) {
		l.resume(key, end)
	}
	return nil
}

// segmentFiles lists the segments on disk.
func segmentFiles(fsys vfs.FS, folder string) (map[segmentKey]string, error) {
	files := map[segmentKey]string{}
	spaces, err := fsys.ReadDir(filepath.Join(folder, "spaces"))
	if err != nil {
		return files, ignoreMissing(err)
	}
	for _, space := range spaces {
		if !space.IsDir() {
			continue
		}
		entries, err := fsys.ReadDir(filepath.Join(folder, "spaces", space.Name()))
		if err != nil {
			return nil, fmt.Errorf("list segments: %w", err)
		}
		for _, entry := range entries {
			var key segmentKey
			if key, ok := parseSegment(space.Name(), entry.Name(), key); ok {
				files[key] = key.path()
			}
		}
	}
	return files, nil
}

func parseSegment(folder, name string, key segmentKey) (segmentKey, bool) {
	base, found := strings.CutSuffix(name, ".segment")
	if !found {
		return key, false
	}
	kind, digits, _ := strings.Cut(base, "-")
	if _, err := fmt.Sscanf(folder, "%d", &key.space); err != nil {
		return key, false
	}
	if _, err := fmt.Sscanf(digits, "%d", &key.number); err != nil {
		return key, false
	}
	for _, known := range []segment.Kind{segment.Vectors, segment.Tokens} {
		if known.String() == kind {
			key.kind = known
		}
	}
	return key, key.kind != 0 && key.path() == filepath.Join("spaces", folder, name)
}

// lastSegments gives the newest segment of each space and kind, and where its
// last committed block ends.
func lastSegments(s *state) map[segmentKey]int64 {
	ends := segmentEnds(s)
	last := map[appenderKey]uint64{}
	for key := range ends {
		owner := appenderKey{key.space, key.kind}
		last[owner] = max(last[owner], key.number)
	}
	result := map[segmentKey]int64{}
	for owner, number := range last {
		key := segmentKey{owner.space, owner.kind, number}
		result[key] = ends[key]
	}
	return result
}

// segmentEnds gives, for each segment, where its last committed block ends.
func segmentEnds(s *state) map[segmentKey]int64 {
	ends := map[segmentKey]int64{}
	note := func(space uint64, kind segment.Kind, x extent) {
		if x.length == 0 {
			return
		}
		key := segmentKey{space, kind, x.segment}
		ends[key] = max(ends[key], x.offset+x.length)
	}
	for _, space := range s.spaces {
		for _, where := range space.locations.all() {
			note(space.number, segment.Vectors, where.vectors)
			note(space.number, segment.Tokens, where.tokens)
		}
	}
	return ends
}

// resume goes on in a segment, cutting off what was never committed. When that
// cannot be done, the next block goes to a new segment.
func (l *Library) resume(key segmentKey, end int64) {
	file, err := l.fsys.OpenWrite(filepath.Join(l.folder, key.path()))
	if err != nil {
		l.logger.Warn("a new segment is begun", "why", err)
		return
	}
	size, err := file.Size()
	if err == nil && size < end {
		err = fmt.Errorf("%s: %w: it ends early", key.path(), index.ErrDamaged)
	}
	if err == nil {
		_, err = segment.ReadHeader(file)
	}
	if err == nil && size > end {
		err = file.Truncate(end)
	}
	if err != nil {
		file.Close()
		l.logger.Warn("a new segment is begun", "why", err)
		return
	}
	appender := l.appender(key.space, key.kind)
	appender.current, appender.size = &segmentFile{key: key, file: file, references: 1}, end
}
