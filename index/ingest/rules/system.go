package rules

import (
	"io"
	"io/fs"
	"slices"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index/ingest/drives"
)

// NoMediaName is the file that keeps a folder and all below it out, as on Android.
const NoMediaName = ".nomedia"

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

// SystemFiles are written by systems into folders of pictures. They are not counted
// as passed over.
var SystemFiles = []string{"thumbs.db", "desktop.ini", "ehthumbs.db", "picasa.ini"}

// IsSystemFolder reports whether a folder is one of [SystemFolders].
func IsSystemFolder(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc(SystemFolders(), func(glob string) bool { return matchElement(strings.ToLower(glob), lower) })
}

// HoldsNoMedia reports whether a folder says that it holds nothing to be shown.
func HoldsNoMedia(entries []fs.DirEntry) bool {
	return slices.ContainsFunc(entries, func(entry fs.DirEntry) bool { return entry.Name() == NoMediaName })
}

// SniffedBytes is how much of a file is read to tell what it is.
const SniffedBytes = 4096

// BeginsAsImage reports whether a file begins as a picture does.
func BeginsAsImage(name string) bool {
	file, err := drives.OpenToRead(name)
	if err != nil {
		return true // reading it says why
	}
	defer file.Close()
	head := make([]byte, SniffedBytes)
	n, _ := io.ReadFull(file, head) // what there is will do
	return pixels.Begins(head[:n])
}
