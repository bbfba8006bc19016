package local

import (
	"context"
	"path/filepath"

	"mekiki/index/local/catalog"
	"mekiki/index/local/columns"
	"mekiki/index/local/keywords"
	"mekiki/index/local/nearest"
	"mekiki/index/local/thumbnail"
)

// derived are the indexes that follow the catalog.
type derived struct {
	lookup       *catalog.Lookup
	keywordStore *keywords.Store
	thumbs       *thumbnail.Store
	// columns are of the newest state.
	columns *columns.Table
	// vectors are of the serving space; nil without one.
	vectors *nearest.Store
}

// openDerived opens or builds the derived indexes for a state.
func openDerived(ctx context.Context, l *Library, s *catalog.State) (*derived, error) {
	d := &derived{lookup: l.lookup, thumbs: &thumbnail.Store{
		Fsys: l.fsys, Folder: filepath.Join(l.folder, catalog.DerivedFolder, thumbnail.Folder), ReadOnly: l.readOnly.Load(),
		Library: l.folder, Present: l.present, Decoder: l.decoder,
	}}
	var err error
	d.keywordStore, err = keywords.Open(ctx, keywords.Options{
		Fsys: l.fsys, Folder: filepath.Join(l.folder, catalog.DerivedFolder, keywords.Folder), Logger: l.logger,
		ReadOnly: l.readOnly.Load(), Damaged: len(l.findings) > 0, OpenedBefore: l.options.openedBefore,
	}, s)
	if err != nil {
		return nil, err
	}
	d.vectors = nearest.NewStore(l.host, s.Serving())
	return d, nil
}

// serve chooses the store of the next state's serving space, and loads another
// space's before it serves if the one before it is loaded.
func (d *derived) serve(ctx context.Context, l *Library, next *view) error {
	serving := next.state.Serving()
	if d.vectors != nil && serving != nil && d.vectors.Number == serving.Number {
		next.nearest.Store = d.vectors
		return nil
	}
	store := nearest.NewStore(l.host, serving)
	used := d.vectors == nil && !l.options.DeferVectors || d.vectors != nil && d.vectors.Loaded()
	d.vectors, next.nearest.Store = store, store
	if store == nil || !used {
		return nil
	}
	_, err := next.nearest.Indexes(ctx)
	return err
}
