package drives

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/index"
)

// DeviceOf gives the number of the device that a folder is on, links followed;
// false where there is no such folder, or no number.
func DeviceOf(folder string) (uint64, bool) {
	stat, err := os.Stat(folder)
	if err != nil {
		return 0, false
	}
	return deviceNumber(stat)
}

// Drives tells files that are gone from those whose drive is away. It looks at
// each folder once.
type Drives struct {
	device Device
	// mounted remembers whether mount points are still that, grounds the deepest
	// folder above a path that is there, and empty whether folders are.
	mounted map[string]bool
	grounds map[string]string
	empty   map[string]bool
	// lost are the mount points below which a walk found none of the known files.
	lost map[string]bool
}

// New has looked at no folder yet.
func New(device Device) *Drives {
	return &Drives{
		device:  device,
		mounted: map[string]bool{}, grounds: map[string]string{}, empty: map[string]bool{}, lost: map[string]bool{},
	}
}

// Lose notes a mount point below which a walk found none of the known files.
func (d *Drives) Lose(point string) { d.lost[point] = true }

// MountPointOf gives the mount point of a file as it was when it was seen last, or "".
func MountPointOf(file index.File) string {
	return file.Path[:min(max(file.MountLength, 0), len(file.Path))]
}

// Unmounted gives the mount point of a file that is none any more, or is another
// drive's, or "".
func (d *Drives) Unmounted(file index.File) string {
	point := MountPointOf(file)
	if point == "" {
		return ""
	}
	mounted, known := d.mounted[point]
	if !known {
		mounted = d.device.isMountPoint(point)
		d.mounted[point] = mounted
	}
	if mounted && !d.lost[point] {
		return ""
	}
	return point
}

// Emptied gives the folder that a missing file is below and that holds nothing at
// all, or "". A folder that is missing itself is not empty: someone deleted it.
func (d *Drives) Emptied(path string) string {
	ground := d.Ground(filepath.Dir(path))
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

// Ground gives the deepest folder at or above a path that is there.
func (d *Drives) Ground(folder string) string {
	if ground, known := d.grounds[folder]; known {
		return ground
	}
	ground := folder
	if stat, err := os.Stat(folder); err != nil || !stat.IsDir() {
		if parent := filepath.Dir(folder); parent != folder {
			ground = d.Ground(parent)
		}
	}
	d.grounds[folder] = ground
	return ground
}

// Holds reports whether a file still holds what it did, as far as anyone can tell
// without its drive. One in the store of a cluster never changes.
func (d *Drives) Holds(file index.File) bool {
	if file.InStore() {
		return true
	}
	stat, err := os.Lstat(file.Path)
	if Missing(err) {
		return d.Unmounted(file) != "" || d.Emptied(file.Path) != ""
	}
	return err != nil || StampOf(file.Path, stat).SameContent(file)
}

// Missing reports whether the error says that there is nothing under a name: no such
// file, or a file has the name of its folder.
func Missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotFolder)
}
