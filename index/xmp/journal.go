package xmp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"mekiki/index/xmp/rdf"
	"mekiki/internal/undolog"
)

// JournalFolder is the folder of the journals below that of a library.
const JournalFolder = "sidecars"

// ErrNothingToUndo says that no run is left that can be undone.
var ErrNothingToUndo = errors.New("nothing that was written to sidecars can be undone")

// entry is one line of a journal: what becomes of one sidecar.
type entry struct {
	Path string `json:"path"`
	// Before are the bytes before; Existed tells an empty file from none.
	Before  []byte `json:"before,omitempty"`
	Existed bool   `json:"existed"`
	Mode    uint32 `json:"mode,omitempty"`
	// After is the SHA-256 of what was written.
	After string `json:"after"`
}

// journalOf says where the journals of a library are. A line is durable before its sidecar changes.
func journalOf(libraryFolder string) undolog.Options {
	return undolog.Options{Folder: filepath.Join(libraryFolder, JournalFolder), Runs: journalRuns, Bytes: journalBytes, Line: maximumJournalLine}
}

// UndoReport says what undoing did.
type UndoReport struct {
	// Run is the run that was undone.
	Run string `json:"run"`
	// Restored counts the sidecars that are as before, Removed those that were not there before, and Refused those that
	// somebody has changed since; Files has these and why.
	Restored int          `json:"restored"`
	Removed  int          `json:"removed"`
	Refused  int          `json:"refused"`
	Files    []FileReport `json:"files,omitempty"`
}

// Undo gives the sidecars of the last run what they held before it. A sidecar that has changed since is left as it is, and
// then the run can be undone again.
func Undo(ctx context.Context, libraryFolder string, now time.Time) (report UndoReport, err error) {
	err = undolog.Undo(ctx, journalOf(libraryFolder), now, func(run string) { report.Run = run }, func(e entry) error {
		if filepath.IsAbs(e.Path) && strings.EqualFold(filepath.Ext(e.Path), ".xmp") {
			report.undo(e)
		}
		return nil
	}, func() (bool, error) { return report.Refused == 0, nil })
	if errors.Is(err, undolog.ErrNothing) {
		err = ErrNothingToUndo
	}
	return report, err
}

func (r *UndoReport) undo(e entry) {
	now, err := readContent(e.Path)
	isBefore := err == nil && now.there == e.Existed && bytes.Equal(now.data, e.Before)
	switch {
	case err != nil:
	case isBefore: // it was never written, or is undone already
		return
	case !now.there || sumOf(now.data) != e.After:
		err = fmt.Errorf("%w: it has changed since it was written", rdf.ErrRefused)
	case e.Existed:
		if err = replace(e.Path, now, e.Before, fs.FileMode(e.Mode).Perm()); err == nil {
			r.Restored++
		}
	default:
		if err = remove(e.Path, now); err == nil {
			r.Removed++
		}
	}
	if err != nil {
		r.Refused++
		if len(r.Files) < listedChanges {
			r.Files = append(r.Files, FileReport{Sidecar: e.Path, State: Refused, Reason: err.Error()})
		}
	}
}
