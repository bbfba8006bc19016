package ingest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/report"
	"mekiki/index/local"
)

// mounts are folders that are mount points, as tests have it.
type mounts map[string]bool

// device gives each mount point, and what is below it, a number of its own.
func (m mounts) device(folder string) (uint64, bool) {
	if _, err := os.Stat(folder); err != nil {
		return 0, false
	}
	for at := folder; at != filepath.Dir(at); at = filepath.Dir(at) {
		if m[at] {
			return uint64(len(at)), true
		}
	}
	return 0, true
}

// tag indexes a folder and tags the pictures of some paths with their names.
func tag(t *testing.T, library *local.Library, paths ...string) {
	t.Helper()
	for _, path := range paths {
		must(t, index.Tag(t.Context(), library, []index.ID{idOf(t, library, path)}, filepath.Base(path)))
	}
}

func hasTag(t *testing.T, library *local.Library, path string) {
	t.Helper()
	if tags := recordOf(t, library, path).Tags; !slices.Equal(tags, []string{filepath.Base(path)}) {
		t.Errorf("%s has the tags %q", path, tags)
	}
}

// TestDrivesBelowARoot: what is on a drive that is away is kept, however its mount
// point looks, and the folder is named; what was deleted goes.
func TestDrivesBelowARoot(t *testing.T) {
	for _, test := range []struct {
		name string
		// mounted says that the folder usb was a mount point.
		mounted bool
		// leave takes the drive away, whose folder is usb.
		leave func(t *testing.T, usb string, m mounts)
		// kept says whether its pictures stay, and away which folder is named.
		kept bool
		away string
	}{
		{"an empty folder that nobody knows to be a mount point", false, func(t *testing.T, usb string, _ mounts) {
			must(t, os.Mkdir(usb, 0o755))
		}, true, "usb"},
		{"a mount point that is empty", true, func(t *testing.T, usb string, m mounts) {
			must(t, os.Mkdir(usb, 0o755))
			m[usb] = false
		}, true, "usb"},
		{"a mount point that is gone with its drive", true, func(_ *testing.T, usb string, m mounts) { m[usb] = false }, true, "usb"},
		{"a mount point that holds other files now", true, func(t *testing.T, usb string, m mounts) {
			m[usb] = false
			write(t, []byte("mount the drive"), usb, "README.txt")
		}, true, "usb"},
		{"another drive in its place", true, func(t *testing.T, usb string, _ mounts) {
			write(t, testImage(t, 50, 20, 20), usb, "other.jpg")
		}, true, "usb"},
		{"an empty folder below the drive's", false, func(t *testing.T, usb string, _ mounts) {
			must(t, os.MkdirAll(filepath.Join(usb, "deep"), 0o755))
			write(t, []byte("x"), usb, "notes.txt")
		}, true, "usb/deep"},
		{"a folder that was deleted", false, func(*testing.T, string, mounts) {}, false, ""},
		{"pictures that were deleted, but not all of the folder", false, func(t *testing.T, usb string, _ mounts) {
			write(t, []byte("x"), usb, "notes.txt")
			write(t, []byte("x"), usb, "deep", "notes.txt")
		}, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			photos, aside := filepath.Join(folder, "photos"), filepath.Join(folder, "aside")
			usb := filepath.Join(photos, "usb")
			home := write(t, testImage(t, 1, 20, 20), photos, "home", "h.jpg")
			a := write(t, testImage(t, 2, 20, 20), usb, "deep", "a.jpg")
			b := write(t, testImage(t, 3, 20, 20), usb, "deep", "b.jpg")
			broken := write(t, []byte("no image"), usb, "deep", "broken.jpg")
			m := mounts{usb: test.mounted}
			library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
			options := Options{Paths: []string{photos}, device: m.device}
			mustRun(t, library, engine, options)
			tag(t, library, home, a, b)

			must(t, os.Rename(usb, aside))
			test.leave(t, usb, m)
			summary := mustRun(t, library, engine, options)
			snapshot := library.Snapshot()
			_, failed := indextest.Failure(t, snapshot, broken)
			must(t, snapshot.Close())
			if got := slices.Contains(pathsOf(t, library), a); got != test.kept || failed != test.kept {
				t.Fatalf("the picture is kept: %v, the failure: %v, want %v", got, failed, test.kept)
			}
			var away []report.AwayFolder
			if test.kept {
				hasTag(t, library, a)
				away = []report.AwayFolder{{Folder: filepath.Join(photos, filepath.FromSlash(test.away)), Files: 3}}
			}
			if diff := cmp.Diff(away, summary.Away); diff != "" {
				t.Errorf("away: %s", diff)
			}
			// It comes back, and so does what people gave, either way.
			must(t, os.RemoveAll(usb))
			must(t, os.Rename(aside, usb))
			m[usb] = test.mounted
			before := engine.images.Load()
			summary = mustRun(t, library, engine, options)
			if read := engine.images.Load() - before; test.kept && read != 0 || len(summary.Away) > 0 {
				t.Errorf("when the drive was back the model read %d pictures; away are %v", read, summary.Away)
			}
			for _, path := range []string{home, a, b} {
				hasTag(t, library, path)
			}
		})
	}
}

