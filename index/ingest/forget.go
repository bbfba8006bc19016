package ingest

import (
	"context"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/ingest/drives"
)

// forgetting decides what a walk says of files that it did not see.
type forgetting struct {
	run    *run
	walked *walked
	drives *drives.Drives
	batch  index.Batch
	// away counts the files that are kept, by the folder that says so.
	away map[string]int
	// removed and excluded count the files that go.
	removed, excluded int
}

// forget takes out the files that are gone from folders that were listed, those that
// a rule leaves out now, and the old paths of what was moved. docs/library.md has the
// rule.
func (r *run) forget(ctx context.Context, w *walked) error {
	if w == nil || len(w.folders)+len(w.excluded) == 0 {
		return nil
	}
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	f := &forgetting{run: r, walked: w, drives: drives.New(r.options.device), away: map[string]int{}}
	if w.whole {
		if err := f.findLostDrives(ctx, reader); err != nil {
			return err
		}
	}
	for record, err := range reader.All(ctx) {
		if err != nil {
			return err
		}
		f.record(record)
	}
	failures, err := reader.Failures(ctx)
	if err != nil {
		return err
	}
	for _, failure := range failures {
		if w.folders[failure.File.Path] || f.gone(failure.File, false) {
			f.batch.Resolved = append(f.batch.Resolved, failure.File.Path)
			r.progress.Resolve(failure.File.Path)
		}
	}
	f.warn()
	for batch := range f.batches() {
		if _, err := r.library.Write(ctx, batch); err != nil {
			return err
		}
	}
	r.progress.Remove(f.removed, f.excluded)
	return nil
}

// batches gives what is to be written, in pieces that a commit can hold.
func (f *forgetting) batches() iter.Seq[index.Batch] {
	return func(yield func(index.Batch) bool) {
		for all := f.batch; len(all.Attach)+len(all.Detach)+len(all.Resolved) > 0; {
			var batch index.Batch
			batch.Attach, all.Attach = cut(all.Attach)
			batch.Detach, all.Detach = cut(all.Detach)
			batch.Resolved, all.Resolved = cut(all.Resolved)
			if !yield(batch) {
				return
			}
		}
	}
}

func cut[T any](list []T) (first, rest []T) {
	n := min(len(list), forgetBatch)
	return list[:n], list[n:]
}

// record decides about a record's files.
func (f *forgetting) record(record *index.Record) {
	moved := f.run.moved[record.ID]
	present, first := -1, false
	for i, file := range record.Files {
		switch {
		case f.walked.saw(file.Path):
			if present < 0 {
				present = i
			}
		case f.walked.excludes(file.Path):
			f.batch.Detach = append(f.batch.Detach, file.Path)
			f.excluded++
		case f.gone(file, moved):
			f.batch.Detach = append(f.batch.Detach, file.Path)
			f.removed++
		case i == 0:
			first = f.drives.Unmounted(file) != "" || f.drives.Ground(file.Path) != file.Path
		}
	}
	if first && present > 0 {
		// What is shown is a file that is there.
		f.batch.Attach = append(f.batch.Attach, index.Attach{ID: record.ID, File: record.Files[present], First: true})
	}
}

// gone reports whether a file that the walk did not see is gone for good. Of what has
// moved, the walk saw another file.
func (f *forgetting) gone(file index.File, moved bool) bool {
	if f.walked.saw(file.Path) || !moved && !f.walked.covers(file.Path) {
		return false
	}
	if file.InStore() {
		return false
	}
	if _, err := os.Lstat(file.Path); !drives.Missing(err) {
		return false
	}
	folder := f.drives.Unmounted(file)
	if folder == "" && !moved && !f.walked.deleted[file.Path] {
		folder = f.drives.Emptied(file.Path)
	}
	if folder != "" {
		f.away[folder]++
	}
	return folder == ""
}

// findLostDrives finds the mount points that hold none of the files that the library
// knows of them, although the walk went through them: another drive may be there.
func (f *forgetting) findLostDrives(ctx context.Context, reader index.Reader) error {
	for record, err := range reader.All(ctx) {
		if err != nil {
			return err
		}
		for _, file := range record.Files {
			point := drives.MountPointOf(file)
			if point != "" && !f.run.present[point] && !f.run.moved[record.ID] && f.walked.missed(file.Path) {
				f.drives.Lose(point)
			}
		}
	}
	return nil
}

// warn says which folders are away, each once until it is back.
func (f *forgetting) warn() {
	told := f.run.away
	f.run.away = map[string]int{}
	if !f.walked.whole { // it says nothing of the others
		f.run.away = maps.Clone(told)
	}
	for _, folder := range slices.Sorted(maps.Keys(f.away)) {
		f.run.away[folder] = f.away[folder]
		if _, known := told[folder]; known {
			continue
		}
		f.run.options.Logger.Warn("the folder is empty, or its drive is away; what the library knows of it is kept", "folder", folder,
			"files", f.away[folder], "try", "mekiki remove --folder, if its images are really gone")
	}
	f.run.progress.Keep(f.run.away)
}

// missed reports whether the walk looked for a path and did not see it.
func (w *walked) missed(path string) bool {
	return !w.saw(path) && w.covers(path) && !w.excludes(path)
}

// covers reports whether the walk would have seen the path were it there: some
// folder above it was listed.
func (w *walked) covers(path string) bool {
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		if w.folders[folder] {
			return true
		}
		if parent := filepath.Dir(folder); parent == folder {
			return false
		}
	}
}

// inside reports whether a path is below a folder.
func inside(path, folder string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}
