package local

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestOriginalsAreWhatWasIndexed puts other things where an indexed file was,
// each with the size and time that it had.
func TestOriginalsAreWhatWasIndexed(t *testing.T) {
	const content, secret = "the picture", "the secrets"
	moment := time.Date(2024, 5, 1, 12, 0, 0, 123, time.UTC)
	write := func(t *testing.T, path, text string) {
		t.Helper()
		indextest.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		indextest.Must(t, os.WriteFile(path, []byte(text), 0o600))
		indextest.Must(t, os.Chtimes(path, moment, moment))
	}
	link := func(t *testing.T, to, at string) {
		t.Helper()
		if err := os.Symlink(to, at); err != nil {
			t.Skip(err)
		}
	}
	tests := map[string]struct {
		// before makes what is at path when it is indexed; nil means a file.
		before func(t *testing.T, path, elsewhere string)
		change func(t *testing.T, path, elsewhere string)
		opens  bool
	}{
		"as it was": {change: func(*testing.T, string, string) {}, opens: true},
		"touched":   {change: func(t *testing.T, path, _ string) { indextest.Must(t, os.Chtimes(path, time.Now(), time.Now())) }, opens: true},
		"copied and put back": {change: func(t *testing.T, path, _ string) {
			indextest.Must(t, os.Rename(path, path+".old")) // so that its number is taken
			write(t, path, content)
		}, opens: true},
		"replaced by a file": {change: func(t *testing.T, path, _ string) {
			indextest.Must(t, os.Rename(path, path+".old"))
			write(t, path, secret)
		}},
		"replaced by a link": {change: func(t *testing.T, path, elsewhere string) {
			indextest.Must(t, os.Remove(path))
			link(t, filepath.Join(elsewhere, "picture.jpg"), path)
		}},
		"replaced by a link to a longer file": {change: func(t *testing.T, path, elsewhere string) {
			indextest.Must(t, os.Remove(path))
			write(t, filepath.Join(elsewhere, "long"), secret+secret)
			link(t, filepath.Join(elsewhere, "long"), path)
		}},
		"its folder replaced by a link": {change: func(t *testing.T, path, elsewhere string) {
			indextest.Must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old"))
			link(t, elsewhere, filepath.Dir(path))
		}},
		"a folder": {change: func(t *testing.T, path, _ string) {
			indextest.Must(t, os.Remove(path))
			indextest.Must(t, os.Mkdir(path, 0o700))
		}},
		"gone": {change: func(t *testing.T, path, _ string) { indextest.Must(t, os.Remove(path)) }},
		"indexed through a link": {
			before: func(t *testing.T, path, elsewhere string) {
				write(t, filepath.Join(elsewhere, "real.jpg"), content)
				indextest.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
				link(t, filepath.Join(elsewhere, "real.jpg"), path)
			},
			change: func(*testing.T, string, string) {}, opens: true,
		},
		"indexed through a link that leads elsewhere now": {
			before: func(t *testing.T, path, elsewhere string) {
				write(t, filepath.Join(elsewhere, "real.jpg"), content)
				indextest.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
				link(t, filepath.Join(elsewhere, "real.jpg"), path)
			},
			change: func(t *testing.T, path, elsewhere string) {
				indextest.Must(t, os.Remove(path))
				link(t, filepath.Join(elsewhere, "picture.jpg"), path)
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path, elsewhere := filepath.Join(folder, "pictures", "picture.jpg"), filepath.Join(folder, "elsewhere")
			write(t, filepath.Join(elsewhere, "picture.jpg"), secret)
			if test.before != nil {
				test.before(t, path, elsewhere)
			} else {
				write(t, path, content)
			}
			stat, err := os.Stat(path)
			indextest.Must(t, err)
			library := openMemory(t, vfstest.NewMemory())
			id := mustWrite(t, library, index.Batch{Puts: []index.Put{{Record: index.Record{
				Kind: index.KindImage, Hash: sha256.Sum256([]byte(content)), Format: "jpeg", Bytes: stat.Size(),
				Files: []index.File{{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}},
			}}}}).IDs[0]
			test.change(t, path, elsewhere)
			snapshot := library.Snapshot()
			defer snapshot.Close()
			file, err := snapshot.OpenOriginal(t.Context(), id)
			if !test.opens {
				if !errors.Is(err, index.ErrNotFound) {
					t.Fatalf("opening gives %v", err)
				}
				return
			}
			indextest.Must(t, err)
			defer file.Close()
			if data, err := io.ReadAll(file); string(data) != content || err != nil {
				t.Errorf("read %q, %v", data, err)
			}
		})
	}
}
