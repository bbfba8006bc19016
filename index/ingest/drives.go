package ingest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/index"
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

// deviceOf gives the number of the device that a folder is on, links followed;
// false where there is no such folder, or no number.
func deviceOf(folder string) (uint64, bool) {
	stat, err := os.Stat(folder)
	if err != nil {
		return 0, false
	}
	return deviceNumber(stat)
}

// drives tells files that are gone from those whose drive is away. It looks at
// each folder once.
type drives struct {
	run *run
	// mounted remembers whether mount points are still that, grounds the deepest
	// folder above a path that is there, and empty whether folders are.
	mounted map[string]bool
	grounds map[string]string
	empty   map[string]bool
	// lost are the mount points below which a walk found none of the known files.
	lost map[string]bool
}

func (r *run) newDrives() *drives {
	return &drives{run: r, mounted: map[string]bool{}, grounds: map[string]string{}, empty: map[string]bool{}, lost: map[string]bool{}}
}

// mountPointOf gives the mount point of a file as it was when it was seen last, or "".
func mountPointOf(file index.File) string {
	return file.Path[:min(max(file.MountLength, 0), len(file.Path))]
}

// unmounted gives the mount point of a file that is none any more, or is another
// drive's, or "".
func (d *drives) unmounted(file index.File) string {
	point := mountPointOf(file)
	if point == "" {
		return ""
	}
	mounted, known := d.mounted[point]
	if !known {
		mounted = d.run.isMountPoint(point)
		d.mounted[point] = mounted
	}
	if mounted && !d.lost[point] {
		return ""
	}
	return point
}

// emptied gives the folder that a missing file is below and that holds nothing at
// all, or "". A folder that is missing itself is not empty: someone deleted it.
func (d *drives) emptied(path string) string {
	ground := d.ground(filepath.Dir(path))
	empty, known := d.empty[ground]
	if !known {
		entries, err := os.ReadDir(ground)
		empty = err == nil && len(entries) == 0
		d.empty[ground] = empty
	}
	if !empty {
		return ""
	}
	return ground
}

// ground gives the deepest folder at or above a path that is there.
func (d *drives) ground(folder string) string {
	if ground, known := d.grounds[folder]; known {
		return ground
	}
	ground := folder
	if stat, err := os.Stat(folder); err != nil || !stat.IsDir() {
		if parent := filepath.Dir(folder); parent != folder {
			ground = d.ground(parent)
		}
	}
	d.grounds[folder] = ground
	return ground
}

// holds reports whether a file still holds what it did, as far as anyone can tell
// without its drive.
func (d *drives) holds(file index.File) bool {
	stat, err := os.Lstat(file.Path)
	if missing(err) {
		return d.unmounted(file) != "" || d.emptied(file.Path) != ""
	}
	return err != nil || stampOf(file.Path, stat).SameContent(file)
}

// missing reports whether the error says that there is nothing under a name: no such
// file, or a file has the name of its folder.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotFolder)
}
