package drives

import (
	"io/fs"

	"mekiki/index"
	"mekiki/internal/vfs"
)

// StampOf is what tells whether a file has changed.
func StampOf(path string, stat fs.FileInfo) index.File {
	return index.File{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}
}
