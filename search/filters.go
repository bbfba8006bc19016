package search

import (
	"context"
	"slices"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/search/contract"
	"mekiki/search/shownfile"
	"mekiki/search/unread"
)

// resolveFilter gives the filter of a plan over a snapshot.
func resolveFilter(ctx context.Context, snapshot index.Reader, p *plan) (index.Filter, error) {
	if p.also == nil {
		return p.filter, nil
	}
	return filters.Both(ctx, snapshot, p.filter, *p.also)
}

// written lists what is looked for among the words in pictures.
func (p *plan) written() []string {
	if p.also == nil {
		return p.filter.OCR
	}
	return slices.Concat(p.filter.OCR, p.also.OCR)
}

// missesUnread reports whether words in pictures are looked for that have not been read.
func (p *plan) missesUnread(ctx context.Context, snapshot index.Reader) (bool, error) {
	if len(p.written()) == 0 {
		return false, nil
	}
	return unread.Any(ctx, snapshot)
}

// showFiles says of each hit which file to show and whether all have gone.
func (p *plan) showFiles(ctx context.Context, hits []contract.Hit) {
	shownfile.Show(ctx, hits, p.text, p.inFolders())
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
