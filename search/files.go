package search

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/search/contract"
	"mekiki/search/words"
)

// The files of the hits of a page are looked for on disk: so many at a time, for so
// long altogether. A drive that does not answer must not hold up the hits; what has
// not answered by then is taken to be there.
const (
	fileChecks       = 16
	fileCheckTimeout = 500 * time.Millisecond
)

// showFiles says of each hit which file to show and whether all have gone.
func (p *plan) showFiles(ctx context.Context, hits []contract.Hit) {
	var paths []string
	for _, hit := range hits {
		paths = append(paths, hit.Record.Paths()...)
	}
	gone := goneFiles(ctx, paths)
	finder := words.NewFinder([]string{p.text})
	inFolders := p.inFolders()
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

// inFolders gives what reports whether a file passes the folder filters of a request.
func (p *plan) inFolders() func(index.File) bool {
	own := filters.InFolders(p.filter)
	if p.also == nil {
		return own
	}
	also := filters.InFolders(*p.also)
	return func(file index.File) bool { return own(file) && also(file) }
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
