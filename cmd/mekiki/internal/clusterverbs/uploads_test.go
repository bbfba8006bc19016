package clusterverbs

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/content"
	"mekiki/index/indextest"
	"mekiki/index/originals"
)

// opening is a reader of which originals alone are asked.
type opening struct {
	index.Reader
	open func(*index.Record) (io.ReadSeekCloser, error)
	of   *index.Record
}

func (o opening) OpenOriginal(context.Context, index.ID) (io.ReadSeekCloser, error) {
	return o.open(o.of)
}

// TestUploadsMigrate: the file of an upload goes from the folder of a library into the store and back; other files stay where
// they are, and one that is lost costs itself alone.
func TestUploadsMigrate(t *testing.T) {
	folder, back := filepath.Join(t.TempDir(), "library"), filepath.Join(t.TempDir(), "back")
	data, store := []byte("a picture"), objectstest.New()
	hash := index.Hash(sha256.Sum256(data))
	kept, settle, err := keepOriginal(t.Context(), originals.New(originals.FolderOf(folder)), hash, data, ".jpeg")
	indextest.Must(t, err)
	indextest.Must(t, settle(true))
	elsewhere := index.File{Path: filepath.Join(t.TempDir(), "a.jpeg"), Inode: 7, RootLength: 3}
	record := &index.Record{ID: 1, Hash: hash, Bytes: int64(len(data)), Files: []index.File{elsewhere, {Path: kept, Name: "Holiday/a.jpeg", Inode: 9, RootLength: 4}}}

	onDisk := opening{open: func(r *index.Record) (io.ReadSeekCloser, error) { return content.Open(r) }, of: record}
	files, _, err := uploadsIn(folder, uploaded.Keeper{Store: store})(t.Context(), onDisk, record)
	indextest.Must(t, err)
	if len(files) != 2 || files[0] != elsewhere || !strings.HasPrefix(files[1].Path, "upload:") || files[1].Name != "Holiday/a.jpeg" || files[1].Inode != 0 || files[1].RootLength != 0 {
		t.Fatalf("in: %+v", files)
	}
	inStore := *record
	inStore.Files = append(files, index.File{Path: strings.Replace(files[1].Path, "-", "-another", 1)}) // of a second upload, which is lost
	onCluster := opening{open: func(r *index.Record) (io.ReadSeekCloser, error) { return uploaded.Open(t.Context(), store, r) }, of: &inStore}
	for _, written := range []bool{false, true} {
		files, settle, err = uploadsBack(back, slog.New(slog.DiscardHandler))(t.Context(), onCluster, &inStore)
		indextest.Must(t, err)
		if len(files) != 2 || files[0] != elsewhere || filepath.Dir(filepath.Dir(files[1].Path)) != originals.FolderOf(back) || files[1].Name != "Holiday/a.jpeg" {
			t.Fatalf("back: %+v", files)
		}
		if got, err := os.ReadFile(files[1].Path); err != nil || string(got) != string(data) {
			t.Errorf("the file: %q, %v", got, err)
		}
		indextest.Must(t, settle(written))
		notes, err := filepath.Glob(filepath.Join(originals.FolderOf(back), "*", ".*.pending"))
		indextest.Must(t, err)
		if written != (len(notes) == 0) {
			t.Errorf("written %t: pending %v", written, notes)
		}
	}
	keys := uploaded.KeysOf(&inStore)
	indextest.Must(t, store.Delete(t.Context(), keys...))
	files, settle, err = uploadsBack(back, slog.New(slog.DiscardHandler))(t.Context(), onCluster, &inStore)
	if err != nil || settle != nil || len(files) != 1 || files[0] != elsewhere {
		t.Errorf("lost: %+v, %v", files, err)
	}
	indextest.Must(t, os.RemoveAll(originals.FolderOf(folder)))
	files, _, err = uploadsIn(folder, uploaded.Keeper{Store: store})(t.Context(), onDisk, record)
	if err != nil || len(files) != 2 || files[1].Path != kept {
		t.Errorf("lost on the disk: %+v, %v", files, err)
	}
}
