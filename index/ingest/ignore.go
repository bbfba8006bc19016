package ingest

import (
	"errors"
	"io/fs"
	"path/filepath"

	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/rules"
)

// readIgnoreFile reads what a folder's ignore file says; it adds to what those above
// say.
func (w *walker) readIgnoreFile(root, relative string) {
	folder := filepath.Join(root, filepath.FromSlash(relative))
	var above *rules.Ignoring
	if relative != "" {
		above = w.rules[filepath.Dir(folder)]
	}
	w.rules[folder] = above
	file, err := drives.OpenToRead(filepath.Join(folder, rules.IgnoreName))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var own []rules.Pattern
	if err == nil {
		own, err = rules.ReadPatterns(file, relative)
		err = errors.Join(err, file.Close())
	}
	if err != nil && w.found != nil {
		w.run.options.Logger.Warn("an ignore file cannot be read", "file", filepath.Join(folder, rules.IgnoreName), "error", err)
	}
	if len(own) > 0 {
		w.rules[folder] = above.With(own)
	}
}
