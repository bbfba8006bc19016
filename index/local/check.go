package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mekiki/index"
	"mekiki/index/internal/journal"
	"mekiki/index/internal/segment"
	"path/filepath"
	"slices"
	"strings"
)

// The remedies of what Repair puts right, and of what it leaves to compaction.
const (
	remedyRepair  = "mekiki check --repair; then index the folders again"
	remedyCompact = "mekiki compact"
)

// Check reads every byte of the library and verifies it. It changes nothing.
// Writers wait meanwhile, readers do not.
func (l *Library) Check(ctx context.Context) (index.CheckReport, error) {
	l.writer.Lock()
	defer l.writer.Unlock()
	report, _, err := l.check(ctx)
	if err != nil {
		return report, fmt.Errorf("check library: %w", err)
	}
	return report, nil
}

// check also gives the records whose blocks are damaged, by space.
func (l *Library) check(ctx context.Context) (index.CheckReport, map[uint64]map[index.ID]bool, error) {
	view, err := l.current()
	if err != nil {
		return index.CheckReport{}, nil, err
	}
	defer view.release()
	report := index.CheckReport{Records: view.state.records.count}
	if err := l.checkCatalog(ctx, &report); err != nil {
		return report, nil, err
	}
	lost, err := l.checkSegments(ctx, view, &report)
	if err != nil {
		return report, nil, err
	}
	if err := l.checkThumbnails(ctx, view, &report); err != nil {
		return report, nil, err
	}
	err = l.checkWords(ctx, view, &report)
	return report, lost, err
}

