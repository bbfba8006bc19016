package ingest

import (
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/pixels"

	"mekiki/index/metadata"
)

// noMediaName is the file that keeps a folder and all below it out, as on Android.
const noMediaName = ".nomedia"

// SystemFolders lists the globs of folders that systems and network drives keep for
// themselves: previews, bins and snapshots. They are left out unless
// [Options.SystemFolders] takes them in. Upper and lower case are the same.
func SystemFolders() []string {
	return []string{
		"@eaDir", "@tmp", "#recycle", "#snapshot", // Synology
		"@Recycle", "@Recently-Snapshot", ".@__thumb", // QNAP
		"$RECYCLE.BIN", "RECYCLER", "System Volume Information", // Windows
		"__MACOSX", ".Trashes", ".Spotlight-V100", ".fseventsd", ".DocumentRevisions-V100", ".TemporaryItems", // macOS
		"lost+found", ".Trash", ".Trash-*", ".thumbnails", ".snapshot", ".snapshots", ".zfs", // Linux
	}
}

// systemFiles are written by systems into folders of pictures. They are not counted
// as passed over.
var systemFiles = []string{"thumbs.db", "desktop.ini", "ehthumbs.db", "picasa.ini"}

func isSystemFolder(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc(SystemFolders(), func(glob string) bool { return matchElement(strings.ToLower(glob), lower) })
}

// excludes reports whether a rule leaves a file or folder out: a glob, the table of
// system folders, or an ignore file.
func (w *walker) excludes(root, relative string, folder bool) bool {
	options := &w.run.options
	if matchAny(options.Exclude, root, relative) {
		return true
	}
	if !options.SystemFolders && folder && isSystemFolder(path.Base(relative)) {
		return true
	}
	return w.rules[filepath.Join(root, filepath.FromSlash(path.Dir(relative)))].excludes(relative, folder)
}

// exclude notes that a rule leaves a path out.
func (w *walker) exclude(path string) {
	if w.found != nil {
		w.walked.excluded[fileKey(path)] = struct{}{}
	}
}

// excludes reports whether a rule left out a path, or a folder above it.
func (w *walked) excludes(path string) bool {
	for len(w.excluded) > 0 {
		if _, there := w.excluded[fileKey(path)]; there {
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

// holdsNoMedia reports whether a folder says that it holds nothing to be shown.
func holdsNoMedia(entries []fs.DirEntry) bool {
	return slices.ContainsFunc(entries, func(entry fs.DirEntry) bool { return entry.Name() == noMediaName })
}

// isImage tells by its name whether a file may be an image, and by its first bytes
// where it has no extension and those are to be looked at.
func (w *walker) isImage(name, full string, mode fs.FileMode) bool {
	if pixels.HasImageName(name) {
		return true
	}
	return w.run.options.NoExtension && filepath.Ext(name) == "" && mode.IsRegular() && beginsAsImage(full)
}

// sniffedBytes is how much of a file is read to tell what it is.
const sniffedBytes = 4096

func beginsAsImage(name string) bool {
	file, err := openToRead(name)
	if err != nil {
		return true // reading it says why
	}
	defer file.Close()
	head := make([]byte, sniffedBytes)
	n, _ := io.ReadFull(file, head) // what there is will do
	return pixels.Begins(head[:n])
}

// passOver counts a file of another kind. What may describe a picture is counted when
// the folder's pictures are known.
func (w *walker) passOver(name string, mode fs.FileMode) {
	if w.found == nil || !w.walked.whole || !mode.IsRegular() || metadata.IsSidecarName(name) || slices.Contains(systemFiles, strings.ToLower(name)) {
		return
	}
	w.run.progress.passOver(strings.ToLower(filepath.Ext(name)))
}
