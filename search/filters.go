package search

import (
	"context"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/search/contract"
	"mekiki/search/shownfile"
)

// resolveFilter gives the filter of a plan over a snapshot.
func resolveFilter(ctx context.Context, snapshot index.Reader, p *plan) (index.Filter, error) {
	if p.also == nil {
		return p.filter, nil
	}
	return filters.Both(ctx, snapshot, p.filter, *p.also)
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
