package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/pflag"

	"mekiki/embed/hub"
	"mekiki/embed/ocr"
	"mekiki/embed/ort"
)

// DownloadsFolder is where models that need no compiling and checkpoints are kept as they were downloaded.
func (a *App) DownloadsFolder() (string, error) {
	cache, err := a.CacheFolder()
	return filepath.Join(cache, "downloads"), err
}

// AddWordsFlag adds the flag that names the models that read words in pictures.
func AddWordsFlag(flags *pflag.FlagSet, folder *string) {
	flags.StringVar(folder, "words", "", "folder of the models that read words (default: those that were pulled)")
}

// OpenWords opens the models that read words in pictures: those of a folder, or, for "", those that were pulled. The caller
// closes them before the runtime.
func (a *App) OpenWords(ctx context.Context, runtime *ort.Runtime, folder string) (*ocr.Reader, error) {
	if folder == "" {
		downloads, err := a.DownloadsFolder()
		if err != nil {
			return nil, err
		}
		folder = filepath.Join(downloads, hub.WordsModel)
	}
	return ocr.Open(ctx, ocr.Options{Folder: folder, Runtime: runtime, Threads: a.Threads})
}
