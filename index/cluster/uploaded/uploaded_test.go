package uploaded

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/indextest"
)

// TestUploadsAreKept: each upload has a file of its own; what is damaged or lost is told from a store that fails.
func TestUploadsAreKept(t *testing.T) {
	store, data := objectstest.New(), []byte("a picture")
	keeper := Keeper{store}
	first, err := keeper.Keep(t.Context(), data, "jpeg")
	indextest.Must(t, err)
	second, err := keeper.Keep(t.Context(), data, "jpeg")
	indextest.Must(t, err)
	if first == second || filepath.Dir(first) != "upload:" || !Holds(first) || Holds("upload.jpeg") || !Holds(string(filepath.Separator)+"a.jpeg") {
		t.Errorf("paths %s and %s", first, second)
	}
	record := &index.Record{ID: 1, Hash: sha256.Sum256(data), Files: []index.File{{Path: "/gone.jpeg"}, {Path: first}, {Path: second}}}
	keys := KeysOf(record)
	if len(keys) != 2 || !strings.HasPrefix(keys[0], form.OriginalPrefix) {
		t.Fatalf("keys %v", keys)
	}
	read := func(want error) {
		t.Helper()
		file, err := Open(t.Context(), store, record)
		if !errors.Is(err, want) {
			t.Errorf("error %v, expected %v", err, want)
		}
		if err != nil {
			return
		}
		defer file.Close()
		if got, err := io.ReadAll(file); err != nil || string(got) != string(data) {
			t.Errorf("read %q, %v", got, err)
		}
		if at, err := file.Seek(2, io.SeekStart); err != nil || at != 2 {
			t.Errorf("seek to %d: %v", at, err)
		}
	}
	read(nil)
	indextest.Must(t, store.Put(t.Context(), keys[0], []byte("another"))) // the other one is read
	read(nil)
	indextest.Must(t, keeper.Discard(t.Context(), second))
	read(index.ErrNotFound)
	here := filepath.Join(t.TempDir(), "here.jpeg")
	indextest.Must(t, os.WriteFile(here, data, 0o600))
	record.Files[0].Path, record.Bytes = here, int64(len(data))
	read(nil)
	indextest.Must(t, keeper.Discard(t.Context(), here))
	if _, err := os.Stat(here); err != nil {
		t.Error("a file of the user is deleted")
	}
	for _, extension := range []string{"", "JPG", "a/b", "..", strings.Repeat("x", 17)} {
		if path, err := keeper.Keep(t.Context(), data, extension); err == nil {
			t.Errorf("kept as %s", path)
		}
	}
}

// FuzzKeyOf: no path leads to an object that is not of an upload.
func FuzzKeyOf(f *testing.F) {
	f.Add("upload:/" + strings.Repeat("3f", 32) + "-k7q.jpeg")
	f.Add("upload:/" + strings.Repeat("3f", 32) + "-../../../records/1.jpeg")
	f.Add("/photos/a.jpeg")
	f.Fuzz(func(t *testing.T, path string) {
		key, is := KeyOf(path)
		if !is {
			return
		}
		rest, in := strings.CutPrefix(key, form.OriginalPrefix)
		if !in || strings.Count(rest, "/") != 1 || strings.Contains(rest, ".") || len(rest) > 3+64+1+32 || strings.Trim(rest, letters+"/-") != "" {
			t.Errorf("%q leads to %q", path, key)
		}
	})
}
