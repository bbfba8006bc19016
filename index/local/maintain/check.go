package maintain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/journal"
	"mekiki/index/local/keywords"
	"mekiki/index/local/segment"
	"mekiki/index/local/thumbnail"
	"mekiki/internal/vfs"
)

// The remedies of what Repair puts right, and of what it leaves to compaction.
const (
	RemedyCompact = "mekiki compact"
)

// Inspection is a library at one state, whose every byte is to be verified.
type Inspection struct {
	Fsys     vfs.FS
	Folder   string
	ReadOnly bool // another process may be writing
	State    *catalog.State
	Segments segment.Set
	Thumbs   *thumbnail.Store
	Words    *keywords.Store
	Findings []index.Finding // of opening it
}

// Check gives a report, and the records whose blocks are damaged, by space.
func (l *Inspection) Check(ctx context.Context) (index.CheckReport, map[uint64]map[index.ID]bool, error) {
	report := index.CheckReport{Records: l.State.Records.Count}
	if err := l.checkCatalog(ctx, &report); err != nil {
		return report, nil, err
	}
	lost, err := l.checkSegments(ctx, &report)
	if err != nil {
		return report, nil, err
	}
	if err := l.checkThumbnails(ctx, &report); err != nil {
		return report, nil, err
	}
	err = l.checkWords(ctx, &report)
	return report, lost, err
}