// TestOldLibrariesLearnMountPoints: files that are as they were get the mount point
// that an older version did not note, without being read.
func TestOldLibrariesLearnMountPoints(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "usb", "a.jpg")
	m := mounts{}
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	options := Options{Paths: []string{photos}, device: m.device}
	mustRun(t, library, engine, options)
	m[filepath.Dir(a)] = true
	if diff := cmp.Diff(report.Summary{Seen: 1, Unchanged: 1}, mustRun(t, library, engine, options)); diff != "" {
		t.Error(diff)
	}
	if got := recordOf(t, library, a).Files[0].MountLength; got != len(filepath.Dir(a)) {
		t.Errorf("the length of the mount point is %d", got)
	}
}

// TestSystemsDevice: the system gives folders that are there a device.
func TestSystemsDevice(t *testing.T) {
	folder := t.TempDir()
	own, known := drives.DeviceOf(folder)
	if above, _ := drives.DeviceOf(filepath.Dir(folder)); known && own != above {
		t.Errorf("devices %d and %d", own, above)
	}
	if _, known := drives.DeviceOf(filepath.Join(folder, "none")); known {
		t.Error("a folder that is not there has a device")
	}
}

// TestWatchedFilesAreDeleted: while watching, the system tells that the last picture of
// a folder was deleted, which is no drive that is away.
func TestWatchedFilesAreDeleted(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "one", "a.jpg")
	b := write(t, testImage(t, 2, 20, 20), photos, "two", "b.jpg")
	w := startWatch(t, openLibrary(t, filepath.Join(folder, "library")), newCounting("one"), Options{Paths: []string{photos}})
	w.wait("start", a, b)
	must(t, os.Remove(a))
	w.wait("deleted", b)
}

// TestMovedFoldersLoseTheirOldPaths: what moved to another root has the path that is
// there, unless the old one is on a drive that is away; then the one that is there
// comes first.
func TestMovedFoldersLoseTheirOldPaths(t *testing.T) {
	folder := t.TempDir()
	old, target := filepath.Join(folder, "mv", "diskA"), filepath.Join(folder, "b", "diskB")
	write(t, testImage(t, 1, 20, 20), old, "2009", "a.jpg")
	write(t, testImage(t, 2, 20, 20), old, "b.jpg")
	usb := filepath.Join(folder, "usb")
	onDrive := write(t, testImage(t, 3, 20, 20), usb, "c.jpg")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	m := mounts{usb: true}
	mustRun(t, library, engine, Options{Paths: []string{old, usb}, device: m.device})
	must(t, os.MkdirAll(filepath.Dir(target), 0o755))
	must(t, os.Rename(old, target))
	must(t, os.Rename(onDrive, filepath.Join(target, "c.jpg")))
	must(t, os.Remove(usb))
	want := report.Summary{Seen: 3, Attached: 3, Removed: 2, Away: []report.AwayFolder{{Folder: usb, Files: 1}}}
	if diff := cmp.Diff(want, mustRun(t, library, engine, Options{Paths: []string{target}, device: m.device})); diff != "" {
		t.Error(diff)
	}
	c := filepath.Join(target, "c.jpg")
	paths := []string{filepath.Join(target, "2009", "a.jpg"), filepath.Join(target, "b.jpg"), c, onDrive}
	if diff := cmp.Diff(paths, pathsOf(t, library)); diff != "" {
		t.Error(diff)
	}
	if got := recordOf(t, library, c).Path(); got != c {
		t.Errorf("the picture is shown as %s", got)
	}
}

// TestRealMounts unmounts a drive that is mounted below a root, with whatever is
// mounted by those who may.
func TestRealMounts(t *testing.T) {
	const inside = "MEKIKI_TEST_MOUNTS"
	if os.Getenv(inside) == "" {
		if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
			t.Skipf("mounts of our own are not permitted: %v", err)
		}
		command := exec.Command("unshare", "-m", os.Args[0], "-test.run", "^TestRealMounts$", "-test.v")
		command.Env = append(os.Environ(), inside+"=1")
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, output)
		}
		return
	}
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	drive, bound, real := filepath.Join(photos, "drive"), filepath.Join(photos, "bound"), filepath.Join(folder, "real")
	for _, each := range []string{drive, bound, real} {
		must(t, os.MkdirAll(each, 0o755))
	}
	system := func(arguments ...string) {
		t.Helper()
		if output, err := exec.Command(arguments[0], arguments[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%q: %v: %s", arguments, err, output)
		}
	}
	system("mount", "-t", "tmpfs", "none", drive)
	system("mount", "--bind", real, bound)
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	b := write(t, testImage(t, 2, 20, 20), drive, "b.jpg")
	c := write(t, testImage(t, 3, 20, 20), bound, "c.jpg")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	mustRun(t, library, engine, Options{Paths: []string{photos}})
	if got := recordOf(t, library, b).Files[0].MountLength; got != len(drive) {
		t.Errorf("the length of the mount point is %d, want %d", got, len(drive))
	}
	system("umount", drive)
	system("umount", bound)
	write(t, []byte("not mounted"), drive, "README")
	want := []report.AwayFolder{{Folder: bound, Files: 1}, {Folder: drive, Files: 1}}
	for range 2 {
		if summary := mustRun(t, library, engine, Options{Paths: []string{photos}}); !slices.Equal(summary.Away, want) {
			t.Errorf("away: %v", summary.Away)
		}
		must(t, os.RemoveAll(drive)) // as systems do that mount in a folder of their own
	}
	if got := pathsOf(t, library); !slices.Equal(got, []string{a, c, b}) {
		t.Errorf("left: %q", got)
	}
}
