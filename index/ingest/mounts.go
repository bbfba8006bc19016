package ingest

import (
	"path/filepath"

	"mekiki/index/ingest/drives"
)

// mountOf gives the length of the path of the mount point that a folder is below,
// or is itself; zero for the root of the file system.
func (w *walker) mountOf(folder string) int {
	return w.mountedAt(folder).length
}

// mounted is where a folder is mounted: its device, if that is known, and the length of
// the path of its mount point.
type mounted struct {
	device uint64
	known  bool
	length int
}

// mountedAt looks at each folder once.
func (w *walker) mountedAt(folder string) mounted {
	if m, seen := w.mounts[folder]; seen {
		return m
	}
	var m mounted
	m.device, m.known = w.run.options.device(folder)
	if parent := filepath.Dir(folder); parent != folder {
		above := w.mountedAt(parent)
		m.length = above.length
		if m.known && above.known && m.device != above.device {
			m.length = len(folder)
		}
	}
	w.mounts[folder] = m
	return m
}

// isMountPoint reports whether a folder is there and on another device than the
// folder above it.
func (r *run) isMountPoint(folder string) bool {
	own, known := r.options.device(folder)
	above, aboveKnown := r.options.device(filepath.Dir(folder))
	return known && aboveKnown && own != above
}

func (r *run) newDrives() *drives.Drives {
	return drives.New(r.isMountPoint)
}
