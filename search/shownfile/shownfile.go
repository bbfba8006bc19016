package shownfile

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/words"
)

// Show says of each hit which file to show and whether all have gone: files that are there come first, then those in the
// folders that were asked for, then those whose names have most words of the text.
func Show(ctx context.Context, hits []contract.Hit, text string, inFolders func(index.File) bool) {
	var paths []string
	for _, hit := range hits {
		paths = append(paths, hit.Record.Paths()...)
	}
	// A path that is not absolute is a name alone, of a file that this caller is not told the place of.
	gone := goneFiles(ctx, slices.DeleteFunc(paths, func(path string) bool { return !filepath.IsAbs(path) }))
	finder := words.NewFinder([]string{text})
	for i := range hits {
		hit := &hits[i]
		if len(hit.Record.Files) == 0 {
			continue
		}
		best := slices.MaxFunc(hit.Record.Files, func(a, b index.File) int { // the first of the best
			return cmp.Or(
				compareBool(!gone[a.Path], !gone[b.Path]),
				compareBool(inFolders(a), inFolders(b)),
				cmp.Compare(finder.FileShare(a), finder.FileShare(b)),
			)
		})
		hit.Path, hit.Name, hit.Missing = best.Path, cmp.Or(best.Name, hit.Name), gone[best.Path]
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// goneFiles tells which of some files are not there.
func goneFiles(ctx context.Context, paths []string) map[string]bool {
	type answer struct {
		path string
		gone bool
	}
	ctx, cancel := context.WithTimeout(ctx, fileCheckTimeout)
	defer cancel()
	answers := make(chan answer, len(paths))
	var next atomic.Int64
	for range min(fileChecks, len(paths)) {
		go func() {
			for at := next.Add(1) - 1; at < int64(len(paths)) && ctx.Err() == nil; at = next.Add(1) - 1 {
				_, err := os.Stat(paths[at])
				answers <- answer{paths[at], errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)}
			}
		}()
	}
	gone := map[string]bool{}
	for range paths {
		select {
		case found := <-answers:
			if found.gone {
				gone[found.path] = true
			}
		case <-ctx.Done():
			return gone
		}
	}
	return gone
}
