package xmp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/xmp/rdf"
	"mekiki/internal/undolog"
)

// Options say what is written and where.
type Options struct {
	// Kinds is what is written.
	Kinds Kinds
	// LibraryFolder is where the journal is kept. Files below it are the library's own and get no sidecars.
	LibraryFolder string
	// Roots, unless nil, are the folders below which sidecars are written, links followed.
	Roots []string
	// DryRun finds out what would change and changes nothing.
	DryRun bool
	// Progress, unless nil, is called after each picture.
	Progress func(done, total int)
	// Now gives the time; nil means the clock.
	Now func() time.Time
}

// State is what became of one sidecar.
type State string

// What becomes of sidecars.
const (
	Written   State = "written"
	Unchanged State = "unchanged"
	// Skipped: the picture has none, as it is gone, in the library's own folder, or outside the roots.
	Skipped State = "skipped"
	// Refused: it cannot be written, or not without harm.
	Refused State = "refused"
)

// FileReport says what became of one sidecar, or would.
type FileReport struct {
	Picture string   `json:"picture,omitempty"`
	Sidecar string   `json:"sidecar,omitempty"`
	State   State    `json:"state"`
	Created bool     `json:"created,omitempty"`
	Changes []Change `json:"changes,omitempty"`
	Reason  string   `json:"reason,omitempty"`
}

