package vfs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenRegular(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "file"), filepath.Join(folder, "link")
	must(t, os.WriteFile(path, []byte("content"), 0o600))
	file, stat, err := OpenRegular(path, false)
	must(t, err)
	must(t, file.Close())
	if stat.Size() != 7 {
		t.Errorf("%d bytes", stat.Size())
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if _, _, err := OpenRegular(link, false); !errors.Is(err, ErrLink) {
		t.Errorf("a link: %v", err)
	}
	if file, _, err = OpenRegular(link, true); err != nil {
		t.Errorf("a link to follow: %v", err)
	} else {
		must(t, file.Close())
	}
	for _, name := range []string{folder, filepath.Join(folder, "missing")} {
		if _, _, err := OpenRegular(name, false); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}
