package cluster

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/cluster/form"
)

// Kept lists what the library keeps of pictures without files, by path.
func (l *Library) Kept() ([]index.Kept, error) {
	ctx := context.Background()
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	r := &Reader{library: l}
	keys, err := r.keys(ctx, form.KeptPrefix)
	if err != nil {
		return nil, err
	}
	read := make([]*index.Kept, len(keys))
	err = each(ctx, len(keys), func(ctx context.Context, i int) error {
		var kept index.Kept
		there, err := l.readJSON(ctx, keys[i], &kept)
		if there && !kept.Purged && !kept.Expired(l.clock()) {
			read[i] = &kept
		}
		return err
	})
	var list []index.Kept
	for _, kept := range read {
		if kept != nil {
			list = append(list, *kept)
		}
	}
	slices.SortFunc(list, func(a, b index.Kept) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return list, err
}