// Report says what a run did, or would do.
type Report struct {
	// Run is the name of the run, by which it can be told from others; "" where nothing was written.
	Run    string `json:"run,omitempty"`
	DryRun bool   `json:"dry_run"`
	// Pictures counts files of pictures; the others what became of them.
	Pictures  int `json:"pictures"`
	Written   int `json:"written"`
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`
	Refused   int `json:"refused"`
	// Kept counts values that another program wrote after Mekiki, which stay.
	Kept int `json:"kept"`
	// Files are those that are not unchanged, at most 10,000.
	Files []FileReport `json:"files"`
}

// picture is one file of a record.
type picture struct {
	record *index.Record
	path   string
	skip   string // why it gets no sidecar
}

// Write brings what people gave records, and captions, into the sidecars of their files. When ctx ends, what was written
// until then stays and is in the report; a second run goes on from there, since what is there is not written again. The
// pictures themselves are not opened.
func Write(ctx context.Context, records []*index.Record, options Options) (report Report, err error) {
	w := writer{options: options, now: time.Now}
	if options.Now != nil {
		w.now = options.Now
	}
	w.report = Report{DryRun: options.DryRun, Files: []FileReport{}}
	pictures := picturesOf(records, options)
	if !options.DryRun {
		if w.journal, err = undolog.Open[entry](ctx, journalOf(options.LibraryFolder), w.now()); err != nil {
			return w.report, err
		}
		defer func() { err = errors.Join(err, w.journal.Close()) }()
	}
	for i, each := range pictures {
		if err := ctx.Err(); err != nil {
			return w.report, err
		}
		w.add(w.picture(each))
		if options.Progress != nil {
			options.Progress(i+1, len(pictures))
		}
	}
	return w.report, nil
}

// picturesOf lists the files of images, by folder.
func picturesOf(records []*index.Record, options Options) (pictures []picture) {
	roots := make([]string, 0, len(options.Roots))
	for _, root := range options.Roots {
		roots = append(roots, resolved(root))
	}
	for _, record := range records {
		if record == nil || record.Kind != index.KindImage {
			continue
		}
		for _, file := range record.Files {
			p := picture{record: record, path: file.Path}
			switch folder := filepath.Dir(file.Path); {
			case file.Name != "" || file.InStore() || isBelow(file.Path, options.LibraryFolder):
				p.skip = "it is the library's own file"
			case options.Roots != nil && !slices.ContainsFunc(roots, func(root string) bool { return isBelow(resolved(folder), root) }):
				p.skip = "it is not below a folder that the server may write to"
			}
			pictures = append(pictures, p)
		}
	}
	slices.SortStableFunc(pictures, func(a, b picture) int {
		return cmp.Or(strings.Compare(filepath.Dir(a.path), filepath.Dir(b.path)), strings.Compare(a.path, b.path))
	})
	return pictures
}

func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return filepath.Clean(path)
}

// isBelow reports whether a path is a folder or lies in it.
func isBelow(path, folder string) bool {
	relative, err := filepath.Rel(folder, path)
	return folder != "" && err == nil && filepath.IsLocal(relative)
}

// writer is one run.
type writer struct {
	options Options
	folders folders
	journal *undolog.Log[entry]
	report  Report
	now     func() time.Time
}

func (w *writer) add(f FileReport) {
	w.report.Pictures++
	switch f.State {
	case Written:
		w.report.Written++
		if w.journal != nil {
			w.report.Run = w.journal.Run()
		}
	case Unchanged:
		w.report.Unchanged++
	case Skipped:
		w.report.Skipped++
	case Refused:
		w.report.Refused++
	}
	kept := 0
	for _, change := range f.Changes {
		if change.Kept {
			kept++
		}
	}
	w.report.Kept += kept
	if (f.State != Unchanged || kept > 0) && len(w.report.Files) < listedChanges {
		w.report.Files = append(w.report.Files, f)
	}
}

// picture writes one picture's sidecar. A panic costs that one only.
func (w *writer) picture(p picture) (f FileReport) {
	f = FileReport{Picture: p.path, State: Refused}
	defer func() {
		if reason := recover(); reason != nil {
			f.State, f.Reason = Refused, fmt.Sprintf("it cannot be changed: %v", reason)
		}
	}()
	said := StatementsOf(p.record)
	silent := said.nothing(w.options.Kinds)
	if p.skip != "" {
		f.State, f.Reason = Skipped, p.skip
		if silent {
			f.State = Unchanged
		}
		return f
	}
	sidecar, created, changes, touched, err := w.bring(p, said, silent)
	f.Sidecar, f.Changes = sidecar, changes
	switch {
	case errors.Is(err, ErrGone):
		f.State, f.Reason = Skipped, ErrGone.Error()
	case err != nil && silent && errors.Is(err, rdf.ErrRefused):
		f.State = Unchanged // there is nothing to write into it
	case err != nil:
		f.Reason = err.Error()
	case touched:
		f.State, f.Created = Written, created
	default:
		f.State = Unchanged
	}
	return f
}

// bring brings statements into the sidecar of a picture.
func (w *writer) bring(p picture, said Statements, silent bool) (sidecar string, created bool, changes []Change, touched bool, err error) {
	folder := filepath.Dir(p.path)
	beside, err := w.folders.of(folder)
	if err != nil {
		return "", false, nil, false, err
	}
	sidecar = filepath.Join(folder, beside.sidecarOf(filepath.Base(p.path)))
	former, err := readContent(sidecar)
	if err != nil || !former.there && silent {
		return sidecar, false, nil, false, err
	}
	stat, err := os.Lstat(p.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrGone
		}
		return sidecar, false, nil, false, err
	}
	document := rdf.New()
	if former.there {
		if document, err = rdf.Parse(former.data); err != nil {
			return sidecar, false, nil, false, err
		}
	}
	changes, touched = Merge(document, said, w.options.Kinds, w.now())
	if !touched || w.options.DryRun {
		return sidecar, !former.there, changes, touched, nil
	}
	data, err := document.Bytes()
	if err != nil {
		return sidecar, false, nil, false, err
	}
	if _, err := rdf.Parse(data); err != nil {
		return sidecar, false, nil, false, fmt.Errorf("what would be written cannot be read again: %w", err)
	}
	note := entry{Path: sidecar, Before: former.data, Existed: former.there, Mode: uint32(former.mode), After: sumOf(data)}
	if err := w.journal.Note(note); err != nil {
		return sidecar, false, nil, false, err
	}
	mode := former.mode
	if !former.there {
		mode = stat.Mode().Perm()&0o666 | newSidecarMode&0o600
	}
	return sidecar, !former.there, changes, true, replace(sidecar, former, data, mode)
}
