package local

import (
	"strings"
	"syscall"
	"testing"

	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestCutCheckpoint: what a checkpoint that was not finished leaves, because a name
// was refused or the process died, does not stay on the disk for ever.
func TestCutCheckpoint(t *testing.T) {
	memory := vfstest.NewMemory()
	refuse := false
	files := &vfstest.Faulty{Base: memory, Fail: func(_ int64, operation vfstest.Operation) error {
		if refuse && operation.Verb == "rename" && strings.HasSuffix(operation.Name, catalog.CheckpointSuffix) {
			return syscall.EIO
		}
		return nil
	}}
	temporary := func() (names []string) {
		for name := range memory.Files() {
			if strings.HasSuffix(name, vfs.TemporarySuffix) {
				names = append(names, name)
			}
		}
		return names
	}
	library := openTest(t, "/library", Options{FileSystem: files, CheckpointBytes: 100})
	refuse = true
	fill(t, library, 6)
	refuse = false
	if names := temporary(); len(names) > 0 {
		t.Errorf("after a refused name: %v", names)
	}
	indextest.Must(t, library.Close())
	memory.Put("/library/"+catalog.CheckpointName(77)+vfs.TemporarySuffix, make([]byte, 1000))
	indextest.Must(t, openMemory(t, memory).Close())
	if names := temporary(); len(names) > 0 {
		t.Errorf("after a checkpoint that was cut: %v", names)
	}
}
