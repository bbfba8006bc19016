package diskspace_test

import (
	"path/filepath"
	"testing"

	"mekiki/internal/diskspace"
)

func TestFree(t *testing.T) {
	free, err := diskspace.Free(t.TempDir())
	if err != nil || free <= 0 {
		t.Errorf("Free: %d, %v", free, err)
	}
	if _, err := diskspace.Free(filepath.Join(t.TempDir(), "missing")); err == nil && free < 1<<62 {
		t.Error("Free of a missing folder: no error")
	}
}
