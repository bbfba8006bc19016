package xmp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/index/xmp/rdf"
	"mekiki/internal/filelock"
	"mekiki/internal/hint"
)

// JournalFolder is the folder of the journals below that of a library, and journalSuffix how their names end.
const (
	JournalFolder = "sidecars"
	journalSuffix = ".jsonl"
	lockName      = "lock"
)

// ErrNothingToUndo says that no run is left that can be undone.
var ErrNothingToUndo = errors.New("nothing that was written to sidecars can be undone")

// journal keeps what sidecars held before a run changed them: a line is durable before its sidecar changes.
type journal struct {
	folder, run string
	file        *os.File
	lock        *filelock.Lock
	now         time.Time
}

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

// openJournal waits until no other run is at work. The file is made with the first entry.
func openJournal(ctx context.Context, libraryFolder string, now time.Time) (*journal, error) {
	folder := filepath.Join(libraryFolder, JournalFolder)
	lock, err := filelock.Acquire(ctx, filepath.Join(folder, lockName), nil)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("keep what sidecars held before: %w", err), "see that the library's folder can be written to")
	}
	return &journal{folder: folder, run: now.UTC().Format("20060102T150405.000000"), lock: lock, now: now}, nil
}

// note writes down what a sidecar holds before it changes.
func (j *journal) note(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if j.file == nil {
		if err := j.forget(); err != nil {
			return fmt.Errorf("forget old journals: %w", err)
		}
		// What sidecars hold may be private: as the catalog, it is the owner's.
		j.file, err = os.OpenFile(j.name(j.run), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("keep what the sidecar held before: %w", err)
		}
		if err := syncFolder(j.folder); err != nil {
			return err
		}
	}
	// One that could be written in part only, as on a full disk, ends before the next one begins.
	_, err = j.file.Write(slices.Concat([]byte("\n"), line, []byte("\n")))
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("keep what the sidecar held before: %w", err)
	}
	return nil
}

func (j *journal) name(run string) string { return filepath.Join(j.folder, run+journalSuffix) }

func (j *journal) close() error {
	var err error
	if j.file != nil {
		err = j.file.Close()
	}
	return errors.Join(err, j.lock.Close())
}

// runs lists the journals, the oldest first.
func (j *journal) runs() ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(j.folder)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !strings.HasSuffix(e.Name(), journalSuffix) || !e.Type().IsRegular() }), nil
}

// forget removes the oldest journals beyond the bounds.
func (j *journal) forget() error {
	runs, err := j.runs()
	if err != nil {
		return err
	}
	var bytes int64
	kept := 0
	for _, run := range slices.Backward(runs) {
		info, err := run.Info()
		if err != nil {
			return err
		}
		bytes += info.Size()
		if kept++; kept < journalRuns && bytes <= journalBytes {
			continue
		}
		if err := removeIfThere(filepath.Join(j.folder, run.Name())); err != nil {
			return err
		}
	}
	return nil
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
	if _, err := os.Stat(filepath.Join(libraryFolder, JournalFolder)); errors.Is(err, fs.ErrNotExist) {
		return report, ErrNothingToUndo
	}
	j, err := openJournal(ctx, libraryFolder, now)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	runs, err := j.runs()
	if err != nil {
		return report, err
	}
	if len(runs) == 0 {
		return report, ErrNothingToUndo
	}
	report.Run = strings.TrimSuffix(runs[len(runs)-1].Name(), journalSuffix)
	file, err := os.Open(j.name(report.Run))
	if err != nil {
		return report, err
	}
	defer file.Close()
	err = eachEntry(file, func(e entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		report.undo(e)
		return nil
	})
	if err != nil || report.Refused > 0 {
		return report, err
	}
	return report, errors.Join(file.Close(), removeIfThere(j.name(report.Run)))
}

// eachEntry reads a journal. The last line may be cut off: then its sidecar was not changed.
func eachEntry(source io.Reader, do func(entry) error) error {
	lines := bufio.NewScanner(source)
	lines.Buffer(make([]byte, 0, 64<<10), maximumJournalLine)
	for lines.Scan() {
		var e entry
		line := bytes.TrimSpace(lines.Bytes())
		if json.Unmarshal(line, &e) != nil || !filepath.IsAbs(e.Path) || !strings.EqualFold(filepath.Ext(e.Path), ".xmp") {
			continue
		}
		if err := do(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
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