// checkCatalog verifies every journal, those kept for a rainy day included. Under a
// reader the writer may put others in their place: then these are verified.
func (l *Inspection) checkCatalog(ctx context.Context, report *index.CheckReport) error {
	for attempt := 1; ; attempt++ {
		changed := *report
		err := l.checkJournals(ctx, &changed)
		if err == nil {
			*report = changed
		}
		if attempt == 5 || !l.ReadOnly || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

func (l *Inspection) checkJournals(ctx context.Context, report *index.CheckReport) error {
	logs, checkpoints, err := catalog.Files(l.Fsys, l.Folder)
	if err != nil {
		return err
	}
	for _, number := range checkpoints {
		header := journal.Header{Kind: journal.Checkpoint, Number: number}
		if err := l.checkJournal(ctx, catalog.CheckpointName(number), header, true, report); err != nil {
			return err
		}
	}
	for i, number := range logs {
		header := journal.Header{Kind: journal.Log, Number: number}
		if err := l.checkJournal(ctx, catalog.LogName(number), header, i < len(logs)-1, report); err != nil {
			return err
		}
	}
	l.checkMissing(checkpoints, report)
	return nil
}

func (l *Inspection) checkJournal(ctx context.Context, name string, header journal.Header, whole bool, report *index.CheckReport) error {
	file, err := l.Fsys.Open(filepath.Join(l.Folder, name))
	if err != nil {
		return err
	}
	defer file.Close()
	result, err := journal.Read(file, header, 0, func(frame journal.Frame) error {
		return errors.Join(ctx.Err(), catalog.Operations(string(frame.Payload), func(catalog.OperationKind, string) error { return nil }))
	})
	if errors.Is(err, journal.ErrVersion) || errors.Is(err, catalog.ErrShort) {
		damaged(report, name, result.End, err.Error(), "restore a backup")
		return nil
	}
	if err != nil {
		return err
	}
	report.Files++
	report.Bytes += result.Size
	if result.HeaderDamaged {
		damaged(report, name, 0, "the header is damaged", catalog.RemedyRepair)
	}
	for _, damage := range result.Damages {
		damaged(report, name, damage.Offset, damage.Reason, catalog.RemedyRepair)
	}
	if whole && (result.Torn || header.Kind == journal.Checkpoint && !result.Sealed) {
		damaged(report, name, result.End, "it is not whole", catalog.RemedyRepair)
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
func (l *Inspection) checkSegments(ctx context.Context, report *index.CheckReport) (map[uint64]map[index.ID]bool, error) {
	expected := map[segment.Key]map[int64]index.ID{}
	point := func(key segment.Key, x segment.Extent, id index.ID) {
		if x.Length == 0 {
			return
		}
		if expected[key] == nil {
			expected[key] = map[int64]index.ID{}
		}
		expected[key][x.Offset] = id
	}
	for _, space := range l.State.Spaces {
		for id, where := range space.Locations.All() {
			point(segment.Key{Space: space.Number, Kind: block.Vectors, Number: where.Vectors.Segment}, where.Vectors, id)
			point(segment.Key{Space: space.Number, Kind: block.Tokens, Number: where.Tokens.Segment}, where.Tokens, id)
		}
	}
	keys := make([]segment.Key, 0, len(expected))
	for key := range expected {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, segment.Compare)
	lost := map[uint64]map[index.ID]bool{}
	for _, key := range keys {
		if lost[key.Space] == nil {
			lost[key.Space] = map[index.ID]bool{}
		}
		if err := l.checkSegment(ctx, key, expected[key], lost[key.Space], report); err != nil {
			return nil, err
		}
	}
	return lost, nil
}

func (l *Inspection) checkSegment(ctx context.Context, key segment.Key, expected map[int64]index.ID, lost map[index.ID]bool, report *index.CheckReport) error {
	file, open := l.Segments[key]
	if !open {
		damaged(report, key.Path(), 0, "the file is missing", catalog.RemedyRepair, sortedIDs(expected)...)
		for _, id := range expected {
			lost[id] = true
		}
		return nil
	}
	size, err := file.File.Size()
	if err != nil {
		return err
	}
	report.Files++
	report.Bytes += size
	if header, err := block.ReadHeader(file.File); err != nil || header != key.Header() {
		damaged(report, key.Path(), 0, "the header is damaged", RemedyCompact)
	}
	missing := make(map[int64]index.ID, len(expected))
	for offset, id := range expected {
		missing[offset] = id
	}
	var strays int64
	err = block.Verify(file.File, key.Header(), size, func(stretch block.Stretch) error {
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
		damaged(report, key.Path(), offset, fmt.Sprintf("the %s of record %d are damaged", key.Kind, id), catalog.RemedyRepair, id)
	}
	slices.SortFunc(report.Findings, compareFindings)
	if strays > 0 && len(missing) == 0 {
		remarked(report, key.Path(), 0, fmt.Sprintf("%d bytes that nothing points to are no blocks", strays), RemedyCompact)
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

func (l *Inspection) checkThumbnails(ctx context.Context, report *index.CheckReport) error {
	for _, record := range l.State.Records.All() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if record.Kind != index.KindImage {
			continue
		}
		jpeg, err := l.Thumbs.Read(record.Hash)
		switch {
		case err == nil:
			report.Files++
			report.Bytes += int64(len(jpeg)) + 8
		case errors.Is(err, index.ErrDamaged):
			name, _ := filepath.Rel(l.Folder, l.Thumbs.Path(record.Hash))
			remarked(report, name, 0, "the thumbnail is damaged; it is made again when it is asked for", "mekiki check --repair")
		}
	}
	return nil
}

// checkWords compares the keyword index with the catalog.
func (l *Inspection) checkWords(ctx context.Context, report *index.CheckReport) error {
	name := filepath.Join(catalog.DerivedFolder, keywords.Folder)
	if err := l.Words.Ready(ctx); err != nil {
		damaged(report, name, 0, err.Error(), "mekiki check --repair")
		return ctx.Err()
	}
	sequence, err := l.Words.Index.Sequence()
	if err != nil {
		damaged(report, name, 0, err.Error(), "mekiki check --repair")
		return nil
	}
	ids, err := l.Words.Index.IDs(ctx)
	if err != nil {
		damaged(report, name, 0, err.Error(), "mekiki check --repair")
		return ctx.Err()
	}
	unknown := 0
	for _, id := range ids {
		if !l.State.Records.Has(index.ID(id)) {
			unknown++
		}
	}
	if unknown > 0 || len(ids) != l.State.Records.Count || sequence != l.State.Sequence {
		damaged(report, name, 0, fmt.Sprintf("the keyword index has %d records of %d, %d of them unknown, at commit %d of %d",
			len(ids), l.State.Records.Count, unknown, sequence, l.State.Sequence), "mekiki check --repair")
	}
	return nil
}

// checkMissing adds what opening found missing and reading the files that are
// there does not tell. What a newer checkpoint has made up for is left out.
func (l *Inspection) checkMissing(checkpoints []uint64, report *index.CheckReport) {
	newest := uint64(0)
	if len(checkpoints) > 0 {
		newest = checkpoints[len(checkpoints)-1]
	}
	for _, finding := range l.Findings {
		number, isLog := catalog.Numbered(filepath.Base(finding.File), catalog.LogSuffix)
		told := slices.ContainsFunc(report.Findings, func(f index.Finding) bool { return f.File == finding.File })
		if isLog && number >= newest && !told {
			report.Findings = append(report.Findings, finding)
		}
	}
}
