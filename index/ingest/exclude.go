package ingest

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index/ingest/report"
	"mekiki/index/ingest/rules"
	"mekiki/index/metadata"
)

// excludes reports whether a rule leaves a file or folder out: a glob, the table of
// system folders, or an ignore file.
func (w *walker) excludes(root, relative string, folder bool) bool {
	options := &w.run.options
	if rules.MatchAny(options.Exclude, root, relative) {
		return true
	}
	if !options.SystemFolders && folder && rules.IsSystemFolder(path.Base(relative)) {
		return true
	}
	return w.rules[filepath.Join(root, filepath.FromSlash(path.Dir(relative)))].Excludes(relative, folder)
}

// exclude notes that a rule leaves a path out.
func (w *walker) exclude(path string) {
	if w.found != nil {
		w.walked.excluded[report.FileKey(path)] = struct{}{}
	}
}

// excludes reports whether a rule left out a path, or a folder above it.
func (w *walked) excludes(path string) bool {
	for len(w.excluded) > 0 {
		if _, there := w.excluded[report.FileKey(path)]; there {
			return true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return false
		}
		path = parent
	}
	return false
}

// isImage tells by its name whether a file may be an image, and by its first bytes
// where it has no extension and those are to be looked at.
func (w *walker) isImage(name, full string, mode fs.FileMode) bool {
	if pixels.HasImageName(name) {
		return true
	}
	return w.run.options.NoExtension && filepath.Ext(name) == "" && mode.IsRegular() && rules.BeginsAsImage(full)
}

// passOver counts a file of another kind. What may describe a picture is counted when
// the folder's pictures are known.
func (w *walker) passOver(name string, mode fs.FileMode) {
	if w.found == nil || !w.walked.whole || !mode.IsRegular() || metadata.IsSidecarName(name) || slices.Contains(rules.SystemFiles, strings.ToLower(name)) {
		return
	}
	w.run.progress.PassOver(strings.ToLower(filepath.Ext(name)))
}
