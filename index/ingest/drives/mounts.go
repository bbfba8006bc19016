package drives

import "path/filepath"

// Device gives the number of the device that a folder is on, if that is known; [DeviceOf] is one.
type Device func(folder string) (number uint64, known bool)

// isMountPoint reports whether a folder is there and on another device than the
// folder above it.
func (d Device) isMountPoint(folder string) bool {
	own, known := d(folder)
	above, aboveKnown := d(filepath.Dir(folder))
	return known && aboveKnown && own != above
}

// Mounts says where folders are mounted. It looks at each folder once, and is for one
// goroutine at a time.
type Mounts struct {
	device Device
	seen   map[string]mounted
}

// NewMounts has looked at no folder yet.
func NewMounts(device Device) *Mounts { return &Mounts{device: device, seen: map[string]mounted{}} }

// mounted is where a folder is mounted: its device, if that is known, and the length of
// the path of its mount point.
type mounted struct {
	device uint64
	known  bool
	length int
}

// LengthOf gives the length of the path of the mount point that a folder is below,
// or is itself; zero for the root of the file system.
func (m *Mounts) LengthOf(folder string) int { return m.at(folder).length }

func (m *Mounts) at(folder string) mounted {
	if known, seen := m.seen[folder]; seen {
		return known
	}
	var own mounted
	own.device, own.known = m.device(folder)
	if parent := filepath.Dir(folder); parent != folder {
		above := m.at(parent)
		own.length = above.length
		if own.known && above.known && own.device != above.device {
			own.length = len(folder)
		}
	}
	m.seen[folder] = own
	return own
}
