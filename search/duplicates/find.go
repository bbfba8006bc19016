package duplicates

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"mekiki/index"
	"mekiki/search/contract"
)

// Find finds groups of images that are the same at one level. Groups are
// built around their best image, so that likeness does not creep from one
// member to the next. Scenes are those that were compared before: [Kept.Compare] compares the others.
func Find(ctx context.Context, library index.Source, kept *Kept, request Request) (Response, error) {
	started := time.Now()
	if err := request.prepare(); err != nil {
		return Response{}, err
	}
	snapshot, err := library.Reader(ctx)
	if err != nil {
		return Response{}, fmt.Errorf("read library: %w", err)
	}
	defer snapshot.Close()
	request.Filter.Kinds = []index.Kind{index.KindImage}
	records, _, err := snapshot.List(ctx, request.Filter, index.Page{})
	if err != nil {
		return Response{}, fmt.Errorf("list records: %w", err)
	}
	response := Response{Level: request.Level, Groups: []Group{}, Examined: len(records)}
	groups, err := response.find(ctx, snapshot, kept, records, request)
	if err != nil {
		return Response{}, err
	}
	if err := response.cut(groups, request); err != nil {
		return Response{}, err
	}
	response.Timings.TotalMS = contract.Milliseconds(started)
	return response, nil
}

// find gives all groups.
func (r *Response) find(ctx context.Context, snapshot index.Reader, kept *Kept, records []*index.Record, request Request) ([]Group, error) {
	switch {
	case request.Level == LevelBytes:
		return Bytes(records), nil
	case request.Level == LevelPicture:
		return Pictures(ctx, records, *request.Distance)
	case request.Similarity < LeastKept:
		newest := ByPreference(records)
		if len(newest) > sceneLimit {
			slices.SortFunc(newest, func(a, b *index.Record) int { return cmp.Compare(b.ID, a.ID) })
			newest = ByPreference(newest[:sceneLimit])
			r.Warnings = append(r.Warnings, fmt.Sprintf("only the newest %d of %d images were compared; use a filter to choose others, or a similarity of at least %v", sceneLimit, len(records), LeastKept))
		}
		r.Examined = len(newest)
		return Scenes(ctx, snapshot, newest, request.Filter, request.Similarity)
	}
	space, some := snapshot.Space()
	if !some {
		return nil, nil
	}
	known := kept.of(space.Fingerprint)
	missing, err := missingOf(ctx, snapshot, space, known, records)
	if err != nil {
		return nil, err
	}
	r.Pending = len(missing)
	r.Examined -= r.Pending
	return known.scenes(ByPreference(records), request.Similarity), nil
}

// prepare checks a request and fills in defaults.
func (r *Request) prepare() error {
	if r.Distance == nil {
		distance := 6
		r.Distance = &distance
	}
	if r.Similarity == 0 {
		r.Similarity = 0.95
	}
	if r.Limit == 0 {
		r.Limit = 100
	}
	switch {
	case r.Level != LevelBytes && r.Level != LevelPicture && r.Level != LevelScene:
		return contract.InvalidOption("level", "use bytes, picture or scene", "there is no level %q", r.Level)
	case *r.Distance < 0 || *r.Distance > 16:
		return contract.InvalidOption("distance", "give 0 to 16 bits", "distance %d is out of range", *r.Distance)
	case !(r.Similarity > 0 && r.Similarity <= 1):
		return contract.InvalidOption("similarity", "give a cosine such as 0.95", "similarity %v is not 0 to 1", r.Similarity)
	case r.Limit < 0 || r.Limit > contract.MaximumLimit:
		return contract.InvalidOption("limit", fmt.Sprintf("give 1 to %d", contract.MaximumLimit), "limit %d is out of range", r.Limit)
	case r.Offset < 0 || r.Offset > contract.MaximumSkipped:
		return contract.InvalidOption("offset", fmt.Sprintf("give 0 to %d", contract.MaximumSkipped), "offset %d is out of range", r.Offset)
	}
	return contract.CheckFilter(r.Filter)
}

// cut puts groups in order and takes one page.
func (r *Response) cut(groups []Group, request Request) error {
	last, some, err := positionAt(request)
	if err != nil {
		return err
	}
	slices.SortFunc(groups, func(a, b Group) int { return positionOf(&a, request).compare(positionOf(&b, request)) })
	r.Total = len(groups)
	for _, group := range groups {
		r.ReclaimableBytes += group.ReclaimableBytes
	}
	from := min(request.Offset, len(groups))
	if some {
		from = sort.Search(len(groups), func(i int) bool { return positionOf(&groups[i], request).compare(last) > 0 })
	}
	to := min(from+request.Limit, len(groups))
	r.Groups = append(r.Groups, groups[from:to]...)
	for g := range r.Groups {
		group := &r.Groups[g]
		group.explain()
		for i := range group.Members {
			group.Members[i].Similarity = contract.Round(group.Members[i].Similarity)
		}
	}
	if to < len(groups) && to > from {
		r.Next, r.Cursor = to, positionOf(&groups[to-1], request).cursor()
	}
	return nil
}
