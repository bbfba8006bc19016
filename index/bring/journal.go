package bring

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"mekiki/index"
	"mekiki/internal/undolog"
)

// JournalFolder is the folder of the journals below that of a library.
const JournalFolder = "brought"

// ErrNothingToUndo says that no run is left that can be undone.
var ErrNothingToUndo = errors.New("nothing that was brought can be undone")

// line is one record of a journal.
type line struct {
	Edit   Edit        `json:"edit"`
	Former index.Given `json:"former"`
}

// journalOf says where the journals of a library are. Lines are durable before the library changes.
func journalOf(libraryFolder string) undolog.Options {
	return undolog.Options{Folder: filepath.Join(libraryFolder, JournalFolder), Runs: journalRuns, Line: maximumJournalLine}
}

// linesOf pairs edits with what there was before.
func linesOf(edits []Edit, formers []index.Given) []line {
	lines := make([]line, len(edits))
	for i, edit := range edits {
		lines[i] = line{edit, formers[i]}
	}
	return lines
}

// UndoReport says what undoing did.
type UndoReport struct {
	Run string `json:"run"`
	// Changed counts records, Kept values that have changed since they were brought and stay, and Gone records that the
	// library has no more.
	Changed int `json:"changed"`
	Kept    int `json:"kept"`
	Gone    int `json:"gone"`
}

// Undo takes the last run back: what it added goes, and values are as before unless they have changed since.
func Undo(ctx context.Context, reader index.Reader, folder string, apply func(context.Context, []Edit) error, now time.Time) (report UndoReport, err error) {
	var some []line
	flush := func() (bool, error) {
		err := report.undo(ctx, reader, some, apply)
		some = some[:0]
		return true, err
	}
	err = undolog.Undo(ctx, journalOf(folder), now, func(run string) { report.Run = run }, func(l line) (err error) {
		if l.Edit.ID == 0 {
			return nil
		}
		if some = append(some, l); len(some) == changesAtOnce {
			_, err = flush()
		}
		return err
	}, flush)
	if errors.Is(err, undolog.ErrNothing) {
		err = ErrNothingToUndo
	}
	return report, err
}

func (r *UndoReport) undo(ctx context.Context, reader index.Reader, lines []line, apply func(context.Context, []Edit) error) error {
	ids := make([]index.ID, len(lines))
	for i, l := range lines {
		ids[i] = l.Edit.ID
	}
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return err
	}
	var edits []Edit
	for i, l := range lines {
		if records[i] == nil {
			r.Gone++
			continue
		}
		back, kept := l.Edit.inverse(records[i], l.Former)
		r.Kept += kept
		if !back.IsZero() {
			edits = append(edits, back)
		}
	}
	if len(edits) == 0 {
		return nil
	}
	if err := apply(ctx, edits); err != nil {
		return err
	}
	r.Changed += len(edits)
	return nil
}
