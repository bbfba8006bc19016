package nearest

import (
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/index/vector/codes"
	"mekiki/index/vector/quantized"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// replacing is a file system on which another process replaces files of codes just before they are opened.
type replacing struct {
	vfs.FS
	left int // how many times more
}

func (r *replacing) Open(name string) (vfs.File, error) {
	if r.left > 0 && strings.HasSuffix(name, codesSuffix) {
		r.left--
		if err := r.Rename(name, strings.Replace(name, "s-0", "s-1", 1)); err != nil {
			return nil, err
		}
	}
	return r.FS.Open(name)
}

// TestCodesAreReplacedMeanwhile: where another process writes new codes while they are opened, those are used.
func TestCodesAreReplacedMeanwhile(t *testing.T) {
	const width = 8
	for _, times := range []int{0, 1} {
		files := &replacing{FS: vfstest.NewMemory(), left: times}
		store := &Store{
			Host:   &Host{Fsys: files, Folder: "/library", Logger: slog.New(slog.DiscardHandler)},
			Number: 1, space: embed.Space{Width: width, Parts: 1},
		}
		folder := filepath.Join("/library", catalog.DerivedFolder, listsFolder)
		indextest.Must(t, files.MkdirAll(folder))
		rows, coded := quantized.Encode(make([]float32, width), width)
		indextest.Must(t, vfs.WriteAtomically(files, filepath.Join(folder, "0001-images-00000001.codes"), 1, func(w io.Writer) error {
			to, err := codes.NewWriter(w, width)
			indextest.Must(t, err)
			indextest.Must(t, to.Add(7, 9, rows, coded))
			return to.Finish()
		}))
		opened := store.openCodes(index.KindImage)
		if opened == nil || len(opened.Entries()) != 1 || opened.Entries()[0].Group != 7 {
			t.Fatalf("replaced %d times: %v", times, opened)
		}
		indextest.Must(t, opened.file.Close())
	}
}