// checkCatalog verifies every journal, those kept for a rainy day included. Under a
// reader the writer may put others in their place: then these are verified.
func (l *Library) checkCatalog(ctx context.Context, report *index.CheckReport) error {
	for attempt := 1; ; attempt++ {
		changed := *report
		err := l.checkJournals(ctx, &changed)
		if err == nil {
			*report = changed
		}
		if attempt == 5 || !l.readOnly.Load() || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

func (l *Library) checkJournals(ctx context.Context, report *index.CheckReport) error {
	logs, checkpoints, err := catalogFiles(l.fsys, l.folder)
	if err != nil {
		return err
	}
	for _, number := range checkpoints {
		header := journal.Header{Kind: journal.Checkpoint, Number: number}
		if err := l.checkJournal(ctx, checkpointName(number), header, true, report); err != nil {
			return err
		}
	}
	for i, number := range logs {
		header := journal.Header{Kind: journal.Log, Number: number}
		if err := l.checkJournal(ctx, logName(number), header, i < len(logs)-1, report); err != nil {
			return err
		}
	}
	l.checkMissing(checkpoints, report)
	return nil
}

func (l *Library) checkJournal(ctx context.Context, name string, header journal.Header, whole bool, report *index.CheckReport) error {
	file, err := l.fsys.Open(filepath.Join(l.folder, name))
	if err != nil {
		return err
	}
	defer file.Close()
	result, err := journal.Read(file, header, 0, func(frame journal.Frame) error {
		return errors.Join(ctx.Err(), operations(frame.Payload, func(operationKind, []byte) error { return nil }))
	})
	if errors.Is(err, journal.ErrVersion) || errors.Is(err, errShort) {
		damaged(report, name, result.End, err.Error(), "restore a backup")
		return nil
	}
	if err != nil {
		return err
	}
	report.Files++
	report.Bytes += result.Size
	if result.HeaderDamaged {
		damaged(report, name, 0, "the header is damaged", remedyRepair)
	}
	for _, damage := range result.Damages {
		damaged(report, name, damage.Offset, damage.Reason, remedyRepair)
	}
	if whole && (result.Torn || header.Kind == journal.Checkpoint && !result.Sealed) {
		damaged(report, name, result.End, "it is not whole", remedyRepair)
	}
	return nil
}

func damaged(r *index.CheckReport, file string, offset int64, message, remedy string, records ...index.ID) {
	r.Findings = append(r.Findings, index.Finding{File: file, Offset: offset, Damage: true, Message: message, Remedy: remedy, Records: records})
}

func remarked(r *index.CheckReport, file string, offset int64, message, remedy string) {
	r.Findings = append(r.Findings, index.Finding{File: file, Offset: offset, Message: message, Remedy: remedy})
}

// checkSegments verifies every block that the catalog points to, and every
// other byte of the segments.
func (l *Library) checkSegments(ctx context.Context, v *view, report *index.CheckReport) (map[uint64]map[index.ID]bool, error) {
	expected := map[segmentKey]map[int64]index.ID{}
	point := func(key segmentKey, x extent, id index.ID) {
		if x.length == 0 {
			return
		}
		if expected[key] == nil {
			expected[key] = map[int64]index.ID{}
		}
		expected[key][x.offset] = id
	}
	for _, space := range v.state.spaces {
		for id, where := range space.locations.all() {
			point(segmentKey{space.number, segment.Vectors, where.vectors.segment}, where.vectors, id)
			point(segmentKey{space.number, segment.Tokens, where.tokens.segment}, where.tokens, id)
		}
	}
	keys := make([]segmentKey, 0, len(expected))
	for key := range expected {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareSegments)
	lost := map[uint64]map[index.ID]bool{}
	for _, key := range keys {
		if lost[key.space] == nil {
			lost[key.space] = map[index.ID]bool{}
		}
		if err := l.checkSegment(ctx, v, key, expected[key], lost[key.space], report); err != nil {
			return nil, err
		}
	}
	return lost, nil
}

func (l *Library) checkSegment(ctx context.Context, v *view, key segmentKey, expected map[int64]index.ID, lost map[index.ID]bool, report *index.CheckReport) error {
	file, open := v.segments[key]
	if !open {
		damaged(report, key.path(), 0, "the file is missing", remedyRepair, sortedIDs(expected)...)
		for _, id := range expected {
			lost[id] = true
		}
		return nil
	}
	size, err := file.file.Size()
	if err != nil {
		return err
	}
	report.Files++
	report.Bytes += size
	if header, err := segment.ReadHeader(file.file); err != nil || header != key.header() {
		damaged(report, key.path(), 0, "the header is damaged", remedyCompact)
	}
	missing := make(map[int64]index.ID, len(expected))
	for offset, id := range expected {
		missing[offset] = id
	}
	var strays int64
	err = segment.Verify(file.file, key.header(), size, func(stretch segment.Stretch) error {
		if id, wanted := expected[stretch.Offset]; wanted && stretch.Whole && index.ID(stretch.Record) == id {
			delete(missing, stretch.Offset)
		} else if !wanted && !stretch.Whole {
			strays += stretch.Length
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	for offset, id := range missing {
		lost[id] = true
		damaged(report, key.path(), offset, fmt.Sprintf("the %s of record %d are damaged", key.kind, id), remedyRepair, id)
	}
	slices.SortFunc(report.Findings, compareFindings)
	if strays > 0 && len(missing) == 0 {
		remarked(report, key.path(), 0, fmt.Sprintf("%d bytes that nothing points to are no blocks", strays), remedyCompact)
	}
	return nil
}

func compareFindings(a, b index.Finding) int {
	if order := strings.Compare(a.File, b.File); order != 0 {
		return order
	}
	return int(min(max(a.Offset-b.Offset, -1), 1))
}

func sortedIDs(expected map[int64]index.ID) []index.ID {
	ids := make([]index.ID, 0, len(expected))
	for _, id := range expected {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (l *Library) checkThumbnails(ctx context.Context, v *view, report *index.CheckReport) error {
	for _, record := range v.state.records.all() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if record.Kind != index.KindImage {
			continue
		}
		jpeg, err := v.thumbs.read(record.Hash)
		switch {
		case err == nil:
			report.Files++
			report.Bytes += int64(len(jpeg)) + 8
		case errors.Is(err, index.ErrDamaged):
			name, _ := filepath.Rel(l.folder, v.thumbs.path(record.Hash))
			remarked(report, name, 0, "the thumbnail is damaged; it is made again when it is asked for", "mekiki check --repair")
		}
	}
	return nil
}

// checkWords compares the keyword index with the catalog.
func (l *Library) checkWords(ctx context.Context, v *view, report *index.CheckReport) error {
	name := filepath.Join(derivedFolder, "keyword")
	sequence, err := l.derived.words.Sequence()
	if err != nil {
		damaged(report, name, 0, err.Error(), "mekiki check --repair")
		return nil
	}
	ids, err := l.derived.words.IDs(ctx)
	if err != nil {
		damaged(report, name, 0, err.Error(), "mekiki check --repair")
		return ctx.Err()
	}
	unknown := 0
	for _, id := range ids {
		if !v.state.records.has(index.ID(id)) {
			unknown++
		}
	}
	if unknown > 0 || len(ids) != v.state.records.count || sequence != v.state.sequence {
		damaged(report, name, 0, fmt.Sprintf("the keyword index has %d records of %d, %d of them unknown, at commit %d of %d",
			len(ids), v.state.records.count, unknown, sequence, v.state.sequence), "mekiki check --repair")
	}
	return nil
}

// Repair does what Check does, moves damaged pieces of the catalog to the
// library's quarantine folder, rebuilds what is derived, and takes damaged
// vectors and tokens out, so that the next indexing run makes them again.
func (l *Library) Repair(ctx context.Context) (index.CheckReport, error) {
	if l.readOnly.Load() {
		return index.CheckReport{}, fmt.Errorf("repair library: %w", index.ErrReadOnly)
	}
	l.writer.Lock()
	defer l.writer.Unlock()
	report, lost, err := l.check(ctx)
	if err == nil && len(report.Findings) > 0 {
		err = l.repair(ctx, &report, lost)
	}
	if err != nil {
		return report, fmt.Errorf("repair library: %w", err)
	}
	return report, nil
}

func (l *Library) repair(ctx context.Context, report *index.CheckReport, lost map[uint64]map[index.ID]bool) error {
	request := &writeRequest{prepare: func(c *commit) error {
		for space, ids := range lost {
			for id := range ids {
				c.removeLocation(space, id)
			}
		}
		return nil
	}}
	if err := l.commit(ctx, []*writeRequest{request}); err != nil {
		return err
	}
	damagedCatalog := false
	for _, finding := range report.Findings {
		if finding.Damage && filepath.Dir(finding.File) == catalogFolder {
			l.catalog.damaged[finding.File] = true
			damagedCatalog = true
		}
	}
	if damagedCatalog {
		if err := l.checkpointAll(ctx); err != nil {
			return err
		}
		l.catalog.damaged = map[string]bool{}
	}
	if err := l.repairDerived(ctx, report); err != nil {
		return err
	}
	for _, finding := range report.Findings {
		if finding.Remedy != remedyCompact {
			report.Repaired++
		}
	}
	l.mutex.Lock()
	l.findings = nil
	l.mutex.Unlock()
	return nil
}

// repairDerived removes damaged thumbnails and fills the keyword index anew.
func (l *Library) repairDerived(ctx context.Context, report *index.CheckReport) error {
	words := false
	for _, finding := range report.Findings {
		switch {
		case strings.HasPrefix(finding.File, filepath.Join(derivedFolder, "thumbnails")):
			if err := l.fsys.Remove(filepath.Join(l.folder, finding.File)); ignoreMissing(err) != nil {
				return err
			}
		case finding.File == filepath.Join(derivedFolder, "keyword"):
			words = true
		}
	}
	if !words {
		return nil
	}
	view, err := l.current()
	if err != nil {
		return err
	}
	defer view.release()
	ids, err := l.derived.words.IDs(ctx)
	if err != nil {
		return err
	}
	if err := l.derived.words.Apply(ctx, 0, nil, ids); err != nil {
		return err
	}
	l.derived.behind = true
	if err := l.derived.catchUpWords(ctx, view.state); err != nil {
		return err
	}
	next := newView(view.state, view.segments.with(nil, nil), l.derived)
	next.found.Store(view.found.Load())
	return l.publish(next)
}
