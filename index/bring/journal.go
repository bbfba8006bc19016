package bring

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/internal/filelock"
	"mekiki/internal/hint"
)

// JournalFolder is the folder of the journals below that of a library, and journalSuffix how their names end.
const (
	JournalFolder = "brought"
	journalSuffix = ".jsonl"
)

// ErrNothingToUndo says that no run is left that can be undone.
var ErrNothingToUndo = errors.New("nothing that was brought can be undone")

// journal keeps what runs change, and what there was before: lines are durable before the library changes.
type journal struct {
	folder, run string
	file        *os.File
	lock        *filelock.Lock
}

// line is one record of a journal.
type line struct {
	Edit   Edit        `json:"edit"`
	Former index.Given `json:"former"`
}

func openJournal(ctx context.Context, libraryFolder string, now time.Time) (*journal, error) {
	folder := filepath.Join(libraryFolder, JournalFolder)
	lock, err := filelock.Acquire(ctx, filepath.Join(folder, "lock"), nil)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("keep what there was before: %w", err), "see that the library's folder can be written to")
	}
	return &journal{folder: folder, run: now.UTC().Format("20060102T150405.000000"), lock: lock}, nil
}

// note writes down edits.
func (j *journal) note(edits []Edit, formers []index.Given) (err error) {
	if j.file == nil {
		runs, err := j.runs()
		if err != nil {
			return err
		}
		for len(runs) >= journalRuns {
			if err := os.Remove(filepath.Join(j.folder, runs[0])); err != nil {
				return fmt.Errorf("forget an old journal: %w", err)
			}
			runs = runs[1:]
		}
		if j.file, err = os.OpenFile(filepath.Join(j.folder, j.run+journalSuffix), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return fmt.Errorf("keep what there was before: %w", err)
		}
	}
	buffer := bufio.NewWriter(j.file)
	encoder := json.NewEncoder(buffer)
	for i, edit := range edits {
		if err := encoder.Encode(line{edit, formers[i]}); err != nil {
			return fmt.Errorf("keep what there was before: %w", err)
		}
	}
	if err := errors.Join(buffer.Flush(), j.file.Sync()); err != nil {
		return fmt.Errorf("keep what there was before: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	var err error
	if j.file != nil {
		err = j.file.Close()
	}
	return errors.Join(err, j.lock.Close())
}

// runs lists the names of the journals, the oldest first.
func (j *journal) runs() (names []string, err error) {
	entries, err := os.ReadDir(j.folder)
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), journalSuffix) && entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	return names, err
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
	if _, err := os.Stat(filepath.Join(folder, JournalFolder)); errors.Is(err, fs.ErrNotExist) {
		return report, ErrNothingToUndo
	}
	j, err := openJournal(ctx, folder, now)
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
	name := runs[len(runs)-1]
	report.Run = strings.TrimSuffix(name, journalSuffix)
	lines, err := readLines(filepath.Join(j.folder, name))
	if err != nil {
		return report, err
	}
	for some := range slices.Chunk(lines, changesAtOnce) {
		if err := report.undo(ctx, reader, some, apply); err != nil {
			return report, err
		}
	}
	return report, os.Remove(filepath.Join(j.folder, name))
}

// readLines reads a journal; a line that was cut off was never acted on.
func readLines(name string) (lines []line, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 0, 64<<10), maximumJournalLine)
	for scanner.Scan() {
		var l line
		if json.Unmarshal(scanner.Bytes(), &l) == nil && l.Edit.ID != 0 && len(lines) < MaximumItems {
			lines = append(lines, l)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return lines, nil
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
